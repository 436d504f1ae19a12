import Detection
package import Statistics

extension Metric {
    /// The outcome of a test against the reference: not a distance, but as little a property of the reference itself.
    var isTest: Bool {
        switch self {
        case .psi_p, .ks_p, .chi2_p, .ks_error: true
        default: false
        }
    }

    /// How the evidence of many windows speaks for a metric.
    enum Detector {
        /// Of histograms.
        case shift
        case rate
        /// A rate that is only ever too high.
        case stuck
        case volume
        /// Of labelled rows.
        case figure(ConceptStatistic)
    }

    /// What `significance: edetector` judges the metric by; `nil` where of each window the number alone decides.
    var detector: Detector? {
        if isDistance { return .shift }
        switch self {
        case .null_rate, .new_category_rate, .invalid_rate, .out_of_range_rate, .missing_rate, .wrong_type_rate,
            .added_rate:
            return .rate
        case .stuck_rate: return .stuck
        case .volume: return .volume
        default: return ConceptStatistic(self).map { .figure($0) }
        }
    }

    /// Beside distances: what `significance: edetector` judges by the evidence of all windows.
    package var hasDetectorOfItsOwn: Bool { !isDistance && detector != nil }

    /// How many rows come, since when none do, and how many come too late.
    var isOfVolume: Bool { self == .volume || self == .silence || self == .late_rate }

    /// Whether a column of this kind can have the metric at all. A rule over every column is silent on the others,
    /// rather than without data.
    func applies(toKind kind: String) -> Bool {
        if isPerformance || kind == "performance" { return isPerformance == (kind == "performance") }
        if isOfVolume || kind == SnapshotRow.volumeColumn { return isOfVolume && kind == SnapshotRow.volumeColumn }
        if self == .added_rate || kind == SnapshotRow.schemaColumn {
            return self == .added_rate && kind == SnapshotRow.schemaColumn
        }
        return switch self {
        case .ks, .ks_p, .ks_error, .wasserstein, .wasserstein_normed, .mean, .sd, .min, .max, .p01, .p05, .p10, .p25,
            .p50, .p75, .p90, .p95, .p99, .out_of_range_rate:
            kind == "numeric"
        case .new_category_rate: kind == "categorical"
        default: true
        }
    }

    /// Unit, convention and bins, for people.
    func inWords(bins: Int, _ smoothing: Smoothing) -> String {
        switch self {
        case .psi, .kl, .kl_reversed: "\(name) (nats, \(smoothing), \(bins) bins)"
        case .js_divergence: "\(name) (nats, \(bins) bins)"
        case .js, .js_distance: "\(name) (base 2, \(bins) bins)"
        case .psi_with_nulls: "\(name) (nats, \(smoothing), \(bins) bins and nulls)"
        case .hellinger, .tvd, .l_infinity, .chi2, .cramers_v: "\(name) (\(bins) bins)"
        case .null_rate, .invalid_rate, .missing_rate, .wrong_type_rate, .added_rate: "\(name) (share of all rows)"
        case .silence, .label_silence: "\(name) (seconds)"
        case .late_rate: "\(name) (share of the rows that came whose window had closed)"
        case .volume: "\(name) (rows over the rows expected at this time of the week)"
        case .stuck_rate: "\(name) (share of valid rows at one value, beyond the reference's)"
        case .out_of_range_rate, .new_category_rate: "\(name) (share of valid rows)"
        default: name
        }
    }
}
