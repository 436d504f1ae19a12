/// Where the parts of one validated event stand in its message.
struct EventParts {
    /// A value by its JSON type; `other` is an array or a boolean. Nulls count as absent.
    enum Value {
        case text(JSONScanner.Text)
        case number(Range<Int>)
        case object(Range<Int>)
        case other
    }

    private(set) var type: JSONScanner.Text?
    private(set) var model: JSONScanner.Text?
    private(set) var version: Value?
    private(set) var id: Value?
    private(set) var timestamp: Value?
    private(set) var features: Range<Int>?
    private(set) var segments: Range<Int>?
    private(set) var prediction: Value?
    private(set) var label: Value?
    /// Where the label stands.
    private(set) var labelRange = 0..<0
    /// The name of a part with an impossible type.
    private(set) var badField: StaticString?

    private enum Key: Int {
        case type, model, version, id, ts, features, segments, prediction, label
    }
    private static let keys = ByteStringTable([
        "type", "model", "version", "id", "ts", "features", "segments", "prediction", "label",
    ])

    /// `range` must hold a validated JSON object.
    init(_ message: UnsafeRawBufferPointer, _ range: Range<Int>) {
        var scanner = JSONScanner(message, range: range)
        scanner.position += 1
        scanner.skipWhitespace()
        while scanner.peek != 0x7d {
            guard let key = try? scanner.takeString() else { return }
            scanner.skipWhitespace()
            scanner.position += 1
            scanner.skipWhitespace()
            let start = scanner.position
            guard let value = Self.value(&scanner) else { return }
            let found = JSONText.withUnescaped(message, key) { Self.keys.find($0) }
            if let found, let part = Key(rawValue: found), case .some(let present) = value {
                if part == .label { labelRange = start..<scanner.position }
                take(part, present)
            }
            scanner.skipWhitespace()
            if scanner.peek == 0x2c {
                scanner.position += 1
                scanner.skipWhitespace()
            }
        }
    }

    /// Outer `nil`: the text ended, or is no JSON value. Inner `nil`: JSON null.
    /// - Parameter depth: how deep the value stands; of no matter in a text that has been validated.
    static func value(_ scanner: inout JSONScanner, depth: Int = 0) -> Value?? {
        scanner.skipWhitespace()
        let first = scanner.peek
        if first == 0x22 {
            guard let text = try? scanner.takeString() else { return nil }
            return .some(.text(text))
        }
        guard let range = try? scanner.skipValue(depth: depth) else { return nil }
        switch first {
        case 0x7b: return .some(.object(range))
        case 0x6e: return .some(nil)
        case 0x2d, 0x30...0x39: return .some(.number(range))
        default: return .some(.other)
        }
    }

    private mutating func take(_ key: Key, _ value: Value) {
        switch (key, value) {
        case (.type, .text(let text)): type = text
        case (.type, _): badField = "type"
        case (.model, .text(let text)): model = text
        case (.model, _): badField = "model"
        case (.version, .text), (.version, .number): version = value
        case (.version, _): badField = "version"
        case (.id, .text), (.id, .number): id = value
        case (.id, _): badField = "id"
        case (.ts, _): timestamp = value
        case (.features, .object(let range)): features = range
        case (.features, _): badField = "features"
        case (.segments, .object(let range)): segments = range
        case (.segments, _): badField = "segments"
        case (.prediction, .number), (.prediction, .object), (.prediction, .text): prediction = value
        case (.prediction, _): badField = "prediction"
        case (.label, _): label = value
        }
    }

    /// What the event is; without a `type`, a `label` and no `prediction` make a label, anything else a prediction.
    func kind(_ message: UnsafeRawBufferPointer) -> EventKind? {
        guard let type else { return label != nil && prediction == nil ? .label : .prediction }
        let name = JSONText.string(message, type)
        return EventKind.allCases.first { $0.name == name }
    }
}
