/// Byte strings to small integers, without a `String` on the way: column names, categories, segment values and versions
/// are looked up straight from the message's bytes.
///
/// A value: copies are independent, and made when one of them is changed. Growing is the only allocation.
package struct ByteStringTable: Sendable {
    /// Owns an index's memory. `Sendable` without the compiler's word: the index is changed only by a table that holds the sole
    /// reference, so whoever shares it only reads.
    private final class Storage: @unchecked Sendable {
        let index: ByteStringIndex
        init(_ index: ByteStringIndex) { self.index = index }
        deinit { index.destroy() }
    }

    private var storage: Storage

    /// An empty table with room for some strings.
    package init(minimumCapacity: Int = 16) {
        storage = Storage(ByteStringIndex(minimumCapacity: minimumCapacity))
    }

    /// A table of strings numbered as they stand; one given twice keeps its first number.
    package init(_ names: [String]) {
        self.init(minimumCapacity: names.count)
        for name in names { _ = insert(name) }
    }

    /// How many strings the table has; their numbers are below it.
    package var count: Int { storage.index.count }

    /// The string of a number.
    package func name(_ number: Int) -> String { storage.index.name(number) }

    /// The number of a string, if it is in the table.
    package func find(_ bytes: UnsafeRawBufferPointer) -> Int? {
        let found = storage.index.find(bytes)
        return found < 0 ? nil : found
    }

    /// The number of a string, added if new.
    package mutating func insert(_ bytes: UnsafeRawBufferPointer) -> Int {
        if !isKnownUniquelyReferenced(&storage) { storage = Storage(ByteStringIndex(copying: storage.index)) }
        return storage.index.insert(bytes)
    }

    /// The number of a string, added if new.
    package mutating func insert(_ name: String) -> Int {
        var copy = name
        return copy.withUTF8 { insert(UnsafeRawBufferPointer($0)) }
    }
}

extension ByteStringIndex {
    func name(_ number: Int) -> String { String(decoding: bytes(number), as: UTF8.self) }

    func find(_ name: String) -> Int {
        var copy = name
        return copy.withUTF8 { find(UnsafeRawBufferPointer($0)) }
    }

    func insert(_ name: String) -> Int {
        var copy = name
        return copy.withUTF8 { insert(UnsafeRawBufferPointer($0)) }
    }
}
