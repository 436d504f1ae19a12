import TestSupport
import Testing
import Values

/// Instants and lengths of time as text.
struct ValuesTimeTests {
    @Test(
        arguments: [
            ("1970-01-01T00:00:00Z", 0),
            ("1969-12-31T23:59:59.999999Z", -1),
            ("2026-03-01T12:00:00.25Z", 1_772_366_400_250_000),
            ("2000-02-29T00:00:00Z", 951_782_400_000_000),
            ("2024-02-29T23:59:59.5Z", 1_709_251_199_500_000),
            ("0000-01-01T00:00:00Z", -62_167_219_200_000_000),
            ("9999-12-31T23:59:59.999999Z", 253_402_300_799_999_999),
        ] as [(String, Int64)])
    func `the canonical form reads and writes as itself`(text: String, microseconds: Int64) {
        #expect(Timestamp(rfc3339: text)?.microseconds == microseconds)
        #expect(Timestamp(microseconds: microseconds).rfc3339 == text)
    }

    @Test(arguments: [
        ("2026-03-01T12:00:00+02:00", "2026-03-01T10:00:00Z"),
        ("2026-03-01T00:15:00+05:45", "2026-02-28T18:30:00Z"),
        ("2026-02-28T23:30:00-01:00", "2026-03-01T00:30:00Z"),
        ("2026-03-01T12:00:00-00:00", "2026-03-01T12:00:00Z"),
        ("2026-03-01 12:00:00Z", "2026-03-01T12:00:00Z"),
        ("2026-03-01t12:00:00z", "2026-03-01T12:00:00Z"),
        ("2026-03-01T12:00:00.000Z", "2026-03-01T12:00:00Z"),
        ("2026-03-01T12:00:00.1234569999Z", "2026-03-01T12:00:00.123456Z"),
        ("2026-03-01T12:00:00.0000009Z", "2026-03-01T12:00:00Z"),
        ("2026-03-01T12:00:00.100+00:00", "2026-03-01T12:00:00.1Z"),
        ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z"),
        ("2017-01-01T00:59:60.5+01:00", "2017-01-01T00:00:00.5Z"),
    ])
    func `every spelling of an instant is that instant`(text: String, canonical: String) {
        #expect(Timestamp(rfc3339: text)?.rfc3339 == canonical)
    }

    @Test(arguments: [
        "", "2026-03-01", "2026-03-01T12:00:00", "2026-03-01T12:00Z", "2026-3-01T12:00:00Z", "26-03-01T12:00:00Z",
        "2026-02-29T12:00:00Z", "1900-02-29T00:00:00Z", "2100-02-29T00:00:00Z", "2026-13-01T12:00:00Z",
        "2026-00-01T12:00:00Z", "2026-03-00T12:00:00Z", "2026-03-32T12:00:00Z", "2026-04-31T12:00:00Z",
        "2026-03-01T24:00:00Z", "2026-03-01T12:60:00Z", "2026-03-01T12:00:61Z", "2026-03-01T12:00:00.Z",
        "2026-03-01T12:00:00.5", "2026-03-01T12:00:00+02", "2026-03-01T12:00:00+0200", "2026-03-01T12:00:00+24:00",
        "2026-03-01T12:00:00+02:60", "2026-03-01T12:00:00ZZ", "2026-03-01T12:00:00Z ", " 2026-03-01T12:00:00Z",
        "2026-03-01X12:00:00Z", "2026/03/01T12:00:00Z", "2026-03-01T12.00.00Z", "2026-03-01T12:00:00,5Z",
        "+026-03-01T12:00:00Z", "-001-03-01T12:00:00Z", "2026-03-01T1２:00:00Z", "yesterday at about noon",
        "2026-03-01T12:00:00+2:000", "2026-03-01T12:00:00.5+02:00Z",
    ])
    func `what is no instant is refused`(text: String) {
        #expect(Timestamp(rfc3339: text) == nil)
    }

    @Test(arguments: ["9999-12-31T23:59:59-00:01", "0000-01-01T00:00:00+00:01", "9999-12-31T23:59:60Z"])
    func `an offset cannot lead out of the years that RFC 3339 can write`(text: String) {
        #expect(Timestamp(rfc3339: text) == nil)
    }

