package import Values

/// What a detector remembers of one (target, segment): constant size, a value.
package struct StreamState: Sendable, Hashable, Codable {
    package let segment: Segment
    /// ln R of the window statistic, `nil` while it has none.
    var logR: Double?
    /// The running R of small moves, while any of them is over 1.
    var rank: RankEvidence?
    /// Windows too thin for all bins, gathered until they are not; `nil` while the stream has enough rows.
    var block: BlockEvidence?
    /// max(0, S + ln e): the change is taken to start where this last left 0.
    var sum = 0.0
    /// Start of the first window of the change.
    var start: Timestamp?
    /// Past window's PSI / median(χ²_k) − 1/n − 1/m, newest last: their median is the natural wobble τ².
    var wobbles: [Double] = []
    /// The wobble the reference shows, where it shows one: τ² of a shift, the correlation ρ of a rate.
    var natural: Double?
    /// Windows the reference is worth, where that is known.
    var referenceWindows: Double?
    /// Rows of the windows the target's history holds, aligned with it at the end; empty where the segment had none.
    var past: [[Double]] = []
    /// The reference of each of these, empty where it is the one after it.
    var references: [[Double]] = []
    /// Set while an alarm is open.
    var alarm: Alarm?

    struct Alarm: Sendable, Hashable, Codable {
        /// Start of the change.
        var start: Timestamp
        /// Merged effect when it opened, in the unit of its watch.
        var effect: Double
        /// ln R when it opened.
        var logR: Double
        /// Merged effect as it is now.
        var lastEffect: Double
        /// ln R of the mirrored detector.
        var mirrored = -1e300
        /// All windows of the change, without those since the mirrored detector has evidence.
        var changed: Watch.Counts?
        /// The windows since the mirrored detector has evidence, and max(0, S + ln e) of it.
        var back: Watch.Counts?
        var backSum = 0.0
        /// Start of the first of them; this and what follows are absent in states of older programs.
        var backSince: Timestamp?
        /// Windows that were too thin to say anything, added up.
        var thin: Watch.Counts?
        /// How far windows of the change are from each other (`spread`), newest last, and the newest of these windows.
        var spreads: [Double]?
        var last: Watch.Counts?
        /// How often it was over before, not long ago.
        var returned: Returns.Count?
    }

    /// Windows the wobble is learned from.
    static let wobbleWindows = 15
    /// Fewer tell nothing of it.
    static let leastWobbleWindows = 5

    init(segment: Segment) { self.segment = segment }

    /// What the reference shows or, where that is more, what past windows do.
    var wobble: Double { max(natural ?? 0, learned) }

    /// What the wobble adds to the variance of the reference itself, which is a mean of so many windows.
    var referenceWobble: Double { referenceWindows.map { wobble / max(1, $0) } ?? 0 }

    private var learned: Double {
        guard wobbles.count >= Self.leastWobbleWindows else { return 0 }
        let sorted = wobbles.sorted()
        let middle = sorted.count / 2
        let median = sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
        return max(0, median)
    }

    mutating func note(wobble: Double) {
        wobbles.append((wobble * 1e6).rounded() / 1e6)
        if wobbles.count > Self.wobbleWindows { wobbles.removeFirst() }
    }

    /// Forgets all evidence: the segment's change is explained by another, or over.
    mutating func reset() {
        logR = nil
        rank = nil
        block = nil
        sum = 0
        start = nil
    }
}
