package import Values

/// Some decoded events of one model, row by row: a row is written by one event and counted at once, so its cells lie side by side.
/// Nothing downstream sees JSON or Avro.
///
/// Storage is kept between uses (`removeAll`) and grows only when a batch holds more rows than any before it. One decoder owns each
/// batch and writes it; the buffers are lent for reading until the next call to the decoder.
package final class EventBatch {
    /// Where a column's cells stand within a row.
    package enum Place: Sendable, Equatable {
        /// An index into the row's numbers.
        case number(Int)
        /// An index into the row's codes.
        case code(Int)
    }

    /// What the row is before anything is read into it.
    package enum Blank: Int, CaseIterable {
        /// No features, no prediction.
        case nothing
        /// Features are there, so each is missing until it is read; a prediction cannot be.
        case features
        /// A prediction is missing until it is read; there are no features.
        case prediction
        case featuresAndPrediction
    }

    /// By column of the schema.
    package let places: [Place]
    /// Numbers, codes and segments of a row.
    package let numberWidth: Int
    package let codeWidth: Int
    package let segmentWidth: Int

    /// Memory of a row, outcomes aside.
    package var rowBytes: Int {
        numberWidth * MemoryLayout<Double>.stride + MemoryLayout<Timestamp>.stride
            + (codeWidth + segmentWidth + 2) * MemoryLayout<UInt16>.stride
    }

    /// Rows in the batch.
    package var count: Int { rows.pointee.count }

    /// `count` × `numberWidth`; cells without a usable value are NaN with a `Hole` as payload.
    package var numbers: UnsafeMutablePointer<Double> { rows.pointee.numbers }
    /// `count` × `codeWidth`; cells without a usable value count down from 65,535 (`Hole`).
    package var codes: UnsafeMutablePointer<UInt16> { rows.pointee.codes }
    /// `count` × `segmentWidth`: numbers into `EventDecoder.segmentValue`; `noSegment` where the event has none.
    package var segments: UnsafeMutablePointer<UInt16> { rows.pointee.segments }
    /// Event time by row.
    package var timestamps: UnsafeMutablePointer<Timestamp> { rows.pointee.timestamps }
    /// The caller's number of the source (file, partition) each row came from, in the source's order.
    package var sources: UnsafeMutablePointer<UInt16> { rows.pointee.sources }
    /// Numbers into `EventDecoder.versionName`.
    package var versions: UnsafeMutablePointer<UInt16> { rows.pointee.versions }

    /// In place of a segment's number where the event names no value of the dimension.
    package static let noSegment = UInt16.max

    /// The rows themselves, outside the object: the decoder writes them through a plain pointer, without the checks for exclusive
    /// access that a property of a shared object costs at every use.
    let rows: UnsafeMutablePointer<EventRows>

    /// What joins the batch's predictions with labels, and labels that came; `nil` where nobody asks.
    package let outcomes: OutcomeRows?

    init(schema: ModelSchema) {
        var places: [Place] = []
        var numbers: [(Int, isPrediction: Bool)] = []
        var codes: [(Int, isPrediction: Bool)] = []
        for column in schema.columns {
            let isPrediction = column.name == ModelSchema.predictionColumn
            switch column.kind {
            case .numeric:
                places.append(.number(numbers.count))
                numbers.append((numbers.count, isPrediction))
            case .categorical:
                places.append(.code(codes.count))
                codes.append((codes.count, isPrediction))
            }
        }
        self.places = places
        outcomes = schema.outcome.map { OutcomeRows($0) }
        numberWidth = numbers.count
        codeWidth = codes.count
        segmentWidth = schema.dimensions.count
        rows = .allocate(capacity: 1)
        rows.initialize(
            to: EventRows(
                numberWidth: numbers.count, codeWidth: codes.count, segmentWidth: schema.dimensions.count,
                blanks: Blank.allCases.count))
        for blank in Blank.allCases {
            for (i, isPrediction) in numbers {
                (rows.pointee.blankNumbers + blank.rawValue * numberWidth + i)
                    .initialize(to: Self.hole(blank, isPrediction: isPrediction).asDouble)
            }
            for (i, isPrediction) in codes {
                (rows.pointee.blankCodes + blank.rawValue * codeWidth + i)
                    .initialize(to: Self.hole(blank, isPrediction: isPrediction).asCode)
            }
        }
    }

    deinit {
        rows.pointee.destroy()
        rows.deallocate()
    }

    private static func hole(_ blank: Blank, isPrediction: Bool) -> Hole {
        switch blank {
        case .nothing: .absent
        case .features: isPrediction ? .absent : .missing
        case .prediction: isPrediction ? .missing : .absent
        case .featuresAndPrediction: .missing
        }
    }

    /// Empties the batch and keeps its memory.
    /// Keeps its memory, unless one message made it unusually large.
    package func removeAll() {
        rows.pointee.removeAll()
        outcomes?.removeAll()
    }

    /// Makes room for the row numbered `count` and blanks it. The row belongs to the batch after `commitRow`; until then it may be
    /// written and blanked again.
    @inline(__always)
    func beginRow(_ blank: Blank) { rows.pointee.begin(blank) }

    /// The three steps of `beginRow`, for a writer that fills every cell, or every segment, itself.
    @inline(__always)
    func makeRoom() { rows.pointee.makeRoom() }

    @inline(__always)
    func blankCells(_ blank: Blank) { rows.pointee.blank(blank) }

    @inline(__always)
    func blankSegments() { rows.pointee.blankSegments() }

    @inline(__always)
    func commitRow(_ time: Timestamp, source: UInt16, version: UInt16) {
        rows.pointee.commit(time, source: source, version: version)
    }
}

/// A row without a usable value in a column. In numeric columns the value is a quiet NaN with `rawValue` as payload, in
/// categorical ones the code counts down from 65,535.
package enum Hole: UInt16, Sendable, CaseIterable {
    /// The event does not carry this part at all: the row is not one of the column's.
    case absent = 1
    case null = 2
    case missing = 3
    case invalid = 4
    case wrongType = 5

    static let quietNaN: UInt64 = 0x7ff8_0000_0000_0000

    package var asDouble: Double { Double(bitPattern: Self.quietNaN | UInt64(rawValue)) }
    package var asCode: UInt16 { UInt16.max &- rawValue }

    /// The hole a NaN stands for; only ask for NaN values.
    @inline(__always)
    package init(nan: Double) {
        self = Hole(rawValue: UInt16(truncatingIfNeeded: nan.bitPattern)) ?? .invalid
    }

    /// The hole a code stands for, `nil` for real codes.
    @inline(__always)
    package init?(code: UInt16) {
        guard code >= UInt16.max &- 5 else { return nil }
        self.init(rawValue: UInt16.max &- code)
    }
}
