import Values

/// One alarm for one cause: of all segments of a target that would alarm, the one that explains the others.
struct CauseSearch {
    struct Found {
        var opened: Set<Segment> = []
        /// Segments whose evidence was gone without the rows of an alarm.
        var explained: [Segment: Segment] = [:]
    }

    let watch: Watch
    private(set) var streams: [StreamState]
    let starts: [Timestamp]
    let widths: [Int]
    let index: [Segment: Int]
    let windows: [StreamWindow]
    let limit: Double
    let weight: Double
    private let byName: [Segment: StreamWindow]
    /// All counts, by span of the history.
    private let history: [SegmentCounts]
    /// Where the change of a candidate begins.
    private var begins: [Segment: Timestamp] = [:]

    /// −ln p that says a part of a segment moves by itself, and under which it is quiet.
    static let moves = 7.0
    /// Cosine over which two segments move alike.
    private static let alike = 0.5
    static let quiet = 5.0
    /// Share of a segment's evidence that a part of it must hold to be named instead.
    static let mostEvidence = 0.7
    /// Standard errors by which the newest windows alone must pass a rule's number, where all windows of a change do not: they are
    /// looked at again and again, so the luckiest of many looks must not do.
    static let recentErrors = 3.0
    /// Rows beside a part, by rows of the part, that say anything of the whole.
    static let leastRest = 0.05

    init(
        watch: Watch, streams: [StreamState], starts: [Timestamp], widths: [Int], index: [Segment: Int],
        windows: [StreamWindow],
        limit: Double, weight: Double
    ) {
        self.watch = watch
        self.streams = streams
        self.starts = starts
        self.widths = widths
        self.index = index
        self.windows = windows
        self.limit = limit
        self.weight = weight
        byName = Dictionary(
            windows.map { (SegmentRelation.canonical($0.segment), $0) }, uniquingKeysWith: { a, _ in a })
        let hasEvidence = streams.contains { $0.alarm == nil && $0.evidence >= limit }
        history =
            hasEvidence
            ? starts.indices.map { w in
                SegmentCounts(
                    streams.compactMap { stream in stream.counts(at: w).map { (stream.segment, $0) } })
            } : []
    }

    /// - Parameter strongest: ln e of the newest window, by segment.
    mutating func run(_ strongest: [Segment: Double]) -> Found {
        var found = Found()
        guard !history.isEmpty else { return found }
        var candidates = windows.filter { isCandidate($0, strongest[$0.segment]) }.map(\.segment)
        while !candidates.isEmpty {
            let open = streams.filter { $0.alarm != nil }.map(\.segment)
            let ranked = candidates.map { ($0, surprise($0, without: open, since: start(of: $0))) }
            guard let top = ranked.max(by: { ($0.1, $1.0) < ($1.1, $0.0) })?.0 else { break }
            let searched = search(from: top, without: open)
            let cause = passes(searched, since: start(of: top), without: open) ? searched : top
            openAlarm(cause, since: start(of: top), without: open)
            found.opened.insert(cause)
            let explaining = open + [cause]
            var left: [Segment] = []
            var strongestExplained = -Double.infinity
            for window in windows {
                guard let i = index[window.segment], streams[i].alarm == nil,
                    SegmentRelation.overlap(window.segment, cause) != nil
                else {
                    if candidates.contains(window.segment), window.segment != cause { left.append(window.segment) }
                    continue
                }
                let before = streams[i].evidence
                let last = replay(i, window, without: explaining)
                guard candidates.contains(window.segment) else { continue }
                if isCandidate(window, last, without: explaining) {
                    left.append(window.segment)
                } else {
                    found.explained[window.segment] = cause
                    strongestExplained = max(strongestExplained, before)
                }
            }
            // A cause is at least as sure as what it explains.
            if let i = index[cause], let own = streams[i].alarm?.logR {
                streams[i].alarm?.logR = max(own, strongestExplained)
            }
            for part in absorb(into: cause) {
                found.opened.remove(part)
                found.explained[part] = cause
            }
            candidates = left
        }
        return found
    }

