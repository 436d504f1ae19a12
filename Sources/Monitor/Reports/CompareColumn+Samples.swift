import Sketches
import Statistics
import Values

/// Names of what describes one side by itself, in the order of output.
private let numericDescription = [
    "null_rate", "invalid_rate", "out_of_range_rate", "mean", "sd", "min", "p01", "p05", "p10", "p25", "p50", "p75",
    "p90", "p95", "p99", "max",
]
private let quantiles: [(name: String, probability: Double)] = [
    ("min", 0), ("p01", 0.01), ("p05", 0.05), ("p10", 0.1), ("p25", 0.25), ("p50", 0.5), ("p75", 0.75), ("p90", 0.9),
    ("p95", 0.95), ("p99", 0.99), ("max", 1),
]
private let histogramDistances: [Metric] = [
    .psi, .psi_p, .psi_with_nulls, .kl, .kl_reversed, .js, .js_divergence, .js_distance, .hellinger, .tvd, .l_infinity,
    .chi2, .chi2_p, .cramers_v,
]
private let newCategoriesShown = 20

extension CompareColumn {
    /// One column of two sets of rows. The distances over bins are the service's own (`columnMetrics`), over the
    /// reference's deciles or categories; those over values are of the values themselves.
    init(
        name: String, isNumeric: Bool, segment: Segment, referenceSegment: Segment, reference: CompareSamples,
        current: CompareSamples, options: Compare.Options
    ) {
        let binned = isNumeric ? Binned(numeric: reference, current) : Binned(categorical: reference, current)
        let (ours, comparison) = binned.metrics(options.smoothing)
        var metrics: [CompareMetric]
        if let convention = options.convention {
            metrics =
                isNumeric
                ? convention.distances(numeric: reference, current)
                : convention.distances(categorical: reference.categories, current.categories)
        } else {
            metrics = histogramDistances.map { CompareMetric($0.name, ours[$0]) }
            if isNumeric { metrics += Self.sampleDistances(reference, current) }
        }
        let known = reference.categories
        let fresh = current.ranked.filter { known[$0.name] == nil }
        metrics += Self.description(current, against: reference, isNumeric: isNumeric)
        self.init(
            name: name, isNumeric: isNumeric, segment: segment, referenceSegment: referenceSegment, n: current.rows,
            referenceN: reference.rows, null: current.nulls, referenceNull: reference.nulls, metrics: metrics,
            referenceMetrics: Self.description(reference, against: reference, isNumeric: isNumeric),
            comparison: comparison,
            newCategories: known.isEmpty ? [] : fresh.prefix(newCategoriesShown).map(\.name),
            chart: isNumeric
                ? CompareChart(numeric: reference, current)
                : CompareChart(
                    categories: comparison.categories, reference: comparison.reference, current: comparison.current),
            psi: ours[.psi], psiP: ours[.psi_p], threshold: options.threshold)
    }

    /// Judges by `psi` and `psi_p`, in whatever convention the metrics are shown.
    init(
        name: String, isNumeric: Bool, segment: Segment, referenceSegment: Segment, n: UInt64, referenceN: UInt64,
        null: UInt64, referenceNull: UInt64, metrics: [CompareMetric], referenceMetrics: [CompareMetric],
        comparison: Comparison, newCategories: [String], chart: CompareChart, psi: Double?, psiP: Double?,
        threshold: Double
    ) {
        self.name = name
        self.isNumeric = isNumeric
        self.segment = segment
        self.referenceSegment = referenceSegment
        self.n = n
        self.referenceN = referenceN
        self.null = null
        self.referenceNull = referenceNull
        self.metrics = metrics
        self.referenceMetrics = referenceMetrics
        self.comparison = comparison
        self.newCategories = newCategories
        self.chart = chart
        self.psi = psi
        self.psiP = psiP
        func value(_ name: String) -> Double? { metrics.first { $0.name == name }?.value }
        // A PSI that cannot be said of two histograms is infinite: an empty bin without smoothing.
        let isFar = (psi ?? .infinity) > threshold && (psiP ?? 1) < Compare.significance
        // Bins end at their upper edge, so a shift within the lowest one shows in KS alone.
        let isElsewhere = (psi ?? 0) < 0.01 && (value("ks") ?? 0) > 0.5 && (value("ks_p") ?? 1) < Compare.significance
        drifted = isFar || isElsewhere || Self.vanished(comparison)
    }

