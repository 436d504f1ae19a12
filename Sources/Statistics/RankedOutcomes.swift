#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

/// The judged items of a ranking model's queries: each item's score and relevance, which is all that NDCG needs. Any order of adding,
/// merging and taking back gives the same.
///
/// Up to `maximumItems` different ones are kept. Past that, only queries whose number ends in so many zero bits, as few as suffice:
/// a sample of whole queries that is the same whoever takes it, because a part never needs more than the whole. Memory is
/// O(`maximumItems`).
package struct RankedOutcomes: Sendable, Hashable {
    /// Items of one query with one score and relevance.
    package struct Entry: Sendable, Hashable {
        package let query: UInt64
        package let score: Double
        package let relevance: Double
        package var count: Int64

        package init(query: UInt64, score: Double, relevance: Double, count: Int64) {
            self.query = query
            self.score = score
            self.relevance = relevance
            self.count = count
        }

        static func < (a: Entry, b: Entry) -> Bool {
            (a.query, a.score, a.relevance) < (b.query, b.score, b.relevance)
        }

        func isOfSameItems(as other: Entry) -> Bool {
            query == other.query && score == other.score && relevance == other.relevance
        }
    }

    package static let maximumItems = 16_384
    private static let maximumPending = 4_096

    /// Only the first so many ranks count (the k of NDCG@k).
    package let cutoff: Int
    /// Queries whose number has a one among so many lowest bits are left out.
    package private(set) var level = 0
    /// By query, score and relevance, ascending; complete after `settle`.
    package private(set) var entries: [Entry] = []
    private var pending: [Entry] = []

    package init(cutoff: Int) { self.cutoff = cutoff }

    /// What a codec read; `nil` where it is not what `entries` can be.
    package init?(cutoff: Int, level: Int, entries: [Entry]) {
        guard cutoff >= 0, (0...63).contains(level), entries.count <= Self.maximumItems,
            entries.allSatisfy({
                $0.score.isFinite && $0.relevance.isFinite && abs($0.count) < 1 << 40 && Self.isKept($0.query, level)
            }),
            zip(entries, entries.dropFirst()).allSatisfy({ $0 < $1 })
        else { return nil }
        self.cutoff = cutoff
        self.level = level
        self.entries = entries
    }

    private static func isKept(_ query: UInt64, _ level: Int) -> Bool { query & (1 << UInt64(level) &- 1) == 0 }

    /// Adds a judged item, or with `times` −1 takes it back.
    /// - Parameters:
    ///   - query: a number that is spread evenly over its lowest bits, such as a hash.
    ///   - score, relevance: finite.
    package mutating func add(query: UInt64, score: Double, relevance: Double, times: Int64 = 1) {
        guard Self.isKept(query, level) else { return }
        pending.append(Entry(query: query, score: score + 0, relevance: relevance + 0, count: times))
        if pending.count >= Self.maximumPending { settle() }
    }

    package mutating func merge(_ other: RankedOutcomes) {
        precondition(cutoff == other.cutoff, "rankings cut off at different ranks")
        if other.level > level { thin(to: other.level) }
        pending += (other.entries + other.pending).filter { Self.isKept($0.query, level) }
        settle()
    }

    /// Brings everything added into `entries`.
    package mutating func settle() {
        guard !pending.isEmpty else { return }
        var summed: [Entry] = []
        for entry in (entries + pending).sorted(by: <) {
            if let last = summed.last, last.isOfSameItems(as: entry) {
                summed[summed.count - 1].count += entry.count
            } else {
                summed.append(entry)
            }
        }
        pending = []
        entries = summed.filter { $0.count != 0 }
        while entries.count > Self.maximumItems { thin(to: level + 1) }
    }

    private mutating func thin(to target: Int) {
        level = target
        entries.removeAll { !Self.isKept($0.query, target) }
        pending.removeAll { !Self.isKept($0.query, target) }
    }

    /// The mean over queries of the NDCG of their judged items, and half of the interval that 95 of 100 samples of as many queries hold
    /// the mean of all in: 0 where all queries are there. `nil` without any.
    package var ndcg: (value: Double, error: Double, queries: Int)? {
        var settled = self
        settled.settle()
        var count = 0.0
        var sum = 0.0
        var squares = 0.0
        var first = 0
        while first < settled.entries.count {
            var end = first
            while end < settled.entries.count, settled.entries[end].query == settled.entries[first].query { end += 1 }
            if let own = Self.ndcg(settled.entries[first..<end], cutoff: cutoff) {
                count += 1
                sum += own
                squares += own * own
            }
            first = end
        }
        guard count > 0 else { return nil }
        let mean = sum / count
        let variance = count > 1 ? max(0, squares - count * mean * mean) / (count - 1) : 0
        return (mean, settled.level == 0 ? 0 : 1.96 * (variance / count).squareRoot(), Int(count))
    }

    /// Normalised discounted cumulative gain of one query's items: gain over log2(rank + 1), items of one score sharing their ranks'
    /// mean discount, divided by the best order's (Järvelin and Kekäläinen 2002; as scikit-learn with linear gains). 0 where no item
    /// is relevant, `nil` without items.
    private static func ndcg(_ items: ArraySlice<Entry>, cutoff: Int) -> Double? {
        let size = items.reduce(0) { $0 + max(0, Int($1.count)) }
        guard size > 0 else { return nil }
        // Sums of the discounts of the first ranks.
        var discounts = [0.0]
        for rank in 0..<min(cutoff, size) { discounts.append(discounts[rank] + 1 / log2(Double(rank) + 2)) }
        func discount(_ ranks: Range<Int>) -> Double {
            discounts[min(ranks.upperBound, cutoff)] - discounts[min(ranks.lowerBound, cutoff)]
        }
        func gain(_ order: [Entry], _ isTied: (Entry, Entry) -> Bool) -> Double {
            var gain = 0.0
            var rank = 0
            var first = 0
            while first < order.count {
                var end = first
                var tied = 0
                var relevance = 0.0
                while end < order.count, isTied(order[first], order[end]) {
                    tied += Int(order[end].count)
                    relevance += order[end].relevance * Double(order[end].count)
                    end += 1
                }
                gain += relevance / Double(tied) * discount(rank..<rank + tied)
                rank += tied
                first = end
            }
            return gain
        }
        let present = items.filter { $0.count > 0 }
        let best = gain(present.sorted { $0.relevance > $1.relevance }) { $0.relevance == $1.relevance }
        return best == 0 ? 0 : gain(present.reversed()) { $0.score == $1.score } / best
    }

    /// What it holds, not how it came to.
    package static func == (a: RankedOutcomes, b: RankedOutcomes) -> Bool {
        var a = a
        var b = b
        a.settle()
        b.settle()
        return a.cutoff == b.cutoff && a.level == b.level && a.entries == b.entries
    }

    package func hash(into hasher: inout Hasher) {
        var copy = self
        copy.settle()
        hasher.combine(copy.level)
        hasher.combine(copy.entries)
    }
}
