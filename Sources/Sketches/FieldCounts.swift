/// How many rows carried fields that the model does not list, by name: at most `maximumNames` of them, so that a hostile stream stays
/// within its memory.
///
/// Which names are kept depends only on which there are (those with the least hashes), so counts form a commutative monoid under
/// `merge` as those of a `Profile` do. All others are added up under `(other)`.
package struct FieldCounts: Sendable, Hashable {
    package struct Field: Sendable, Hashable {
        package let name: String
        package fileprivate(set) var rows: UInt64
        /// Types its values had (`JSONKind.bit`).
        package fileprivate(set) var kinds: UInt8

        fileprivate var order: (group: Int, hash: UInt64, name: String) {
            (name == FieldCounts.otherName ? 1 : 0, FieldCounts.hash(name), name)
        }
    }

    package static let otherName = "(other)"
    package static let maximumNames = 64
    static let maximumNameBytes = 256

    /// In the order of their hashes, `(other)` last.
    package private(set) var fields: [Field] = []

    package init() {}
    package var isEmpty: Bool { fields.isEmpty }

    package mutating func add(_ name: String, rows: UInt64, kinds: UInt8) {
        merge([Field(name: name.utf8.count > Self.maximumNameBytes ? Self.otherName : name, rows: rows, kinds: kinds)])
    }

    package mutating func merge(_ other: FieldCounts) {
        guard !other.isEmpty else { return }
        if isEmpty {
            self = other
        } else {
            merge(other.fields)
        }
    }

    private mutating func merge(_ more: [Field]) {
        var byName = Dictionary(uniqueKeysWithValues: fields.map { ($0.name, $0) })
        for field in more {
            byName[field.name, default: Field(name: field.name, rows: 0, kinds: 0)].rows &+= field.rows
            byName[field.name]?.kinds |= field.kinds
        }
        let sorted = byName.values.sorted { $0.order < $1.order }
        let named = sorted.filter { $0.name != Self.otherName }
        fields = Array(named.prefix(Self.maximumNames))
        var rest = byName[Self.otherName] ?? Field(name: Self.otherName, rows: 0, kinds: 0)
        for field in named.dropFirst(Self.maximumNames) {
            rest.rows &+= field.rows
            rest.kinds |= field.kinds
        }
        if rest.rows > 0 { fields.append(rest) }
    }

    /// FNV-1a of the name's bytes: the same in every process.
    private static func hash(_ name: String) -> UInt64 {
        name.utf8.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    }
}

extension FieldCounts {
    /// `count { length name rows kinds }…`, numbers as unsigned LEB128 varints.
    func write(into out: inout ByteWriter) {
        out.varint(UInt64(fields.count))
        for field in fields {
            let name = Array(field.name.utf8)
            out.varint(UInt64(name.count))
            out.bytes += name
            out.varint(field.rows)
            out.bytes.append(field.kinds)
        }
    }

    /// Reads what `write` wrote; damaged bytes throw.
    init(_ input: inout ByteReader) throws(CodecError) {
        let count = try input.varint()
        guard count <= UInt64(Self.maximumNames + 1) else { throw CodecError(reason: "too many fields") }
        var read: [Field] = []
        for _ in 0..<count {
            let length = try input.varint()
            guard length <= UInt64(Self.maximumNameBytes) else {
                throw CodecError(reason: "a field's name is too long")
            }
            var name: [UInt8] = []
            for _ in 0..<length { name.append(try input.byte()) }
            read.append(
                Field(name: String(decoding: name, as: UTF8.self), rows: try input.varint(), kinds: try input.byte()))
        }
        self.init()
        merge(read)
    }
}
