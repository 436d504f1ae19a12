/// A value as `PackedEncoder` sees it: what JSON can say, with whole numbers apart.
enum PackedValue: Sendable {
    case null
    case bool(Bool)
    case int(Int64)
    case uint(UInt64)
    case double(Double)
    case string(String)
    case array([PackedValue])
    /// Keys ascending, so that equal values are equal bytes.
    case map([(key: String, value: PackedValue)])

    var isNull: Bool { if case .null = self { true } else { false } }
}

/// Why packed bytes could not be read.
struct PackedError: Error, CustomStringConvertible {
    let description: String
}

/// Format 1 of packed values. A value begins with a byte that says what it is:
///
/// | byte | value |
/// | --- | --- |
/// | 0, 1, 2 | null, false, true |
/// | 3 | a whole number as a zigzag LEB128 varint |
/// | 4 | a whole number over 2⁶³ − 1 as a varint |
/// | 5, 6 | a double: eight bytes, little-endian; the varint number of one that came before |
/// | 7, 8 | a string: varint length and UTF-8; the varint number of one that came before |
/// | 9 | an array: varint count, values |
/// | 10 | a map: varint count, then a string and a value for each |
/// | 32…255 | the whole number 0…223 |
///
/// State of detectors is small whole numbers, few keys and the same few doubles over and over, so this is a fraction of its JSON.
extension PackedValue {
    private enum Tag {
        static let null: UInt8 = 0
        static let no: UInt8 = 1
        static let yes: UInt8 = 2
        static let int: UInt8 = 3
        static let uint: UInt8 = 4
        static let double: UInt8 = 5
        static let knownDouble: UInt8 = 6
        static let string: UInt8 = 7
        static let knownString: UInt8 = 8
        static let array: UInt8 = 9
        static let map: UInt8 = 10
        static let small: UInt8 = 32
    }

    private static let maximumDepth = 64

    func bytes() -> [UInt8] {
        var writer = Writer()
        writer.write(self)
        return writer.out
    }

    init(_ bytes: ArraySlice<UInt8>) throws(PackedError) {
        var reader = Reader(bytes: bytes, position: bytes.startIndex)
        self = try reader.value(depth: 0)
        guard reader.position == bytes.endIndex else { throw PackedError(description: "bytes after the value") }
    }

    private struct Writer {
        var out: [UInt8] = []
        private var strings: [String: Int] = [:]
        private var doubles: [UInt64: Int] = [:]

        mutating func write(_ value: PackedValue) {
            switch value {
            case .null: out.append(Tag.null)
            case .bool(let isTrue): out.append(isTrue ? Tag.yes : Tag.no)
            case .int(let number): write(number)
            case .uint(let number):
                if let small = Int64(exactly: number) { return write(small) }
                out.append(Tag.uint)
                varint(number)
            case .double(let number): write(number)
            case .string(let text): write(text)
            case .array(let values):
                out.append(Tag.array)
                varint(UInt64(values.count))
                for value in values { write(value) }
            case .map(let members):
                out.append(Tag.map)
                varint(UInt64(members.count))
                for member in members {
                    write(member.key)
                    write(member.value)
                }
            }
        }

        private mutating func write(_ number: Int64) {
            if (0..<Int64(256 - Int(Tag.small))).contains(number) { return out.append(Tag.small + UInt8(number)) }
            out.append(Tag.int)
            varint(UInt64(bitPattern: (number << 1) ^ (number >> 63)))
        }

        private mutating func write(_ number: Double) {
            // Counts are doubles to detectors. Minus zero is none.
            if let whole = Int64(exactly: number), number != 0 || number.sign == .plus { return write(whole) }
            if let known = doubles[number.bitPattern] {
                out.append(Tag.knownDouble)
                return varint(UInt64(known))
            }
            doubles[number.bitPattern] = doubles.count
            out.append(Tag.double)
            for shift in stride(from: UInt64(0), to: 64, by: 8) {
                out.append(UInt8(truncatingIfNeeded: number.bitPattern >> shift))
            }
        }

