import Events
import Values

/// The query of a URL, decoded once. Repeated names are refused: which one counts would be a guess.
struct Query: Sendable, Hashable {
    private let values: [String: String]

    init(_ text: String?) throws(Failure) {
        var values: [String: String] = [:]
        for (name, value) in try Self.pairs(text) {
            guard values.updateValue(value, forKey: name) == nil else {
                throw .invalid("parameter '\(name)' is given twice: give it once")
            }
        }
        self.values = values
    }

    private init() { values = [:] }

    static let empty = Query()

    /// All of them, in order, for those who take lists.
    static func pairs(_ text: String?) throws(Failure) -> [(name: String, value: String)] {
        var pairs: [(name: String, value: String)] = []
        for pair in (text ?? "").split(separator: "&") {
            let halves = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = PercentCoding.decode(halves[0], plusIsSpace: true),
                let value = PercentCoding.decode(halves.count > 1 ? halves[1] : "", plusIsSpace: true)
            else { throw .invalid("the query is not valid percent-encoded UTF-8: \(pair)") }
            pairs.append((name, value))
        }
        return pairs
    }

    subscript(name: String) -> String? { values[name] }

    /// A misspelt filter must not quietly select everything.
    func checkNames(_ known: [String]) throws(Failure) {
        guard let unknown = values.keys.sorted().first(where: { !known.contains($0) }) else { return }
        throw .invalid(
            "parameter '\(unknown)' is not known here: "
                + (known.isEmpty ? "there are none" : "use \(known.joined(separator: ", "))"))
    }

    func int(_ name: String, in range: ClosedRange<Int>, default fallback: Int) throws(Failure) -> Int {
        guard let text = values[name] else { return fallback }
        guard let value = Int(text), range.contains(value) else {
            throw .invalid(
                "parameter '\(name)' is '\(text)': give a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return value
    }

    /// RFC 3339, or seconds since 1970.
    func time(_ name: String) throws(Failure) -> Timestamp? {
        guard let text = values[name] else { return nil }
        if let time = Timestamp(rfc3339: text) { return time }
        if let seconds = Double(text), abs(seconds) < 1e11 {
            return Timestamp(microseconds: Int64((seconds * 1e6).rounded()))
        }
        throw .invalid(
            "parameter '\(name)' is '\(text)': give a time such as 2026-03-01T12:00:00Z, or seconds since 1970")
    }

    /// `country=BR,device=web`; empty for all traffic; a JSON object where values hold commas.
    func segment(_ name: String) throws(Failure) -> Segment? {
        guard let text = values[name] else { return nil }
        if text.hasPrefix("{") { return try Self.segment(name, json: text) }
        var parts: [Segment.Part] = []
        for part in text.split(separator: ",") {
            let halves = part.split(separator: "=", maxSplits: 1)
            guard halves.count == 2 else {
                throw .invalid("parameter '\(name)' is '\(text)': write country=BR, or country=BR,device=web")
            }
            parts.append(Segment.Part(String(halves[0]), String(halves[1])))
        }
        return Segment(parts)
    }

    private static func segment(_ name: String, json text: String) throws(Failure) -> Segment {
        let failure = Failure.invalid("parameter '\(name)' is not a JSON object of strings: write {\"country\":\"BR\"}")
        guard let members = (try? JSON(parsing: text.utf8))?.objectValue else { throw failure }
        var parts: [Segment.Part] = []
        for member in members {
            guard let value = member.value.stringValue else { throw failure }
            parts.append(Segment.Part(member.key, value))
        }
        return Segment(parts)
    }
}

/// Percent encoding of URLs (RFC 3986). Decoding happens exactly once and never guesses: what is not valid is `nil`.
enum PercentCoding {
    /// One part of a path: everything but letters, digits and `-._~` is escaped.
    static func encode(_ text: String) -> String {
        let digits = Array("0123456789ABCDEF")
        var out = ""
        for byte in text.utf8 {
            switch byte {
            case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x2d, 0x2e, 0x5f, 0x7e:
                out.unicodeScalars.append(Unicode.Scalar(byte))
            default: out += "%\(digits[Int(byte >> 4)])\(digits[Int(byte & 15)])"
            }
        }
        return out
    }

    static func decode(_ text: some StringProtocol, plusIsSpace: Bool = false) -> String? {
        // Most text has nothing to decode.
        guard text.utf8.contains(where: { $0 == UInt8(ascii: "%") || $0 == UInt8(ascii: "+") }) else {
            return String(text)
        }
        var out: [UInt8] = []
        var bytes = text.utf8.makeIterator()
        while let byte = bytes.next() {
            switch byte {
            case UInt8(ascii: "%"):
                guard let high = bytes.next().flatMap(hex), let low = bytes.next().flatMap(hex) else { return nil }
                out.append(high << 4 | low)
            case UInt8(ascii: "+") where plusIsSpace: out.append(UInt8(ascii: " "))
            default: out.append(byte)
            }
        }
        return String(validating: out, as: UTF8.self)
    }

    private static func hex(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
