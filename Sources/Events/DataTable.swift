package import Values

/// Rows of raw values by column, before anybody knows the columns' types: what a reference is learned from and what `compare`
/// compares. Eight bytes a cell.
package struct DataTable: Sendable {
    /// One value.
    package enum Cell: Equatable {
        case number(Double)
        case text(Int)
        case hole(Hole)
    }

    package struct Column: Sendable {
        package let name: String
        /// Numbers as they are; texts and holes as NaN payloads.
        private var cells: [UInt64] = []
        private var texts = ByteStringTable()
        private static let textTag: UInt64 = 0x7ffc_0000_0000_0000

        init(name: String, rows: Int) {
            self.name = name
            cells = [UInt64](repeating: Hole.missing.asDouble.bitPattern, count: rows)
        }

        package var count: Int { cells.count }

        package subscript(row: Int) -> Cell {
            let bits = cells[row]
            if bits & Self.textTag == Self.textTag, bits & 0x8000_0000_0000_0000 == 0 {
                return .text(Int(bits & 0xffff_ffff))
            }
            let number = Double(bitPattern: bits)
            return number.isNaN ? .hole(Hole(nan: number)) : .number(number)
        }

        package func text(_ index: Int) -> String { texts.name(index) }

        /// The cell as a category, `nil` for holes.
        package func category(_ row: Int) -> String? {
            switch self[row] {
            case .number(let value): JSONText.canonical(value)
            case .text(let index): texts.name(index)
            case .hole: nil
            }
        }

        mutating func append(_ hole: Hole) { cells.append(hole.asDouble.bitPattern) }

        mutating func append(_ number: Double) {
            guard number.isFinite else { return append(.invalid) }
            cells.append((number == 0 ? 0 : number).bitPattern)
        }

        mutating func append(text bytes: UnsafeRawBufferPointer) {
            cells.append(Self.textTag | UInt64(texts.insert(bytes)))
        }

        /// Numbers if nearly all present values are (99%), categories otherwise.
        package var looksNumeric: Bool {
            var numbers = 0
            var others = 0
            for row in cells.indices {
                switch self[row] {
                case .number: numbers += 1
                case .text: others += 1
                case .hole: break
                }
            }
            return numbers > 0 && others * 100 <= numbers
        }
    }

    package private(set) var count = 0
    /// Features in order of appearance.
    package private(set) var features: [Column] = []
    /// The model's output, if any row has one.
    package private(set) var prediction: Column?
    /// What was, and the class the model chose, if any row says so.
    package private(set) var label: Column?
    package private(set) var predictedClass: Column?
    /// The score of each class, of rows that bring them; `nil` where none does.
    package private(set) var classScores: [[(name: String, score: Double)]]?
    /// Segment dimensions that events name apart from their features.
    package private(set) var segments: [Column] = []
    package private(set) var models: [String: Int] = [:]
    package private(set) var versions: [String: Int] = [:]
    /// When each row was made; `distantPast` where it does not say.
    package private(set) var times: [Timestamp] = []
    package private(set) var firstTime: Timestamp?
    package private(set) var lastTime: Timestamp?

    package init() {}

    package func feature(_ name: String) -> Column? { features.first { $0.name == name } }
    package func segment(_ name: String) -> Column? { segments.first { $0.name == name } }

    /// One row to be added; columns that it does not name are missing in it.
    package struct RowBuilder {
        fileprivate var table: DataTable

        package init(_ table: consuming DataTable) { self.table = table }
        package consuming func finish() -> DataTable { table }

        package mutating func begin() {}

        package mutating func feature(_ name: UnsafeRawBufferPointer, guess: inout Int, _ put: (inout Column) -> Void) {
            Self.put(name, &table.features, rows: table.count, guess: &guess, put)
        }

        package mutating func segment(_ name: UnsafeRawBufferPointer, guess: inout Int, _ put: (inout Column) -> Void) {
            Self.put(name, &table.segments, rows: table.count, guess: &guess, put)
        }

        package mutating func prediction(_ put: (inout Column) -> Void) {
            if table.prediction == nil {
                table.prediction = Column(name: ModelSchema.predictionColumn, rows: table.count)
            }
            if var column = table.prediction, column.count == table.count {
                table.prediction = nil
                put(&column)
                table.prediction = column
            }
        }

        package mutating func label(_ put: (inout Column) -> Void) { Self.put(&table.label, "label", table.count, put) }

        package mutating func predictedClass(_ put: (inout Column) -> Void) {
            Self.put(&table.predictedClass, "class", table.count, put)
        }

        package mutating func classScores(_ scores: [(name: String, score: Double)]) {
            var filled = table.classScores ?? []
            table.classScores = nil
            while filled.count < table.count { filled.append([]) }
            if filled.count == table.count { filled.append(scores) }
            table.classScores = filled
        }

        private static func put(_ column: inout Column?, _ name: String, _ rows: Int, _ put: (inout Column) -> Void) {
            var filled = column ?? Column(name: name, rows: rows)
            column = nil
            if filled.count == rows { put(&filled) }
            column = filled
        }

        package mutating func about(model: String?, version: String?, time: Timestamp?) {
            if let model { table.models[model, default: 0] += 1 }
            if let version { table.versions[version, default: 0] += 1 }
            if let time {
                if table.times.count == table.count { table.times.append(time) }
                table.firstTime = min(table.firstTime ?? time, time)
                table.lastTime = max(table.lastTime ?? time, time)
            }
        }

        package mutating func end() {
            table.count += 1
            if table.times.count < table.count { table.times.append(.distantPast) }
            for i in table.features.indices where table.features[i].count < table.count {
                table.features[i].append(.missing)
            }
            for i in table.segments.indices where table.segments[i].count < table.count {
                table.segments[i].append(.missing)
            }
            if table.prediction.map({ $0.count < table.count }) ?? false { table.prediction?.append(.missing) }
            if table.label.map({ $0.count < table.count }) ?? false { table.label?.append(.missing) }
            if table.predictedClass.map({ $0.count < table.count }) ?? false { table.predictedClass?.append(.missing) }
        }

        private static func put(
            _ name: UnsafeRawBufferPointer, _ columns: inout [Column], rows: Int, guess: inout Int,
            _ put: (inout Column) -> Void
        ) {
            let text = String(decoding: name, as: UTF8.self)
            let index: Int
            if guess < columns.count, columns[guess].name == text {
                index = guess
            } else if let found = columns.firstIndex(where: { $0.name == text }) {
                index = found
            } else {
                columns.append(Column(name: text, rows: rows))
                index = columns.count - 1
            }
            guess = index + 1
            // A name given twice in one row: the first value stays.
            if columns[index].count == rows { put(&columns[index]) }
        }
    }
}
