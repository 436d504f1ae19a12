/// Byte strings to small integers over memory of its own: open addressing with linear probing, numbered in the order of insertion.
///
/// A string of up to eight bytes is its zero-padded word and its length, both kept in the slot, so that a lookup is a multiplication
/// and one comparison; longer ones are hashed by words and compared with the stored bytes. The hash has no secret: a table that a
/// stranger can fill has a limit on its entries instead (`ModelReader`).
///
/// The value is a handle of plain pointers, so that copying it costs nothing on the hot path; whoever made it destroys it once.
struct ByteStringIndex: BitwiseCopyable {
    private struct Slot: BitwiseCopyable {
        /// The first eight bytes, padded with zeros.
        var word: UInt64
        /// In bytes; with `escapedFlag` where JSON may not hold the string as it is.
        var length: Int32
        /// −1 in a free slot.
        var number: Int32

        /// Above every length of a string of up to eight bytes.
        static let escapedFlag: Int32 = 1 << 30
        static let free = Slot(word: 0, length: -1, number: -1)
    }

    private struct State: BitwiseCopyable {
        var slots: UnsafeMutablePointer<Slot>
        /// The hash's upper bits number the slots: 64 minus their count's logarithm.
        var shift: UInt64
        var mask: Int
        var count: Int
        /// `starts[i]..<starts[i + 1]` of `bytes` are the string numbered `i`.
        var starts: UnsafeMutablePointer<Int>
        var startCapacity: Int
        var bytes: UnsafeMutableRawPointer
        var byteCapacity: Int
    }

    /// On the heap, so that every copy of the handle sees the table grow.
    private let state: UnsafeMutablePointer<State>

    init(minimumCapacity: Int) {
        var bits = 4
        while 1 << bits < minimumCapacity * 2 { bits += 1 }
        let starts = UnsafeMutablePointer<Int>.allocate(capacity: 16)
        starts[0] = 0
        state = .allocate(capacity: 1)
        state.initialize(
            to: State(
                slots: Self.freeSlots(1 << bits), shift: UInt64(64 - bits), mask: (1 << bits) - 1, count: 0,
                starts: starts, startCapacity: 16, bytes: .allocate(byteCount: 256, alignment: 8), byteCapacity: 256))
    }

    /// An independent table with the same strings.
    init(copying other: ByteStringIndex) {
        self.init(minimumCapacity: other.count)
        for number in 0..<other.count { _ = insert(other.bytes(number)) }
    }

    /// Frees the table's memory; no copy of the handle may be used afterwards.
    func destroy() {
        state.pointee.slots.deallocate()
        state.pointee.starts.deallocate()
        state.pointee.bytes.deallocate()
        state.deallocate()
    }

    var count: Int { state.pointee.count }

    func bytes(_ number: Int) -> UnsafeRawBufferPointer {
        precondition(number >= 0 && number < count)
        let start = state.pointee.starts[number]
        return UnsafeRawBufferPointer(
            start: state.pointee.bytes + start, count: state.pointee.starts[number + 1] - start)
    }

    /// The number of a string of up to eight bytes that stands in a JSON text, up to the first quote, given as its zero-padded
    /// word; −1 where it is not in the table, and where it holds an escape or what JSON wants escaped.
    @inline(__always)
    func find(plain word: UInt64, length: Int) -> Int { find(word: word, length: length) }

    @inline(__always)
    private func find(word: UInt64, length: Int) -> Int {
        let state = state.pointee
        var slot = Int(truncatingIfNeeded: Self.hash(word) &>> state.shift)
        while true {
            let found = state.slots[slot]
            if found.word == word, Int(found.length) == length { return Int(found.number) }
            if found.number < 0 { return -1 }
            slot = (slot &+ 1) & state.mask
        }
    }

    /// The number of a string, −1 where it is not in the table.
    func find(_ string: UnsafeRawBufferPointer) -> Int {
        guard let start = string.baseAddress, string.count > 8 else {
            let word = Self.word(string)
            return find(word: word, length: Self.flaggedLength(word, string.count))
        }
        let state = state.pointee
        let word = start.loadUnaligned(as: UInt64.self)
        var slot = Int(truncatingIfNeeded: Self.hash(long: start, string.count) &>> state.shift)
        while true {
            let found = state.slots[slot]
            if found.word == word, Int(found.length) == string.count,
                Self.equals(state.bytes + state.starts[Int(found.number)], start, string.count)
            {
                return Int(found.number)
            }
            if found.number < 0 { return -1 }
            slot = (slot &+ 1) & state.mask
        }
    }

    /// The number of a string, added if new.
    func insert(_ string: UnsafeRawBufferPointer) -> Int {
        let found = find(string)
        if found >= 0 { return found }
        let number = count
        if (number + 1) * 2 > state.pointee.mask { growSlots() }
        reserve(number + 2, bytes: state.pointee.starts[number] + string.count)
        let start = state.pointee.starts[number]
        UnsafeMutableRawBufferPointer(start: state.pointee.bytes + start, count: string.count).copyMemory(from: string)
        state.pointee.starts[number + 1] = start + string.count
        state.pointee.count = number + 1
        place(number)
        return number
    }

