import TestSupport
import Values

/// A value that can be written both as JSON and as Avro.
indirect enum AvroItem {
    case null
    case boolean(Bool)
    case int(Int32)
    case long(Int64)
    case double(Double)
    case float(Float)
    case string(String)
    case symbol(Int)
    case decimal(Int32, scale: Int)
    case array([AvroItem])
    case object([(String, AvroItem)])

    static let symbols = ["BR", "US", "web", "nan", "prediction", "dog"]

    var json: String {
        switch self {
        case .null: "null"
        case .boolean(let value): "\(value)"
        case .int(let value): "\(value)"
        case .long(let value): "\(value)"
        case .double(let value): "\(value)"
        case .float(let value): "\(Double(value))"
        case .string(let text): JSON.string(text).text
        case .symbol(let index): JSON.string(Self.symbols[index]).text
        case .decimal(let whole, let scale): "\(whole)e-\(scale)"
        case .array(let items): "[" + items.map(\.json).joined(separator: ",") + "]"
        case .object(let members): Self.object(members)
        }
    }

    static func object(_ members: [(String, AvroItem)]) -> String {
        "{" + members.map { "\(JSON.string($0.0).text):\($0.1.json)" }.joined(separator: ",") + "}"
    }

    /// `name` makes the names of types differ.
    func type(_ name: String) -> AvroType {
        switch self {
        case .null: .null
        case .boolean: .boolean
        case .int: .int
        case .long: .long
        case .double: .double
        case .float: .float
        case .string: .string
        case .symbol: .enumeration("E\(name)", Self.symbols)
        case .decimal(_, let scale): .decimal(.bytes, precision: 12, scale: scale)
        case .array(let items): .array(items.first?.type("\(name)i") ?? .null)
        case .object(let members):
            .record("R\(name)", members.enumerated().map { ($0.element.0, $0.element.1.type("\(name)_\($0.offset)")) })
        }
    }

    var value: AvroValue {
        switch self {
        case .null: .null
        case .boolean(let value): .boolean(value)
        case .int(let value): .whole(Int64(value))
        case .long(let value): .whole(value)
        case .double(let value): .double(value)
        case .float(let value): .float(value)
        case .string(let text): .string(text)
        case .symbol(let index): .symbol(index)
        case .decimal(let whole, _):
            .bytes((0..<4).reversed().map { UInt8(truncatingIfNeeded: whole >> (8 * $0)) })
        case .array(let items): .array(items.map(\.value))
        case .object(let members): .record(members.map(\.1.value))
        }
    }

    /// Alone, with null, or among others.
    func wrapped(_ name: String, _ random: inout SeededGenerator) -> (type: AvroType, value: AvroValue) {
        let own = type(name)
        if case .null = self {
            return Bool.random(using: &random)
                ? (.union([.null, .double]), .branch(0, .null)) : (.union([.string, .null]), .branch(1, .null))
        }
        switch Int.random(in: 0..<4, using: &random) {
        case 0: return (.union([.null, own]), .branch(1, value))
        case 1: return (.union([own, .null]), .branch(0, value))
        case 2: return (.union([.null, .fixed("F\(name)", 3), own]), .branch(2, value))
        default: return (own, value)
        }
    }

    /// The union of all that maps of the tests hold.
    static let anyType = AvroType.union([.string, .double, .null, .boolean, .long, .array(.string)])

    /// The item as a value of `anyType`; what the type does not have is written as what it has.
    var any: (value: AvroValue, item: AvroItem) {
        switch self {
        case .null: (.branch(2, .null), self)
        case .boolean: (.branch(3, value), self)
        case .int(let whole): (.branch(4, value), .long(Int64(whole)))
        case .long: (.branch(4, value), self)
        case .double: (.branch(1, value), self)
        case .float(let number): (.branch(1, .double(Double(number))), self)
        case .string: (.branch(0, value), self)
        case .symbol(let index): (.branch(0, .string(Self.symbols[index])), self)
        case .decimal(let whole, _): (.branch(4, .whole(Int64(whole))), .long(Int64(whole)))
        case .array, .object: (.branch(5, .array([.string("x")])), .array([.string("x")]))
        }
    }

    static func scalar(_ random: inout SeededGenerator) -> AvroItem {
        let texts = [
            "BR", "US", "web", "", "1", "true", "São", "Sa\u{303}o", "NaN", "-Infinity", "unheard of", "é😀",
            "a text of more than sixteen bytes", "*", "nan", "south", "12.5",
        ]
        let doubles: [Double] = [
            0, -0.0, 1, 12.5, -3, 0.1, 1e300, .leastNonzeroMagnitude, 1.7976931348623157e308, 9_007_199_254_740_992,
            1e15,
        ]
        switch Int.random(in: 0..<12, using: &random) {
        case 0: return .null
        case 1: return .boolean(.random(using: &random))
        case 2: return .int(.random(in: -3...300, using: &random))
        case 3:
            return .long(
                [.min, .max, 0, 1, 9_007_199_254_740_993, -123_456_789_012].randomElement(using: &random) ?? 0)
        case 4: return .double(doubles.randomElement(using: &random) ?? 0)
        case 5: return .double(.random(in: -1e6...1e6, using: &random))
        case 6: return .float(.random(in: -10...10, using: &random))
        case 7: return .symbol(.random(in: 0..<symbols.count, using: &random))
        case 8:
            let whole = Int32.random(in: .min ... .max, using: &random)
            return .decimal(whole, scale: .random(in: 0...6, using: &random))
        case 9: return .string("r\(Int.random(in: 0..<30, using: &random))")
        default: return .string(texts.randomElement(using: &random) ?? "")
        }
    }

    /// Mostly a scalar.
    static func random(_ random: inout SeededGenerator) -> AvroItem {
        switch Int.random(in: 0..<20, using: &random) {
        case 0: return .array((0..<Int.random(in: 0...3, using: &random)).map { .int(Int32($0)) })
        case 1: return .object([("a", scalar(&random)), ("b", .array([.string("x")]))])
        default: return scalar(&random)
        }
    }
}
