package import Values

extension JSON {
    /// Reads one JSON document of modest size (reference files, requests). Whole numbers that fit become `.integer`.
    package init(parsing bytes: UnsafeRawBufferPointer) throws(JSONError) {
        var scanner = JSONScanner(bytes)
        try scanner.skipValue()
        scanner.skipWhitespace()
        guard scanner.isAtEnd else { throw scanner.error("text after the document") }
        scanner.position = 0
        self = try Self.value(&scanner)
    }

    package init(parsing text: some Sequence<UInt8>) throws(JSONError) {
        let bytes = Array(text)
        let result: Result<JSON, JSONError> = bytes.withUnsafeBytes { buffer in
            do throws(JSONError) {
                return .success(try JSON(parsing: buffer))
            } catch {
                return .failure(error)
            }
        }
        self = try result.get()
    }

    private static func value(_ scanner: inout JSONScanner) throws(JSONError) -> JSON {
        scanner.skipWhitespace()
        switch scanner.peek {
        case 0x22: return .string(JSONText.string(scanner.bytes, try scanner.takeString()))
        case 0x7b: return try object(&scanner)
        case 0x5b: return try array(&scanner)
        case 0x74:
            try scanner.skipLiteral("true")
            return .bool(true)
        case 0x66:
            try scanner.skipLiteral("false")
            return .bool(false)
        case 0x6e:
            try scanner.skipLiteral("null")
            return .null
        default:
            return number(scanner.bytes, try scanner.skipNumber())
        }
    }

    private static func number(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) -> JSON {
        var i = range.lowerBound
        let isNegative = bytes[i] == 0x2d
        if isNegative { i += 1 }
        // Up to 18 digits fit, whichever they are.
        if range.upperBound - i <= 18 {
            var whole: Int64 = 0
            while i < range.upperBound, bytes[i] &- 0x30 < 10 {
                whole = whole &* 10 &+ Int64(bytes[i] &- 0x30)
                i += 1
            }
            if i == range.upperBound { return .integer(isNegative ? -whole : whole) }
        } else if let whole = Int64(String(decoding: bytes[range], as: UTF8.self)) {
            return .integer(whole)
        }
        return .number(JSONText.double(bytes, range))
    }

    private static func object(_ scanner: inout JSONScanner) throws(JSONError) -> JSON {
        scanner.position += 1
        var members: [Member] = []
        members.reserveCapacity(4)
        scanner.skipWhitespace()
        while scanner.peek != 0x7d {
            let key = JSONText.string(scanner.bytes, try scanner.takeString())
            try scanner.expect(0x3a, "expected ':' after a key")
            members.append(Member(key, try value(&scanner)))
            scanner.skipWhitespace()
            if scanner.peek == 0x2c {
                scanner.position += 1
                scanner.skipWhitespace()
            }
        }
        scanner.position += 1
        return .object(members)
    }

    private static func array(_ scanner: inout JSONScanner) throws(JSONError) -> JSON {
        scanner.position += 1
        var items: [JSON] = []
        scanner.skipWhitespace()
        while scanner.peek != 0x5d {
            items.append(try value(&scanner))
            scanner.skipWhitespace()
            if scanner.peek == 0x2c {
                scanner.position += 1
                scanner.skipWhitespace()
            }
        }
        scanner.position += 1
        return .array(items)
    }

    package var stringValue: String? { if case .string(let value) = self { value } else { nil } }
    package var arrayValue: [JSON]? { if case .array(let value) = self { value } else { nil } }
    package var objectValue: [Member]? { if case .object(let value) = self { value } else { nil } }
    package var integerValue: Int64? { if case .integer(let value) = self { value } else { nil } }
    package var numberValue: Double? {
        switch self {
        case .integer(let value): Double(value)
        case .number(let value): value
        default: nil
        }
    }
}
