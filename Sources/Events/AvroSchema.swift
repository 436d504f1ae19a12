/// A writer's schema (Avro 1.11, "Schema Declaration"), as far as reading its data needs it.
///
/// The types stand in one array and name each other by index, so that a record may hold itself. Defaults, docs, sort orders and
/// unknown attributes are not kept; a logical type that is unknown or does not fit is not there, as the specification asks.
struct AvroSchema {
    enum Node: Equatable {
        case null
        case boolean
        case int(isDate: Bool)
        case long(TimeUnit?)
        case float
        case double
        case string
        /// `scale` where the bytes are a decimal.
        case bytes(scale: Int?)
        case fixed(size: Int, FixedMeaning)
        case enumeration(symbols: [String])
        case record(name: String, fields: [Field])
        case array(Int)
        case map(Int)
        case union([Int])
    }

    /// What one unit of a timestamp is; local timestamps are read as UTC.
    enum TimeUnit { case milliseconds, microseconds, nanoseconds }

    enum FixedMeaning: Equatable {
        case opaque
        case decimal(scale: Int)
        case uuid
    }

    struct Field: Equatable {
        let name: String
        /// Other names the field goes by; they count where no field has the name itself.
        let aliases: [String]
        let type: Int
    }

    /// In the order they are met; `root` is the schema itself.
    var nodes: [Node] = []
    var root = 0

    /// The types a value may have: the branches of a union, else the type itself.
    func branches(_ type: Int) -> [Int] {
        if case .union(let branches) = nodes[type] { branches } else { [type] }
    }

    /// True of types whose values are always written in no bytes at all. Everything else takes at least one, so a count of such
    /// items is bounded by the message. A record that must hold itself has no value and is not among them: reading one ends
    /// at the depth limit.
    private(set) var isEmpty: [Bool] = []

    /// Fills `isEmpty`. Going back and forth settles parts before and after their record in few passes.
    mutating func findEmptyTypes() {
        isEmpty = nodes.map { $0 == .null }
        var settled = false
        while !settled {
            settled = true
            for i in Array(nodes.indices.reversed()) + Array(nodes.indices) where !isEmpty[i] {
                switch nodes[i] {
                case .fixed(let size, _): isEmpty[i] = size == 0
                case .record(_, let fields): isEmpty[i] = fields.allSatisfy { isEmpty[$0.type] }
                default: continue
                }
                if isEmpty[i] { settled = false }
            }
        }
    }

    /// A type as a message names it.
    func describe(_ type: Int) -> String {
        switch nodes[type] {
        case .null: "null"
        case .boolean: "boolean"
        case .int: "int"
        case .long: "long"
        case .float: "float"
        case .double: "double"
        case .string: "string"
        case .bytes: "bytes"
        case .fixed: "fixed"
        case .enumeration: "enum"
        case .record: "record"
        case .array: "array"
        case .map: "map"
        case .union(let branches): "union of " + branches.map(describe).joined(separator: ", ")
        }
    }
}

/// Why a schema cannot be read, or cannot carry events.
struct AvroSchemaError: Error, Equatable {
    /// Names of fields from the root, joined by points; empty for the schema as a whole.
    let path: String
    let reason: String

    var detail: String { path.isEmpty ? reason : "field \(path): \(reason)" }
}