    /// Ends the alarms of parts of a segment that has one now and moves as they do: a change that begins in the middle of a window, or
    /// grows, is plain in a part of its rows first, and is one change all the same.
    ///
    /// - Returns: the parts.
    private mutating func absorb(into cause: Segment) -> [Segment] {
        guard let c = index[cause], var whole = streams[c].alarm, let changed = whole.changed else { return [] }
        let direction = watch.direction(changed)
        var absorbed: [Segment] = []
        for i in streams.indices where i != c && SegmentRelation.contains(cause, streams[i].segment) {
            guard let part = streams[i].alarm, let moved = part.changed,
                Watch.cosine(direction, watch.direction(moved)) > Self.alike
            else { continue }
            whole.logR = max(whole.logR, part.logR)
            whole.start = min(whole.start, part.start)
            streams[i].alarm = nil
            streams[i].reset()
            absorbed.append(streams[i].segment)
        }
        streams[c].alarm = whole
        return absorbed
    }

    private func start(of segment: Segment) -> Timestamp {
        begins[segment] ?? index[segment].flatMap { streams[$0].start } ?? starts.last ?? .distantPast
    }

    private mutating func isCandidate(_ window: StreamWindow, _ lastE: Double?, without open: [Segment]? = nil) -> Bool
    {
        guard window.isWatched, let lastE, lastE >= TargetDetector.leastLogE, let i = index[window.segment],
            streams[i].alarm == nil, streams[i].evidence >= limit
        else { return false }
        let open = open ?? streams.filter { $0.alarm != nil }.map(\.segment)
        begins[window.segment] = nil
        let whole = start(of: window.segment)
        let recent = starts.suffix(TargetDetector.historyWindows).first ?? whole
        let spans = [(since: whole, errors: 1.0)] + (recent > whole ? [(since: recent, errors: Self.recentErrors)] : [])
        let passing = spans.first { span in
            guard let merged = merged(window.segment, without: open, since: span.since) else { return false }
            let effect = watch.leastEffect(merged, wobble: streams[i].wobble, errors: span.errors)
            return watch.isWorthTelling(merged) && window.gate(merged, effect)
        }
        guard let since = passing?.since, let merged = merged(window.segment, without: open, since: since) else {
            return false
        }
        begins[window.segment] = since
        return !isMix(window.segment, merged, without: open) && !isLeftOver(window.segment, since: since, without: open)
    }

    /// Whether a segment has a change of its own, which need not pass the rule's number as that of its part does: where rows of open
    /// alarms are taken off, a search may end where nothing is left.
    private func passes(_ segment: Segment, since: Timestamp, without open: [Segment]) -> Bool {
        guard let merged = merged(segment, without: open, since: since) else { return false }
        let effect = watch.effect(merged, wobble: wobble(segment))
        return effect > 0 && watch.isWorthTelling(merged) && !isLeftOver(segment, since: since, without: open)
    }

    /// Whether what remains of a segment is only what an estimate of its overlap with open alarms is off by: rows that change beside
    /// theirs show in all wider segments that hold them, where the overlap is counted.
    private func isLeftOver(_ segment: Segment, since: Timestamp, without open: [Segment]) -> Bool {
        guard let newest = history.last, !newest.isExact(segment, without: open) else { return false }
        let wider = windows.map(\.segment).filter {
            $0.parts.count < segment.parts.count && SegmentRelation.contains($0, segment)
                && newest.isExact($0, without: open)
        }
        // All traffic dilutes most: it is asked only where there is nothing narrower.
        let asked = wider.contains { !$0.isAll } ? wider.filter { !$0.isAll } : wider
        return asked.contains { surprise($0, without: open, since: since) < Self.quiet }
    }

    private func merged(_ segment: Segment, without others: [Segment], since start: Timestamp) -> Watch.Counts? {
        var list: [Watch.Counts] = []
        var count = 0
        for (place, counts) in history.enumerated() where starts[place] >= start {
            guard let rest = counts.rest(of: segment, without: others) else { continue }
            list.append(rest)
            count += widths[place]
        }
        return MergedCounts.merge(list, watch: watch)?.scaled(
            by: (1 + Double(count - 1) * weight) / Double(max(count, 1)))
    }

    private func surprise(_ segment: Segment, without others: [Segment], since start: Timestamp) -> Double {
        guard let counts = merged(segment, without: others, since: start) else { return 0 }
        return watch.surprise(counts, wobble: wobble(segment), dispersion: dispersion(segment))
    }

