import Foundation
package import Values

/// Where panes and windows begin: every length is laid out from midnight of the model's time zone, and lengths of whole
/// weeks from Monday.
///
/// A length under a day starts anew at each local midnight (so a day of 23 or 25 hours has a shorter or an additional last piece);
/// a length of whole days starts at local midnights counted from 1970-01-01, whole weeks from Monday 1970-01-05.
package struct WindowCalendar: Sendable {
    private static let day = Span.days(1)
    /// `nil` for UTC, whose days are all alike.
    private let zone: TimeZone?

    /// - Returns: `nil` when the time zone database has no such name.
    package init?(timezone name: String) {
        if ["UTC", "GMT", "Z", "Etc/UTC"].contains(name) {
            zone = nil
        } else {
            guard let zone = TimeZone(identifier: name) else { return nil }
            self.zone = zone
        }
    }

    package static let utc = WindowCalendar(zone: nil)
    private init(zone: TimeZone?) { self.zone = zone }

    /// The piece of a grid of this length that holds `time`.
    package func range(of length: Span, containing time: Timestamp) -> TimeRange {
        let day = localDay(of: time)
        if length.microseconds % Self.day.microseconds == 0 {
            let days = length.microseconds / Self.day.microseconds
            let origin: Int64 = days % 7 == 0 ? 4 : 0
            let first = origin + (day - origin).flooredQuotient(by: days) * days
            return TimeRange(start: midnight(first), end: midnight(first + days))
        }
        let midnight = midnight(day)
        let piece = (time - midnight).microseconds.flooredQuotient(by: length.microseconds)
        let start = midnight + length * piece
        return TimeRange(start: start, end: min(start + length, self.midnight(day + 1)))
    }

    /// The end of a window of this length that starts at `start`, a start of some grid.
    package func end(of length: Span, from start: Timestamp) -> Timestamp {
        if length.microseconds % Self.day.microseconds == 0 {
            let into = start - midnight(localDay(of: start))
            return midnight(localDay(of: start) + length.microseconds / Self.day.microseconds) + into
        }
        return start + length
    }

    /// Days since 1970-01-01 by the local calendar.
    private func localDay(of time: Timestamp) -> Int64 {
        (time.microseconds + offset(at: time)).flooredQuotient(by: Self.day.microseconds)
    }

    /// The instant the local day begins. Where a clock change skips midnight, the first instant of the day.
    private func midnight(_ day: Int64) -> Timestamp {
        let nominal = day * Self.day.microseconds
        guard zone != nil else { return Timestamp(microseconds: nominal) }
        // The offset before the change applies to a midnight at or before it: two rounds settle it.
        var time = Timestamp(microseconds: nominal - offset(at: Timestamp(microseconds: nominal)))
        time = Timestamp(microseconds: nominal - offset(at: time))
        return time
    }

    private func offset(at time: Timestamp) -> Int64 {
        guard let zone else { return 0 }
        return Int64(zone.secondsFromGMT(for: Date(timeIntervalSince1970: time.seconds))) * 1_000_000
    }
}
