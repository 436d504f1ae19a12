import Values

/// Reads the JSON form of an Avro schema. Names are resolved as the specification says: a name without a point belongs to the
/// enclosing namespace; a name not found there is also looked for without one.
struct AvroSchemaParser {
    /// Real schemas have a few hundred types; a hostile one must not fill the memory.
    static let maximumNodes = 20_000
    static let maximumBytes = 4 * 1024 * 1024

    private var schema = AvroSchema()
    private var named: [String: Int] = [:]

    static func parse(_ text: UnsafeRawBufferPointer) throws(AvroSchemaError) -> AvroSchema {
        guard text.count <= maximumBytes else {
            throw AvroSchemaError(path: "", reason: "\(text.count) bytes, limit \(maximumBytes)")
        }
        let json: JSON
        do throws(JSONError) {
            json = try JSON(parsing: text)
        } catch {
            throw AvroSchemaError(path: "", reason: "not JSON: \(error.reason) at byte \(error.offset)")
        }
        var parser = AvroSchemaParser()
        parser.schema.root = try parser.type(json, namespace: "", path: "")
        parser.schema.findEmptyTypes()
        return parser.schema
    }

    private mutating func add(_ node: AvroSchema.Node, path: String) throws(AvroSchemaError) -> Int {
        guard schema.nodes.count < Self.maximumNodes else {
            throw AvroSchemaError(path: path, reason: "more than \(Self.maximumNodes) types")
        }
        schema.nodes.append(node)
        return schema.nodes.count - 1
    }

    private mutating func type(_ json: JSON, namespace: String, path: String) throws(AvroSchemaError) -> Int {
        switch json {
        case .string(let name): return try reference(name, json, namespace, path)
        case .array(let branches): return try union(branches, namespace, path)
        case .object:
            switch json["type"] {
            case .string(let name)?:
                switch name {
                case "record": return try record(json, namespace, path)
                case "enum": return try enumeration(json, namespace, path)
                case "fixed": return try fixed(json, namespace, path)
                case "array": return try add(.array(try part("items", json, namespace, path)), path: path)
                case "map": return try add(.map(try part("values", json, namespace, path)), path: path)
                default: return try reference(name, json, namespace, path)
                }
            case .object?, .array?: return try part("type", json, namespace, path)
            default: throw AvroSchemaError(path: path, reason: "a type without \"type\"")
            }
        default: throw AvroSchemaError(path: path, reason: "a type is a name, an object or an array")
        }
    }

    private mutating func part(
        _ key: String, _ json: JSON, _ namespace: String, _ path: String
    ) throws(AvroSchemaError) -> Int {
        guard let inner = json[key] else { throw AvroSchemaError(path: path, reason: "no \"\(key)\"") }
        return try type(inner, namespace: namespace, path: path)
    }

    /// A primitive type, with the logical type beside it, or a name defined before.
    private mutating func reference(
        _ name: String, _ json: JSON, _ namespace: String, _ path: String
    ) throws(AvroSchemaError) -> Int {
        let logical = json["logicalType"]?.stringValue
        switch name {
        case "null": return try add(.null, path: path)
        case "boolean": return try add(.boolean, path: path)
        case "int": return try add(.int(isDate: logical == "date"), path: path)
        case "long": return try add(.long(Self.timeUnit(logical)), path: path)
        case "float": return try add(.float, path: path)
        case "double": return try add(.double, path: path)
        case "string": return try add(.string, path: path)
        case "bytes": return try add(.bytes(scale: Self.scale(json, logical)), path: path)
        default:
            let full = name.contains(".") || namespace.isEmpty ? name : "\(namespace).\(name)"
            guard let known = named[full] ?? named[name] else {
                throw AvroSchemaError(path: path, reason: "unknown type '\(name.prefix(100))'")
            }
            return known
        }
    }

    private static func timeUnit(_ logical: String?) -> AvroSchema.TimeUnit? {
        switch logical {
        case "timestamp-millis", "local-timestamp-millis": .milliseconds
        case "timestamp-micros", "local-timestamp-micros": .microseconds
        case "timestamp-nanos", "local-timestamp-nanos": .nanoseconds
        default: nil
        }
    }

