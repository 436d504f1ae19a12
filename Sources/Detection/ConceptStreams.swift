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
            guard let now = window.errors.mae, let before = reference.errors.mae, before > 0,
                let spread = Self.spread(reference, before), let own = Self.spread(window, before)
            else { return nil }
            // By its own spread where that is more: one absurd label must not look like a change of all.
            return ConceptChange(
                value: now / before - 1, variance: max(spread, own) / Double(window.labelled),
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
    private(set) var variance: Double
    private(set) var referenceVariance: Double

    init(value: Double, variance: Double, referenceVariance: Double) {
        self.value = value
        self.variance = variance
        self.referenceVariance = referenceVariance
    }

    /// Windows that differ although nothing is wrong make each less sure, and the reference, which is some of them, too.
    func wobbling(_ statistic: ConceptStatistic, _ wobble: (figures: PerformanceWobble.Figures, windows: Double))
        -> ConceptChange
    {
        let between =
            switch statistic {
            case .ranking: wobble.figures.ranking
            case .calibration: wobble.figures.calibration
            case .errors: wobble.figures.errors
            case .distance: wobble.figures.distance
            }
        var change = self
        change.variance += between
        change.referenceVariance += between / max(1, wobble.windows)
        return change
    }

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
    /// The change since it was told of, and windows that look as if it were over; absent in states of older programs.
    private var told: Mean?
    /// The last windows before it was told of, newest last.
    private var recent: [Mean]?
    private var back: Mean?

    static let nothing = -1e300
    /// Windows that say how large a change is that grew.
    private static let recentWindows = 4

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
        var newest = Mean()
        newest.add(change)
        recent = (recent ?? []).suffix(Self.recentWindows - 1) + [newest]
        return best
    }

    /// The ratio of a mean of `size` to one of `accepted`, of a normal value.
    static func logE(_ value: Double, _ variance: Double, size: Double, accepted: Double) -> Double {
        ((size - accepted) * value - (size * size - accepted * accepted) / 2) / variance
    }

    /// One more window of an open alarm.
    ///
    /// Its null is the change as its windows have it, the larger of what they have since it began and of the last ones before and all
    /// since it was told of (a change that grew was smaller before); its alternative is no change. Windows that look as if it were over join it only when
    /// it goes on after all.
    ///
    /// - Parameter opened: the change when it was told of.
    /// - Returns: whether it is gone, at odds of a hundred.
    mutating func isOver(_ change: ConceptChange, _ statistic: ConceptStatistic, opened: Double) -> Bool {
        let sign = opened < 0 ? -1.0 : 1.0
        var told = told ?? (recent ?? []).reduce(into: Mean()) { $0.add($1) }
        var back = back ?? Mean()
        let accepted = change.accepted(statistic)
        let size = max(sign * effect, sign * told.value, accepted + statistic.grid[0] - statistic.accepted)
        let e = -Self.logE(sign * change.value, change.variance, size: size, accepted: accepted)
        mirrored = max(0, mirrored) + e
        back.add(change)
        if mirrored <= 0 {
            told.add(back)
            weight += back.weight
            weighted += back.weighted
            back = Mean()
        }
        self.told = told
        self.back = back
        return mirrored >= log(100)
    }

    /// A mean of changes, weighted by how sure each is.
    private struct Mean: Sendable, Hashable, Codable {
        var weight = 0.0
        var weighted = 0.0
        var value: Double { weight > 0 ? weighted / weight : 0 }

        mutating func add(_ change: ConceptChange) {
            weight += 1 / change.variance
            weighted += change.value / change.variance
        }

        mutating func add(_ other: Mean) {
            weight += other.weight
            weighted += other.weighted
        }
    }
}
