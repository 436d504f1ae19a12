import Values

/// Changes that were over and came back: weather that turns, a route that is flown on Saturdays. What has come back twice is told of as
/// one change that comes and goes, until it stays away for twice as long as it ever did between. Two faults are no weather: a change
/// is one that comes back in the same segment or, where bins say by moving alike that it is the same, in one that holds the other. Bounded;
/// newest last.
struct Returns: Sendable, Hashable, Codable {
    /// How often a change came back, and the longest it stayed away.
    struct Count: Sendable, Hashable, Codable {
        var times: Int
        var longest: Span

        /// Whether it has not been away for long enough.
        func isHeld(since: Timestamp, until: Timestamp) -> Bool {
            times >= Returns.patience && until - since < min(longest * 2, Returns.longestHold)
        }
    }

    struct Closing: Sendable, Hashable, Codable {
        let segment: Segment
        /// Start of the first window without it.
        let since: Timestamp
        let count: Count?
        /// How the bins had moved (`Watch.direction`); absent for a rate, which moves in one way only, and in states of older programs.
        let direction: [Double]?
    }

    private var closings: [Closing] = []

    /// Times a change may come back as another alert: faults do happen twice.
    private static let patience = 2
    /// What stays away for longer is over.
    private static let memory = Span.days(12)
    private static let longestHold = memory
    /// Cosine of two changes that may be one: three faults of a column in a fortnight are three.
    private static let alike = 0.5
    private static let most = 64

    /// How often a change that begins now was there before, `nil` if it was not.
    ///
    /// - Parameter direction: how its bins move, where they may move in more than one way.
    func opening(_ segment: Segment, direction: [Double]?, at time: Timestamp) -> Count? {
        let before = closings.filter { closing in
            guard time - closing.since <= Self.memory, Self.isAlike(closing.direction, direction) else { return false }
            guard closing.segment != segment else { return true }
            return direction != nil
                && (SegmentRelation.contains(closing.segment, segment)
                    || SegmentRelation.contains(segment, closing.segment))
        }
        guard let last = before.map(\.since).max() else { return nil }
        return Count(
            times: 1 + (before.compactMap { $0.count?.times }.max() ?? 0),
            longest: max(time - last, before.compactMap { $0.count?.longest }.max() ?? .zero))
    }

    private static func isAlike(_ a: [Double]?, _ b: [Double]?) -> Bool {
        guard let a, let b else { return true }
        return a.count == b.count && Watch.cosine(a, b) > alike
    }

    mutating func note(_ closing: Closing) {
        closings.removeAll { closing.since - $0.since > Self.memory || $0.segment == closing.segment }
        closings.append(closing)
        if closings.count > Self.most { closings.removeFirst() }
    }
}
