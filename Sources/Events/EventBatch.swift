package import Values

/// Some decoded events of one model, column by column. Nothing downstream sees JSON.
///
/// Storage is kept between uses (`removeAll`); one decoder owns each batch.
package struct EventBatch {
    /// A column's values. Numeric special cases are NaN payloads, categorical ones special codes.
    package enum Column {
        case numeric([Double])
        case categorical([UInt16])
    }

    package internal(set) var count = 0
    package internal(set) var timestamps: [Timestamp] = []
    /// The caller's number of the source (file, partition) each row came from, in the source's order.
    package internal(set) var sources: [UInt16] = []
    /// Numbers into `EventDecoder.versionName`.
    package internal(set) var versions: [UInt16] = []
    package internal(set) var columns: [Column]
    /// For each dimension, numbers into `EventDecoder.segmentValue`; `noSegment` where the event has none.
    package internal(set) var segments: [[UInt16]]

    package static let noSegment = UInt16.max

    init(schema: ModelSchema) {
        columns = schema.columns.map { column in
            switch column.kind {
            case .numeric: .numeric([])
            case .categorical: .categorical([])
            }
        }
        segments = schema.dimensions.map { _ in [] }
    }

    package mutating func removeAll() {
        count = 0
        timestamps.removeAll(keepingCapacity: true)
        sources.removeAll(keepingCapacity: true)
        versions.removeAll(keepingCapacity: true)
        for i in columns.indices {
            switch columns[i] {
            case .numeric(var values):
                columns[i] = .numeric([])
                values.removeAll(keepingCapacity: true)
                columns[i] = .numeric(values)
            case .categorical(var codes):
                columns[i] = .categorical([])
                codes.removeAll(keepingCapacity: true)
                columns[i] = .categorical(codes)
            }
        }
        for i in segments.indices { segments[i].removeAll(keepingCapacity: true) }
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

    private static let quietNaN: UInt64 = 0x7ff8_0000_0000_0000

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
