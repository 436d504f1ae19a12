import Values

/// A schema of Avro as the tests write it, apart from the one the decoder reads with.
indirect enum AvroType: Sendable {
    case null, boolean, int, long, float, double, string, bytes
    case logical(String, AvroType)
    case decimal(AvroType, precision: Int, scale: Int)
    case fixed(String, Int)
    case uuid(String)
    case enumeration(String, [String])
    case record(String, [(String, AvroType)])
    case array(AvroType)
    case map(AvroType)
    case union([AvroType])
    /// A type named before.
    case named(String)

    static func optional(_ type: AvroType) -> AvroType { .union([.null, type]) }

    var json: JSON {
        switch self {
        case .null: "null"
        case .boolean: "boolean"
        case .int: "int"
        case .long: "long"
        case .float: "float"
        case .double: "double"
        case .string: "string"
        case .bytes: "bytes"
        case .logical(let name, let type): with(type.json, ["logicalType": .string(name)])
        case .decimal(let type, let precision, let scale):
            with(type.json, ["logicalType": "decimal", "precision": .int(precision), "scale": .int(scale)])
        case .fixed(let name, let size): ["type": "fixed", "name": .string(name), "size": .int(size)]
        case .uuid(let name): ["type": "fixed", "name": .string(name), "size": 16, "logicalType": "uuid"]
        case .enumeration(let name, let symbols):
            ["type": "enum", "name": .string(name), "symbols": .array(symbols.map { .string($0) })]
        case .record(let name, let fields):
            [
                "type": "record", "name": .string(name),
                "fields": .array(fields.map { ["name": .string($0.0), "type": $0.1.json] }),
            ]
        case .array(let item): ["type": "array", "items": item.json]
        case .map(let item): ["type": "map", "values": item.json]
        case .union(let branches): .array(branches.map(\.json))
        case .named(let name): .string(name)
        }
    }

    private func with(_ json: JSON, _ attributes: KeyValuePairs<String, JSON>) -> JSON {
        let more = attributes.map { JSON.Member($0.key, $0.value) }
        if case .object(let members) = json { return .object(members + more) }
        return .object([JSON.Member("type", json)] + more)
    }
}

/// A value to be written by a schema.
indirect enum AvroValue: Sendable {
    case null
    case boolean(Bool)
    case whole(Int64)
    case float(Float)
    case double(Double)
    case string(String)
    case bytes([UInt8])
    case symbol(Int)
    case record([AvroValue])
    case array([AvroValue])
    case map([(String, AvroValue)])
    case branch(Int, AvroValue)
}

/// Avro's binary encoding, the plain way.
struct AvroWriter {
    private(set) var bytes: [UInt8] = []
    private var named: [String: AvroType] = [:]
    /// Blocks are written in parts, some with their size before them.
    var blockSize = Int.max
    var statesSizes = false

    /// A message in Confluent's frame.
    static func message(
        _ id: UInt32, _ value: AvroValue, _ type: AvroType, blockSize: Int = .max, statesSizes: Bool = false
    ) -> [UInt8] {
        var writer = AvroWriter(blockSize: blockSize, statesSizes: statesSizes)
        writer.write(value, type)
        return frame(id, writer.bytes)
    }

    static func frame(_ id: UInt32, _ payload: [UInt8]) -> [UInt8] {
        [0] + (0..<4).reversed().map { UInt8(truncatingIfNeeded: id >> (8 * $0)) } + payload
    }

    init(blockSize: Int = .max, statesSizes: Bool = false) {
        self.blockSize = blockSize
        self.statesSizes = statesSizes
    }

    static func whole(_ value: Int64) -> [UInt8] {
        var rest = UInt64(bitPattern: (value << 1) ^ (value >> 63))
        var out: [UInt8] = []
        while rest >= 0x80 {
            out.append(UInt8(rest & 0x7f) | 0x80)
            rest >>= 7
        }
        return out + [UInt8(rest)]
    }

    static func string(_ text: String) -> [UInt8] { whole(Int64(text.utf8.count)) + Array(text.utf8) }

    mutating func write(_ value: AvroValue, _ type: AvroType) {
        switch (value, type) {
        case (_, .logical(_, let inner)), (_, .decimal(let inner, _, _)): write(value, inner)
        case (.null, _): break
        case (.boolean(let value), _): bytes.append(value ? 1 : 0)
        case (.whole(let value), _): bytes += Self.whole(value)
        case (.float(let value), _): bytes += (0..<4).map { UInt8(truncatingIfNeeded: value.bitPattern >> (8 * $0)) }
        case (.double(let value), _): bytes += (0..<8).map { UInt8(truncatingIfNeeded: value.bitPattern >> (8 * $0)) }
        case (.string(let text), _): bytes += Self.string(text)
        case (.bytes(let value), .bytes): bytes += Self.whole(Int64(value.count)) + value
        case (.bytes(let value), _): bytes += value
        case (.symbol(let index), _): bytes += Self.whole(Int64(index))
        case (_, .named(let name)):
            guard let known = named[name] else { preconditionFailure("unknown type \(name)") }
            write(value, known)
        case (.record(let values), .record(let name, let fields)):
            named[name] = type
            for (value, field) in zip(values, fields) { write(value, field.1) }
        case (.array(let values), .array(let item)):
            writeBlocks(values) { $0.write($1, item) }
        case (.map(let members), .map(let item)):
            writeBlocks(members) {
                $0.bytes += Self.string($1.0)
                $0.write($1.1, item)
            }
        case (.branch(let index, let value), .union(let branches)):
            bytes += Self.whole(Int64(index))
            write(value, branches[index])
        default: preconditionFailure("a value that its schema does not have")
        }
    }

    private mutating func writeBlocks<T>(_ items: [T], _ body: (inout AvroWriter, T) -> Void) {
        var rest = items[...]
        while !rest.isEmpty {
            let part = rest.prefix(blockSize)
            rest = rest.dropFirst(blockSize)
            var inner = AvroWriter(blockSize: blockSize, statesSizes: statesSizes)
            inner.named = named
            for item in part { body(&inner, item) }
            bytes += Self.whole(Int64(statesSizes ? -part.count : part.count))
            if statesSizes { bytes += Self.whole(Int64(inner.bytes.count)) }
            bytes += inner.bytes
        }
        bytes.append(0)
    }
}
