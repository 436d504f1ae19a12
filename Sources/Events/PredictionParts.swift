/// Where the parts of a prediction object stand.
struct PredictionParts {
    typealias Part = (value: EventParts.Value?, raw: Range<Int>)
    private(set) var score: Part?
    private(set) var value: Part?
    private(set) var label: Part?
    /// The key of the highest number in `scores`, as a text value.
    private(set) var bestClass: Part?
    /// The object `scores`.
    private(set) var scores: Range<Int>?

    init(_ message: UnsafeRawBufferPointer, _ range: Range<Int>) {
        var scanner = JSONScanner(message, range: range)
        scanner.position += 1
        while true {
            scanner.skipWhitespace()
            if scanner.peek == 0x2c { scanner.position += 1 }
            scanner.skipWhitespace()
            guard scanner.peek == 0x22, let key = try? scanner.takeString() else { return }
            scanner.skipWhitespace()
            scanner.position += 1
            scanner.skipWhitespace()
            let start = scanner.position
            guard let found = EventParts.value(&scanner) else { return }
            let part: Part = (found, start..<scanner.position)
            switch JSONText.string(message, key) {
            case "score": score = part
            case "value": value = part
            case "label": label = part
            case "scores":
                if case .object(let range) = found {
                    scores = range
                    bestClass = Self.best(message, range)
                }
            default: break
            }
        }
    }

    private static func best(_ message: UnsafeRawBufferPointer, _ range: Range<Int>) -> Part? {
        var best: (score: Double, key: JSONScanner.Text)?
        each(message, range) { key, score in
            if best.map({ score > $0.score }) ?? true { best = (score, key) }
        }
        return best.map { (.text($0.key), $0.key.range) }
    }

    /// The numbers of an object `scores`, in the order they stand in.
    static func each(
        _ message: UnsafeRawBufferPointer, _ range: Range<Int>, _ body: (JSONScanner.Text, Double) -> Void
    ) {
        var scanner = JSONScanner(message, range: range)
        scanner.position += 1
        while true {
            scanner.skipWhitespace()
            if scanner.peek == 0x2c { scanner.position += 1 }
            scanner.skipWhitespace()
            guard scanner.peek == 0x22, let key = try? scanner.takeString() else { break }
            scanner.skipWhitespace()
            scanner.position += 1
            guard let found = EventParts.value(&scanner) else { break }
            if case .number(let number) = found { body(key, JSONText.double(message, number)) }
        }
    }
}
