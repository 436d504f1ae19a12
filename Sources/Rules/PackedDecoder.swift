/// Decodes what `PackedEncoder` encoded. What does not fit throws, with the path to it.
struct PackedDecoder {
    static func decode<T: Decodable>(_ type: T.Type, from value: PackedValue) throws -> T {
        try read(type, value, [])
    }

    private struct ValueDecoder: Decoder {
        let value: PackedValue
        let codingPath: [any CodingKey]
        var userInfo: [CodingUserInfoKey: Any] { [:] }

        func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
            guard case .map(let members) = value else { throw mismatch(type, codingPath, "expected a map") }
            return KeyedDecodingContainer(
                Keyed<Key>(
                    members: Dictionary(members.map { ($0.key, $0.value) }, uniquingKeysWith: { _, last in last }),
                    codingPath: codingPath))
        }

        func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
            guard case .array(let values) = value else {
                throw mismatch([PackedValue].self, codingPath, "expected an array")
            }
            return Unkeyed(values: values, codingPath: codingPath)
        }

        func singleValueContainer() -> any SingleValueDecodingContainer { Single(value: value, codingPath: codingPath) }
    }

    private static func mismatch(_ type: Any.Type, _ path: [any CodingKey], _ what: String) -> DecodingError {
        .typeMismatch(type, .init(codingPath: path, debugDescription: what))
    }

    private static func read<T: Decodable>(_ type: T.Type, _ value: PackedValue, _ path: [any CodingKey]) throws -> T {
        let plain: Any?
        switch type {
        case is Bool.Type: if case .bool(let value) = value { plain = value } else { plain = nil }
        case is String.Type: if case .string(let value) = value { plain = value } else { plain = nil }
        case is Double.Type: plain = double(value)
        case is [Double].Type:
            if case .array(let values) = value {
                let numbers = values.compactMap(double)
                plain = numbers.count == values.count ? numbers : nil
            } else {
                plain = nil
            }
        case let type as any (BinaryInteger & Decodable).Type: plain = whole(type, value)
        default: return try T(from: ValueDecoder(value: value, codingPath: path))
        }
        guard let plain = plain as? T else { throw mismatch(type, path, "found something else") }
        return plain
    }

    private static func double(_ value: PackedValue) -> Double? {
        switch value {
        case .double(let number): number
        case .int(let number): Double(number)
        case .uint(let number): Double(number)
        default: nil
        }
    }

    private static func whole<T: BinaryInteger>(_ type: T.Type, _ value: PackedValue) -> T? {
        switch value {
        case .int(let number): T(exactly: number)
        case .uint(let number): T(exactly: number)
        default: nil
        }
    }

    private struct Keyed<Key: CodingKey>: KeyedDecodingContainerProtocol {
        let members: [String: PackedValue]
        let codingPath: [any CodingKey]

        var allKeys: [Key] { members.keys.sorted().compactMap { Key(stringValue: $0) } }
        func contains(_ key: Key) -> Bool { members[key.stringValue] != nil }
        func decodeNil(forKey key: Key) throws -> Bool { try value(key).isNull }

        func decode<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T {
            try read(type, try value(key), codingPath + [key])
        }

        func nestedContainer<Nested: CodingKey>(
            keyedBy type: Nested.Type, forKey key: Key
        ) throws -> KeyedDecodingContainer<Nested> {
            try decoder(key).container(keyedBy: type)
        }

        func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
            try decoder(key).unkeyedContainer()
        }

        func superDecoder() throws -> any Decoder {
            ValueDecoder(value: members["super"] ?? .null, codingPath: codingPath)
        }

        func superDecoder(forKey key: Key) throws -> any Decoder { try decoder(key) }

        private func decoder(_ key: Key) throws -> ValueDecoder {
            ValueDecoder(value: try value(key), codingPath: codingPath + [key])
        }

        private func value(_ key: Key) throws -> PackedValue {
            guard let value = members[key.stringValue] else {
                throw DecodingError.keyNotFound(key, .init(codingPath: codingPath, debugDescription: "is absent"))
            }
            return value
        }
    }

    private struct Unkeyed: UnkeyedDecodingContainer {
        let values: [PackedValue]
        let codingPath: [any CodingKey]
        private(set) var currentIndex = 0
        var count: Int? { values.count }
        var isAtEnd: Bool { currentIndex >= values.count }

        init(values: [PackedValue], codingPath: [any CodingKey]) {
            self.values = values
            self.codingPath = codingPath
        }

        mutating func decodeNil() throws -> Bool {
            guard !isAtEnd, values[currentIndex].isNull else { return false }
            currentIndex += 1
            return true
        }

        mutating func decode<T: Decodable>(_ type: T.Type) throws -> T { try read(type, try next(), codingPath) }

        mutating func nestedContainer<Nested: CodingKey>(
            keyedBy type: Nested.Type
        ) throws -> KeyedDecodingContainer<Nested> {
            try ValueDecoder(value: try next(), codingPath: codingPath).container(keyedBy: type)
        }

        mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer {
            try ValueDecoder(value: try next(), codingPath: codingPath).unkeyedContainer()
        }

        mutating func superDecoder() throws -> any Decoder { ValueDecoder(value: try next(), codingPath: codingPath) }

        private mutating func next() throws -> PackedValue {
            guard !isAtEnd else { throw mismatch([PackedValue].self, codingPath, "the array ends too early") }
            defer { currentIndex += 1 }
            return values[currentIndex]
        }
    }

    private struct Single: SingleValueDecodingContainer {
        let value: PackedValue
        let codingPath: [any CodingKey]

        func decodeNil() -> Bool { value.isNull }
        func decode<T: Decodable>(_ type: T.Type) throws -> T { try read(type, value, codingPath) }
    }
}
