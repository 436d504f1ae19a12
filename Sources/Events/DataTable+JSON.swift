import Values

extension DataTable.RowBuilder {
    /// Adds one JSON object: a native event, or a flat record whose members are the features (`ts`, `timestamp`, `id`,
    /// `model`, `version`, `label`, `prediction` and `score` keep their meaning).
    /// - Returns: what is wrong with the text, `nil` when the row was added. Label events are passed over.
    package mutating func add(json line: UnsafeRawBufferPointer) -> String? {
        var scanner = JSONScanner(line)
        let range: Range<Int>
        do throws(JSONError) {
            range = try scanner.skipValue()
            scanner.skipWhitespace()
            guard scanner.isAtEnd else { throw scanner.error("text after the object") }
        } catch {
            return "\(error.reason) at byte \(error.offset)"
        }
        guard line[range.lowerBound] == 0x7b else { return "a row is a JSON object" }
        let parts = EventParts(line, range)
        if parts.features == nil, parts.kind(line) == .label { return nil }
        let time = parts.timestamp.flatMap { EventDecoder.timestamp(line, $0) }
        about(
            model: parts.model.map { JSONText.string(line, $0) }, version: Self.text(line, parts.version), time: time)
        if let features = parts.features {
            members(line, features) { builder, key, value, raw, guess in
                builder.feature(key, guess: &guess) { Self.put(line, value, raw, &$0) }
            }
        } else {
            members(line, range) { builder, key, value, raw, guess in
                let reserved = ["type", "model", "version", "id", "ts", "timestamp", "label", "prediction", "segments"]
                let name = String(decoding: key, as: UTF8.self)
                guard !reserved.contains(name) else { return }
                if name == "score", parts.prediction == nil {
                    builder.prediction { Self.put(line, value, raw, &$0) }
                } else {
                    builder.feature(key, guess: &guess) { Self.put(line, value, raw, &$0) }
                }
            }
        }
        if let segments = parts.segments {
            members(line, segments) { builder, key, value, raw, guess in
                builder.segment(key, guess: &guess) { Self.put(line, value, raw, &$0) }
            }
        }
        if let output = parts.prediction { addPrediction(line, output) }
        if let known = parts.label { label { Self.put(line, known, parts.labelRange, &$0) } }
        end()
        return nil
    }

    private mutating func addPrediction(_ line: UnsafeRawBufferPointer, _ output: EventParts.Value) {
        switch output {
        case .number(let range): prediction { Self.put(line, output, range, &$0) }
        case .text(let text): prediction { Self.put(line, output, text.range, &$0) }
        case .object(let range):
            let found = PredictionParts(line, range)
            if let part = found.score ?? found.value ?? found.label ?? found.bestClass {
                prediction { Self.put(line, part.value, part.raw, &$0) }
            }
            if let part = found.label ?? found.bestClass {
                predictedClass { Self.put(line, part.value, part.raw, &$0) }
            }
            if let scores = found.scores {
                var all: [(name: String, score: Double)] = []
                PredictionParts.each(line, scores) { name, score in
                    if all.count < OutcomeRows.maximumScores { all.append((JSONText.string(line, name), score)) }
                }
                classScores(all)
            }
        case .other: break
        }
    }

    private static func text(_ line: UnsafeRawBufferPointer, _ value: EventParts.Value?) -> String? {
        switch value {
        case .text(let text): JSONText.string(line, text)
        case .number(let range): String(decoding: line[range], as: UTF8.self)
        default: nil
        }
    }

    private mutating func members(
        _ line: UnsafeRawBufferPointer, _ range: Range<Int>,
        _ body: (inout Self, UnsafeRawBufferPointer, EventParts.Value?, Range<Int>, inout Int) -> Void
    ) {
        var scanner = JSONScanner(line, range: range)
        scanner.position += 1
        var guess = 0
        while let key = ModelReader.nextKey(&scanner) {
            scanner.skipWhitespace()
            let start = scanner.position
            guard let value = EventParts.value(&scanner) else { return }
            let raw = start..<scanner.position
            JSONText.withUnescaped(line, key) { body(&self, $0, value, raw, &guess) }
        }
    }

    private static func put(
        _ line: UnsafeRawBufferPointer, _ value: EventParts.Value?, _ raw: Range<Int>, _ column: inout DataTable.Column
    ) {
        switch value {
        case nil: column.append(.null)
        case .number(let range): column.append(JSONText.double(line, range))
        case .text(let text):
            if ModelReader.namesNonFinite(line, text) {
                column.append(.invalid)
            } else {
                JSONText.withUnescaped(line, text) { column.append(text: $0) }
            }
        case .other where line[raw.lowerBound] != 0x5b:
            column.append(text: UnsafeRawBufferPointer(rebasing: line[raw]))
        case .object, .other: column.append(.wrongType)
        }
    }
}