    private func wobble(_ segment: Segment) -> Double { index[segment].map { streams[$0].wobble } ?? 0 }
    private func dispersion(_ segment: Segment) -> Double {
        byName[SegmentRelation.canonical(segment)]?.dispersion ?? 1
    }

    /// Climbs to a parent that moves as a whole, then descends to a part that holds nearly all.
    private func search(from top: Segment, without open: [Segment]) -> Segment {
        let since = start(of: top)
        var cause = top
        while let parent = parents(of: cause).first(where: { isWhole($0, beyond: cause, open, since) }) {
            cause = parent
        }
        while let child = bestChild(of: cause, open, since) { cause = child }
        return cause
    }

    private func parents(of segment: Segment) -> [Segment] {
        segment.parts.indices.compactMap { drop in
            var parts = segment.parts
            parts.remove(at: drop)
            return watched(Segment(parts))
        }
    }

    private func watched(_ segment: Segment) -> Segment? {
        guard let window = byName[SegmentRelation.canonical(segment)], window.isWatched else { return nil }
        return window.segment
    }

    private func isWhole(_ parent: Segment, beyond child: Segment, _ open: [Segment], _ since: Timestamp) -> Bool {
        guard let own = merged(child, without: open, since: since),
            let rest = merged(parent, without: open + [child], since: since)
        else { return false }
        if isAlone(child, in: parent, since) { return true }
        let tau = wobble(parent)
        // By itself, or by the likelihood of moving as the child does, which needs far fewer rows.
        let surprise = watch.surprise(rest, wobble: tau, dispersion: dispersion(parent))
        return max(surprise, evidence(rest, of: own) / (1 + rest.rows * tau)) >= Self.moves
            && Watch.cosine(watch.direction(own), watch.direction(rest)) > Self.alike
            && watch.effect(rest, wobble: tau) >= 0.25 * watch.effect(own, wobble: wobble(child))
    }

    /// Whether a part holds so nearly all rows that came that it and the whole cannot be told apart; those of open alarms count, or
    /// what is left beside an alarm would go by the name of a whole that the alarm has a share in.
    private func isAlone(_ part: Segment, in whole: Segment, _ since: Timestamp) -> Bool {
        if case .volume = watch { return false }
        guard let held = merged(part, without: [], since: since),
            let rest = merged(whole, without: [part], since: since)
        else { return false }
        return rest.rows < Self.leastRest * held.rows
    }

    private func bestChild(of parent: Segment, _ open: [Segment], _ since: Timestamp) -> Segment? {
        guard let own = merged(parent, without: open, since: since) else { return nil }
        let held = Held(
            whole: own, surprise: surprise(parent, without: open, since: since), evidence: evidence(own, of: own))
        let effect = watch.effect(own, wobble: wobble(parent))
        let parts = windows.filter {
            $0.isWatched && $0.segment.parts.count > parent.parts.count
                && SegmentRelation.contains(parent, $0.segment)
        }
        return parts.map { ($0.segment, share($0.segment, of: held, without: open, since: since)) }
            .filter { part, share in
                guard share > Self.mostEvidence,
                    let rest = merged(parent, without: open + [part], since: since),
                    let counts = merged(part, without: open, since: since), evidence(rest, of: counts) <= 0,
                    !isAlone(part, in: parent, since), !isLeftOver(part, since: since, without: open)
                else { return false }
                return watch.surprise(rest, wobble: wobble(parent), dispersion: dispersion(parent)) < Self.quiet
                    || watch.effect(rest, wobble: wobble(parent)) < 0.1 * effect
            }
            .max { ($0.1, $1.0) < ($1.1, $0.0) }?.0
    }

    /// What parts of a segment are held against.
    private struct Held {
        let whole: Watch.Counts
        let surprise: Double
        /// Of the rows of the whole.
        let evidence: Double
    }

    /// Which part of a segment's evidence is in a part of its rows.
    ///
    /// By how sure the part alone is of a change or, where its rows are too few to show one by themselves, by the likelihood that they
    /// add to that of the whole: a part of seven rows that has all the nulls of three hundred is what broke.
    private func share(_ part: Segment, of held: Held, without open: [Segment], since: Timestamp) -> Double {
        guard let counts = merged(part, without: open, since: since) else { return 0 }
        let own = watch.surprise(counts, wobble: wobble(part), dispersion: dispersion(part))
        let bySurprise = held.surprise > 0 ? own / held.surprise : 0
        guard own <= 0, case .rate = watch, held.evidence > 0 else { return bySurprise }
        return evidence(counts, of: held.whole) / held.evidence
    }

