package import Values

#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

/// Watches one figure of performance over all segments: evidence over mature windows, the segment that explains the others,
/// and the mirrored ratio that ends an alarm. A value: a function of the windows it has seen.
package struct PerformanceDetector: Sendable, Hashable, Codable {
    struct Stream: Sendable, Hashable, Codable {
        let segment: Segment
        /// ln R for each loss looked for, and its sign.
        var logRs: [Double] = []
        /// max(0, S + ln e) of the least loss looked for: the change is taken to start where this last left 0.
        var sum = 0.0
        var start: Timestamp?
        /// Since then: Σ rows, Σ rows·loss and Σ rows²·variance, so that segments can be taken off each other.
        var rows = 0.0
        var loss = 0.0
        var spread = 0.0
        var alarm: Alarm?

        struct Alarm: Sendable, Hashable, Codable {
            var start: Timestamp
            var effect: Double
            var logR: Double
            /// −1 where calibration went the other way.
            var sign: Double
            var mirrored = -1e300
        }

        mutating func reset() {
            logRs = []
            forgetSpan()
        }

        mutating func forgetSpan() {
            sum = 0
            start = nil
            rows = 0
            loss = 0
            spread = 0
        }
    }

    package let measure: PerformanceMeasure
    private(set) var streams: [Stream] = []

    package init(measure: PerformanceMeasure) { self.measure = measure }

    /// Takes one window in; windows that are not mature change nothing.
    ///
    /// - Parameter gate: whether a merged loss, in the measure's unit and at least its `leastEffect`, is what a rule asks for.
    /// - Returns: a verdict for each reading, in their order.
    package mutating func observe(
        start: Timestamp, _ readings: [PerformanceReading], limit: Double, gate: (Segment, Double) -> Bool
    ) -> [StreamVerdict] {
        for reading in readings where !streams.contains(where: { $0.segment == reading.segment }) {
            streams.append(Stream(segment: reading.segment))
        }
        streams.sort { $0.segment < $1.segment }
        let index = Dictionary(streams.enumerated().map { ($1.segment, $0) }, uniquingKeysWith: { a, _ in a })
        var strongest: [Segment: Double] = [:]
        for reading in readings where reading.saysSomething(measure) {
            guard let i = index[reading.segment] else { continue }
            if streams[i].alarm != nil {
                continueAlarm(&streams[i], reading)
            } else {
                strongest[reading.segment] = gather(&streams[i], reading, start)
            }
        }
        var opened: Set<Segment> = []
        var explained: [Segment: Segment] = [:]
        while let cause = nextCause(readings, strongest, index, limit, gate, explained) {
            opened.insert(cause)
            for stream in streams where stream.alarm == nil {
                if SegmentRelation.overlap(stream.segment, cause) != nil { explained[stream.segment] = cause }
            }
        }
        // Evidence that overlaps an open alarm is spent on it: figures of performance cannot be taken apart exactly.
        let open = streams.filter { $0.alarm != nil }.map(\.segment)
        for i in streams.indices
        where streams[i].alarm == nil
            && open.contains(where: { SegmentRelation.overlap($0, streams[i].segment) != nil })
        {
            streams[i].reset()
        }
        return readings.map { reading in
            guard let i = index[reading.segment] else { preconditionFailure("every reading has a stream") }
            let stream = streams[i]
            return StreamVerdict(
                isOpen: stream.alarm != nil, isNew: opened.contains(reading.segment),
                logR: stream.alarm?.logR ?? evidence(stream), limit: limit,
                changeStart: stream.alarm?.start ?? stream.start,
                effect: stream.alarm?.effect ?? mean(stream), explainedBy: explained[reading.segment])
        }
    }

    private var tries: Int { measure.losses.count * measure.signs.count }

    private func evidence(_ stream: Stream) -> Double {
        max(-1e300, (stream.logRs.max() ?? -1e300) - log(Double(tries)))
    }

    /// - Returns: ln e of this window for the loss with the most evidence.
    private func gather(_ stream: inout Stream, _ reading: PerformanceReading, _ start: Timestamp) -> Double {
        if stream.logRs.isEmpty { stream.logRs = [Double](repeating: -1e300, count: tries) }
        var best = (logR: -Double.infinity, logE: 0.0)
        var place = 0
        for loss in measure.losses {
            for sign in measure.signs {
                let e = measure.logE(reading, loss, sign)
                stream.logRs[place] = max(-1e300, LogEvidence.step(stream.logRs[place], e))
                if stream.logRs[place] > best.logR { best = (stream.logRs[place], e) }
                place += 1
            }
        }
        guard best.logR > 0 else {
            stream.reset()
            return best.logE
        }
        let least = measure.signs.map { measure.logE(reading, measure.losses[0], $0) }.max() ?? 0
        guard stream.sum + least > 0 else {
            stream.forgetSpan()
            return best.logE
        }
        stream.sum += least
        stream.start = stream.start ?? start
        stream.rows += reading.rows
        stream.loss += reading.rows * measure.worsening(reading)
        stream.spread += reading.rows * reading.rows * reading.variance
        return best.logE
    }

    private func mean(_ stream: Stream) -> Double { stream.rows > 0 ? abs(stream.loss / stream.rows) : 0 }

    private mutating func nextCause(
        _ readings: [PerformanceReading], _ strongest: [Segment: Double], _ index: [Segment: Int], _ limit: Double,
        _ gate: (Segment, Double) -> Bool, _ explained: [Segment: Segment]
    ) -> Segment? {
        let watched = readings.filter { $0.isWatched && explained[$0.segment] == nil }.compactMap { index[$0.segment] }
            .filter { streams[$0].alarm == nil }
        let open = streams.filter { $0.alarm != nil }.map(\.segment)
        let candidates = watched.filter { i in
            let stream = streams[i]
            return evidence(stream) >= limit && strongest[stream.segment] ?? 0 >= TargetDetector.leastLogE
                && mean(stream) >= measure.leastEffect && gate(stream.segment, mean(stream))
                && !open.contains { SegmentRelation.overlap($0, stream.segment) != nil }
        }
        guard var cause = candidates.max(by: { score(streams[$0]) < score(streams[$1]) }) else { return nil }
        // A part that holds nearly all of it, the rest being as ever, is the cause; a whole whose rest moves too is.
        while let part = watched.filter({ isPart($0, of: cause) && holdsAll($0, of: cause) })
            .max(by: { score(streams[$0]) < score(streams[$1]) })
        {
            cause = part
        }
        while let whole = watched.first(where: { isPart(cause, of: $0) && restMoves(whole: $0, part: cause) }) {
            cause = whole
        }
        let stream = streams[cause]
        streams[cause].alarm = .init(
            start: stream.start ?? .distantPast, effect: mean(stream), logR: max(evidence(stream), limit),
            sign: measure == .calibration && stream.loss < 0 ? -1 : 1)
        let segment = stream.segment
        streams[cause].reset()
        return segment
    }

    private func isPart(_ part: Int, of whole: Int) -> Bool {
        part != whole && SegmentRelation.contains(streams[whole].segment, streams[part].segment)
    }

    /// Merged loss over its standard error.
    private func score(_ stream: Stream) -> Double {
        stream.spread > 0 ? abs(stream.loss) / stream.spread.squareRoot() : 0
    }

    private func rest(_ whole: Int, without part: Int) -> (loss: Double, score: Double)? {
        let (a, b) = (streams[whole], streams[part])
        let rows = a.rows - b.rows
        guard rows > 0, a.rows > 0 else { return nil }
        // Variance falls with rows, so the rest's sum has its share of the whole's.
        let spread = a.spread * rows / a.rows
        let loss = a.loss - b.loss
        let sign = b.loss < 0 ? -1.0 : 1.0
        return (sign * loss / rows, spread > 0 ? sign * loss / spread.squareRoot() : 0)
    }

    /// −ln p below 5 one-sided is a score of 2.5, above 7 one of 3.1: as the search for the cause of a shift.
    private func holdsAll(_ part: Int, of whole: Int) -> Bool {
        guard score(streams[part]) > 0.8 * score(streams[whole]), let rest = rest(whole, without: part) else {
            return false
        }
        return rest.score < 2.5 || rest.loss < 0.25 * mean(streams[part])
    }

    private func restMoves(whole: Int, part: Int) -> Bool {
        rest(whole, without: part).map { $0.score >= 3.1 && $0.loss >= 0.5 * mean(streams[part]) } ?? false
    }

    private func continueAlarm(_ stream: inout Stream, _ reading: PerformanceReading) {
        guard var alarm = stream.alarm else { return }
        let usual = measure.logE(reading, max(2 * measure.quiet, measure.leastEffect), alarm.sign)
        // Half of what it was is still a loss; figures of one window are too noisy to be asked for more.
        let back = -measure.logE(reading, max(measure.leastEffect, alarm.effect / 2), alarm.sign)
        alarm.mirrored = max(-1e300, LogEvidence.step(alarm.mirrored, back))
        stream.alarm = alarm
        // A loss that became smaller but is still one ends nothing.
        guard usual < TargetDetector.leastLogE, alarm.mirrored >= LogEvidence.resolveLimit else { return }
        stream.alarm = nil
        stream.reset()
    }
}
