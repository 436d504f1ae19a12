/// Remembers what the texts of one place stood for: up to 15 bytes of text to a number, exactly.
///
/// An entry is the text itself, packed into two words with its length, so a hit needs neither hashing byte by byte nor a look
/// into a table. Two entries share a slot; a third replaces the older one. The owner allocates `size` of them, zeroed.
struct AvroMemo: BitwiseCopyable {
    static let size = 256
    static let maximumBytes = 15

    struct Entry: BitwiseCopyable {
        var low: UInt64 = 0
        /// The upper byte is the length + 1, so that no text is like an empty entry.
        var high: UInt64 = 0
        var value: UInt16 = 0
    }

    /// A short text as words, different for different texts: of 4 to 7 bytes the lower word holds the first and the last four, of
    /// more the first eight, and the upper one the rest.
    struct Key {
        let low: UInt64
        let high: UInt64

        @inline(__always)
        init(_ text: AvroText) {
            let start = text.start
            let count = text.count
            let length = UInt64(truncatingIfNeeded: count &+ 1) &<< 56
            if count >= 8 {
                low = start.loadUnaligned(as: UInt64.self)
                // The last eight bytes without those that are among the first eight; two steps, as eight of them may be.
                let last = UInt64(littleEndian: start.loadUnaligned(fromByteOffset: count &- 8, as: UInt64.self))
                high = (last &>> 8) &>> UInt64(truncatingIfNeeded: 120 &- 8 &* count) | length
            } else {
                high = length
                if count >= 4 {
                    low =
                        UInt64(start.loadUnaligned(as: UInt32.self))
                        | UInt64(start.loadUnaligned(fromByteOffset: count &- 4, as: UInt32.self)) &<< 32
                } else if count > 0 {
                    low =
                        UInt64(start.load(as: UInt8.self))
                        | UInt64(start.load(fromByteOffset: count &>> 1, as: UInt8.self)) &<< 8
                        | UInt64(start.load(fromByteOffset: count &- 1, as: UInt8.self)) &<< 16
                } else {
                    low = 0
                }
            }
        }

        /// Multiplicative hashing (Knuth 6.4): the upper bits of the product depend on all bits below.
        @inline(__always)
        var slot: Int {
            let mixed = (low ^ (high &<< 1)) &* 0x9e37_79b9_7f4a_7c15
            return Int(truncatingIfNeeded: mixed &>> 57) &* 2
        }
    }

    let entries: UnsafeMutablePointer<Entry>

    /// What the text stood for, `nil` if it is not remembered.
    @inline(__always)
    func find(_ key: Key) -> UInt16? {
        let entry = entries + key.slot
        if entry.pointee.low == key.low, entry.pointee.high == key.high { return entry.pointee.value }
        let other = entry + 1
        return other.pointee.low == key.low && other.pointee.high == key.high ? other.pointee.value : nil
    }

    func remember(_ key: Key, _ value: UInt16) {
        let entry = entries + key.slot
        entry[1] = entry[0]
        entry[0] = Entry(low: key.low, high: key.high, value: value)
    }
}