    /// ln of the likelihood of the rows under a change by that under their reference.
    private func evidence(_ counts: Watch.Counts, of changed: Watch.Counts) -> Double {
        if case .volume = watch { return 0 }
        return -ShiftEvidence.backLogE(counts, changed: changed, wobble: 0)
    }

    /// Whether a segment only has other shares of its parts than before, none of which changed: the shift of its
    /// histogram goes by half and more when its parts are weighted as in the reference.
    private func isMix(_ segment: Segment, _ merged: Watch.Counts, without open: [Segment]) -> Bool {
        guard case .shift = watch else { return false }
        let effect = watch.effect(merged, wobble: wobble(segment))
        let since = start(of: segment)
        let crosses = windows.map(\.segment).filter {
            $0.parts.count == segment.parts.count + 1 && SegmentRelation.contains(segment, $0)
        }
        let dimensions = Set(
            crosses.compactMap { cross in cross.parts.first { segment[$0.dimension] == nil }?.dimension })
        return dimensions.sorted().contains { dimension in
            var weighted = merged.current.map { _ in 0.0 }
            var covered = (reference: 0.0, rows: 0.0)
            for part in crosses where part[dimension] != nil {
                guard let counts = self.merged(part, without: open, since: since) else { continue }
                let m = counts.reference.reduce(0, +)
                guard counts.rows >= 1 else { continue }
                covered.reference += m
                covered.rows += counts.rows
                for i in weighted.indices { weighted[i] += m * counts.current[i] / counts.rows }
            }
            let m = merged.reference.reduce(0, +)
            guard covered.rows > 0.9 * merged.rows, covered.reference > 0.9 * m else { return false }
            let scale = merged.rows / covered.reference
            let same = Watch.Counts(reference: merged.reference, current: weighted.map { $0 * scale })
            return watch.effect(same, wobble: wobble(segment)) < 0.5 * effect
        }
    }

    private mutating func openAlarm(_ segment: Segment, since: Timestamp, without open: [Segment]) {
        let since = beginning(of: segment, since, without: open)
        guard let i = index[segment], let merged = merged(segment, without: open, since: since) else { return }
        let effect = watch.effect(merged, wobble: streams[i].wobble)
        streams[i].alarm = .init(
            start: since, effect: effect, logR: max(streams[i].evidence, limit), lastEffect: effect)
        if case .volume = watch {} else { streams[i].alarm?.changed = merged }
        streams[i].reset()
    }

    /// The likeliest first window of a change that there is evidence of since `since`.
    ///
    /// Evidence may begin with windows that looked a little like it by chance, and thin ones are judged in blocks of which only the
    /// last need have changed. Taken is the window since which all rows together, under the law that fits them best, are likeliest
    /// against their reference (the generalized likelihood ratio of a change point; Hinkley 1970).
    private func beginning(of segment: Segment, _ since: Timestamp, without open: [Segment]) -> Timestamp {
        if case .volume = watch { return since }
        var best = (start: since, evidence: 0.0)
        for start in starts where start >= since {
            guard let changed = merged(segment, without: open, since: start) else { continue }
            let evidence = evidence(changed, of: changed)
            if evidence > best.evidence { best = (start, evidence) }
        }
        return best.start
    }

    /// A stream's evidence anew, without the rows of the segments with an alarm.
    /// - Returns: ln e of the newest window.
    private mutating func replay(_ i: Int, _ window: StreamWindow, without open: [Segment]) -> Double? {
        let since = streams[i].start ?? starts.last ?? .distantPast
        streams[i].reset()
        var last: Double?
        for (time, counts) in zip(starts, history) where time >= since {
            guard let rest = counts.rest(of: window.segment, without: open) else { continue }
            last = Accumulation.observe(
                &streams[i], rest, watch: watch, start: time, dispersion: window.dispersion, limit: limit,
                weight: weight)
        }
        return last
    }
}
