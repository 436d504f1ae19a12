import Values

/// How an open alarm goes on and ends.
extension TargetDetector {
    /// One more window of an open alarm: the mirrored detector, and whether it ends the alarm.
    ///
    /// Its null is the change as all its windows together have it, its alternative the reference: a change of PSI 8 that is gone is
    /// seen to be gone in one window. Where the change became smaller or another but is still one, by the ordinary ratio or by the
    /// rule's number over the windows since it seems gone, nothing ends. Windows too thin to say anything are added up until they do.
    ///
    /// - Returns: what it was, if it is over.
    func continueAlarm(
        _ stream: inout StreamState, _ window: StreamWindow, _ start: Timestamp, _ weight: Double
    ) -> Returns.Closing? {
        guard var alarm = stream.alarm else { return nil }
        let counts = alarm.thin.flatMap { merge($0, window.counts) } ?? window.counts
        let wobble = max(stream.wobble, alarm.spread)
        let evidence = watch.logE(
            counts, wobble: stream.wobble, ofReference: stream.referenceWobble, dispersion: window.dispersion)
        guard let e = evidence else {
            stream.alarm?.thin = isVolume ? nil : counts
            return nil
        }
        alarm.thin = nil
        let (back, limit) =
            alarm.changed.map {
                (watch.backLogE(counts, changed: $0, wobble: wobble), LogEvidence.lastingLimit)
            } ?? (-e, LogEvidence.resolveLimit)
        alarm.lastEffect = watch.effect(counts, wobble: stream.wobble)
        alarm.mirrored = max(-1e300, LogEvidence.step(alarm.mirrored, back * weight))
        alarm.backSum = max(0, alarm.backSum + back * weight)
        let isQuiet = e < 0 || !watch.isWorthTelling(counts)
        if isQuiet, alarm.backSum > 0 {
            alarm.back = merge(alarm.back, counts)
            alarm.backSince = alarm.backSince ?? start
        } else {
            if let back = alarm.back { alarm.note(back) }
            alarm.note(counts)
            let since = merge(alarm.back, counts)
            alarm.changed = since.flatMap { merge(alarm.changed, $0) }
            alarm.back = nil
            alarm.backSum = 0
            alarm.backSince = nil
            alarm.mirrored = -1e300
        }
        stream.alarm = alarm
        let isBack = isQuiet && alarm.mirrored >= limit && !isStillThere(alarm, window, stream.wobble)
        guard isBack || (stream.natural == nil && isLong(alarm, window)) else { return nil }
        let since = alarm.backSince ?? start
        if let returned = alarm.returned, returned.isHeld(since: since, until: start) { return nil }
        stream.alarm = nil
        stream.reset()
        return Returns.Closing(
            segment: stream.segment, since: since, count: alarm.returned, direction: direction(of: alarm))
    }

    /// How the bins of an alarm's change have moved, rounded for the state; `nil` for what moves in one way only.
    func direction(of alarm: StreamState.Alarm) -> [Double]? {
        guard case .shift = watch else { return nil }
        return alarm.changed.map { watch.direction($0).map { ($0 * 1e4).rounded() / 1e4 } }
    }

    var isVolume: Bool { if case .volume = watch { true } else { false } }

    private func merge(_ before: Watch.Counts?, _ window: Watch.Counts) -> Watch.Counts? {
        isVolume ? nil : MergedCounts.merge((before.map { [$0] } ?? []) + [window], watch: watch)
    }

    /// Whether the windows since the change seems gone still have, together, what the rule asks about. A rate that the reference lets
    /// expect is none of it: some rules' numbers are under what a segment always has in new values.
    private func isStillThere(_ alarm: StreamState.Alarm, _ window: StreamWindow, _ wobble: Double) -> Bool {
        guard let back = alarm.back, watch.isWorthTelling(back) else { return false }
        return window.gate(back, watch.effect(back, wobble: wobble))
    }

    /// A volume that is back inside what is worth telling has no alternative as strong as that of counts with bins.
    private func isLong(_ alarm: StreamState.Alarm, _ window: StreamWindow) -> Bool {
        isVolume && !watch.isWorthTelling(window.counts) && window.counts.rows >= TestBins.minimumRows
            && watch.effect(window.counts, wobble: 0) < alarm.effect / 4
    }
}

extension StreamState.Alarm {
    /// Windows the spread of a change is learned from, and how many it needs: of a change that lasts for a day or two the first and
    /// the last window are halves.
    private static let spreadWindows = 15
    private static let leastSpreadWindows = 5

    /// How much windows of the change differ from each other, as a wobble: what comes and goes by nature is not over when it
    /// stays away for a window.
    var spread: Double {
        guard let spreads, spreads.count >= Self.leastSpreadWindows else { return 0 }
        return max(0, spreads.sorted()[spreads.count / 2])
    }

    /// Learns how far a window of the change is from the one before. Not from all of them: a change that grows is further from
    /// its past with every window, and does not come and go (von Neumann 1941: half the mean square of successive differences is
    /// the variance, whatever the trend).
    fileprivate mutating func note(_ counts: Watch.Counts) {
        defer { last = counts }
        guard let pair = last?.asAt(counts),
            let bins = TestBins(reference: pair.reference, current: pair.current, isOrdered: false)
        else { return }
        let excess =
            ShiftEvidence.psi(bins.reference, bins.current) / bins.degrees - 1 / bins.n - 1 / bins.m
        spreads = (spreads ?? []).suffix(Self.spreadWindows - 1) + [(excess / 2 * 1e6).rounded() / 1e6]
    }
}