    @Test func `any instant of the four-digit years survives text`() {
        var random = SeededGenerator(seed: 31)
        for _ in 0..<5_000 {
            let time = Timestamp(
                microseconds: Int64.random(in: -62_167_219_200_000_000...253_402_300_799_999_999, using: &random))
            #expect(Timestamp(rfc3339: time.rfc3339) == time, "seed \(random.seed) \(time.microseconds)")
        }
    }

    @Test func `every day of four hundred years is the day after the one before`() {
        var previous = CivilDate(daysSinceEpoch: CivilDate.daysSinceEpoch(year: 1799, month: 12, day: 31))
        #expect(previous == CivilDate(daysSinceEpoch: -62_092))
        var wrong = 0
        for days in CivilDate.daysSinceEpoch(year: 1800, month: 1, day: 1)..<84_006 {
            let date = CivilDate(daysSinceEpoch: days)
            var expected = previous
            expected.day += 1
            if Int64(expected.day) > CivilDate.daysInMonth(year: expected.year, month: expected.month) {
                expected.day = 1
                expected.month = expected.month % 12 + 1
                if expected.month == 1 { expected.year += 1 }
            }
            if date != expected { wrong += 1 }
            if CivilDate.daysSinceEpoch(year: date.year, month: date.month, day: date.day) != days { wrong += 1 }
            previous = date
        }
        #expect(wrong == 0)
        #expect(previous.year == 2199 && previous.month == 12 && previous.day == 31)
    }

    @Test(
        arguments: [
            ("0", 0), ("0s", 0), ("1ms", 1_000), ("90s", 90_000_000), ("5m", 300_000_000), ("1h30m", 5_400_000_000),
            ("7d", 604_800_000_000), ("1w", 604_800_000_000), ("1y", 31_536_000_000_000),
            ("1d1h1m1s1ms", 90_061_001_000),
            ("1y2w3d4h5m6s7ms", 33_019_506_007_000), ("1h0m", 3_600_000_000), ("007s", 7_000_000),
            ("292y", 9_208_512_000_000_000),
        ] as [(String, Int64)])
    func `durations read as Prometheus reads them`(text: String, microseconds: Int64) {
        #expect(Span(parsing: text)?.microseconds == microseconds)
    }

    @Test(arguments: [
        "", "1", "00", "s", "5 m", " 5m", "5m ", "-5m", "+5m", "1.5h", "30m1h", "1h1h", "1s1m", "1ms1s", "5M", "5min",
        "5µs",
        "1h30", "0x1s", "٣m", "1é", "99999999999999999999s", "293y", "9223372036854775807y", "106752d",
    ])
    func `what Prometheus refuses is refused`(text: String) {
        #expect(Span(parsing: text) == nil)
    }

    @Test(arguments: ["1ms", "90s", "1m30s", "1h30m", "7d", "400d", "1d1h1m1s1ms", "0s"])
    func `a written duration reads back`(text: String) throws {
        let span = try #require(Span(parsing: text))
        #expect(Span(parsing: span.description) == span)
    }

    @Test func `segments sort from all traffic to the finest cross`() {
        let ordered = [
            Segment.all, Segment([.init("country", "BR")]), Segment([.init("country", "US")]),
            Segment([.init("device", "BR")]), Segment([.init("country", "BR"), .init("device", "android")]),
            Segment([.init("country", "BR"), .init("device", "web")]),
            Segment([.init("country", "US"), .init("device", "android")]),
        ]
        var random = SeededGenerator(seed: 5)
        for _ in 0..<50 { #expect(ordered.shuffled(using: &random).sorted() == ordered) }
        #expect(ordered.map(\.description).first == "all traffic")
        #expect(ordered.last?.description == "country=US, device=android")
        #expect(ordered.last?.json.text == #"{"country":"US","device":"android"}"#)
        #expect(Segment.all.json.text == "{}")
        #expect(ordered[4]["device"] == "android" && ordered[4]["browser"] == nil)
    }

    @Test func `a range holds its start and not its end`() {
        let range = TimeRange(start: Fixture.time("2026-03-01T00:00:00Z"), end: Fixture.time("2026-03-01T01:00:00Z"))
        #expect(range.contains(range.start) && !range.contains(range.end))
        #expect(range.length == .hours(1))
    }
}
