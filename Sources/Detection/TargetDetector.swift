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
    /// Whether a merged effect is what the rule asks about; gets the counts since the change began and their effect.
    package var gate: @Sendable (Watch.Counts, Double) -> Bool

    package init(
        segment: Segment, counts: Watch.Counts, isWatched: Bool = true, dispersion: Double = 1,
        wobble: Double = 0,
        gate: @escaping @Sendable (Watch.Counts, Double) -> Bool
    ) {
        self.segment = segment
        self.counts = counts
        self.isWatched = isWatched
        self.dispersion = dispersion
        self.wobble = wobble
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
}

/// All that is watched for one target (a column's histogram, its nulls, the volume): one stream for each segment, and the
/// search for the one segment that explains the others. A value: a function of the windows it has seen.
package struct TargetDetector: Sendable, Hashable, Codable {
    package private(set) var streams: [StreamState] = []
    /// Starts of the windows the streams' histories hold, oldest first.
    var starts: [Timestamp] = []
    package let watch: Watch

    /// Windows kept for taking segments off each other.
    static let historyWindows = 8
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
                continueAlarm(&streams[i], window, weight)
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
            watch: watch, streams: streams, starts: starts, index: index, windows: windows, limit: limit,
            weight: weight)
        let found = search.run(strongest)
        streams = search.streams
        index = search.index
        let verdicts = windows.map { verdict($0, index[$0.segment].map { streams[$0] }, found, limit) }
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
        }
        return verdict
    }

    /// Puts the window at the end of every stream's history; gives the streams' places.
    private mutating func remember(_ start: Timestamp, _ windows: [StreamWindow]) -> [Segment: Int] {
        var index: [Segment: Int] = [:]
        for (i, stream) in streams.enumerated() { index[stream.segment] = i }
        let isNew = windows.contains { index[$0.segment] == nil }
        for window in windows where index[window.segment] == nil {
            index[window.segment] = streams.count
            streams.append(StreamState(segment: window.segment))
        }
        if isNew {
            // The same state is always the same bytes, in whatever order segments were first seen.
            streams.sort { $0.segment < $1.segment }
            for (i, stream) in streams.enumerated() { index[stream.segment] = i }
        }
        starts.append(start)
        for i in streams.indices {
            while streams[i].past.count < starts.count - 1 {
                streams[i].past.insert([], at: 0)
                streams[i].references.insert([], at: 0)
            }
            streams[i].past.append([])
            streams[i].references.append([])
        }
        for window in windows {
            guard let i = index[window.segment] else { continue }
            streams[i].natural = window.wobble > 0 ? window.wobble : nil
            let last = streams[i].past.count - 1
            streams[i].past[last] = window.counts.current
            streams[i].references[last] = window.counts.reference
            // Repeated references are kept once, at the newest window that has them.
            if last > 0, streams[i].references[last - 1] == window.counts.reference {
                streams[i].references[last - 1] = []
            }
        }
        keepHistory(Self.historyWindows)
        return index
    }

    private mutating func keepHistory(_ count: Int) {
        let extra = starts.count - count
        guard extra > 0 else { return }
        starts.removeFirst(extra)
        for i in streams.indices {
            streams[i].past.removeFirst(extra)
            streams[i].references.removeFirst(extra)
        }
    }

    /// What no open change reaches back to needs no history.
    private mutating func forgetQuietHistory() {
        let first = streams.compactMap { $0.alarm == nil ? $0.start : nil }.min()
        let needed = first.map { first in starts.count { $0 >= first } } ?? 0
        keepHistory(needed)
        // Streams the model no longer has, and of which nothing is known, go.
        streams.removeAll {
            $0.alarm == nil && $0.start == nil && $0.wobbles.isEmpty && $0.rank == nil && $0.block == nil
        }
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
        if case .shift(let isOrdered) = watch, evidence < Self.leastLogE, stream.block == nil {
            stream.note(counts, isOrdered: isOrdered)
        }
        return evidence
    }

    /// One more window of an open alarm: the mirrored detector, and whether it ends the alarm.
    ///
    /// Its null is the change as all its windows together have it, its alternative the reference: a change of PSI 8 that is gone is
    /// seen to be gone in one window. Where the change became smaller or another but is still one, by the ordinary ratio or by the
    /// rule's number over the windows since it seems gone, nothing ends.
    private func continueAlarm(_ stream: inout StreamState, _ window: StreamWindow, _ weight: Double) {
        let wobble = stream.wobble
        guard var alarm = stream.alarm,
            let e = watch.logE(window.counts, wobble: wobble, dispersion: window.dispersion)
        else { return }
        let (back, limit) =
            alarm.changed.map {
                (ShiftEvidence.backLogE(window.counts, changed: $0, wobble: wobble), LogEvidence.lastingLimit)
            } ?? (-e, LogEvidence.resolveLimit)
        alarm.lastEffect = watch.effect(window.counts, wobble: wobble)
        alarm.mirrored = max(-1e300, LogEvidence.step(alarm.mirrored, back * weight))
        alarm.backSum = max(0, alarm.backSum + back * weight)
        let isQuiet = e < 0 || !watch.isWorthTelling(window.counts)
        if isQuiet, alarm.backSum > 0 {
            alarm.back = merge(alarm.back, window.counts)
        } else {
            let since = merge(alarm.back, window.counts)
            alarm.changed = since.flatMap { merge(alarm.changed, $0) }
            alarm.back = nil
            alarm.backSum = 0
            alarm.mirrored = -1e300
        }
        stream.alarm = alarm
        let isBack = isQuiet && alarm.mirrored >= limit && !isStillThere(alarm, window, wobble)
        guard isBack || (stream.natural == nil && isLong(alarm, window)) else { return }
        stream.alarm = nil
        stream.reset()
    }

    private func merge(_ before: Watch.Counts?, _ window: Watch.Counts) -> Watch.Counts? {
        guard case .shift = watch else { return nil }
        return MergedCounts.merge((before.map { [$0] } ?? []) + [window], watch: watch)
    }

    /// Whether the windows since the change seems gone still have, together, what the rule asks about.
    private func isStillThere(_ alarm: StreamState.Alarm, _ window: StreamWindow, _ wobble: Double) -> Bool {
        guard let back = alarm.back else { return false }
        return window.gate(back, watch.effect(back, wobble: wobble))
    }

    /// A rate or a volume that is back inside what is worth telling has no alternative as strong as a shift's.
    private func isLong(_ alarm: StreamState.Alarm, _ window: StreamWindow) -> Bool {
        if case .shift = watch { return false }
        return !watch.isWorthTelling(window.counts) && window.counts.rows >= TestBins.minimumRows
            && watch.effect(window.counts, wobble: 0) < alarm.effect / 4
    }
}
