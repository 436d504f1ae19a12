import Values

#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

/// Evidence of one statistic of one segment over windows, and its alarm while one is open. Constant size, a value.
struct ConceptStream: Sendable, Hashable, Codable {
    /// Evidence of a change of one size to one side, and where that change began.
    private struct Run: Sendable, Hashable, Codable {
        var logR = ConceptStream.nothing
        /// max(0, S + ln e): the change is taken to start where this last left 0.
        var sum = 0.0
        var start: Timestamp
        /// Of the windows since then.
        var mean = ConceptMean()

        mutating func add(_ change: ConceptChange, logE: Double, at time: Timestamp) {
            // R = (1 + R)·e
            logR = max(ConceptStream.nothing, LogEvidence.step(logR, logE))
            if sum <= 0 {
                start = time
                mean = ConceptMean()
            }
            sum = max(0, sum + logE)
            mean.add(change)
        }
    }

    /// A change that was told of.
    struct Alarm: Sendable, Hashable, Codable {
        let since: Timestamp
        /// Whether the figure is off to the side that is worse.
        fileprivate let isWorse: Bool
        /// ln R when it opened.
        let evidence: Double
        /// All windows since it began, and of these the last before it was told of and all after; without those of `back`.
        fileprivate var all: ConceptMean
        fileprivate var told: ConceptMean
        /// Windows that look as if it were over, and max(0, S + ln e) of the mirrored detector.
        fileprivate var back = ConceptMean()
        fileprivate var mirrored = 0.0
        /// Start of the first window of `back`; this and what follows are absent in states of older programs.
        fileprivate(set) var backSince: Timestamp?
        /// How often it was over before, not long ago.
        var returned: Returns.Count?

        /// The mean change since it began.
        var effect: Double { all.value }
    }

    /// By size of the grid, for the side that is worse and, of calibration, for the other. Each has a start of its own: under figures
    /// that wobble to both sides the best of all sizes is seldom nothing, so a start that all share would lie in long-gone quiet, and the mean since
    /// then would hide the change.
    private var runs: [Run]
    /// The last windows, newest last.
    private var recent: [ConceptMean] = []
    private(set) var alarm: Alarm?

    private static let nothing = -1e300
    /// Windows that say how large a change is that grew.
    private static let recentWindows = 4

    init(_ statistic: ConceptStatistic, at time: Timestamp) {
        runs = [Run](repeating: Run(start: time), count: statistic.grid.count * (statistic == .calibration ? 2 : 1))
    }

    private var strongest: Run? { runs.max { $0.logR < $1.logR } }

    /// ln of the mean of the running products, an e-process too; of an open alarm, when it opened.
    var evidence: Double {
        if let alarm { return alarm.evidence }
        let top = strongest?.logR ?? Self.nothing
        return top + log(runs.reduce(0) { $0 + exp($1.logR - top) } / Double(runs.count))
    }

    /// The mean change since it began, weighted by how sure each window is.
    var effect: Double { alarm?.effect ?? strongest?.mean.value ?? 0 }
    /// Start of the first window of the change that has the most evidence, where there is any.
    var since: Timestamp? { alarm?.since ?? strongest.flatMap { $0.logR > 0 ? $0.start : nil } }

    /// Adds a window to a stream without an alarm.
    /// - Returns: whether an alarm may open: chance gives so much evidence too seldom, the window is part of it, and the change is what is asked
    ///   about.
    mutating func add(_ window: ConceptWindow, limit: Double, at time: Timestamp) -> Bool {
        let (change, statistic) = (window.change, window.statistic)
        let accepted = change.accepted(statistic)
        var best = Self.nothing
        for i in runs.indices {
            let value = i < statistic.grid.count ? change.value : -change.value
            let size = change.size(i % statistic.grid.count, statistic)
            let e = Self.logE(value, change.variance, size: size, accepted: accepted)
            best = max(best, e)
            runs[i].add(change, logE: e, at: time)
        }
        var newest = ConceptMean()
        newest.add(change)
        recent = recent.suffix(Self.recentWindows - 1) + [newest]
        guard evidence >= limit, best >= TargetDetector.leastLogE, let mean = strongest?.mean else { return false }
        return window.gate(mean.value, mean.error)
    }

    /// - Parameter returned: how often the segment's alarms were over before, not long ago.
    mutating func open(returned: Returns.Count?) {
        guard let strongest else { return }
        alarm = Alarm(
            since: strongest.start, isWorse: strongest.mean.value >= 0, evidence: evidence, all: strongest.mean,
            told: recent.reduce(into: ConceptMean()) { $0.add($1) }, returned: returned)
    }

    /// The ratio of a mean of `size` to one of `accepted`, of a normal value.
    private static func logE(_ value: Double, _ variance: Double, size: Double, accepted: Double) -> Double {
        ((size - accepted) * value - (size * size - accepted * accepted) / 2) / variance
    }

    /// One more window of an open alarm.
    ///
    /// The null of the mirrored detector is the change as its windows have it, the larger of what they have since it began and of the last ones
    /// before and all since it was told of (a change that grew was smaller before); its alternative is no change. Windows
    /// that look as if it were over join the change only when it goes on after all. What ends it is evidence that they fit the reference
    /// better, while together they no longer have what is asked about.
    ///
    /// - Parameter limit: what the evidence of the mirrored detector must reach.
    /// - Returns: whether it is gone.
    mutating func isOver(_ window: ConceptWindow, limit: Double, at time: Timestamp) -> Bool {
        guard var now = alarm else { return false }
        let (change, statistic) = (window.change, window.statistic)
        let sign = now.isWorse ? 1.0 : -1.0
        let size = max(sign * now.all.value, sign * now.told.value, change.size(0, statistic))
        let e = Self.logE(
            sign * change.value, change.variance, size: size, accepted: change.accepted(statistic))
        // No more than it takes to end it: what is held because it came back must not need as many windows to be seen to come back again.
        now.mirrored = min(limit, max(0, now.mirrored - e / change.spread(statistic, under: sign * size)))
        now.back.add(change)
        now.backSince = now.backSince ?? time
        if now.mirrored <= 0 {
            now.told.add(now.back)
            now.all.add(now.back)
            now.back = ConceptMean()
            now.backSince = nil
        }
        alarm = now
        let isStill = sign * now.back.value > 0 && window.lasts(now.back.value)
        let isHeld = now.returned?.isHeld(since: now.backSince ?? time, until: time) ?? false
        return now.mirrored >= limit && !isStill && !isHeld
    }
}

extension ConceptStream {
    /// As programs wrote it whose sizes shared one start.
    struct Shared: Decodable {
        let logR: [Double]
        let weight: Double
        let weighted: Double
        let told: ConceptMean?
        let recent: [ConceptMean]?
        let back: ConceptMean?
    }

    init(_ shared: Shared, start: Timestamp, alarm: (since: Timestamp, effect: Double, evidence: Double)?) {
        let mean = ConceptMean(weight: shared.weight, weighted: shared.weighted)
        runs = shared.logR.map { Run(logR: $0, sum: max(0, $0), start: start, mean: mean) }
        recent = shared.recent ?? []
        let last = recent.reduce(into: ConceptMean()) { $0.add($1) }
        self.alarm = alarm.map {
            Alarm(
                since: $0.since, isWorse: $0.effect >= 0, evidence: $0.evidence, all: mean, told: shared.told ?? last,
                back: shared.back ?? ConceptMean())
        }
    }
}
