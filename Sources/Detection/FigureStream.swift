package import Statistics
package import Values

/// One performance figure that a rule compares with a number, in one segment: whether it is worse than the reference's is decided by
/// the evidence of all mature windows, and the rule's number is asked of all windows since the change began, as of distances.
/// Constant size, a value.
package struct FigureStream: Sendable, Hashable, Codable {
    private struct Alarm: Sendable, Hashable, Codable {
        let start: Timestamp
        let evidence: Double
        /// All windows of the change, without those since the mirrored detector has evidence, and those.
        var changed: Mean
        var back = Mean()
        /// max(0, S + ln e) of the mirrored detector.
        var backSum = 0.0
    }

    /// The mean of changes, weighted by how sure each window is.
    private struct Mean: Sendable, Hashable, Codable {
        var weight = 0.0
        var weighted = 0.0

        var value: Double { weight > 0 ? weighted / weight : 0 }

        mutating func add(_ change: ConceptChange) {
            weight += 1 / change.variance
            weighted += change.value / change.variance
        }

        mutating func take(_ other: inout Mean) {
            weight += other.weight
            weighted += other.weighted
            other = Mean()
        }
    }

    private let statistic: ConceptStatistic
    private var stream: ConceptStream
    private var start: Timestamp?
    private var alarm: Alarm?
    /// End of the last window taken in.
    private var until: Timestamp?

    /// - Returns: `nil` for a figure without a law of its own.
    package init?(_ metric: Metric) {
        guard let statistic = Self.statistic(of: metric) else { return nil }
        self.statistic = statistic
        stream = ConceptStream(statistic)
    }

    /// Whether evidence of the figure can be added up over windows, and a larger one is worse.
    package static func isRise(_ metric: Metric) -> Bool? { statistic(of: metric).map { $0 == .distance } }

    private static func statistic(of metric: Metric) -> ConceptStatistic? {
        switch metric {
        case .accuracy: .errors
        case .auroc: .ranking
        case .mae: .distance
        default: nil
        }
    }

    /// Takes one mature window in; rows are evidence once, so one that overlaps the last adds nothing.
    ///
    /// - Parameters:
    ///   - value: of the reference.
    ///   - holds: what the rule asks of the figure.
    /// - Returns: `nil` while no window had enough labels to say anything.
    package mutating func observe(
        _ window: TimeRange, _ now: PerformanceSketch, _ reference: PerformanceSketch, value: Double, limit: Double,
        holds: (Double) -> Bool
    ) -> StreamVerdict? {
        var isNew = false
        if until.map({ window.start >= $0 }) ?? true, let change = statistic.change(now, reference), change.variance > 0
        {
            until = window.end
            if alarm == nil {
                isNew = look(change, window, value, limit, holds)
            } else {
                goOn(change, value, holds)
            }
        }
        guard until != nil else { return nil }
        return StreamVerdict(
            isOpen: alarm != nil, isNew: isNew, logR: alarm?.evidence ?? stream.evidence, limit: limit,
            changeStart: alarm?.start ?? (stream.evidence > 0 ? start : nil),
            effect: alarm?.changed.value ?? stream.effect,
            explainedBy: nil)
    }

    /// - Returns: whether an alarm opens.
    private mutating func look(
        _ change: ConceptChange, _ window: TimeRange, _ value: Double, _ limit: Double, _ holds: (Double) -> Bool
    ) -> Bool {
        let e = stream.add(change, statistic)
        if stream.windows == 1 { start = window.start }
        // Of many looks the luckiest must not do: the number is passed by one standard error.
        guard stream.evidence >= limit, e >= TargetDetector.leastLogE, stream.effect > 0,
            holds(figure(value, worseBy: max(0, stream.effect - stream.error)))
        else { return false }
        alarm = Alarm(
            start: start ?? window.start, evidence: stream.evidence,
            changed: Mean(
                weight: 1 / (stream.error * stream.error), weighted: stream.effect / (stream.error * stream.error)))
        return true
    }

    /// The figure where the reference's is `value` and the change so large.
    private func figure(_ value: Double, worseBy change: Double) -> Double {
        statistic == .distance ? value * (1 + change) : value - change
    }

    /// The mirrored detector knows the change by all its windows. What ends it is evidence that the windows fit the reference better, which
    /// together no longer have what the rule asks about.
    private mutating func goOn(_ change: ConceptChange, _ value: Double, _ holds: (Double) -> Bool) {
        guard var now = alarm else { return }
        let size = max(now.changed.value, statistic.grid[0])
        let e = ConceptStream.logE(change.value, change.variance, size: size, accepted: statistic.accepted)
        now.backSum = max(0, now.backSum - e / spread(of: size, value))
        if now.backSum > 0 {
            now.back.add(change)
        } else {
            now.changed.take(&now.back)
            now.changed.add(change)
        }
        alarm = now
        guard now.backSum >= LogEvidence.lastingLimit, !holds(figure(value, worseBy: max(0, now.back.value))) else {
            return
        }
        alarm = nil
        stream = ConceptStream(statistic)
        start = nil
    }

    /// How many times more windows vary under the change than on the reference: as a rate does, or as errors that grow.
    private func spread(of size: Double, _ value: Double) -> Double {
        if statistic == .distance { return (1 + size) * (1 + size) }
        let (before, after) = (value * (1 - value), (value - size) * (1 - value + size))
        return before > 0 ? max(1, after / before) : 1
    }
}
