import Values

/// Reads the parts of one model's events into its batch, and numbers the versions and segment values it meets.
struct ModelReader {
    /// Past this many values a dimension's new values share the last number, `other`: a hostile stream stays bounded.
    static let maximumSegmentValues = 1_000
    static let maximumVersions = 1_000
    static let overflowName = "(other)"

    private enum Target {
        /// An index into a row's numbers.
        case numeric(Int)
        /// An index into a row's codes and into `categoryTables`.
        case categorical(Int)
        case ignored
    }

    private struct CategoryTable {
        let names: ByteStringTable
        let codes: [UInt16]
        let unseen: UInt16
        /// The codes of the texts that have a second spelling.
        let byText: [String: UInt16]

        init(_ codes: [String: Int], unseen: Int) {
            let ordered = codes.sorted { $0.value == $1.value ? $0.key < $1.key : $0.value < $1.value }
            names = ByteStringTable(ordered.map(\.key))
            self.codes = ordered.map { UInt16($0.value) }
            self.unseen = UInt16(unseen)
            byText = codes.filter { text, _ in !text.utf8.allSatisfy { $0 < 0x80 } }.mapValues { UInt16($0) }
        }
    }

    private let features: ByteStringTable
    private let targets: [Target]
    private var categoryTables: [CategoryTable] = []
    private let prediction: Target?
    private let dimensions: ByteStringTable
    /// For each feature number, the dimension of the same name.
    private let dimensionOfFeature: [Int?]
    var dimensionValues: [ByteStringTable]
    var versions = ByteStringTable()
    private let unnamedVersion: Int
    init(_ schema: ModelSchema) {
        var names: [String] = []
        var targets: [Target] = []
        var prediction: Target?
        var numbers = 0
        for column in schema.columns {
            let target: Target
            switch column.kind {
            case .numeric:
                target = .numeric(numbers)
                numbers += 1
            case .categorical(let codes, let unseen):
                target = .categorical(categoryTables.count)
                categoryTables.append(CategoryTable(codes, unseen: unseen))
            }
            if column.name == ModelSchema.predictionColumn {
                prediction = target
            } else {
                names.append(column.name)
                targets.append(target)
            }
        }
        for name in schema.ignored + schema.dimensions where !names.contains(name) {
            names.append(name)
            targets.append(.ignored)
        }
        features = ByteStringTable(names)
        self.targets = targets
        self.prediction = prediction
        dimensions = ByteStringTable(schema.dimensions)
        dimensionOfFeature = names.map { name in schema.dimensions.firstIndex(of: name) }
        dimensionValues = schema.dimensions.indices.map { i in
            ByteStringTable(schema.knownValues.indices.contains(i) ? schema.knownValues[i] : [])
        }
        unnamedVersion = versions.insert("")
    }

    /// Appends one event and returns how many feature keys nobody knows.
    mutating func append(
        _ message: UnsafeRawBufferPointer, _ parts: EventParts, time: Timestamp, source: UInt16, kind: EventKind,
        defaultVersion: String?, to batch: EventBatch
    ) -> UInt64 {
        batch.beginRow(Self.blank(features: parts.features != nil, prediction: kind != .features))
        var unknown: UInt64 = 0
        if let range = parts.features { unknown = readFeatures(message, range, batch) }
        if let range = parts.segments { readSegments(message, range, batch) }
        if let prediction, kind == .prediction, let value = parts.prediction {
            readPrediction(message, value, prediction, batch)
        }
        batch.commitRow(
            time, source: source, version: UInt16(versionNumber(message, parts.version, defaultVersion)))
        return unknown
    }

    private static func blank(features: Bool, prediction: Bool) -> EventBatch.Blank {
        switch (features, prediction) {
        case (true, true): .featuresAndPrediction
        case (true, false): .features
        case (false, true): .prediction
        case (false, false): .nothing
        }
    }

    private mutating func versionNumber(
        _ message: UnsafeRawBufferPointer, _ value: EventParts.Value?, _ defaultVersion: String?
    ) -> Int {
        let full = versions.count >= Self.maximumVersions
        switch value {
        case .text(let text):
            return JSONText.withUnescaped(message, text) { Self.number($0, in: &versions, full: full) }
        case .number(let range):
            return Self.number(UnsafeRawBufferPointer(rebasing: message[range]), in: &versions, full: full)
        default:
            guard let defaultVersion else { return unnamedVersion }
            return versions.insert(defaultVersion)
        }
    }

    static func number(_ bytes: UnsafeRawBufferPointer, in table: inout ByteStringTable, full: Bool) -> Int {
        if let known = table.find(bytes) { return known }
        // `*` means all versions together, so no version may be called that.
        if bytes.count == 1, bytes[0] == 0x2a { return table.insert(overflowName) }
        return full ? table.insert(overflowName) : table.insert(bytes)
    }

