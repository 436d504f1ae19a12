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
    private func end(of length: Span, from start: Timestamp) -> Timestamp {
        if length.microseconds % Self.day.microseconds == 0 {
            let into = start - midnight(localDay(of: start))
            return midnight(localDay(of: start) + length.microseconds / Self.day.microseconds) + into
        }
        return start + length
    }

    /// The window of this length that starts at `start`, the start of a piece of the grid `every`: the grid's own piece
    /// where the two are the same (so that windows share out a day of 23 or 25 hours), else up to the last whole pane.
    package func window(_ size: Span, every: Span, pane: Span, from start: Timestamp) -> TimeRange {
        if size == every { return range(of: size, containing: start) }
        return TimeRange(start: start, end: range(of: pane, containing: end(of: size, from: start)).start)
    }

    /// The local hour of the week of an instant, 0 being Monday from midnight to one.
    package func weekHour(of time: Timestamp) -> Int {
        let local = (time.microseconds + offset(at: time)).flooredQuotient(by: Span.hours(1).microseconds)
        // 1970-01-01 was a Thursday.
        let hour = (local + 72) % 168
        return Int(hour < 0 ? hour + 168 : hour)
    }

    /// How many hours a range spends in each hour of the week. Ranges of over eight weeks count as whole weeks.
    package func weekHours(of range: TimeRange) -> [Double] {
        let hour = Span.hours(1).microseconds
        guard range.length.microseconds <= 8 * 168 * hour else {
            return [Double](repeating: Double(range.length.microseconds) / Double(168 * hour), count: 168)
        }
        var covered = [Double](repeating: 0, count: 168)
        var at = range.start
        while at < range.end {
            let local = at.microseconds + offset(at: at)
            let next = min(at + Span(microseconds: hour - (local - local.flooredQuotient(by: hour) * hour)), range.end)
            covered[weekHour(of: at)] += Double((next - at).microseconds) / Double(hour)
            at = next
        }
        return covered
    }

    /// Days since 1970-01-01 by the local calendar.
    private func localDay(of time: Timestamp) -> Int64 {
        let day = (time.microseconds + offset(at: time)).flooredQuotient(by: Self.day.microseconds)
        guard zone != nil else { return day }
        // A clock that is set back over midnight shows yesterday's date again, or today's too early: days begin once.
        if time < midnight(day) { return day - 1 }
        return time >= midnight(day + 1) ? day + 1 : day
    }

    /// The instant the local day begins: its first midnight, or where a clock change skips midnight the change itself.
    private func midnight(_ day: Int64) -> Timestamp {
        let nominal = day * Self.day.microseconds
        guard let zone else { return Timestamp(microseconds: nominal) }
        func candidate(_ offset: Int64) -> Timestamp { Timestamp(microseconds: nominal - offset) }
        // The offset before the change applies to a midnight at or before it: two rounds settle it.
        let first = candidate(offset(at: Timestamp(microseconds: nominal)))
        let settled = candidate(offset(at: first))
        guard candidate(offset(at: settled)) == settled else {
            let before = min(first, settled) - .seconds(1)
            let change = zone.nextDaylightSavingTimeTransition(after: Date(timeIntervalSince1970: before.seconds))
            let skipped = max(first, settled)
            guard let change else { return skipped }
            return min(Timestamp(microseconds: Int64((change.timeIntervalSince1970 * 1e6).rounded())), skipped)
        }
        // Set back after midnight, a clock shows it twice; the earlier one had the offset of the moment before.
        let earlier = candidate(offset(at: settled - Span(microseconds: 1)))
        return earlier < settled && candidate(offset(at: earlier)) == earlier ? earlier : settled
    }

    private func offset(at time: Timestamp) -> Int64 {
        guard let zone else { return 0 }
        return Int64(zone.secondsFromGMT(for: Date(timeIntervalSince1970: time.seconds))) * 1_000_000
    }
}
