/// Where the parts of a prediction object stand.
struct PredictionParts {
    typealias Part = (value: EventParts.Value?, raw: Range<Int>)
    private(set) var score: Part?
    private(set) var value: Part?
    private(set) var label: Part?
    /// The key of the highest number in `scores`, as a text value.
    private(set) var bestClass: Part?

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
                if case .object(let scores) = found { bestClass = Self.best(message, scores) }
            default: break
            }
        }
    }

    private static func best(_ message: UnsafeRawBufferPointer, _ range: Range<Int>) -> Part? {
        var scanner = JSONScanner(message, range: range)
        scanner.position += 1
        var best: (score: Double, key: JSONScanner.Text)?
        while true {
            scanner.skipWhitespace()
            if scanner.peek == 0x2c { scanner.position += 1 }
            scanner.skipWhitespace()
            guard scanner.peek == 0x22, let key = try? scanner.takeString() else { break }
            scanner.skipWhitespace()
            scanner.position += 1
            guard let found = EventParts.value(&scanner) else { break }
            if case .number(let number) = found {
                let score = JSONText.double(message, number)
                if best.map({ score > $0.score }) ?? true { best = (score, key) }
            }
        }
        return best.map { (.text($0.key), $0.key.range) }
    }
}