    private static func scale(_ json: JSON, _ logical: String?) -> Int? {
        guard logical == "decimal", let precision = json["precision"]?.integerValue, precision > 0 else { return nil }
        let scale = json["scale"].map { $0.integerValue ?? -1 } ?? 0
        return (0...min(precision, 10_000)).contains(scale) ? Int(scale) : nil
    }

    /// Keeps a place under the type's full name, so that its own parts may name it. Returns it and the namespace of its parts.
    private mutating func define(
        _ json: JSON, _ namespace: String, _ path: String
    ) throws(AvroSchemaError) -> (index: Int, name: String, namespace: String) {
        guard let name = json["name"]?.stringValue, !name.isEmpty else {
            throw AvroSchemaError(path: path, reason: "a record, enum or fixed without a name")
        }
        let space: String
        let full: String
        if let point = name.lastIndex(of: ".") {
            (full, space) = (name, String(name[..<point]))
        } else {
            space = json["namespace"]?.stringValue ?? namespace
            full = space.isEmpty ? name : "\(space).\(name)"
        }
        guard named[full] == nil else { throw AvroSchemaError(path: path, reason: "type '\(full)' is defined twice") }
        let index = try add(.record(name: full, fields: []), path: path)
        named[full] = index
        return (index, full, space)
    }

    private mutating func record(
        _ json: JSON, _ namespace: String, _ path: String
    ) throws(AvroSchemaError) -> Int {
        let (index, name, space) = try define(json, namespace, path)
        guard let members = json["fields"]?.arrayValue else {
            throw AvroSchemaError(path: path, reason: "a record without \"fields\"")
        }
        var fields: [AvroSchema.Field] = []
        var names: Set<String> = []
        for member in members {
            guard let field = member["name"]?.stringValue, !field.isEmpty else {
                throw AvroSchemaError(path: path, reason: "a field without a name")
            }
            let inner = path.isEmpty ? field : "\(path).\(field)"
            guard names.insert(field).inserted else {
                throw AvroSchemaError(path: inner, reason: "the record has the field twice")
            }
            let aliases = member["aliases"]?.arrayValue?.compactMap(\.stringValue) ?? []
            fields.append(.init(name: field, aliases: aliases, type: try part("type", member, space, inner)))
        }
        schema.nodes[index] = .record(name: name, fields: fields)
        return index
    }

    private mutating func enumeration(
        _ json: JSON, _ namespace: String, _ path: String
    ) throws(AvroSchemaError) -> Int {
        let index = try define(json, namespace, path).index
        let symbols = json["symbols"]?.arrayValue ?? []
        let names = symbols.compactMap(\.stringValue)
        guard !names.isEmpty, names.count == symbols.count, Set(names).count == names.count else {
            throw AvroSchemaError(path: path, reason: "an enum needs \"symbols\", each a different text")
        }
        schema.nodes[index] = .enumeration(symbols: names)
        return index
    }

    private mutating func fixed(_ json: JSON, _ namespace: String, _ path: String) throws(AvroSchemaError) -> Int {
        let index = try define(json, namespace, path).index
        guard let size = json["size"]?.integerValue, (0...Int64(Int32.max)).contains(size) else {
            throw AvroSchemaError(path: path, reason: "a fixed needs a \"size\" from 0 to 2147483647")
        }
        let logical = json["logicalType"]?.stringValue
        var meaning = AvroSchema.FixedMeaning.opaque
        if let scale = Self.scale(json, logical) { meaning = .decimal(scale: scale) }
        if logical == "uuid", size == 16 { meaning = .uuid }
        schema.nodes[index] = .fixed(size: Int(size), meaning)
        return index
    }

    private mutating func union(
        _ members: [JSON], _ namespace: String, _ path: String
    ) throws(AvroSchemaError) -> Int {
        guard !members.isEmpty else { throw AvroSchemaError(path: path, reason: "a union without branches") }
        var branches: [Int] = []
        for member in members { branches.append(try type(member, namespace: namespace, path: path)) }
        var seen: Set<String> = []
        for branch in branches {
            switch schema.nodes[branch] {
            case .union: throw AvroSchemaError(path: path, reason: "a union directly within a union")
            case .record, .enumeration, .fixed: continue
            default:
                guard seen.insert(schema.describe(branch)).inserted else {
                    throw AvroSchemaError(path: path, reason: "a union with two branches '\(schema.describe(branch))'")
                }
            }
        }
        return try add(.union(branches), path: path)
    }
}
