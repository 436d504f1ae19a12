import Values

#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

/// Evidence of a stream whose windows have too few rows for all bins: half of a shift may lie between bins that have to be
/// merged, so windows are added up until no bin needs it, and each block is one step of a detector of its own.
///
/// Blocks share no rows, so the product of their e-values is one too, like that of windows.
struct BlockEvidence: Sendable, Hashable, Codable {
    /// The counts of the block that is not full yet.
    private(set) var counts: Watch.Counts?
    /// The block before, to which the wobble is measured.
    private var previous: Watch.Counts?
    private var windows = 0
    private var start: Timestamp?
    private(set) var logR = -1e300
    /// max(0, S + ln e), and the start of the block in which it last left 0.
    private var sum = 0.0
    private var since: Timestamp?

    /// Windows after which a block is judged as it is.
    static let mostWindows = 8
    /// ln of the price for watching windows and blocks side by side: ln R of the mean of two is at most their largest less this.
    static let price = log(2.0)

    /// Rows that give every bin of the reference enough: bins of less than half of the average share are merged anyway.
    static func fullRows(_ reference: [Double]) -> Double {
        let m = reference.reduce(0, +)
        guard m > 0, !reference.isEmpty else { return .infinity }
        let least = reference.map { $0 / m }.filter { $0 >= 0.5 / Double(reference.count) }.min() ?? 1
        return min(mostRows, TestBins.minimumExpected / least)
    }

    /// Windows with this many rows are never thin, however many bins there are.
    private static let mostRows = 150.0

    /// Start of the change, or of the block that is being filled.
    var begin: Timestamp? { since ?? start }
    /// Takes a window in.
    /// - Returns: the block, if it is full with this window.
    mutating func add(_ window: Watch.Counts, watch: Watch, at time: Timestamp) -> Watch.Counts? {
        guard let merged = MergedCounts.merge((counts.map { [$0] } ?? []) + [window], watch: watch) else { return nil }
        start = start ?? time
        windows += 1
        counts = merged
        return windows >= Self.mostWindows || merged.rows >= Self.fullRows(merged.reference) ? merged : nil
    }

    /// The block before as it would look at the time of the full block, for measuring how much blocks wobble.
    ///
    /// Not the reference: a shift that lasts, in blocks too thin to show it, would teach a wobble in which it then hides.
    func before(_ full: Watch.Counts) -> Watch.Counts? { previous?.asAt(full) }

    /// Takes the evidence of the full block in and begins the next.
    mutating func judge(logE: Double) {
        logR = max(-1e300, LogEvidence.step(logR, logE))
        sum = max(0, sum + logE)
        since = sum > 0 ? since ?? start : nil
        previous = counts
        counts = nil
        windows = 0
        start = nil
    }
}

extension StreamState.Alarm {
    /// Takes a window in, however thin: a change that was found by blocks of windows is seen to be over by blocks too.
    /// - Returns: what there is to judge and how much its evidence counts; `nil` while the windows say nothing.
    mutating func take(
        _ window: Watch.Counts, watch: Watch, weight: Double
    ) -> (counts: Watch.Counts, weight: Double)? {
        if thin == nil, watch.says(window) { return (window, weight) }
        // Windows that overlap hold their rows several times.
        let parts = [thin, window.scaled(by: weight)].compactMap { $0 }
        let windows = (thinWindows ?? 0) + weight
        thin = MergedCounts.merge(parts, watch: watch)
        thinWindows = windows
        guard let block = thin, watch.says(block) else { return nil }
        if case .shift = watch, windows < Double(BlockEvidence.mostWindows),
            block.rows < BlockEvidence.fullRows(block.reference)
        {
            return nil
        }
        thin = nil
        thinWindows = nil
        return (block, 1)
    }
}

extension Watch {
    /// Whether counts are enough to say anything.
    fileprivate func says(_ counts: Counts) -> Bool { logE(counts, wobble: 0, dispersion: 1) != nil }
}

extension Watch.Counts {
    /// These counts, as they would have been at the time of `later`, are its reference: what differs between the two and does not
    /// between their references.
    func asAt(_ later: Watch.Counts) -> Watch.Counts? {
        guard current.count == later.current.count, rows > 0 else { return nil }
        let then = reference.reduce(0, +)
        let now = later.reference.reduce(0, +)
        let moved = current.indices.map { i in
            current[i] * (later.reference[i] + 0.5) / (reference[i] + 0.5) * then / max(now, 1)
        }
        return Watch.Counts(reference: moved, current: later.current)
    }
}
