/// Encodes values as `PackedValue`s. Works for whatever is `Codable`, as a JSON encoder does: members may come and go.
struct PackedEncoder {
    static func encode(_ value: some Encodable) throws -> PackedValue {
        let place = Place()
        try value.encode(to: PlaceEncoder(place: place, codingPath: []))
        return place.value
    }

    /// Where a value goes that may still grow.
    private final class Place {
        enum Content {
            case value(PackedValue)
            case array([Place])
            case map([String: Place])
        }

        var content = Content.value(.map([]))

        var value: PackedValue {
            switch content {
            case .value(let value): value
            case .array(let places): .array(places.map(\.value))
            case .map(let places): .map(places.sorted { $0.key < $1.key }.map { ($0.key, $0.value.value) })
            }
        }

        func member(_ key: String) -> Place {
            let place = Place()
            var members: [String: Place] = [:]
            if case .map(let known) = content { members = known }
            content = .value(.null)
            members[key] = place
            content = .map(members)
            return place
        }

        func element() -> Place {
            let place = Place()
            var elements: [Place] = []
            if case .array(let known) = content { elements = known }
            content = .value(.null)
            elements.append(place)
            content = .array(elements)
            return place
        }

        var count: Int { if case .array(let places) = content { places.count } else { 0 } }
    }

    private struct PlaceEncoder: Encoder {
        let place: Place
        let codingPath: [any CodingKey]
        var userInfo: [CodingUserInfoKey: Any] { [:] }

        func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
            if case .map = place.content {} else { place.content = .map([:]) }
            return KeyedEncodingContainer(Keyed(place: place, codingPath: codingPath))
        }

        func unkeyedContainer() -> any UnkeyedEncodingContainer {
            place.content = .array([])
            return Unkeyed(place: place, codingPath: codingPath)
        }

        func singleValueContainer() -> any SingleValueEncodingContainer { Single(place: place, codingPath: codingPath) }
    }

    private static func store<T: Encodable>(_ value: T, in place: Place, _ path: [any CodingKey]) throws {
        switch value {
        case let value as Bool: place.content = .value(.bool(value))
        case let value as String: place.content = .value(.string(value))
        case let value as Double: place.content = .value(.double(value))
        case let value as [Double]: place.content = .value(.array(value.map { .double($0) }))
        case let value as UInt64: place.content = .value(.uint(value))
        case let value as any BinaryInteger & Encodable:
            guard let whole = Int64(exactly: value) else {
                throw EncodingError.invalidValue(value, .init(codingPath: path, debugDescription: "too large"))
            }
            place.content = .value(.int(whole))
        default: try value.encode(to: PlaceEncoder(place: place, codingPath: path))
        }
    }

    private struct Keyed<Key: CodingKey>: KeyedEncodingContainerProtocol {
        let place: Place
        let codingPath: [any CodingKey]

        mutating func encodeNil(forKey key: Key) { place.member(key.stringValue).content = .value(.null) }

        mutating func encode<T: Encodable>(_ value: T, forKey key: Key) throws {
            try store(value, in: place.member(key.stringValue), codingPath + [key])
        }

        mutating func nestedContainer<Nested: CodingKey>(
            keyedBy type: Nested.Type, forKey key: Key
        ) -> KeyedEncodingContainer<Nested> {
            encoder(key.stringValue, key).container(keyedBy: type)
        }

        mutating func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
            encoder(key.stringValue, key).unkeyedContainer()
        }

        mutating func superEncoder() -> any Encoder { encoder("super", nil) }
        mutating func superEncoder(forKey key: Key) -> any Encoder { encoder(key.stringValue, key) }

        private func encoder(_ name: String, _ key: Key?) -> PlaceEncoder {
            PlaceEncoder(place: place.member(name), codingPath: codingPath + (key.map { [$0] } ?? []))
        }
    }

    private struct Unkeyed: UnkeyedEncodingContainer {
        let place: Place
        let codingPath: [any CodingKey]
        var count: Int { place.count }

        mutating func encodeNil() { place.element().content = .value(.null) }
        mutating func encode<T: Encodable>(_ value: T) throws { try store(value, in: place.element(), codingPath) }

        mutating func nestedContainer<Nested: CodingKey>(
            keyedBy type: Nested.Type
        ) -> KeyedEncodingContainer<Nested> {
            PlaceEncoder(place: place.element(), codingPath: codingPath).container(keyedBy: type)
        }

        mutating func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer {
            PlaceEncoder(place: place.element(), codingPath: codingPath).unkeyedContainer()
        }

        mutating func superEncoder() -> any Encoder { PlaceEncoder(place: place.element(), codingPath: codingPath) }
    }

    private struct Single: SingleValueEncodingContainer {
        let place: Place
        let codingPath: [any CodingKey]

        mutating func encodeNil() { place.content = .value(.null) }
        mutating func encode<T: Encodable>(_ value: T) throws { try store(value, in: place, codingPath) }
    }
}