    private func place(_ number: Int) {
        let string = bytes(number)
        var slot = Int(truncatingIfNeeded: Self.hash(string) &>> state.pointee.shift)
        while state.pointee.slots[slot].number >= 0 { slot = (slot &+ 1) & state.pointee.mask }
        let isLong = string.count > 8
        let word = isLong ? string.loadUnaligned(as: UInt64.self) : Self.word(string)
        let length = isLong ? string.count : Self.flaggedLength(word, string.count)
        state.pointee.slots[slot] = Slot(word: word, length: Int32(length), number: Int32(number))
    }

    /// A short string's length, flagged where a quote, a backslash or a control character is in it.
    private static func flaggedLength(_ word: UInt64, _ count: Int) -> Int {
        WordScan.plainText(word) >= count ? count : count | Int(Slot.escapedFlag)
    }

    private func growSlots() {
        let size = (state.pointee.mask + 1) * 2
        state.pointee.slots.deallocate()
        state.pointee.slots = Self.freeSlots(size)
        state.pointee.mask = size - 1
        state.pointee.shift -= 1
        for number in 0..<count { place(number) }
    }

    private func reserve(_ starts: Int, bytes: Int) {
        if starts > state.pointee.startCapacity {
            let grown = UnsafeMutablePointer<Int>.allocate(capacity: starts * 2)
            grown.update(from: state.pointee.starts, count: count + 1)
            state.pointee.starts.deallocate()
            state.pointee.starts = grown
            state.pointee.startCapacity = starts * 2
        }
        if bytes > state.pointee.byteCapacity {
            let grown = UnsafeMutableRawPointer.allocate(byteCount: bytes * 2, alignment: 8)
            grown.copyMemory(from: state.pointee.bytes, byteCount: state.pointee.starts[count])
            state.pointee.bytes.deallocate()
            state.pointee.bytes = grown
            state.pointee.byteCapacity = bytes * 2
        }
    }

    private static func freeSlots(_ count: Int) -> UnsafeMutablePointer<Slot> {
        let slots = UnsafeMutablePointer<Slot>.allocate(capacity: count)
        slots.initialize(repeating: .free, count: count)
        return slots
    }

    /// Fibonacci hashing (Knuth, The Art of Computer Programming 3, 6.4): the product's upper bits depend on every bit of the word.
    @inline(__always)
    private static func hash(_ word: UInt64) -> UInt64 { (word ^ word &>> 32) &* 0x9e37_79b9_7f4a_7c15 }

    private static func hash(_ string: UnsafeRawBufferPointer) -> UInt64 {
        guard let start = string.baseAddress, string.count > 8 else { return hash(word(string)) }
        return hash(long: start, string.count)
    }

    /// Word by word; the last word overlaps the one before it.
    @inline(__always)
    private static func hash(long start: UnsafeRawPointer, _ count: Int) -> UInt64 {
        var h = UInt64(truncatingIfNeeded: count)
        var i = 0
        while i < count &- 8 {
            h = hash(h ^ start.loadUnaligned(fromByteOffset: i, as: UInt64.self))
            i &+= 8
        }
        return hash(h ^ start.loadUnaligned(fromByteOffset: count &- 8, as: UInt64.self))
    }

    /// Both have `count` bytes, at least eight.
    @inline(__always)
    private static func equals(_ a: UnsafeRawPointer, _ b: UnsafeRawPointer, _ count: Int) -> Bool {
        var i = 8
        while i < count &- 8 {
            if a.loadUnaligned(fromByteOffset: i, as: UInt64.self)
                != b.loadUnaligned(fromByteOffset: i, as: UInt64.self)
            {
                return false
            }
            i &+= 8
        }
        return a.loadUnaligned(fromByteOffset: count &- 8, as: UInt64.self)
            == b.loadUnaligned(fromByteOffset: count &- 8, as: UInt64.self)
    }

    /// Up to eight bytes as a little-endian word padded with zeros, without reading past them.
    static func word(_ string: UnsafeRawBufferPointer) -> UInt64 {
        guard let start = string.baseAddress else { return 0 }
        switch string.count {
        case 0: return 0
        case 1...3:
            var word = UInt64(string[0])
            for i in 1..<string.count { word |= UInt64(string[i]) &<< UInt64(8 &* i) }
            return word
        case 4...7:
            let high = UInt64(start.loadUnaligned(fromByteOffset: string.count &- 4, as: UInt32.self))
            return UInt64(start.loadUnaligned(as: UInt32.self)) | high &<< UInt64(8 &* (string.count &- 4))
        default: return start.loadUnaligned(as: UInt64.self)
        }
    }
}
