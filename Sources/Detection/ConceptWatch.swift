package import Statistics
package import Values

#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

/// One statistic of one segment in a mature window, and what is asked of it.
package struct ConceptWindow: Sendable {
    package let segment: Segment
    package let statistic: ConceptStatistic
    let change: ConceptChange
    /// Whether a mean change of so much, in the statistic's unit and positive where worse, with such a standard error is what is asked about.
    let gate: @Sendable (_ effect: Double, _ error: Double) -> Bool
    /// Whether windows that fit the reference better than the change do nevertheless have what is asked about, with such a mean change.
    let lasts: @Sendable (_ effect: Double) -> Bool
}

extension ConceptWindow {
    /// - Returns: `nil` where the window or what it is held against has too few labels.
    package init?(
        _ segment: Segment, _ statistic: ConceptStatistic, _ sketch: PerformanceSketch, _ baseline: PerformanceBaseline,
        gate: @escaping @Sendable (_ effect: Double, _ error: Double) -> Bool,
        lasts: @escaping @Sendable (_ effect: Double) -> Bool = { _ in false }
    ) {
        guard let change = statistic.change(sketch, baseline.sketch)?.wobbling(statistic, baseline), change.variance > 0
        else { return nil }
        self.init(segment: segment, statistic: statistic, change: change, gate: gate, lasts: lasts)
    }
}

