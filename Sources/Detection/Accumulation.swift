import Statistics
import Values

/// Adding the evidence of windows up, in one stream.
enum Accumulation {
    /// Takes one window in.
    /// - Returns: ln e of the statistic with the most evidence, `nil` where the window says nothing.
    static func observe(
        _ stream: inout StreamState, _ counts: Watch.Counts, watch: Watch, start: Timestamp, dispersion: Double,
        limit: Double, weight: Double
    ) -> Double? {
        let wobble = stream.wobble
        let ofReference = stream.referenceWobble
        func evidence(_ counts: Watch.Counts) -> Double? {
            guard let e = watch.logE(counts, wobble: wobble, ofReference: ofReference, dispersion: dispersion) else {
                return nil
            }
            guard wobble > 0, e > limit / 2 else { return e * weight }
            // One window alone opens an alarm only if it would with ten times the wobble.
            let careful =
                watch.logE(counts, wobble: 10 * wobble, ofReference: ofReference, dispersion: dispersion) ?? 0
            return max(limit / 2, min(e, careful)) * weight
        }
        var strongest: Double?
        if let e = evidence(counts) {
            strongest = e
            stream.logR = LogEvidence.step(stream.logR ?? -1e300, e)
            stream.sum = max(0, stream.sum + e)
            if case .shift(isOrdered: true) = watch, let shift = RankEvidence.shift(counts.reference, counts.current) {
                var rank = stream.rank ?? RankEvidence()
                // What the reference shows may all be one move: U of all k degrees.
                let moves = max(wobble, (stream.natural ?? 0) * Double(max(1, counts.reference.count - 1)))
                let (r, rankE) = rank.observe(
                    shift, wobble: moves, ofReference: stream.referenceWindows.map { moves / max(1, $0) } ?? 0,
                    weight: weight)
                stream.rank = r > -2 ? rank : nil
                if r > stream.logR ?? 0 { strongest = rankE }
            }
        }
        if let e = gather(&stream, counts, watch, start, evidence), stream.blockEvidence > stream.evidenceOfWindows {
            strongest = e
        }
        if stream.sum > 0 || stream.rank != nil {
            stream.start = stream.start ?? stream.block?.begin ?? start
        } else {
            stream.start = stream.block?.begin
        }
        return strongest
    }

    /// Adds a thin window to its block.
    /// - Returns: ln e of the block, if the window fills it.
    private static func gather(
        _ stream: inout StreamState, _ counts: Watch.Counts, _ watch: Watch, _ start: Timestamp,
        _ evidence: (Watch.Counts) -> Double?
    ) -> Double? {
        guard case .shift(let isOrdered) = watch,
            stream.block != nil || (counts.rows > 0 && counts.rows < BlockEvidence.fullRows(counts.reference))
        else { return nil }
        var block = stream.block ?? BlockEvidence()
        defer { stream.block = block }
        guard let full = block.add(counts, watch: watch, at: start) else { return nil }
        let e = evidence(full)
        if let pair = block.before(full) { stream.note(pair, isOrdered: isOrdered, sides: 2) }
        block.judge(logE: e ?? 0)
        return e
    }
}

extension StreamState {
    /// ln R of the statistic with the most evidence.
    var evidence: Double { max(evidenceOfWindows, blockEvidence) }
    var evidenceOfWindows: Double { max(logR ?? -1e300, rank?.logR ?? -1e300) }
    var blockEvidence: Double { block.map { $0.logR - BlockEvidence.price } ?? -1e300 }

    /// Learns the wobble from what is no shift.
    ///
    /// - Parameter sides: how many of the two sides wobble.
    mutating func note(_ counts: Watch.Counts, isOrdered: Bool, sides: Double = 1) {
        guard let bins = TestBins(reference: counts.reference, current: counts.current, isOrdered: isOrdered) else {
            return
        }
        let median = SpecialFunctions.chiSquareQuantile(0.5, degrees: bins.degrees)
        note(wobble: (ShiftEvidence.psi(bins.reference, bins.current) / median - 1 / bins.n - 1 / bins.m) / sides)
    }
}

/// The counts of several windows as one.
enum MergedCounts {
    /// Current counts are added up. The reference is the mixture of the windows' references as the rows came, worth as many
    /// rows as it has different ones; what was expected of a volume is added up too.
    static func merge(_ windows: [Watch.Counts], watch: Watch) -> Watch.Counts? {
        guard let first = windows.first else { return nil }
        var current = first.current
        for window in windows.dropFirst() { current = zip(current, window.current).map(+) }
        if case .volume = watch {
            return Watch.Counts(reference: [windows.reduce(0) { $0 + $1.reference[0] }], current: current)
        }
        var groups: [(reference: [Double], n: Double)] = []
        for window in windows {
            if let g = groups.firstIndex(where: { $0.reference == window.reference }) {
                groups[g].n += window.rows
            } else {
                groups.append((window.reference, window.rows))
            }
        }
        if groups.count == 1 { return Watch.Counts(reference: first.reference, current: current) }
        let n = groups.reduce(0) { $0 + $1.n }
        var mixed = current.map { _ in 0.0 }
        var spread = 0.0
        for group in groups {
            let m = group.reference.reduce(0, +)
            guard m > 0, group.n > 0, n > 0 else { continue }
            let weight = group.n / n
            spread += weight * weight / m
            for i in mixed.indices { mixed[i] += weight * group.reference[i] / m }
        }
        guard spread > 0 else { return Watch.Counts(reference: first.reference, current: current) }
        return Watch.Counts(reference: mixed.map { $0 / spread }, current: current)
    }
}

extension Watch.Counts {
    /// The same shares in other numbers of rows: windows that overlap count their rows several times. What was expected of a volume
    /// goes with them.
    func scaled(by factor: Double) -> Watch.Counts {
        guard factor != 1 else { return self }
        let isVolume = reference.count == 1
        return Watch.Counts(
            reference: isVolume ? reference.map { $0 * factor } : reference, current: current.map { $0 * factor })
    }
}
