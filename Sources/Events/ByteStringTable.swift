/// Byte strings to small integers, without a `String` on the way: column names, categories, segment values and versions
/// are looked up straight from the message's bytes.
///
/// Open addressing over FNV-1a with linear probing; entries are numbered in the order they were added. Growing is the only
/// allocation. Not thread-safe: each decoder owns its tables.
package struct ByteStringTable: Sendable {
    private var storage: [UInt8] = []
    private var starts: [Int] = [0]
    private var slots: [Int32]
    private var mask: Int

    package init(minimumCapacity: Int = 16) {
        var size = 16
        while size < minimumCapacity * 2 { size *= 2 }
        slots = [Int32](repeating: -1, count: size)
        mask = size - 1
    }

    package init(_ names: [String]) {
        self.init(minimumCapacity: names.count)
        for name in names { _ = insert(name) }
    }

    package var count: Int { starts.count - 1 }

    package func name(_ index: Int) -> String {
        String(decoding: storage[starts[index]..<starts[index + 1]], as: UTF8.self)
    }

    @inline(__always)
    private static func hash(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
        var h: UInt64 = 0xcbf2_9ce4_8422_2325
        for b in bytes { h = (h ^ UInt64(b)) &* 0x0000_0100_0000_01b3 }
        return h ^ (h >> 29)
    }

    @inline(__always)
    private func equals(_ index: Int, _ bytes: UnsafeRawBufferPointer) -> Bool {
        let start = starts[index]
        guard starts[index + 1] - start == bytes.count else { return false }
        return storage.withUnsafeBufferPointer { s in
            for i in 0..<bytes.count where s[start &+ i] != bytes[i] { return false }
            return true
        }
    }

    /// The number of a string, trying `guess` first: keys mostly come in the order of the last message.
    @inline(__always)
    package func find(_ bytes: UnsafeRawBufferPointer, guess: Int = -1) -> Int? {
        if guess >= 0, guess < count, equals(guess, bytes) { return guess }
        var slot = Int(truncatingIfNeeded: Self.hash(bytes)) & mask
        while true {
            let index = Int(slots[slot])
            if index < 0 { return nil }
            if equals(index, bytes) { return index }
            slot = (slot &+ 1) & mask
        }
    }

    /// The number of a string, added if new.
    package mutating func insert(_ bytes: UnsafeRawBufferPointer) -> Int {
        if let found = find(bytes) { return found }
        if (count + 1) * 2 > slots.count { grow() }
        storage.append(contentsOf: bytes)
        starts.append(storage.count)
        let index = count - 1
        place(index, hash: Self.hash(bytes))
        return index
    }

    package mutating func insert(_ name: String) -> Int {
        var copy = name
        return copy.withUTF8 { insert(UnsafeRawBufferPointer($0)) }
    }

    private mutating func place(_ index: Int, hash: UInt64) {
        var slot = Int(truncatingIfNeeded: hash) & mask
        while slots[slot] >= 0 { slot = (slot + 1) & mask }
        slots[slot] = Int32(index)
    }

    private mutating func grow() {
        slots = [Int32](repeating: -1, count: slots.count * 2)
        mask = slots.count - 1
        for index in 0..<count {
            let h = storage[starts[index]..<starts[index + 1]].withUnsafeBytes { Self.hash($0) }
            place(index, hash: h)
        }
    }
}