/// What is known of a segment's concept after a mature window.
package struct ConceptVerdict: Sendable, Hashable {
    package let isOpen: Bool
    /// Opened by this window.
    package let isNew: Bool
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

extension StreamVerdict {
    package init(_ verdict: ConceptVerdict) {
        self.init(
            isOpen: verdict.isOpen, isNew: verdict.isNew, logR: verdict.evidence, limit: verdict.limit,
            changeStart: verdict.since, effect: verdict.effect, explainedBy: verdict.explainedBy)
    }
}

/// Watches performance in mature windows, in all traffic and every segment: what scores mean, for `concept_drift`, or a figure that a
/// rule compares with a number. Evidence of each statistic is multiplied up window by window (an e-detector, as for distances), an alarm opens when it
/// is beyond what chance gives once in the budget and the mean change is what is asked about, in the segment that says so most
/// clearly, and closes by the mirrored evidence.
package struct ConceptWatch: Sendable, Hashable {
    struct Key: Hashable, Codable, Sendable {
        let segment: Segment
        let statistic: ConceptStatistic
    }

    struct Entry: Hashable, Codable, Sendable {
        let key: Key
        var stream: ConceptStream
        /// Start of the last window that said something of it.
        var seen: Timestamp
    }

    /// As they came first: the same windows make the same state, to the byte.
    var entries: [Entry] = []
    /// Drops that were over not long ago.
    var returns: Returns?

    /// A segment that says nothing this long is gone, and so is what was known of it. Its alarm ends sooner, after some windows and a
    /// week: while it is open nothing that shares rows with it is judged.
    private static let patience = Span.days(30)
    private static let alarmPatience = Span.days(7)
    private static let alarmWindows: Int64 = 10

    /// Share of the clearest segment's evidence that a wider one needs to be named instead.
    private static let nearly = 0.9

    /// A change that lasts this long is taken for over once by chance; with long windows it is still once in a hundred of them.
    private static let lasting = Span.days(90)

    private static func endLimit(_ window: Span) -> Double {
        max(LogEvidence.resolveLimit, log(lasting.seconds / max(1, window.seconds)))
    }

    package init() {}

    package var isEmpty: Bool { entries.isEmpty }

    /// Takes one mature window in; windows come in order and share no rows.
    ///
    /// - Parameter limit: what ln R must reach (`LogEvidence.limit`).
    /// - Returns: a verdict for each of `segments` that any window said something of.
    package mutating func observe(
        _ window: TimeRange, _ windows: [ConceptWindow], segments: [Segment], limit: Double
    ) -> [Segment: ConceptVerdict] {
        forgetGone(window)
        let endLimit = Self.endLimit(window.length)
        var places = Dictionary(uniqueKeysWithValues: entries.indices.map { (entries[$0].key, $0) })
        var ready: [Int] = []
        for own in windows {
            let key = Key(segment: own.segment, statistic: own.statistic)
            let i = places[key] ?? entries.count
            if i == entries.count {
                places[key] = i
                entries.append(
                    Entry(key: key, stream: ConceptStream(key.statistic, at: window.start), seen: window.start))
            }
            entries[i].seen = window.start
            if entries[i].stream.alarm != nil {
                if entries[i].stream.isOver(own, limit: endLimit, at: window.start) { close(i, at: window.start) }
            } else if explanation(own.segment) == nil {
                if entries[i].stream.add(own, limit: limit, at: window.start) { ready.append(i) }
            }
        }
        let opened = open(ready.filter { entries[$0].stream.evidence >= limit }, at: window.start)
        for i in entries.indices where explanation(entries[i].key.segment) != nil {
            entries[i].stream = ConceptStream(entries[i].key.statistic, at: window.start)
        }
        return standing(segments, limit: limit, opened: opened)
    }

    /// What the windows so far say, for a window whose rows were in one of them.
    package func standing(_ segments: [Segment], limit: Double) -> [Segment: ConceptVerdict] {
        standing(segments, limit: limit, opened: [])
    }

    /// The clearest first; what overlaps it is its shadow.
    private mutating func open(_ ready: [Int], at time: Timestamp) -> Set<Segment> {
        var opened: Set<Segment> = []
        let clearestFirst = ready.sorted {
            (entries[$1].stream.evidence, $0) < (entries[$0].stream.evidence, $1)
        }
        for clearest in clearestFirst where explanation(entries[clearest].key.segment) == nil {
            let i = widest(clearest, ready)
            let segment = entries[i].key.segment
            guard explanation(segment) == nil,
                !entries.contains(where: { $0.key.segment == segment && $0.stream.alarm != nil })
            else { continue }
            // Whatever the figure: worse is one direction.
            entries[i].stream.open(returned: returns?.opening(segment, direction: nil, at: time))
            opened.insert(segment)
        }
        return opened
    }

    /// Of segments that say nearly as much, the widest that holds the clearest: on weekdays what is so in the evening is so in the
    /// evening of weekdays, and at weekends it will be there still.
    private func widest(_ clearest: Int, _ ready: [Int]) -> Int {
        let least = Self.nearly * entries[clearest].stream.evidence
        let wider = ready.filter {
            SegmentRelation.contains(entries[$0].key.segment, entries[clearest].key.segment)
                && entries[$0].stream.evidence >= least
        }
        return wider.min {
            (entries[$0].key.segment.parts.count, -entries[$0].stream.evidence)
                < (entries[$1].key.segment.parts.count, -entries[$1].stream.evidence)
        } ?? clearest
    }

    private func standing(
        _ segments: [Segment], limit: Double, opened: Set<Segment>
    ) -> [Segment: ConceptVerdict] {
        let bySegment = Dictionary(grouping: entries, by: \.key.segment)
        return segments.reduce(into: [:]) { verdicts, segment in
            guard let own = bySegment[segment],
                let entry = own.first(where: { $0.stream.alarm != nil })
                    ?? own.max(by: { $0.stream.evidence < $1.stream.evidence })
            else { return }
            let stream = entry.stream
            verdicts[segment] = ConceptVerdict(
                isOpen: stream.alarm != nil, isNew: opened.contains(segment), statistic: entry.key.statistic,
                effect: stream.effect, evidence: stream.evidence, limit: limit, since: stream.since,
                explainedBy: stream.alarm == nil ? explanation(segment) : nil)
        }
    }

    /// The open alarm of another segment that shares rows with this one.
    private func explanation(_ segment: Segment) -> Segment? {
        entries.filter {
            $0.stream.alarm != nil && $0.key.segment != segment
                && SegmentRelation.overlap($0.key.segment, segment) != nil
        }.map(\.key.segment).min()
    }

    private mutating func close(_ i: Int, at time: Timestamp) {
        let segment = entries[i].key.segment
        let alarm = entries[i].stream.alarm
        var closings = returns ?? Returns()
        closings.note(
            Returns.Closing(segment: segment, since: alarm?.backSince ?? time, count: alarm?.returned, direction: nil))
        returns = closings
        forget(overlapping: segment, at: time)
    }

    private mutating func forget(overlapping segment: Segment, at time: Timestamp) {
        for i in entries.indices where SegmentRelation.overlap(entries[i].key.segment, segment) != nil {
            entries[i].stream = ConceptStream(entries[i].key.statistic, at: time)
        }
    }

    private mutating func forgetGone(_ window: TimeRange) {
        let alarmPatience = max(Self.alarmPatience, window.length * Self.alarmWindows)
        entries.removeAll { entry in
            window.start - entry.seen > (entry.stream.alarm == nil ? Self.patience : alarmPatience)
        }
    }
}

extension ConceptWatch {
    /// Takes in what all statistics of a model's task say: whether its scores mean what they meant.
    ///
    /// - Parameters:
    ///   - part: the part of the week in which the window lies, if it is one: it is held against the reference's rows of the same.
    ///   - windows: how many windows there are in the time in which one false alarm is allowed.
    package mutating func observe(
        _ window: TimeRange, _ segments: [(segment: Segment, sketch: PerformanceSketch)],
        reference: PerformanceReference, part: WeekPart? = nil, windows: Double
    ) -> [Segment: ConceptVerdict] {
        let statistics = ConceptStatistic.all(of: reference.task)
        let looks = segments.flatMap { segment, sketch -> [ConceptWindow] in
            guard let baseline = reference.baseline(segment, window: window.length, in: part) else { return [] }
            return statistics.compactMap { statistic in
                ConceptWindow(segment, statistic, sketch, baseline) { effect, _ in
                    abs(effect) >= statistic.leastEffect
                }
            }
        }
        return observe(
            window, looks, segments: segments.map(\.segment),
            limit: Self.limit(segments.count * statistics.count, windows))
    }

    /// The same of windows whose rows were in one before.
    package func standing(
        _ segments: [Segment], reference: PerformanceReference, windows: Double
    ) -> [Segment: ConceptVerdict] {
        let statistics = ConceptStatistic.all(of: reference.task)
        return standing(segments, limit: Self.limit(segments.count * statistics.count, windows))
    }

    private static func limit(_ streams: Int, _ windows: Double) -> Double {
        log(Double(max(1, streams)) * max(1, windows))
    }
}