    /// One side has values, the other has rows but no value.
    private static func vanished(_ comparison: Comparison) -> Bool {
        let (before, now) = (comparison.reference.reduce(0, +), comparison.current.reduce(0, +))
        return (before >= Reference.minimumRows && now == 0) || (now >= Reference.minimumRows && before == 0)
    }

    private static func sampleDistances(
        _ reference: CompareSamples, _ current: CompareSamples
    ) -> [CompareMetric] {
        let x = reference.values
        let y = current.values
        let ks = CompareSamples.ks(reference, current)
        let wasserstein = Samples.wasserstein(x, y)
        return [
            CompareMetric("ks", ks?.distance), CompareMetric("ks_p", ks?.p),
            CompareMetric("wasserstein", wasserstein),
            CompareMetric("wasserstein_normed", normed(wasserstein, by: reference.standardDeviation())),
            CompareMetric("cramer_von_mises", Samples.cramerVonMises(x, y)),
            CompareMetric("anderson_darling", Samples.andersonDarling(x, y)),
            CompareMetric("energy", Samples.energyDistance(x, y)),
        ]
    }

    /// A distance in standard deviations; no distance is none of them, even where there is no deviation.
    static func normed(_ distance: Double?, by deviation: Double?) -> Double? {
        guard let distance, let deviation else { return nil }
        return distance == 0 ? 0 : deviation > 0 ? distance / deviation : nil
    }

    private static func description(
        _ side: CompareSamples, against reference: CompareSamples, isNumeric: Bool
    ) -> [CompareMetric] {
        let rows = Double(side.rows)
        var found: [String: Double] = [:]
        if rows > 0 {
            found["null_rate"] = Double(side.nulls) / rows
            found["invalid_rate"] = Double(side.invalids) / rows
        }
        guard isNumeric else {
            let valid = side.categories.values.reduce(0.0) { $0 + Double($1) }
            let unseen = side.categories.reduce(0.0) { sum, item in
                reference.categories[item.key] == nil ? sum + Double(item.value) : sum
            }
            if valid > 0 && !reference.categories.isEmpty { found["new_category_rate"] = unseen / valid }
            if valid > 0 { found["cardinality"] = Double(side.categories.count) }
            return ["null_rate", "invalid_rate", "new_category_rate", "cardinality"].map {
                CompareMetric($0, found[$0])
            }
        }
        if let least = reference.values.first, let most = reference.values.last, !side.values.isEmpty {
            let outside = side.values.count { $0 < least || $0 > most }
            found["out_of_range_rate"] = Double(outside) / Double(side.values.count)
        }
        found["mean"] = side.mean
        found["sd"] = side.standardDeviation()
        for (name, probability) in quantiles { found[name] = side.quantile(probability) }
        return numericDescription.map { CompareMetric($0, found[$0]) }
    }
}

/// Both sides in the bins of the distances, in the form `columnMetrics` takes.
private struct Binned {
    private let column: Layout.Column
    private let cuts: [Int]
    private let reference: ColumnProfile
    private let current: ColumnProfile

    init(numeric reference: CompareSamples, _ current: CompareSamples) {
        let edges = Samples.quantileEdges(sorted: reference.values, bins: Compare.bins)
        column = Layout(columns: [("", .numeric(NumericBins(edges: edges), exponent: 0))]).columns[0]
        cuts = Array(edges.indices)
        self.reference = Self.profile(reference, reference.histogram(edges))
        self.current = Self.profile(current, current.histogram(edges))
    }

    /// Every category of the reference has a bin, and all others have one together.
    init(categorical reference: CompareSamples, _ current: CompareSamples) {
        let names = reference.ranked.map(\.name)
        let bins = CategoryBins(categories: names)
        column = Layout(columns: [("", .categorical(bins))]).columns[0]
        cuts = []
        func counts(_ side: CompareSamples) -> [UInt64] {
            let known = names.map { side.categories[$0] ?? 0 }
            let all = side.categories.values.reduce(0, &+)
            return known + [0, all - known.reduce(0, &+)]
        }
        self.reference = Self.profile(reference, counts(reference))
        self.current = Self.profile(current, counts(current))
    }

    private static func profile(_ side: CompareSamples, _ bins: [UInt64]) -> ColumnProfile {
        ColumnProfile(bins: bins, null: side.nulls, invalid: side.invalids)
    }

    func metrics(_ smoothing: Smoothing) -> (MetricValues, Comparison) {
        let result = columnMetrics(
            column: column, cuts: cuts, reference: reference, current: current, smoothing: smoothing)
        return (result.metrics, result.comparison)
    }
}
