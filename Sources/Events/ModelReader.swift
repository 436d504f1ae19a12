import Values

/// Reads the parts of one model's validated events into its batch, whatever their form, and numbers the versions and segment values
/// it meets: the general way of reading, which defines what an event means.
struct ModelReader {
    typealias Target = ModelTables.Target

    let tables: ModelTables

    init(_ schema: ModelSchema, _ places: NamePlaces) { tables = ModelTables(schema, places) }

    /// Appends one event and returns how many feature keys nobody knows.
    mutating func append(
        _ message: UnsafeRawBufferPointer, _ parts: EventParts, time: Timestamp, source: UInt16, kind: EventKind,
        defaultVersion: String?, to batch: EventBatch, strays: (fields: StrayFields, model: Int)
    ) -> UInt64 {
        batch.beginRow(Self.blank(features: parts.features != nil, prediction: kind != .features))
        var unknown: UInt64 = 0
        if let range = parts.features { unknown = readFeatures(message, range, batch, strays) }
        if let range = parts.segments { readSegments(message, range, batch) }
        if let prediction = tables.prediction, kind == .prediction, let value = parts.prediction {
            readPrediction(message, value, prediction, batch)
        }
        tables.countOverflow(batch.segments + batch.count * batch.segmentWidth)
        batch.commitRow(time, source: source, version: version(message, parts.version, defaultVersion))
        return unknown
    }

    /// The number of a version that an event names, added if new; all past the limit share one.
    mutating func versionNumber(_ bytes: UnsafeRawBufferPointer) -> UInt16 { tables.versionNumber(bytes) }

    /// The number of a dimension's value, added if new; all past the limit share one.
    mutating func segmentNumber(_ bytes: UnsafeRawBufferPointer, dimension: Int) -> UInt16 {
        tables.segmentNumber(bytes, dimension: dimension)
    }

    /// The code of a category's text in a categorical column, counted among those; the unseen code for texts not in its table.
    func categoryCode(_ bytes: UnsafeRawBufferPointer, column: Int) -> UInt16 {
        tables.categoryCode(bytes, column: column)
    }

    private static func blank(features: Bool, prediction: Bool) -> EventBatch.Blank {
        switch (features, prediction) {
        case (true, true): .featuresAndPrediction
        case (true, false): .features
        case (false, true): .prediction
        case (false, false): .nothing
        }
    }

    private mutating func version(
        _ message: UnsafeRawBufferPointer, _ value: EventParts.Value?, _ defaultVersion: String?
    ) -> UInt16 {
        switch value {
        case .text(let text): return JSONText.withUnescaped(message, text) { versionNumber($0) }
        case .number(let range): return versionNumber(UnsafeRawBufferPointer(rebasing: message[range]))
        default: return tables.defaultVersionNumber(defaultVersion)
        }
    }

    private mutating func readFeatures(
        _ message: UnsafeRawBufferPointer, _ range: Range<Int>, _ batch: EventBatch,
        _ strays: (fields: StrayFields, model: Int)
    ) -> UInt64 {
        var unknown: UInt64 = 0
        let firstStray = strays.fields.begin(model: strays.model)
        var scanner = JSONScanner(message, range: range)
        scanner.position += 1
        while let key = Self.nextKey(&scanner) {
            let feature = JSONText.withUnescaped(message, key) { tables.features.find($0) }
            scanner.skipWhitespace()
            let start = scanner.position
            guard let value = EventParts.value(&scanner) else { break }
            guard feature >= 0 else {
                unknown += 1
                let name = JSONText.withUnescaped(message, key) { strays.fields.number($0, model: strays.model) }
                strays.fields.append(
                    name, JSONKind(firstByte: message[start]), row: batch.count, model: strays.model, from: firstStray)
                continue
            }
            let raw = start..<scanner.position
            if let dimension = tables.dimensionOfFeature[feature] {
                // A key given twice: here too the last one counts.
                putSegment(EventBatch.noSegment, dimension, batch)
                takeSegment(message, dimension, value, raw, batch)
            }
            store(message, value, raw, tables.targets[feature], batch)
        }
        return unknown
    }

    private mutating func readSegments(
        _ message: UnsafeRawBufferPointer, _ range: Range<Int>, _ batch: EventBatch
    ) {
        var scanner = JSONScanner(message, range: range)
        scanner.position += 1
        while let key = Self.nextKey(&scanner) {
            let dimension = JSONText.withUnescaped(message, key) { tables.dimensionNames.find($0) }
            scanner.skipWhitespace()
            let start = scanner.position
            guard let value = EventParts.value(&scanner) else { break }
            if dimension >= 0 { takeSegment(message, dimension, value, start..<scanner.position, batch) }
        }
    }

    static func nextKey(_ scanner: inout JSONScanner) -> JSONScanner.Text? {
        scanner.skipWhitespace()
        if scanner.peek == 0x2c {
            scanner.position += 1
            scanner.skipWhitespace()
        }
        guard scanner.peek == 0x22, let key = try? scanner.takeString() else { return nil }
        scanner.skipWhitespace()
        scanner.position += 1
        return key
    }

    private mutating func takeSegment(
        _ message: UnsafeRawBufferPointer, _ dimension: Int, _ value: EventParts.Value?, _ raw: Range<Int>,
        _ batch: EventBatch
    ) {
        ModelTables.withSegmentText(message, value, raw) { name in
            putSegment(tables.segmentNumber(name, dimension: dimension), dimension, batch)
        }
    }

    /// A bare value, or an object with `score`, `value`, `label` or `scores`.
    private mutating func readPrediction(
        _ message: UnsafeRawBufferPointer, _ value: EventParts.Value, _ target: Target, _ batch: EventBatch
    ) {
        switch value {
        case .text(let text): store(message, value, text.range, target, batch)
        case .number(let range): store(message, value, range, target, batch)
        case .object(let range):
            let output = PredictionParts(message, range)
            let part: (value: EventParts.Value?, raw: Range<Int>)?
            switch target {
            case .numeric: part = output.score ?? output.value
            case .categorical: part = output.label ?? output.bestClass
            case .ignored: part = nil
            }
            if let part { store(message, part.value, part.raw, target, batch) }
        case .other: break
        }
    }

    private mutating func store(
        _ message: UnsafeRawBufferPointer, _ value: EventParts.Value?, _ raw: Range<Int>, _ target: Target,
        _ batch: EventBatch
    ) {
        switch target {
        case .ignored: break
        case .numeric(let column): putNumber(ModelTables.numberCell(message, value), column, batch)
        case .categorical(let column):
            putCode(tables.codeCell(message, value, raw, column: column), column, batch)
        }
    }

    static func namesNonFinite(_ message: UnsafeRawBufferPointer, _ text: JSONScanner.Text) -> Bool {
        JSONText.withUnescaped(message, text) { isNonFiniteWord($0) }
    }

    /// The spellings serving code gives NaN and infinities in strings.
    static func isNonFiniteWord(_ bytes: UnsafeRawBufferPointer) -> Bool { NonFiniteWord.matches(bytes) }

    /// A key given twice: the last one counts, as in every common parser.
    private func putNumber(_ value: Double, _ column: Int, _ batch: EventBatch) {
        batch.numbers[batch.count * batch.numberWidth + column] = value
    }

    private func putCode(_ code: UInt16, _ column: Int, _ batch: EventBatch) {
        batch.codes[batch.count * batch.codeWidth + column] = code
    }

    private func putSegment(_ number: UInt16, _ dimension: Int, _ batch: EventBatch) {
        batch.segments[batch.count * batch.segmentWidth + dimension] = number
    }
}