        private mutating func write(_ text: String) {
            if let known = strings[text] {
                out.append(Tag.knownString)
                return varint(UInt64(known))
            }
            strings[text] = strings.count
            out.append(Tag.string)
            varint(UInt64(text.utf8.count))
            out += text.utf8
        }

        private mutating func varint(_ value: UInt64) {
            var rest = value
            while rest >= 0x80 {
                out.append(UInt8(truncatingIfNeeded: rest) | 0x80)
                rest >>= 7
            }
            out.append(UInt8(rest))
        }
    }

    private struct Reader {
        let bytes: ArraySlice<UInt8>
        var position: Int
        private var strings: [String] = []
        private var doubles: [Double] = []

        init(bytes: ArraySlice<UInt8>, position: Int) {
            self.bytes = bytes
            self.position = position
        }

        mutating func value(depth: Int) throws(PackedError) -> PackedValue {
            guard depth <= PackedValue.maximumDepth else { throw PackedError(description: "nested too deeply") }
            let tag = try byte()
            switch tag {
            case Tag.null: return .null
            case Tag.no: return .bool(false)
            case Tag.yes: return .bool(true)
            case Tag.int:
                let number = try varint()
                return .int(Int64(bitPattern: number >> 1) ^ -Int64(bitPattern: number & 1))
            case Tag.uint: return .uint(try varint())
            case Tag.double:
                var bits: UInt64 = 0
                for shift in stride(from: UInt64(0), to: 64, by: 8) { bits |= UInt64(try byte()) << shift }
                doubles.append(Double(bitPattern: bits))
                return .double(doubles[doubles.count - 1])
            case Tag.knownDouble: return .double(try known(doubles))
            case Tag.string, Tag.knownString: return .string(try text(tag))
            case Tag.array:
                var values: [PackedValue] = []
                for _ in 0..<(try count()) { values.append(try value(depth: depth + 1)) }
                return .array(values)
            case Tag.map:
                var members: [(key: String, value: PackedValue)] = []
                for _ in 0..<(try count()) {
                    let key = try text(try byte())
                    members.append((key, try value(depth: depth + 1)))
                }
                return .map(members)
            case Tag.small...: return .int(Int64(tag - Tag.small))
            default: throw PackedError(description: "unknown kind of value \(tag)")
            }
        }

        private mutating func text(_ tag: UInt8) throws(PackedError) -> String {
            if tag == Tag.knownString { return try known(strings) }
            guard tag == Tag.string else { throw PackedError(description: "a key is no text") }
            let length = try count()
            defer { position += length }
            strings.append(String(decoding: bytes[position..<position + length], as: UTF8.self))
            return strings[strings.count - 1]
        }

        private mutating func known<T>(_ values: [T]) throws(PackedError) -> T {
            let number = try varint()
            guard number < UInt64(values.count) else { throw PackedError(description: "refers to what is not there") }
            return values[Int(number)]
        }

        /// A count of things that take a byte at least.
        private mutating func count() throws(PackedError) -> Int {
            let number = try varint()
            guard number <= UInt64(bytes.endIndex - position) else {
                throw PackedError(description: "bytes end too early")
            }
            return Int(number)
        }

        private mutating func byte() throws(PackedError) -> UInt8 {
            guard position < bytes.endIndex else { throw PackedError(description: "bytes end too early") }
            defer { position += 1 }
            return bytes[position]
        }

        private mutating func varint() throws(PackedError) -> UInt64 {
            var value: UInt64 = 0
            var shift: UInt64 = 0
            while true {
                let next = try byte()
                guard shift < 63 || (shift == 63 && next <= 1) else {
                    throw PackedError(description: "number too large")
                }
                value |= UInt64(next & 0x7f) << shift
                if next < 0x80 { return value }
                shift += 7
            }
        }
    }
}
