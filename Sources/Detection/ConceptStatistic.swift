package import Statistics

/// A way in which labels can say that a model has become worse.
package enum ConceptStatistic: String, CaseIterable, Sendable, Codable {
    /// It ranks worse: AUROC.
    case ranking = "auroc"
    /// Its scores are too high or too low on the whole: share of positives less mean score.
    case calibration
    /// It errs more often: accuracy.
    case errors = "accuracy"
    /// Its values are further off: mean absolute error, as a share of the reference's.
    case distance = "mae"

    /// What no model need be told of, and the sizes looked for: AUROC, rate, share.
    var accepted: Double {
        switch self {
        case .ranking: 0.02
        case .calibration, .errors: 0.01
        case .distance: 0.05
        }
    }

    var grid: [Double] {
        switch self {
        case .ranking: [0.06, 0.12, 0.24, 0.45]
        case .calibration, .errors: [0.03, 0.06, 0.12, 0.25]
        case .distance: [0.15, 0.3, 0.6, 1.2]
        }
    }

    /// The least change worth telling, of all windows since it began.
    package var leastEffect: Double {
        switch self {
        case .ranking: 0.05
        case .calibration, .errors: 0.03
        case .distance: 0.1
        }
    }

    /// Fewer of each class, or rows, say nothing: a normal law of a few errors gives false alarms.
    private static let leastOfClass: Int64 = 5
    private static let leastRows: Int64 = 30

    /// - Returns: `nil` for a figure whose windows are not added up.
    package init?(_ metric: Metric) {
        switch metric {
        case .auroc: self = .ranking
        case .accuracy: self = .errors
        case .mae: self = .distance
        default: return nil
        }
    }

    /// Whether its figure is larger where the model is worse.
    package var isRise: Bool { self == .distance }

    /// The figure where the reference's is `before` and the change so much.
    package func figure(_ before: Double, worseBy change: Double) -> Double {
        self == .distance ? before * (1 + change) : before - change
    }

    /// How much worse a window is than the reference; `nil` where either has too few labels. Calibration may be off to either side, the
    /// others are positive where worse.
    func change(_ window: PerformanceSketch, _ reference: PerformanceSketch) -> ConceptChange? {
        guard window.labelled >= Self.leastRows, reference.labelled >= Self.leastRows else { return nil }
        switch self {
        case .ranking: return rankingChange(window, reference)
        case .calibration:
            guard let now = window.binary.meanScore, let before = reference.binary.meanScore else { return nil }
            let (n, m) = (Double(window.labelled), Double(reference.labelled))
            let (q, p) = (Double(window.positives) / n, Double(reference.positives) / m)
            // Half a positive on each side keeps a rate of 0 from being certain.
            let rate = (Double(reference.positives) + 0.5) / (m + 1)
            guard rate * n >= Double(Self.leastOfClass) else { return nil }
            return ConceptChange(
                value: (q - now) - (p - before), sampling: rate * (1 - rate) / n,
                referenceVariance: rate * (1 - rate) / m)
        case .errors:
            guard let now = window.errorCounts, let before = reference.errorCounts else { return nil }
            let rate = (before.errors + 0.5) / (before.rows + 1)
            guard rate * now.rows >= Double(Self.leastOfClass) else { return nil }
            return ConceptChange(
                value: now.errors / now.rows - before.errors / before.rows, sampling: rate * (1 - rate) / now.rows,
                referenceVariance: rate * (1 - rate) / before.rows, right: 1 - rate)
        case .distance:
            guard let now = window.errors.mae, let before = reference.errors.mae, before > 0,
                let spread = Self.spread(reference, before), let own = Self.spread(window, before)
            else { return nil }
            // By its own spread where that is more: one absurd label must not look like a change of all.
            return ConceptChange(
                value: now / before - 1, sampling: max(spread, own) / Double(window.labelled),
                referenceVariance: spread / Double(reference.labelled))
        }
    }

    /// The variance of a row's error, in units of a mean error.
    private static func spread(_ rows: PerformanceSketch, _ unit: Double) -> Double? {
        guard let mean = rows.errors.mae, let root = rows.errors.rmse else { return nil }
        let spread = (root / unit) * (root / unit) - (mean / unit) * (mean / unit)
        return spread.isFinite ? max(0, spread) : nil
    }

    private func rankingChange(
        _ window: PerformanceSketch, _ reference: PerformanceSketch
    ) -> ConceptChange? {
        let now = Ranking(window.scores)
        let before = Ranking(reference.scores)
        let least = Double(Self.leastOfClass)
        guard let a = now.auroc?.value, let b = before.auroc?.value, let error = before.aurocStandardError,
            min(now.positives, now.negatives) >= least, min(before.positives, before.negatives) >= least
        else { return nil }
        // By the reference's own area: a window that is better by luck must not look surer than it is.
        let expected = Ranking.standardError(auroc: b, positives: now.positives, negatives: now.negatives)
        return ConceptChange(
            value: b - a, sampling: expected * expected, referenceVariance: error * error, right: b)
    }

    static func all(of task: PerformanceTask) -> [ConceptStatistic] {
        switch task {
        case .binary: [.ranking, .calibration, .errors]
        case .multiclass: [.errors]
        case .regression: [.distance]
        // A reference has no judged queries to compare with.
        case .ranking: []
        }
    }
}

