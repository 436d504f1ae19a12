import Statistics

#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

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
                value: (q - now) - (p - before), variance: rate * (1 - rate) / n,
                referenceVariance: rate * (1 - rate) / m)
        case .errors:
            guard let now = window.errorCounts, let before = reference.errorCounts else { return nil }
            let rate = (before.errors + 0.5) / (before.rows + 1)
            guard rate * now.rows >= Double(Self.leastOfClass) else { return nil }
            return ConceptChange(
                value: now.errors / now.rows - before.errors / before.rows, variance: rate * (1 - rate) / now.rows,
                referenceVariance: rate * (1 - rate) / before.rows)
        case .distance:
            guard let now = window.errors.mae, let before = reference.errors.mae, let far = reference.errors.rmse,
                before > 0
            else { return nil }
            let spread = max(0, far * far - before * before) / (before * before)
            return ConceptChange(
                value: now / before - 1, variance: spread / Double(window.labelled),
                referenceVariance: spread / Double(reference.labelled))
        }
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
        return ConceptChange(value: b - a, variance: expected * expected, referenceVariance: error * error)
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
    /// Of the window alone.
    let variance: Double
    let referenceVariance: Double

    /// What is no change: what need not be told, or what the reference may be off by (p = 0.01), whichever is more.
    func accepted(_ statistic: ConceptStatistic) -> Double {
        max(statistic.accepted, 2.5 * referenceVariance.squareRoot())
    }
}

/// Evidence of one statistic of one segment over windows. Constant size.
struct ConceptStream: Sendable, Hashable, Codable {
    /// ln R for each size of the grid, for the side that is worse and, of calibration, for the other.
    private var logR: [Double]
    /// max(0, S + ln e): the change is taken to start where this last left 0.
    private var sum = 0.0
    /// Windows, weights and weighted changes since then.
    private(set) var windows = 0
    private var weight = 0.0
    private var weighted = 0.0
    /// ln R of the mirrored detector, while an alarm is open.
    private var mirrored = -1e300

    static let nothing = -1e300

    init(_ statistic: ConceptStatistic) {
        logR = [Double](repeating: Self.nothing, count: statistic.grid.count * (statistic == .calibration ? 2 : 1))
    }

    /// ln of the mean of the running products: an e-process too.
    var evidence: Double {
        let top = logR.max() ?? Self.nothing
        return top + log(logR.reduce(0) { $0 + exp($1 - top) } / Double(logR.count))
    }

    /// The mean change since it began, weighted by how sure each window is.
    var effect: Double { weight > 0 ? weighted / weight : 0 }
    /// Its standard error.
    var error: Double { weight > 0 ? (1 / weight).squareRoot() : .infinity }

    /// Adds a window.
    /// - Returns: the largest ln e of the grid in it.
    mutating func add(_ change: ConceptChange, _ statistic: ConceptStatistic) -> Double {
        var best = Self.nothing
        for i in logR.indices {
            let value = i < statistic.grid.count ? change.value : -change.value
            let accepted = change.accepted(statistic)
            let size = statistic.grid[i % statistic.grid.count] + accepted - statistic.accepted
            let e = Self.logE(value, change.variance, size: size, accepted: accepted)
            best = max(best, e)
            // R = (1 + R)·e
            let r = logR[i]
            logR[i] = max(Self.nothing, e + (r > 0 ? r + log1p(exp(-r)) : log1p(exp(r))))
        }
        if sum + best > 0, sum <= 0 {
            windows = 0
            weight = 0
            weighted = 0
        }
        sum = max(0, sum + best)
        windows += 1
        weight += 1 / change.variance
        weighted += change.value / change.variance
        return best
    }

    /// The ratio of a mean of `size` to one of `accepted`, of a normal value.
    static func logE(_ value: Double, _ variance: Double, size: Double, accepted: Double) -> Double {
        ((size - accepted) * value - (size * size - accepted * accepted) / 2) / variance
    }

    /// One more window of an open alarm of some size.
    /// - Returns: whether the change is gone, at odds of a hundred.
    mutating func isOver(_ change: ConceptChange, _ statistic: ConceptStatistic, opened: Double)
        -> Bool
    {
        let value = opened < 0 ? -change.value : change.value
        let e = -Self.logE(
            value, change.variance, size: max(abs(opened), statistic.grid[0]), accepted: statistic.accepted)
        mirrored = max(0, mirrored) + e
        return mirrored >= log(100)
    }
}
