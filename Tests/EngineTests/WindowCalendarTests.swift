import TestSupport
import Testing
import Values
import Windows

/// Where windows begin, by the clock on the wall.
struct WindowCalendarTests {
    private static func calendar(_ zone: String) throws -> WindowCalendar {
        try #require(WindowCalendar(timezone: zone))
    }

    @Test(arguments: [
        // An ordinary moment.
        ("UTC", "5m", "2026-03-01T12:04:59.999999Z", "2026-03-01T12:00:00Z", "2026-03-01T12:05:00Z"),
        ("UTC", "1d", "2026-03-01T12:00:00Z", "2026-03-01T00:00:00Z", "2026-03-02T00:00:00Z"),
        ("UTC", "7d", "2026-03-01T12:00:00Z", "2026-02-23T00:00:00Z", "2026-03-02T00:00:00Z"),
        ("UTC", "7d", "1969-12-31T00:00:00Z", "1969-12-29T00:00:00Z", "1970-01-05T00:00:00Z"),
        ("UTC", "1h", "1969-12-31T23:59:59.5Z", "1969-12-31T23:00:00Z", "1970-01-01T00:00:00Z"),
        // Offsets that are no whole hours.
        ("Asia/Kathmandu", "1d", "2026-03-01T18:14:59Z", "2026-02-28T18:15:00Z", "2026-03-01T18:15:00Z"),
        ("Asia/Kathmandu", "1h", "2026-03-01T18:20:00Z", "2026-03-01T18:15:00Z", "2026-03-01T19:15:00Z"),
        ("Asia/Kathmandu", "7d", "2026-03-01T18:15:00Z", "2026-03-01T18:15:00Z", "2026-03-08T18:15:00Z"),
        // Berlin loses an hour on 29 March 2026 and gains one on 25 October.
        ("Europe/Berlin", "1d", "2026-03-29T12:00:00Z", "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z"),
        ("Europe/Berlin", "1d", "2026-10-25T12:00:00Z", "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z"),
        ("Europe/Berlin", "7d", "2026-03-29T12:00:00Z", "2026-03-22T23:00:00Z", "2026-03-29T22:00:00Z"),
        ("Europe/Berlin", "1h", "2026-03-29T01:30:00Z", "2026-03-29T01:00:00Z", "2026-03-29T02:00:00Z"),
        ("Europe/Berlin", "6h", "2026-03-29T21:00:00Z", "2026-03-29T17:00:00Z", "2026-03-29T22:00:00Z"),
        ("Europe/Berlin", "6h", "2026-10-25T22:30:00Z", "2026-10-25T22:00:00Z", "2026-10-25T23:00:00Z"),
        // Clocks that jump at midnight: the day begins when the date does.
        ("America/Sao_Paulo", "1d", "2018-11-04T03:00:00Z", "2018-11-04T03:00:00Z", "2018-11-05T02:00:00Z"),
        ("America/Sao_Paulo", "1d", "2018-11-04T02:59:59Z", "2018-11-03T03:00:00Z", "2018-11-04T03:00:00Z"),
        ("America/Sao_Paulo", "1d", "2018-02-18T02:30:00Z", "2018-02-17T02:00:00Z", "2018-02-18T03:00:00Z"),
        ("Africa/Cairo", "1d", "2024-04-25T22:00:00Z", "2024-04-25T22:00:00Z", "2024-04-26T21:00:00Z"),
        ("Asia/Amman", "1d", "2021-10-28T21:30:00Z", "2021-10-28T21:00:00Z", "2021-10-29T22:00:00Z"),
        // Samoa had no 30 December 2011.
        ("Pacific/Apia", "1d", "2011-12-30T10:00:00Z", "2011-12-30T10:00:00Z", "2011-12-31T10:00:00Z"),
        ("Pacific/Apia", "1d", "2011-12-30T09:59:59Z", "2011-12-29T10:00:00Z", "2011-12-30T10:00:00Z"),
    ])
    func `a moment lies in its piece of the grid`(
        zone: String, length: String, time: String, start: String, end: String
    ) throws {
        let range = try Self.calendar(zone).range(of: Fixture.span(length), containing: Fixture.time(time))
        #expect(range.start.rfc3339 == start && range.end.rfc3339 == end)
    }

    @Test(arguments: [
        "UTC", "Europe/Berlin", "Asia/Kathmandu", "America/Sao_Paulo", "Africa/Cairo", "Asia/Amman", "Asia/Beirut",
        "America/Havana", "America/St_Johns", "Australia/Lord_Howe", "Pacific/Apia", "Antarctica/Troll", "Asia/Gaza",
    ])
    func `pieces cover all time, without a gap or an overlap`(zone: String) throws {
        let calendar = try Self.calendar(zone)
        for length in ["15m", "1h", "6h", "1d", "2d", "7d"] {
            let span = Fixture.span(length)
            for year in ["2007", "2011", "2018", "2021", "2024", "2026"] {
                var time = Fixture.time("\(year)-01-01T00:00:00Z")
                // A year of days; finer pieces in the weeks around it would only take longer.
                let end = length == "15m" ? time + .days(3) : time + .days(366)
                var range = calendar.range(of: span, containing: time)
                while range.end < end {
                    let next = calendar.range(of: span, containing: range.end)
                    guard next.start == range.end, next.end > next.start, range.contains(time) else {
                        Issue.record(
                            "\(length): \(range.start.rfc3339)–\(range.end.rfc3339), then \(next.start.rfc3339)")
                        break
                    }
                    time = next.end - Span(microseconds: 1)
                    guard calendar.range(of: span, containing: time) == next else {
                        Issue.record("\(length): the end of \(next.start.rfc3339)–\(next.end.rfc3339) lies elsewhere")
                        break
                    }
                    range = next
                }
            }
        }
    }

    @Test func `weeks begin on Monday in every zone`() throws {
        for zone in ["UTC", "Europe/Berlin", "Asia/Kathmandu"] {
            let calendar = try Self.calendar(zone)
            // 2026-06-01 is a Monday, and noon UTC is that Monday in all three.
            let week = calendar.range(of: .days(7), containing: Fixture.time("2026-06-01T12:00:00Z"))
            #expect(week.start == calendar.range(of: .days(1), containing: Fixture.time("2026-06-01T12:00:00Z")).start)
            #expect(week.length == .days(7))
        }
    }

    @Test func `a zone nobody knows is refused`() {
        #expect(WindowCalendar(timezone: "Mars/Olympus") == nil)
        #expect(WindowCalendar(timezone: "") == nil)
    }

    @Test(arguments: [
        ("7m", "1h", "1h", "pane (7m) must divide a day evenly"),
        ("1h", "90m", "1h", "size (1h30m) must be a multiple of pane"),
        ("5m", "1h", "2h", "every (2h) must not be longer than size"),
        ("0s", "1h", "1h", "pane must be longer than zero"),
        ("1s", "1d", "1d", "size (1d) holds over 10,000 panes"),
        ("36h", "3d", "3d", "pane (1d12h) must divide a day evenly"),
        ("10m", "1h", "15m", "every (15m) must be a multiple of pane"),
    ])
    func `lengths that cannot be are named`(pane: String, size: String, every: String, problem: String) {
        let settings = WindowSettings(
            pane: Fixture.span(pane), size: Fixture.span(size), every: Fixture.span(every), lateness: .zero,
            calendar: .utc)
        #expect(
            settings.problems.count == 1 && settings.problems.first?.contains(problem) == true, "\(settings.problems)")
        #expect(WindowSettings.standard.problems.isEmpty)
    }
}