/// How much worse one window is than the reference.
///
/// What the reference itself is off by is the same in every window: time does not average it out, so it widens what is accepted
/// instead of the window's variance.
struct ConceptChange: Sendable {
    let value: Double
    /// Of the window's own rows.
    private let sampling: Double
    /// Of windows that differ although nothing is wrong.
    private var between = 0.0
    private var referenceVariance: Double
    /// The reference's figure where it is a share of what is right.
    private let right: Double?

    var variance: Double { sampling + between }

    init(value: Double, sampling: Double, referenceVariance: Double, right: Double? = nil) {
        self.value = value
        self.sampling = sampling
        self.referenceVariance = referenceVariance
        self.right = right
    }

    /// Windows that differ although nothing is wrong make each less sure, and the reference, which is some of them, too.
    func wobbling(_ statistic: ConceptStatistic, _ baseline: PerformanceBaseline) -> ConceptChange {
        let wobble =
            switch statistic {
            case .ranking: baseline.wobble.ranking
            case .calibration: baseline.wobble.calibration
            case .errors: baseline.wobble.errors
            case .distance: baseline.wobble.distance
            }
        var change = self
        change.between += wobble
        change.referenceVariance += wobble / max(1, baseline.windows)
        return change
    }

    /// What is no change: what need not be told, or what the reference may be off by (p = 0.01), whichever is more.
    func accepted(_ statistic: ConceptStatistic) -> Double {
        max(statistic.accepted, 2.5 * referenceVariance.squareRoot())
    }

    /// A size of the grid, beyond what is accepted.
    func size(_ i: Int, _ statistic: ConceptStatistic) -> Double {
        statistic.grid[i] + accepted(statistic) - statistic.accepted
    }

    /// How many times more windows vary under a change of so much than on the reference: as a share does, or as errors that grow.
    func spread(_ statistic: ConceptStatistic, under size: Double) -> Double {
        var factor = 1.0
        if statistic == .distance { factor = (1 + size) * (1 + size) }
        if let right {
            let (before, after) = (right * (1 - right), (right - size) * (1 - right + size))
            if before > 0 { factor = max(1, after / before) }
        }
        return (sampling * factor + between) / variance
    }
}

/// A mean of changes, weighted by how sure each is.
struct ConceptMean: Sendable, Hashable, Codable {
    private var weight = 0.0
    private var weighted = 0.0

    var value: Double { weight > 0 ? weighted / weight : 0 }
    /// Its standard error.
    var error: Double { weight > 0 ? (1 / weight).squareRoot() : .infinity }

    init() {}

    init(weight: Double, weighted: Double) {
        self.weight = weight
        self.weighted = weighted
    }

    mutating func add(_ change: ConceptChange) {
        weight += 1 / change.variance
        weighted += change.value / change.variance
    }

    mutating func add(_ other: ConceptMean) {
        weight += other.weight
        weighted += other.weighted
    }
}
