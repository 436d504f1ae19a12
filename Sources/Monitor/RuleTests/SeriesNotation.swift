/// The short form of a series of values, as `promtool test rules` reads it: `1 2 3`, `1x4` (five times 1), `1+2x3`
/// (1 3 5 7), `10-1x2` (10 9 8), `_` (no data), `_x3` (no data three times), `stale` (as `_`). Counts stand in brackets:
/// `[50 30 20]x3 [10 30 60]x5`, and step the same way: `[50 30]+[1 0]x2`.
///
/// As in promtool `AxN` gives N + 1 values, because the first one is the value at time 0, and `_xN` gives N.
enum SeriesNotation {
    /// What is wrong, at an offset in Unicode scalars.
    struct Mistake: Error {
        let message: String
        let offset: Int
    }

    /// Values of one series at most.
    static let maximumValues = 100_000

    /// A value for each evaluation from time 0 on; `nil` is no data. A plain number is a list of one.
    static func values(_ text: String, isCounts: Bool) throws(Mistake) -> [[Double]?] {
        var reader = Reader(Array(text.unicodeScalars), isCounts: isCounts)
        return try reader.read()
    }

    private struct Reader {
        let text: [Unicode.Scalar]
        let isCounts: Bool
        var position = 0
        var out: [[Double]?] = []

        init(_ text: [Unicode.Scalar], isCounts: Bool) {
            self.text = text
            self.isCounts = isCounts
        }

        var current: Unicode.Scalar? { position < text.count ? text[position] : nil }

        mutating func read() throws(Mistake) -> [[Double]?] {
            while true {
                skipSpace()
                guard current != nil else { return out }
                try item()
                if let c = current, !c.properties.isWhitespace {
                    throw Mistake(message: "expected a space, found `\(c)`", offset: position)
                }
            }
        }

        mutating func skipSpace() {
            while let c = current, c.properties.isWhitespace { position += 1 }
        }

        mutating func item() throws(Mistake) {
            let start = position
            if take("_") {
                try append(nil, step: nil, times: take("x") ? try whole() : 1, at: start)
                return
            }
            if word("stale") {
                try append(nil, step: nil, times: 1, at: start)
                return
            }
            let value = try value()
            var step: [Double]?
            if let sign = current, sign == "+" || sign == "-" {
                position += 1
                step = try self.value().map { sign == "-" ? -$0 : $0 }
                if step?.count != value.count {
                    throw Mistake(message: "expected a step of \(value.count) counts", offset: start)
                }
                guard current == "x" else {
                    throw Mistake(message: "expected `x` and how often to step, as in `1+2x3`", offset: position)
                }
            }
            let times = take("x") ? try whole() + 1 : 1
            try append(value, step: step, times: times, at: start)
        }

        mutating func append(_ value: [Double]?, step: [Double]?, times: Int, at start: Int) throws(Mistake) {
            guard out.count + times <= SeriesNotation.maximumValues else {
                throw Mistake(message: "more than \(SeriesNotation.maximumValues) values", offset: start)
            }
            for i in 0..<times {
                guard let value else {
                    out.append(nil)
                    continue
                }
                let now = step.map { step in zip(value, step).map { $0 + Double(i) * $1 } } ?? value
                if isCounts, now.contains(where: { $0 < 0 || $0 != $0.rounded() || $0 > 1e15 }) {
                    throw Mistake(message: "expected counts: whole numbers from 0 up", offset: start)
                }
                out.append(now)
            }
        }

        mutating func value() throws(Mistake) -> [Double] {
            guard isCounts else {
                if current == "[" {
                    throw Mistake(
                        message: "expected a number, found counts in brackets: write them under `counts`",
                        offset: position)
                }
                return [try number()]
            }
            guard take("[") else {
                throw Mistake(message: "expected counts in brackets such as `[50 30 20]x3`, or `_`", offset: position)
            }
            var counts: [Double] = []
            while true {
                while let c = current, c.properties.isWhitespace || c == "," { position += 1 }
                if take("]") { return counts }
                if current == nil {
                    throw Mistake(message: "the bracket is never closed: expected `]`", offset: position)
                }
                counts.append(try number())
            }
        }

        mutating func number() throws(Mistake) -> Double {
            let start = position
            if let c = current, c == "-" || c == "+" { position += 1 }
            while let c = current {
                let isExponentSign =
                    (c == "-" || c == "+") && position > start
                    && (text[position - 1] == "e" || text[position - 1] == "E")
                guard ("0"..."9").contains(c) || c == "." || c == "e" || c == "E" || isExponentSign else { break }
                position += 1
            }
            let slice = String(String.UnicodeScalarView(text[start..<position]))
            guard let value = Double(slice), value.isFinite else {
                let found = current.map { slice + String($0) } ?? slice
                throw Mistake(
                    message: found.isEmpty ? "expected a number, found the end" : "expected a number, found `\(found)`",
                    offset: start)
            }
            return value
        }

        mutating func whole() throws(Mistake) -> Int {
            let start = position
            while let c = current, ("0"..."9").contains(c) { position += 1 }
            guard let count = Int(String(String.UnicodeScalarView(text[start..<position]))),
                count <= SeriesNotation.maximumValues
            else {
                throw Mistake(
                    message: "expected how often, a whole number up to \(SeriesNotation.maximumValues)", offset: start)
            }
            return count
        }

        mutating func take(_ c: Unicode.Scalar) -> Bool {
            guard current == c else { return false }
            position += 1
            return true
        }

        mutating func word(_ word: String) -> Bool {
            let scalars = Array(word.unicodeScalars)
            guard text[position...].starts(with: scalars) else { return false }
            position += scalars.count
            return true
        }
    }
}
