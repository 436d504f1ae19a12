/// From a column's shared codes to a group's own ones, in a twelfth of the memory of a table: a group merges neighbouring bins and keeps
/// their order, so its code grows by 0 or 1 from one shared code to the next, and a bit says which. Words of 48 such bits have the own code
/// of their first in the 16 bits above. A batch counts in hundreds of groups, whose words stay in the cache where tables would not.
enum CodeRanks {
    private static let length = 48

    /// Words that so many shared codes take.
    static func words(_ codes: Int) -> Int { (codes + length - 1) / length }

    /// - Parameter own: by shared code, the group's own: the first is 0, each other the one before or its successor.
    static func encoded(_ own: [UInt16]) -> [UInt64] {
        (0..<words(own.count)).map { number in
            let first = number * length
            var word = UInt64(own[first]) << 48
            for i in 0..<length - 1 where first + i + 1 < own.count && own[first + i + 1] != own[first + i] {
                word |= 1 << UInt64(i)
            }
            return word
        }
    }

    /// A shared code as `own` wants it, and `CCounting` writes it: the number of its word in the 8 bits above, its place in the word below.
    static func tag(_ shared: UInt16) -> UInt16 {
        let (word, place) = shared.quotientAndRemainder(dividingBy: UInt16(length))
        return word << 8 | place
    }

    /// The group's own code, as `CCounting` finds it.
    static func own(_ tag: UInt16, _ words: UnsafePointer<UInt64>) -> Int {
        let word = words[Int(tag >> 8)]
        return Int(word >> 48) + (word & (1 << UInt64(tag & 0xff) - 1)).nonzeroBitCount
    }
}
