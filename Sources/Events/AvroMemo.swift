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
        var value: UInt64 = 0
        /// Fills the entry up to a power of two, which makes a slot's place a shift.
        private let rest: UInt64 = 0

        init(low: UInt64 = 0, high: UInt64 = 0, value: UInt16 = 0) {
            self.low = low
            self.high = high
            self.value = UInt64(value)
        }
    }

    /// A short text as words: its first eight bytes and the rest, with zeros where there is none, and the length + 1 on top.
    struct Key {
        let low: UInt64
        let high: UInt64

        /// Of a text that is followed by other bytes, so that sixteen can be read whatever its length.
        @inline(__always)
        init(_ start: UnsafeRawPointer, _ mask: Mask) {
            low = UInt64(littleEndian: start.loadUnaligned(as: UInt64.self)) & mask.low
            high =
                UInt64(littleEndian: start.loadUnaligned(fromByteOffset: 8, as: UInt64.self)) & mask.high | mask.length
        }

        /// Of a text of up to eight bytes, given as a word with zeros above it.
        @inline(__always)
        init(word: UInt64, _ count: Int) {
            low = word
            high = UInt64(truncatingIfNeeded: count &+ 1) &<< 56
        }

        /// Of a text with nothing behind it: no byte that is not its own is read, some of its own twice.
        init(_ text: AvroText) {
            let start = text.start
            let count = text.count
            func bytes(_ at: Int) -> UInt64 {
                UInt64(start.load(fromByteOffset: at, as: UInt8.self)) &<< UInt64(8 &* at)
            }
            func four(_ at: Int) -> UInt64 {
                UInt64(UInt32(littleEndian: start.loadUnaligned(fromByteOffset: at, as: UInt32.self)))
            }
            func eight(_ at: Int) -> UInt64 {
                UInt64(littleEndian: start.loadUnaligned(fromByteOffset: at, as: UInt64.self))
            }
            let length = UInt64(count + 1) << 56
            switch count {
            case ...0: (low, high) = (0, length)
            case 1...3: (low, high) = (bytes(0) | bytes(count / 2) | bytes(count - 1), length)
            case 4...7: (low, high) = (four(0) | four(count - 4) << UInt64(8 * (count - 4)), length)
            default: (low, high) = (eight(0), eight(count - 8) >> UInt64(8 * (16 - count)) | length)
            }
        }

        /// Multiplicative hashing (Knuth 6.4): the upper bits of the product depend on all bits below.
        @inline(__always)
        var slot: Int {
            let mixed = (low ^ (high &<< 1)) &* 0x9e37_79b9_7f4a_7c15
            return Int(truncatingIfNeeded: mixed &>> 57) &* 2
        }
    }

    /// What belongs to a text of one length, of the sixteen bytes that begin with it.
    struct Mask: BitwiseCopyable {
        let low: UInt64
        let high: UInt64
        let length: UInt64
        /// Fills the mask up to a power of two.
        private let rest: UInt64 = 0

        init(count: Int) {
            low = count >= 8 ? .max : 1 << UInt64(8 * count) - 1
            high = count > 8 ? 1 << UInt64(8 * (count - 8)) - 1 : 0
            length = UInt64(count + 1) << 56
        }
    }

    let entries: UnsafeMutablePointer<Entry>

    /// What the text stood for, `nil` if it is not remembered.
    @inline(__always)
    func find(_ key: Key) -> UInt16? {
        let entry = entries + key.slot
        if entry.pointee.low == key.low, entry.pointee.high == key.high {
            return UInt16(truncatingIfNeeded: entry.pointee.value)
        }
        let other = entry + 1
        guard other.pointee.low == key.low, other.pointee.high == key.high else { return nil }
        return UInt16(truncatingIfNeeded: other.pointee.value)
    }

    func remember(_ key: Key, _ value: UInt16) {
        let entry = entries + key.slot
        entry[1] = entry[0]
        entry[0] = Entry(low: key.low, high: key.high, value: value)
    }
}
