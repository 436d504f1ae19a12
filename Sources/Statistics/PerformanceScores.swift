/// How often each score was given, and to which class its rows turned out to belong: all that ranking metrics need.
///
/// Up to `maximumKeys` different scores every one is kept, so the metrics are exact. Past that, neighbours share a key: a score
/// is an ordered whole number (`key(of:)`), whose lowest bits are cleared, as few as suffice. A subset never needs to clear more than
/// the whole, so merging in any order gives the same counts. Memory is O(`maximumKeys`).
///
/// Nearer to 0 and to 1 more bits are cleared, one for each two halvings of the distance: rows there are spread over more
/// halvings, and matter less.
package struct ScoreCounts: Sendable, Hashable {
    /// The rows of one key.
    package struct Entry: Sendable, Hashable {
        /// The score's key, its lowest bits cleared.
        package var key: Int64
        /// Predictions, with or without a label.
        package var predictions: Int64
        package var negatives: Int64
        package var positives: Int64

        package init(key: Int64, predictions: Int64, negatives: Int64, positives: Int64) {
            self.key = key
            self.predictions = predictions
            self.negatives = negatives
            self.positives = positives
        }

        var isEmpty: Bool { predictions == 0 && negatives == 0 && positives == 0 }
    }

    /// Different scores that are kept apart at most.
    package static let maximumKeys = 4_096
    private static let maximumPending = 8_192

    /// Low bits that are clear in every key; 0 while the counts are exact.
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
        guard (0...Self.mantissaBits).contains(level), entries.count <= Self.maximumKeys,
            zip(entries, entries.dropFirst()).allSatisfy({ $0.key < $1.key })
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

    /// How many low bits of a key are cleared at a level.
    private static func cleared(_ key: Int64, level: Int) -> Int {
        guard level > 0, key >= 0, key < one else { return level }
        let halvings = key < half ? (half >> 52) - 1 - (key >> 52) : (key - half) >> 52
        return min(mantissaBits, level + Int(halvings) / 2)
    }

    private static func coarse(_ key: Int64, level: Int) -> Int64 {
        let mask = (Int64(1) << Int64(cleared(key, level: level))) - 1
        return key & ~mask
    }

    /// The score in the middle of those that share a key.
    package func score(of key: Int64) -> Double {
        let width = Int64(1) << Int64(Self.cleared(key, level: level))
        let middle = key + width / 2
        if middle < 0 { return -Double(bitPattern: UInt64(-middle)) }
        if middle < Self.half { return Double(bitPattern: UInt64(middle)) }
        if middle >= Self.one { return Double(bitPattern: UInt64(middle - Self.one + Self.bits(1))) }
        return 1 - Double(bitPattern: UInt64(Self.bits(0.5) - (middle - Self.half)))
    }

    /// Adds rows of a finite score; negative counts take rows back that were added before.
    package mutating func add(_ score: Double, predictions: Int64 = 0, negatives: Int64 = 0, positives: Int64 = 0) {
        pending.append(
            Entry(
                key: Self.coarse(Self.key(of: score), level: level), predictions: predictions, negatives: negatives,
                positives: positives))
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
        while entries.count > Self.maximumKeys { coarsen(to: level + 1) }
    }

    private mutating func coarsen(to target: Int) {
        guard target > level else { return }
        for i in entries.indices { entries[i].key = Self.coarse(entries[i].key, level: target) }
        entries = Self.summed(entries[...])
        level = target
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
