import Statistics
package import Values

#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

/// One segment of a target in one window.
package struct StreamWindow: Sendable {
    package var segment: Segment
    package var counts: Watch.Counts
    /// Rows came, enough of them for the rule to look.
    package var isWatched: Bool
    /// Variance over mean of past windows' rows; volume only.
    package var dispersion: Double
    /// How much windows differ although nothing is wrong, as far as the reference shows: τ² of a shift, the intraclass correlation
    /// of a rate.
    package var wobble: Double
    /// Windows the reference is worth, whose wobble its own counts carry; 0 where unknown.
    package var referenceWindows: Double
    /// Whether a merged effect is what the rule asks about; gets the counts since the change began and their effect.
    package var gate: @Sendable (Watch.Counts, Double) -> Bool

    package init(
        segment: Segment, counts: Watch.Counts, isWatched: Bool = true, dispersion: Double = 1,
        wobble: Double = 0, referenceWindows: Double = 0,
        gate: @escaping @Sendable (Watch.Counts, Double) -> Bool
    ) {
        self.segment = segment
        self.counts = counts
        self.isWatched = isWatched
        self.dispersion = dispersion
        self.wobble = wobble
        self.referenceWindows = referenceWindows
        self.gate = gate
    }
}

/// What a detector says of one segment after a window.
package struct StreamVerdict: Sendable, Hashable {
    package var isOpen: Bool
    /// Opened by this window.
    package var isNew: Bool
    /// ln R now; of an open alarm, when it opened.
    package var logR: Double
    package var limit: Double
    /// Start of the change, where there is evidence of one.
    package var changeStart: Timestamp?
    /// Merged effect since the start (see `Watch.effect`).
    package var effect: Double
    /// It would alarm if this segment's alarm did not explain it.
    package var explainedBy: Segment?
    /// The segments whose alarms this one stands for, where there are several; the first of many.
    package var together: [Segment] = []
    /// The one of these that is surest, whose change the effect is.
    package var leading: Segment?
    /// It is open, and the newest windows look as if it were over.
    package var isWaning = false
}

/// All that is watched for one target (a column's histogram, its nulls, the volume): one stream for each segment, and the
/// search for the one segment that explains the others. A value: a function of the windows it has seen.
package struct TargetDetector: Sendable, Hashable, Codable {
    package internal(set) var streams: [StreamState] = []
    /// Starts of the spans the streams' histories hold, oldest first, and how many windows are in each.
    var starts: [Timestamp] = []
    var widths: [Int] = []
    package let watch: Watch

    /// Changes that were over not long ago; absent in states of older programs.
    var returns: Returns?

    /// The segment whose parts' alarms are told as one, while there are several; absent in states of older programs.
    var together: Segment?

    enum CodingKeys: CodingKey { case streams, starts, widths, watch, returns, together }

    /// ln e a window must have for an alarm to open in it: old evidence alone opens nothing.
    static let leastLogE = 1.0

    package init(watch: Watch) { self.watch = watch }

    /// Takes one window in.
    ///
    /// - Parameters:
    ///   - start: of the window; windows come in order.
    ///   - limit: what ln R must reach (`LogEvidence.limit`).
    ///   - weight: 1 for windows that share no rows; where they overlap, the part of a window that is new. The evidence of
    ///     r interleaved chains of windows is then their geometric mean, which is at most their mean, so an e-value too.
    /// - Returns: a verdict for each of `windows`, in their order.
    package mutating func observe(
        start: Timestamp, _ windows: [StreamWindow], limit: Double, weight: Double = 1
    ) -> [StreamVerdict] {
        var index = remember(start, windows)
        let counts = SegmentCounts(windows.map { ($0.segment, $0.counts) })
        let open = streams.filter { $0.alarm != nil }.map(\.segment)
        var strongest: [Segment: Double] = [:]
        for window in windows {
            guard let i = index[window.segment] else { continue }
            if streams[i].alarm != nil {
                if let closing = continueAlarm(&streams[i], window, start, weight) {
                    returns = returns ?? Returns()
                    returns?.note(closing)
                }
            } else {
                let own = open.isEmpty ? window.counts : counts.rest(of: window.segment, without: open)
                if let own, window.isWatched {
                    strongest[window.segment] = gather(&streams[i], own, window, start, limit, weight)
                }
            }
        }
        let closed = open.filter { segment in index[segment].map { streams[$0].alarm == nil } ?? false }
        if !closed.isEmpty {
            for i in streams.indices
            where streams[i].alarm == nil
                && closed.contains(where: { SegmentRelation.overlap($0, streams[i].segment) != nil })
            {
                streams[i].reset()
            }
        }
        var search = CauseSearch(
            watch: watch, streams: streams, starts: starts, widths: widths, index: index, windows: windows,
            limit: limit, weight: weight)
        let found = search.run(strongest)
        streams = search.streams
        for i in streams.indices where found.opened.contains(streams[i].segment) {
            let moved = streams[i].alarm.flatMap { direction(of: $0) }
            let returned = returns?.opening(streams[i].segment, direction: moved, at: start)
            streams[i].alarm?.returned = returned
        }
        index = search.index
        let wasTogether = together
        gatherTogether(windows)
        let verdicts = windows.map { window in
            joined(
                verdict(window, index[window.segment].map { streams[$0] }, found, limit), window,
                isNew: together != wasTogether)
        }
        forgetQuietHistory()
        return verdicts
    }

    private func verdict(
        _ window: StreamWindow, _ stream: StreamState?, _ found: CauseSearch.Found, _ limit: Double
    ) -> StreamVerdict {
        var verdict = StreamVerdict(
            isOpen: false, isNew: false, logR: stream?.logR ?? -1e300, limit: limit, changeStart: stream?.start,
            effect: 0, explainedBy: found.explained[window.segment])
        if let alarm = stream?.alarm {
            verdict.isOpen = true
            verdict.isNew = found.opened.contains(window.segment)
            verdict.logR = alarm.logR
            verdict.changeStart = alarm.start
            verdict.effect = alarm.lastEffect
            verdict.isWaning = alarm.back != nil
        }
        return verdict
    }

    /// Adds a window's evidence to a stream without an alarm.
    /// - Returns: ln e of the statistic that has the most evidence, `nil` where the window says nothing.
    private func gather(
        _ stream: inout StreamState, _ counts: Watch.Counts, _ window: StreamWindow, _ start: Timestamp,
        _ limit: Double, _ weight: Double
    ) -> Double? {
        let evidence = Accumulation.observe(
            &stream, counts, watch: watch, start: start, dispersion: window.dispersion, limit: limit,
            weight: weight)
        guard let evidence else { return nil }
        learnWobble(&stream, counts, evidence, weight)
        return evidence
    }

    /// A quiet window says by its distance from the reference how much windows wobble. While a change may be under way its distance from
    /// the window before says so, or a shift that lasts, in windows too thin to show it one by one, would teach a wobble in which
    /// it then hides; windows that share rows cannot be held against each other.
    private func learnWobble(
        _ stream: inout StreamState, _ counts: Watch.Counts, _ evidence: Double, _ weight: Double
    ) {
        guard case .shift(let isOrdered) = watch, stream.block == nil else { return }
        if stream.sum <= 0 {
            if evidence < Self.leastLogE { stream.note(counts, isOrdered: isOrdered) }
        } else if weight >= 1, stream.past.count > 1, let before = stream.counts(at: stream.past.count - 2),
            let pair = before.asAt(counts)
        {
            stream.note(pair, isOrdered: isOrdered, sides: 2)
        }
    }
}
