import Events
import Foundation
import Sketches
import Statistics
import TestSupport
import Testing
import Values
import Windows

struct SeasonTests {
    private static let monday = Timestamp(microseconds: 1_772_409_600_000_000)  // 2026-03-02T00:00:00Z

    /// Four weeks of hourly rows: `items` rises at the weekend, `amount` does not care.
    private static func table() throws -> DataTable {
        var random = SeededGenerator(seed: 5)
        var lines: [String] = []
        for hour in 0..<(28 * 24) {
            let isWeekend = hour / 24 % 7 >= 5
            for row in 0..<6 {
                let time = monday + .hours(Int64(hour)) + .seconds(Int64(row))
                let items = Int.random(in: isWeekend ? 4...9 : 1...6, using: &random)
                let amount = Double.random(in: 0..<100, using: &random)
                lines.append(
                    #"{"model":"m","ts":"\#(time.rfc3339)","features":{"items":\#(items),"amount":\#(amount)}}"#)
            }
        }
        return try ReferenceBuilderTests.table(lines)
    }

    /// A window in which every item is one of the weekend's.
    private static func row(_ column: String, _ reference: Reference, _ window: TimeRange) throws -> SnapshotRow {
        let plans = GroupPlans(reference)
        let counts: WindowCounts = [
            GroupKey(version: "1", segment: .all): plans.counted(reference.all.profile, as: .all)
        ]
        let snapshot = SnapshotBuilder(reference: reference, plans: plans, smoothing: .jeffreys)
            .snapshot(model: "m", window: window, revision: 1, counts: counts)
        return try #require(snapshot.rows.first { $0.column == column })
    }

    @Test func `a column that differs at the weekend is compared like with like, another is not`() throws {
        let (reference, notes) = try ReferenceBuilderTests.build(Self.table())
        #expect(notes.contains { $0.contains("'items' differs between weekdays and weekends") })
        let saturday = TimeRange(start: Self.monday + .days(33), end: Self.monday + .days(34))
        let alike = try #require(try Self.row("items", reference, saturday).alike)
        #expect(alike.reference.reduce(0, +) == 8 * 24 * 6)
        #expect(try Self.row("amount", reference, saturday).alike == nil)
        let week = TimeRange(start: Self.monday, end: Self.monday + .days(7))
        #expect(try Self.row("items", reference, week).alike == nil, "a whole week is as the whole reference")
        #expect(reference.all.week?.expected(covered: WindowCalendar.utc.weekHours(of: saturday)) == 144)
    }

    @Test func `weather of a few weeks is no weekday, though no two days are alike`() throws {
        func table(weekend: Double, seed: UInt64) throws -> DataTable {
            var random = SeededGenerator(seed: seed)
            var lines: [String] = []
            for day in 0..<28 {
                // Rows of a day have its weather in common; `temp` may be warmer at weekends besides.
                let mean = Double.random(in: -2...2, using: &random) + (day % 7 >= 5 ? weekend : 0)
                for hour in 0..<24 {
                    for row in 0..<8 {
                        let time = Self.monday + .hours(Int64(day * 24 + hour)) + .seconds(Int64(row))
                        let temp = mean + Double.random(in: -1...1, using: &random)
                        lines.append(#"{"model":"m","ts":"\#(time.rfc3339)","features":{"temp":\#(temp)}}"#)
                    }
                }
            }
            return try ReferenceBuilderTests.table(lines)
        }
        for seed in 40..<46 as Range<UInt64> {
            let (weather, _) = try ReferenceBuilderTests.build(table(weekend: 0, seed: seed))
            #expect(weather.season(0) == nil, "seed \(seed)")
            let (season, _) = try ReferenceBuilderTests.build(table(weekend: 9, seed: seed))
            #expect(season.season(0) != nil, "seed \(seed)")
        }
    }

    @Test func `seasons survive the file, and files of before there were any still load`() throws {
        let (reference, _) = try ReferenceBuilderTests.build(Self.table())
        let bytes = ReferenceFile.encode(reference)
        let read = try ReferenceFile.decode(bytes)
        #expect(read.seasons == reference.seasons && read.all.seasons == reference.all.seasons)
        #expect(read.all.week == reference.all.week)
        #expect(ReferenceFile.encode(read) == bytes)
        let (old, _) = try ReferenceBuilderTests.build(ReferenceBuilderTests.ordinary())
        #expect(!String(decoding: ReferenceFile.encode(old), as: UTF8.self).contains("\"cells\""))
        #expect(try ReferenceFile.decode(ReferenceFile.encode(old)).season(0) == nil)
    }

    @Test func `hours of the week are local and add up to the window`() throws {
        let calendar = try #require(WindowCalendar(timezone: "America/Sao_Paulo"))
        #expect(WindowCalendar.utc.weekHour(of: Self.monday) == 0)
        #expect(calendar.weekHour(of: Self.monday) == 165, "Sunday, nine in the evening")
        let covered = WindowCalendar.utc.weekHours(
            of: TimeRange(start: Self.monday + .minutes(90), end: Self.monday + .minutes(150)))
        #expect(covered[1] == 0.5 && covered[2] == 0.5 && covered.reduce(0, +) == 1)
    }

    @Test func `a snapshot says how many rows the time of the week lets expect`() throws {
        let (reference, _) = try ReferenceBuilderTests.build(Self.table())
        let day = TimeRange(start: Self.monday + .days(28), end: Self.monday + .days(29))
        let row = try Self.row(SnapshotRow.volumeColumn, reference, day)
        #expect(row.n == 28 * 144 && row.metrics[.volume] == 28 && row.referenceMetrics[.count] == 144)
    }

    @Test func `a segment with days of its own is compared with the same days, though all traffic knows no season`()
        throws
    {
        var random = SeededGenerator(seed: 8)
        var lines: [String] = []
        for hour in 0..<(28 * 24) {
            // In `b` values are low until Wednesday and high after it; `a` has the others, so all traffic has the same law all week.
            let isLow = hour / 24 % 7 < 3
            for row in 0..<8 {
                let time = Self.monday + .hours(Int64(hour)) + .seconds(Int64(row))
                let isB = row < 4
                let low = Double.random(in: 0..<50, using: &random)
                let value = isLow == isB ? low : low + 50
                lines.append(
                    #"{"model":"m","ts":"\#(time.rfc3339)","features":{"value":\#(value),"part":"\#(isB ? "b" : "a")"}}"#
                )
            }
        }
        let (reference, _) = try ReferenceBuilderTests.build(
            try ReferenceBuilderTests.table(lines)
        ) { $0.segmentations = [["part"]] }
        let column = try #require(reference.layout.columns.firstIndex { $0.name == "value" })
        let season = try #require(reference.season(column))
        let covered = WindowCalendar.utc.weekHours(
            of: TimeRange(start: Self.monday + .days(28), end: Self.monday + .days(29)))
        let part = try #require(reference.group(Segment([.init("part", "b")])))
        let counts = try #require(part.season(column)?.reference(season, covered: covered))
        let mondays: UInt64 = 4 * 24 * 4
        let low = counts.prefix(counts.count / 2).reduce(0, &+)
        #expect(counts.reduce(0, &+) == mondays, "the Mondays of the segment")
        #expect(low * 10 >= mondays * 9, "which are low")
    }

    @Test func `with days and hours a whole day is compared with its day, an hour with that hour of working days`() {
        let cells = (0..<Season.hours).map { [UInt64($0 / 24), UInt64($0 % 24)] }
        let counts = SeasonCounts(cells: cells)
        let tuesday = (0..<Season.hours).map { $0 / 24 == 1 ? 1.0 : 0 }
        #expect(counts.reference(.dayOrHour, covered: tuesday) == [24, 276])
        let nine = (0..<Season.hours).map { $0 == 33 ? 1.0 : 0 }
        #expect(counts.reference(.dayOrHour, covered: nine) == [10, 45])
        #expect(counts.reference(.dayOrHour, covered: [Double](repeating: 1, count: Season.hours)) == nil)
    }
}
