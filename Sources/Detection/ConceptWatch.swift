package import Statistics
package import Values

#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

/// What is known of a segment's concept after a mature window.
package struct ConceptVerdict: Sendable, Hashable {
    package let isOpen: Bool
    package let statistic: ConceptStatistic
    /// How much worse since the change began, in the statistic's unit.
    package let effect: Double
    /// ln R, and what it had to reach.
    package let evidence: Double
    package let limit: Double
    /// Start of the first window of the change.
    package let since: Timestamp?
    /// The segment whose alarm explains this one's evidence.
    package let explainedBy: Segment?
}

/// Watches mature windows of one model for a change of what its scores mean, in all traffic and every segment: evidence of each
/// statistic is multiplied up window by window (an e-detector, as for distances), an alarm opens when it is beyond what chance gives
/// once in the budget and the mean change is worth telling, in the segment that says so most clearly, and closes by the mirrored
/// evidence.
package struct ConceptWatch: Sendable, Hashable, Codable {
    private struct Key: Hashable, Codable, Sendable {
        let segment: Segment
        let statistic: ConceptStatistic
    }

    private struct Alarm: Hashable, Codable, Sendable {
        let statistic: ConceptStatistic
        let since: Timestamp
        let effect: Double
        let evidence: Double
    }

    private var streams: [Key: ConceptStream] = [:]
    private var starts: [Key: Timestamp] = [:]
    private var alarms: [Segment: Alarm] = [:]
    /// Start of the last window that said something of a segment; absent in states of older programs.
    private var seen: [Segment: Timestamp]?

    /// ln e a window must have for an alarm to open in it: old evidence alone opens nothing.
    private static let leastLogE = 1.0

    /// A segment that says nothing this long is gone, and so is what was known of it. Its alarm ends sooner, after some windows and a
    /// week: while it is open nothing that shares rows with it is judged.
    private static let patience = Span.days(30)
    private static let alarmPatience = Span.days(7)
    private static let alarmWindows: Int64 = 10

    package init() {}

    private mutating func forgetGone(_ window: TimeRange) {
        var seen = seen ?? [:]
        for segment in Set(streams.keys.map(\.segment)).union(alarms.keys) {
            let last = seen[segment] ?? window.start
            seen[segment] = last
            let silence = window.start - last
            if silence > max(Self.alarmPatience, window.length * Self.alarmWindows) { alarms[segment] = nil }
            guard silence > Self.patience, alarms[segment] == nil else { continue }
            seen[segment] = nil
            for key in streams.keys where key.segment == segment {
                streams[key] = nil
                starts[key] = nil
            }
        }
        self.seen = seen
    }

    /// Takes one mature window in; windows come in order.
    ///
    /// - Parameters:
    ///   - part: the part of the week in which the window lies, if it is one: it is held against the reference's rows of the same.
    ///   - windows: how many windows there are in the time in which one false alarm is allowed.
    package mutating func observe(
        _ window: TimeRange, _ segments: [(segment: Segment, sketch: PerformanceSketch)],
        reference: PerformanceReference, part: WeekPart? = nil, windows: Double
    ) -> [Segment: ConceptVerdict] {
        forgetGone(window)
        let statistics = ConceptStatistic.all(of: reference.task)
        let limit = Self.limit(segments.count * statistics.count, windows)
        var ready: [(key: Key, evidence: Double)] = []
        for (segment, sketch) in segments {
            guard let before = reference.alike(segment, in: part) else { continue }
            let wobble = reference.wobble(segment, window: window.length)
            for statistic in statistics {
                guard let change = statistic.change(sketch, before)?.wobbling(statistic, wobble), change.variance > 0
                else { continue }
                let key = Key(segment: segment, statistic: statistic)
                seen?[segment] = window.start
                var stream = streams[key] ?? ConceptStream(statistic)
                if let alarm = alarms[segment], alarm.statistic == statistic {
                    if stream.isOver(change, statistic, opened: alarm.effect) {
                        alarms[segment] = nil
                        stream = ConceptStream(statistic)
                        forget(overlapping: segment)
                    }
                } else if !isExplained(segment) {
                    let e = stream.add(change, statistic)
                    if stream.windows == 1 { starts[key] = window.start }
                    if stream.evidence >= limit, e >= Self.leastLogE, abs(stream.effect) >= statistic.leastEffect {
                        ready.append((key, stream.evidence))
                    }
                }
                streams[key] = stream
            }
        }
        // The clearest first; what overlaps it is its shadow.
        for clearest in ready.sorted(by: { $0.evidence > $1.evidence }) where !isExplained(clearest.key.segment) {
            let (key, evidence) = Self.widest(clearest, ready)
            guard !isExplained(key.segment), alarms[key.segment] == nil, let stream = streams[key] else { continue }
            alarms[key.segment] = Alarm(
                statistic: key.statistic, since: starts[key] ?? window.start, effect: stream.effect, evidence: evidence)
        }
        for key in streams.keys where isExplained(key.segment) { streams[key] = ConceptStream(key.statistic) }
        return segments.reduce(into: [:]) { $0[$1.segment] = verdict($1.segment, statistics, limit) }
    }

    /// Of segments that say nearly as much, the widest that holds the clearest: on weekdays what is so in the evening is so in the
    /// evening of weekdays, and at weekends it will be there still.
    private static func widest(
        _ clearest: (key: Key, evidence: Double), _ ready: [(key: Key, evidence: Double)]
    ) -> (key: Key, evidence: Double) {
        let wider = ready.filter {
            SegmentRelation.contains($0.key.segment, clearest.key.segment)
                && $0.evidence >= nearly * clearest.evidence
        }
        return wider.min {
            ($0.key.segment.parts.count, -$0.evidence) < ($1.key.segment.parts.count, -$1.evidence)
        } ?? clearest
    }

    private static let nearly = 0.9

    /// What the windows so far say, for a window whose rows were in one of them.
    package func standing(
        _ segments: [Segment], reference: PerformanceReference, windows: Double
    ) -> [Segment: ConceptVerdict] {
        let statistics = ConceptStatistic.all(of: reference.task)
        let limit = Self.limit(segments.count * statistics.count, windows)
        return segments.reduce(into: [:]) { $0[$1] = verdict($1, statistics, limit) }
    }

    private static func limit(_ streams: Int, _ windows: Double) -> Double {
        log(Double(max(1, streams)) * max(1, windows))
    }

    private func verdict(_ segment: Segment, _ statistics: [ConceptStatistic], _ limit: Double) -> ConceptVerdict? {
        if let alarm = alarms[segment] {
            return ConceptVerdict(
                isOpen: true, statistic: alarm.statistic, effect: alarm.effect, evidence: alarm.evidence, limit: limit,
                since: alarm.since, explainedBy: nil)
        }
        let own = statistics.compactMap { statistic -> (ConceptStatistic, ConceptStream)? in
            streams[Key(segment: segment, statistic: statistic)].map { (statistic, $0) }
        }.max { $0.1.evidence < $1.1.evidence }
        return own.map { statistic, stream in
            ConceptVerdict(
                isOpen: false, statistic: statistic, effect: stream.effect, evidence: stream.evidence, limit: limit,
                since: stream.evidence > 0 ? starts[Key(segment: segment, statistic: statistic)] : nil,
                explainedBy: explanation(segment))
        }
    }

    private func isExplained(_ segment: Segment) -> Bool { explanation(segment) != nil }

    /// The open alarm of another segment that shares rows with this one.
    private func explanation(_ segment: Segment) -> Segment? {
        alarms.keys.filter { $0 != segment && Self.overlap($0, segment) }.min()
    }

    private static func overlap(_ a: Segment, _ b: Segment) -> Bool {
        a.parts.allSatisfy { part in b[part.dimension].map { $0 == part.value } ?? true }
    }

    private mutating func forget(overlapping segment: Segment) {
        for key in streams.keys where Self.overlap(key.segment, segment) {
            streams[key] = ConceptStream(key.statistic)
            starts[key] = nil
        }
    }
}
