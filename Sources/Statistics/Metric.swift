/// Every number a snapshot can hold, by the name rules, files and the API know it under.
package enum Metric: Int, CaseIterable, Sendable, Hashable {
    case count, psi, kl, kl_reversed, js, js_divergence, js_distance, ks, ks_p, ks_error, wasserstein,
        wasserstein_normed, hellinger, tvd, l_infinity, chi2, chi2_p, cramers_v, psi_p, psi_with_nulls,
        null_rate, invalid_rate, out_of_range_rate, new_category_rate, cardinality, mean, sd, min, max,
        p01, p05, p10, p25, p50, p75, p90, p95, p99,
        missing_rate, wrong_type_rate, stuck_rate, added_rate,
        volume, silence, late_rate,
        labelled, coverage, mature, base_rate, mean_score, auroc, auroc_error, aupr, aupr_error, accuracy, precision,
        recall,
        f1, f1_micro, log_loss, brier, ece, lift, mae, rmse, r2, mape, bias, ndcg, ndcg_error, concept_drift,
        label_delay_p50,
        label_delay_p95, label_silence,
        estimated_auroc, estimated_aupr, estimated_accuracy, estimated_precision, estimated_recall, estimated_f1,
        estimated_brier, estimated_mae

    /// What only the line of a window's performance has.
    package var isPerformance: Bool { rawValue >= Metric.labelled.rawValue }

    /// What early labels would get wrong; counts, delays and estimates can be asked at any time.
    package var needsMaturity: Bool {
        rawValue >= Metric.base_rate.rawValue && rawValue <= Metric.concept_drift.rawValue
    }

    package var name: String { Self.names[rawValue] }

    /// Asking the runtime what a case is called costs more than what is asked of a metric: names are written for every figure of every row.
    private static let names = allCases.map { String(describing: $0) }

    private static let byName = Dictionary(uniqueKeysWithValues: allCases.map { ($0.name, $0) })
    package init?(name: String) {
        guard let metric = Self.byName[name] else { return nil }
        self = metric
    }

    /// Distances between the window and the reference: what a significance test can judge. The others describe the
    /// window alone.
    package var isDistance: Bool {
        switch self {
        case .psi, .kl, .kl_reversed, .js, .js_divergence, .js_distance, .ks, .wasserstein, .wasserstein_normed,
            .hellinger, .tvd, .l_infinity, .chi2, .cramers_v, .psi_with_nulls:
            true
        default: false
        }
    }
}

/// The values of some metrics. Absent means "cannot be said from these rows"; a present value is always finite.
package struct MetricValues: Sendable, Hashable {
    /// NaN where absent. Never negative zero.
    private var values = [Double](repeating: .nan, count: Metric.allCases.count)

    package init() {}

    package subscript(metric: Metric) -> Double? {
        get {
            let value = values[metric.rawValue]
            return value.isNaN ? nil : value
        }
        set { values[metric.rawValue] = newValue.flatMap { $0.isFinite ? $0 + 0 : nil } ?? .nan }
    }

    /// Two absent values are the same, which NaN does not say of itself.
    package static func == (a: MetricValues, b: MetricValues) -> Bool {
        zip(a.values, b.values).allSatisfy { $0 == $1 || ($0.isNaN && $1.isNaN) }
    }

    package func hash(into hasher: inout Hasher) {
        for value in values where !value.isNaN { hasher.combine(value) }
    }

    /// The present ones in the order of `Metric`.
    package var present: [(metric: Metric, value: Double)] {
        Metric.allCases.compactMap { metric in self[metric].map { (metric, $0) } }
    }
}
