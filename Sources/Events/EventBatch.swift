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

    // Checking at run time that no two accesses overlap costs more than what the accesses do. They cannot: a batch is used from
    // one thread, and no property is passed inout.
    @exclusivity(unchecked) package private(set) var count = 0
    @exclusivity(unchecked) private(set) var capacity = 0

    /// `count` × `numberWidth`; cells without a usable value are NaN with a `Hole` as payload.
    @exclusivity(unchecked) package private(set) var numbers: UnsafeMutablePointer<Double>
    /// `count` × `codeWidth`; cells without a usable value count down from 65,535 (`Hole`).
    @exclusivity(unchecked) package private(set) var codes: UnsafeMutablePointer<UInt16>
    /// `count` × `segmentWidth`: numbers into `EventDecoder.segmentValue`; `noSegment` where the event has none.
    @exclusivity(unchecked) package private(set) var segments: UnsafeMutablePointer<UInt16>
    @exclusivity(unchecked) package private(set) var timestamps: UnsafeMutablePointer<Timestamp>
    /// The caller's number of the source (file, partition) each row came from, in the source's order.
    @exclusivity(unchecked) package private(set) var sources: UnsafeMutablePointer<UInt16>
    /// Numbers into `EventDecoder.versionName`.
    @exclusivity(unchecked) package private(set) var versions: UnsafeMutablePointer<UInt16>

    package static let noSegment = UInt16.max
    private static let initialCapacity = 512

    private let blankNumbers: UnsafeMutablePointer<Double>
    private let blankCodes: UnsafeMutablePointer<UInt16>

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
        numberWidth = numbers.count
        codeWidth = codes.count
        segmentWidth = schema.dimensions.count
        let blanks = Blank.allCases.count
        blankNumbers = .allocate(capacity: max(1, blanks * numberWidth))
        blankCodes = .allocate(capacity: max(1, blanks * codeWidth))
        for blank in Blank.allCases {
            for (i, isPrediction) in numbers {
                (blankNumbers + blank.rawValue * numberWidth + i)
                    .initialize(to: Self.hole(blank, isPrediction: isPrediction).asDouble)
            }
            for (i, isPrediction) in codes {
                (blankCodes + blank.rawValue * codeWidth + i)
                    .initialize(to: Self.hole(blank, isPrediction: isPrediction).asCode)
            }
        }
        self.numbers = .allocate(capacity: 1)
        self.codes = .allocate(capacity: 1)
        segments = .allocate(capacity: 1)
        timestamps = .allocate(capacity: 1)
        sources = .allocate(capacity: 1)
        versions = .allocate(capacity: 1)
        grow(to: Self.initialCapacity)
    }

    deinit {
        blankNumbers.deallocate()
        blankCodes.deallocate()
        numbers.deallocate()
        codes.deallocate()
        segments.deallocate()
        timestamps.deallocate()
        sources.deallocate()
        versions.deallocate()
    }

    private static func hole(_ blank: Blank, isPrediction: Bool) -> Hole {
        switch blank {
        case .nothing: .absent
        case .features: isPrediction ? .absent : .missing
        case .prediction: isPrediction ? .missing : .absent
        case .featuresAndPrediction: .missing
        }
    }

    package func removeAll() { count = 0 }

    /// Makes room for the row numbered `count` and blanks it. The row belongs to the batch after `commitRow`; until then it may be
    /// written and blanked again.
    @inline(__always)
    func beginRow(_ blank: Blank) {
        makeRoom()
        blankCells(blank)
        blankSegments()
    }

    /// The three steps of `beginRow`, for a writer that fills every cell, or every segment, itself.
    @inline(__always)
    func makeRoom() { if count == capacity { grow(to: capacity * 2) } }

    @inline(__always)
    func blankCells(_ blank: Blank) {
        (numbers + count &* numberWidth).update(
            from: blankNumbers + blank.rawValue &* numberWidth, count: numberWidth)
        (codes + count &* codeWidth).update(from: blankCodes + blank.rawValue &* codeWidth, count: codeWidth)
    }

    @inline(__always)
    func blankSegments() {
        (segments + count &* segmentWidth).update(repeating: Self.noSegment, count: segmentWidth)
    }

    @inline(__always)
    func commitRow(_ time: Timestamp, source: UInt16, version: UInt16) {
        timestamps[count] = time
        sources[count] = source
        versions[count] = version
        count &+= 1
    }

    private func grow(to capacity: Int) {
        func moved<T: BitwiseCopyable>(_ old: UnsafeMutablePointer<T>, _ width: Int) -> UnsafeMutablePointer<T> {
            let new = UnsafeMutablePointer<T>.allocate(capacity: max(1, capacity * width))
            new.update(from: old, count: count * width)
            old.deallocate()
            return new
        }
        numbers = moved(numbers, numberWidth)
        codes = moved(codes, codeWidth)
        segments = moved(segments, segmentWidth)
        timestamps = moved(timestamps, 1)
        sources = moved(sources, 1)
        versions = moved(versions, 1)
        self.capacity = capacity
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