    private mutating func readFeatures(
        _ message: UnsafeRawBufferPointer, _ range: Range<Int>, _ batch: EventBatch
    ) -> UInt64 {
        var unknown: UInt64 = 0
        var scanner = JSONScanner(message, range: range)
        scanner.position += 1
        var guess = 0
        while let key = Self.nextKey(&scanner) {
            let feature = JSONText.withUnescaped(message, key) { features.find($0, guess: guess) }
            scanner.skipWhitespace()
            let start = scanner.position
            guard let value = EventParts.value(&scanner) else { break }
            guard let feature else {
                unknown += 1
                continue
            }
            guess = feature + 1
            let raw = start..<scanner.position
            if let dimension = dimensionOfFeature[feature] {
                // A key given twice: here too the last one counts.
                putSegment(EventBatch.noSegment, dimension, batch)
                takeSegment(message, dimension, value, raw, batch)
            }
            store(message, value, raw, targets[feature], batch)
        }
        return unknown
    }

    private mutating func readSegments(
        _ message: UnsafeRawBufferPointer, _ range: Range<Int>, _ batch: EventBatch
    ) {
        var scanner = JSONScanner(message, range: range)
        scanner.position += 1
        while let key = Self.nextKey(&scanner) {
            let dimension = JSONText.withUnescaped(message, key) { dimensions.find($0) }
            scanner.skipWhitespace()
            let start = scanner.position
            guard let value = EventParts.value(&scanner) else { break }
            if let dimension { takeSegment(message, dimension, value, start..<scanner.position, batch) }
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
        let full = dimensionValues[dimension].count >= Self.maximumSegmentValues
        let number: Int?
        switch value {
        case .text(let text):
            number = JSONText.withUnescaped(message, text) {
                Self.number($0, in: &dimensionValues[dimension], full: full)
            }
        case .number(let range):
            number = JSONText.withCanonicalNumber(message, range) {
                Self.number($0, in: &dimensionValues[dimension], full: full)
            }
        case .other:
            let bytes = UnsafeRawBufferPointer(rebasing: message[raw])
            number = bytes.first == 0x5b ? nil : Self.number(bytes, in: &dimensionValues[dimension], full: full)
        case .object, nil: number = nil
        }
        if let number { putSegment(UInt16(number), dimension, batch) }
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
        case .numeric(let column):
            let number: Double
            switch value {
            case nil: number = Hole.null.asDouble
            case .number(let range):
                let read = JSONText.double(message, range)
                number = read.isFinite ? read : Hole.invalid.asDouble
            case .text(let text):
                number = (Self.namesNonFinite(message, text) ? Hole.invalid : Hole.wrongType).asDouble
            case .object, .other: number = Hole.wrongType.asDouble
            }
            putNumber(number, column, batch)
        case .categorical(let column):
            let code: UInt16
            switch value {
            case nil: code = Hole.null.asCode
            case .text(let text):
                let found = JSONText.withUnescaped(message, text) { category($0, column) }
                // A reference is built without these words (`DataTable`), so they are no new category either.
                let isHole = found == categoryTables[column].unseen && Self.namesNonFinite(message, text)
                code = isHole ? Hole.invalid.asCode : found
            case .number(let range):
                code = JSONText.withCanonicalNumber(message, range) { category($0, column) }
            case .other:
                let bytes = UnsafeRawBufferPointer(rebasing: message[raw])
                code = bytes.first == 0x5b ? Hole.wrongType.asCode : category(bytes, column)
            case .object: code = Hole.wrongType.asCode
            }
            putCode(code, column, batch)
        }
    }

    func category(_ bytes: UnsafeRawBufferPointer, _ table: Int) -> UInt16 {
        if let found = categoryTables[table].names.find(bytes) { return categoryTables[table].codes[found] }
        // The reference counts texts as Swift compares them: é is one category, composed or not. ASCII has no
        // second spelling.
        guard bytes.contains(where: { $0 >= 0x80 }) else { return categoryTables[table].unseen }
        let text = String(decoding: bytes, as: UTF8.self)
        return categoryTables[table].byText[text] ?? categoryTables[table].unseen
    }

    /// The spellings serving code gives NaN and infinities in strings.
    static func namesNonFinite(_ message: UnsafeRawBufferPointer, _ text: JSONScanner.Text) -> Bool {
        guard text.range.count <= 9 else { return false }
        let word = JSONText.string(message, text).lowercased()
        return ["nan", "inf", "+inf", "-inf", "infinity", "+infinity", "-infinity"].contains(word)
    }

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
