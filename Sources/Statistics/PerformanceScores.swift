/// How often each score was given, and to which class its rows turned out to belong: all that ranking metrics need.
///
/// Up to `budget` different scores every one is kept, so the metrics are exact. Past that, a score being an ordered whole number
/// (`key(of:)`), its lowest bits make cells, of as few bits as suffice: a cell with more than `apart` different scores has one entry for
/// all its rows, in the others each score keeps its own. So scores that many rows have stay exact, wherever they lie. What a cell costs,
/// the number of its different scores but at most `apart`, never falls as rows come, so merging in any order gives the same counts.
/// Memory is O(`budget`), and for scores that hardly repeat a quarter of it.
///
/// Nearer to 0 and to 1 cells have more bits, one more for each two halvings of the distance: rows there are spread over more
/// halvings, and matter less.
package struct ScoreCounts: Sendable, Hashable {
    /// The rows of one key.
    package struct Entry: Sendable, Hashable {
        /// The score's key, or the first one of the cell.
        package var key: Int64
        /// It stands for a cell: different scores may be among its rows.
        package var isShared = false
        /// Predictions, with or without a label.
        package var predictions: Int64
        package var negatives: Int64
        package var positives: Int64

        package init(key: Int64, isShared: Bool = false, predictions: Int64, negatives: Int64, positives: Int64) {
            self.key = key
            self.isShared = isShared
            self.predictions = predictions
            self.negatives = negatives
            self.positives = positives
        }

        var isEmpty: Bool { predictions == 0 && negatives == 0 && positives == 0 }
    }

    /// What all cells may cost together; so many different scores are kept apart at most.
    package static let budget = 16_384
    /// Different scores of a cell that are kept apart.
    static let apart = 4
    package static let maximumLevel = mantissaBits
    private static let maximumPending = 8_192

    /// Low bits that a cell has at least; 0 while the counts are exact.
    package private(set) var level: Int
    /// By key, ascending; complete after `settle`.
    package private(set) var entries: [Entry]
    private var pending: [Entry] = []

    package init() {
        level = 0
        entries = []
    }

    /// What a codec read; `nil` where it is not what `entries` can be.
    package init?(level: Int, entries: [Entry]) {
        guard (0...Self.mantissaBits).contains(level), entries.count <= Self.budget,
            zip(entries, entries.dropFirst()).allSatisfy({ $0.key < $1.key }),
            entries.allSatisfy({ !$0.isShared || (level > 0 && $0.key == Self.coarse($0.key, level: level)) })
        else { return nil }
        self.level = level
        self.entries = entries
    }

    package var isExact: Bool { level == 0 }

    /// A finite score as a whole number: larger for a larger score, one for each double up to 2^970. As fine near 1 as it is near 0,
    /// for probabilities that crowd there: up from one half it counts the distance from 1, which doubles hold exactly.
    package static func key(of score: Double) -> Int64 {
        if score < 0 { return -bits(-score) }
        if score < 0.5 { return bits(score + 0) }
        if score <= 1 { return score == 1 ? one : half + (bits(0.5) - bits(1 - score)) }
        return one + (bits(min(score, largest)) - bits(1))
    }

    private static let largest = 0x1p970
    private static let half = bits(0.5)
    /// The key of 1: the least distance that a double below it can have is 2^−53.
    private static let one = half + (bits(0.5) - bits(0x1p-53)) + (1 << 52)

    private static func bits(_ value: Double) -> Int64 { Int64(bitPattern: value.bitPattern) }

    private static let mantissaBits = 52

    /// How many low bits the keys of a cell differ in at most.
    private static func cleared(_ key: Int64, level: Int) -> Int {
        guard level > 0, key >= 0, key < one else { return level }
        let halvings = key < half ? (half >> 52) - 1 - (key >> 52) : (key - half) >> 52
        return min(mantissaBits, level + Int(halvings) / 2)
    }

    /// The first key of a cell.
    private static func coarse(_ key: Int64, level: Int) -> Int64 {
        let mask = (Int64(1) << Int64(cleared(key, level: level))) - 1
        return key & ~mask
    }

    /// The score of an entry's rows, or the one in the middle of its cell.
    package func score(of entry: Entry) -> Double {
        let width = entry.isShared ? Int64(1) << Int64(Self.cleared(entry.key, level: level)) : 1
        return Self.score(ofKey: entry.key + width / 2)
    }

    /// The score that a key stands for.
    package static func score(ofKey key: Int64) -> Double {
        if key < 0 { return -Double(bitPattern: UInt64(-key)) }
        if key < half { return Double(bitPattern: UInt64(key)) }
        if key >= one { return Double(bitPattern: UInt64(key - one + bits(1))) }
        return 1 - Double(bitPattern: UInt64(bits(0.5) - (key - half)))
    }

    /// Adds rows of a finite score; negative counts take rows back that were added before.
    package mutating func add(_ score: Double, predictions: Int64 = 0, negatives: Int64 = 0, positives: Int64 = 0) {
        pending.append(
            Entry(
                key: Self.key(of: score), predictions: predictions, negatives: negatives, positives: positives))
        if pending.count >= Self.maximumPending { settle() }
    }

    package mutating func merge(_ other: ScoreCounts) {
        var other = other
        other.settle()
        settle()
        let common = max(level, other.level)
        coarsen(to: common)
        other.coarsen(to: common)
        combine(other.entries)
    }

    /// Brings everything added into `entries`.
    package mutating func settle() {
        guard !pending.isEmpty else { return }
        pending.sort { $0.key < $1.key }
        let added = pending
        pending.removeAll(keepingCapacity: true)
        combine(Self.summed(added[...]))
    }

    private mutating func combine(_ added: [Entry]) {
        var merged: [Entry] = []
        merged.reserveCapacity(entries.count + added.count)
        var i = 0
        var j = 0
        while i < entries.count || j < added.count {
            if j == added.count || (i < entries.count && entries[i].key < added[j].key) {
                merged.append(entries[i])
                i += 1
            } else if i == entries.count || added[j].key < entries[i].key {
                merged.append(added[j])
                j += 1
            } else {
                merged.append(entries[i])
                Self.add(added[j], to: &merged[merged.count - 1])
                i += 1
                j += 1
            }
        }
        entries = merged
        entries.removeAll(where: \.isEmpty)
        if level > 0 { share() }
        guard cost(level) > Self.budget else { return }
        // Cost falls as cells grow.
        var low = level + 1
        var high = Self.mantissaBits
        while low < high {
            let middle = (low + high) / 2
            if cost(middle) <= Self.budget { high = middle } else { low = middle + 1 }
        }
        coarsen(to: low)
    }

    private mutating func coarsen(to target: Int) {
        guard target > level else { return }
        level = target
        share()
    }

    /// The end of the cell that begins with an entry, and whether its rows share one entry.
    private func cell(at start: Int, level: Int) -> (end: Int, isShared: Bool) {
        let own = Self.coarse(entries[start].key, level: level)
        var isShared = entries[start].isShared
        var end = start + 1
        while end < entries.count, Self.coarse(entries[end].key, level: level) == own {
            isShared = isShared || entries[end].isShared
            end += 1
        }
        return (end, isShared || end - start > Self.apart)
    }

    /// What the cells of a level, not below the present one, cost.
    private func cost(_ level: Int) -> Int {
        guard level > 0, entries.count > Self.budget / Self.apart else { return entries.count }
        var cost = 0
        var start = 0
        while start < entries.count {
            let cell = cell(at: start, level: level)
            cost += cell.isShared ? Self.apart : cell.end - start
            start = cell.end
        }
        return cost
    }

    /// Gives each cell of the present level that has too many different scores one entry.
    private mutating func share() {
        var kept = 0
        var start = 0
        while start < entries.count {
            let cell = cell(at: start, level: level)
            if cell.isShared {
                var sum = entries[start]
                sum.key = Self.coarse(sum.key, level: level)
                sum.isShared = true
                for i in (start + 1)..<cell.end { Self.add(entries[i], to: &sum) }
                entries[kept] = sum
                kept += 1
            } else {
                for i in start..<cell.end {
                    entries[kept] = entries[i]
                    kept += 1
                }
            }
            start = cell.end
        }
        entries.removeLast(entries.count - kept)
    }

    /// Sorted entries with one for each key.
    private static func summed(_ sorted: ArraySlice<Entry>) -> [Entry] {
        var result: [Entry] = []
        result.reserveCapacity(sorted.count)
        for entry in sorted {
            if let last = result.last, last.key == entry.key {
                add(entry, to: &result[result.count - 1])
            } else {
                result.append(entry)
            }
        }
        return result
    }

    private static func add(_ entry: Entry, to sum: inout Entry) {
        sum.isShared = sum.isShared || entry.isShared
        sum.predictions &+= entry.predictions
        sum.negatives &+= entry.negatives
        sum.positives &+= entry.positives
    }

    /// What it holds, not how it came to.
    package static func == (a: ScoreCounts, b: ScoreCounts) -> Bool {
        var a = a
        var b = b
        a.settle()
        b.settle()
        return a.level == b.level && a.entries == b.entries
    }

    package func hash(into hasher: inout Hasher) {
        var copy = self
        copy.settle()
        hasher.combine(copy.level)
        hasher.combine(copy.entries)
    }
}
