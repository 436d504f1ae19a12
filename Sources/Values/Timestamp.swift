/// An instant in event time: microseconds since 1970-01-01T00:00:00Z.
///
/// A plain integer, so that windows, offsets and state compare and serialise exactly. Below `Monitor` nobody
/// reads a clock: time is a parameter.
package struct Timestamp: Hashable, Comparable, Sendable, Codable, BitwiseCopyable {
    package var microseconds: Int64

    package init(microseconds: Int64) { self.microseconds = microseconds }

    package static let distantPast = Timestamp(microseconds: .min / 4)
    package static let distantFuture = Timestamp(microseconds: .max / 4)

    package static func < (a: Timestamp, b: Timestamp) -> Bool { a.microseconds < b.microseconds }
    package static func + (a: Timestamp, b: Span) -> Timestamp {
        Timestamp(microseconds: a.microseconds &+ b.microseconds)
    }
    package static func - (a: Timestamp, b: Span) -> Timestamp {
        Timestamp(microseconds: a.microseconds &- b.microseconds)
    }
    package static func - (a: Timestamp, b: Timestamp) -> Span {
        Span(microseconds: a.microseconds &- b.microseconds)
    }

    /// Seconds since the epoch, for metrics.
    package var seconds: Double { Double(microseconds) / 1e6 }

    package init(from decoder: any Decoder) throws {
        microseconds = try decoder.singleValueContainer().decode(Int64.self)
    }
    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(microseconds)
    }
}

/// A half-open interval of event time, `start` inclusive, `end` exclusive.
package struct TimeRange: Hashable, Sendable, Codable {
    package var start: Timestamp
    package var end: Timestamp

    package init(start: Timestamp, end: Timestamp) {
        self.start = start
        self.end = end
    }

    package var length: Span { end - start }
    package func contains(_ t: Timestamp) -> Bool { start <= t && t < end }
}
