import Detection
import Statistics
import TestSupport
import Testing
import Values

@testable import Windows

/// A model that is right less often at weekends, in its reference as in its stream.
struct PerformanceSeasonTests {
    /// Scores that mean what they say on weekdays, and promise too much by `excess` at weekends.
    private static func rows(
        _ n: Int, excess: Double, _ random: inout SeededGenerator
    ) -> [(Double, Bool)] {
        (0..<n).map { _ in
            let score = Double.random(in: 0.1..<0.7, using: &random)
            return (score, Double.random(in: 0..<1, using: &random) < score - excess)
        }
    }

    private static func reference(weekendExcess: Double, _ random: inout SeededGenerator) -> PerformanceReference {
        let weekdays = PerformanceFixture.binary(rows(10_000, excess: 0, &random))
        let weekend = PerformanceFixture.binary(rows(4_000, excess: weekendExcess, &random))
        var all = weekdays
        all.merge(weekend)
        return PerformanceReference(
            task: .binary, groups: [.all: all],
            seasons: PerformanceReference.seasonal([.all: [.weekdays: weekdays, .weekend: weekend]]), errors: nil)
    }

    /// The days on which an alarm was open, of `days` from a Monday on.
    private static func open(
        _ reference: PerformanceReference, days: Int64, _ random: inout SeededGenerator, excess: (Int64) -> Double
    ) -> [Int64] {
        var watch = ConceptWatch()
        // 1970-01-05 was a Monday.
        let monday = Timestamp(microseconds: 0) + .days(4)
        return (0..<days).filter { day in
            let window = TimeRange(start: monday + .days(day), end: monday + .days(day + 1))
            let part = WeekPart(covered: WindowCalendar.utc.weekHours(of: window))
            let sketch = PerformanceFixture.binary(rows(400, excess: excess(day), &random))
            let verdicts = watch.observe(
                window, [(segment: .all, sketch: sketch)], reference: reference, part: part, windows: 30)
            return verdicts[.all]?.isOpen == true
        }
    }

    @Test func `weekends are held against the reference's weekends`() async throws {
        try await blocking {
            for seed in UInt64(0)..<5 {
                var random = SeededGenerator(seed: 120 + seed)
                let reference = Self.reference(weekendExcess: 0.1, &random)
                let open = Self.open(reference, days: 70, &random) { $0 % 7 < 5 ? 0 : 0.1 }
                #expect(open.isEmpty, "days \(open), seed \(random.seed)")
            }
        }
    }

    @Test func `weekdays that become like weekends are a change`() async throws {
        try await blocking {
            var random = SeededGenerator(seed: 130)
            let reference = Self.reference(weekendExcess: 0.1, &random)
            let open = Self.open(reference, days: 42, &random) { $0 % 7 < 5 && $0 < 28 ? 0 : 0.1 }
            #expect((28...31).contains(open.first ?? -1), "days \(open), seed \(random.seed)")
        }
    }

    @Test func `a reference whose weekends are like its weekdays is not taken apart`() {
        var random = SeededGenerator(seed: 140)
        #expect(Self.reference(weekendExcess: 0, &random).seasons.isEmpty)
        #expect(Self.reference(weekendExcess: 0.1, &random).seasons[.all]?.count == 2)
    }

    @Test func `a window with some of both is held against all rows`() {
        func part(_ start: Int64, _ end: Int64) -> WeekPart? {
            let monday = Timestamp(microseconds: 0) + .days(4)
            return WeekPart(
                covered: WindowCalendar.utc.weekHours(
                    of: TimeRange(start: monday + .days(start), end: monday + .days(end))))
        }
        #expect(part(0, 5) == .weekdays)
        #expect(part(5, 7) == .weekend)
        #expect(part(4, 6) == nil)
        #expect(part(0, 7) == nil)
    }

    @Test func `a reference file keeps both parts of the week`() throws {
        var random = SeededGenerator(seed: 150)
        let reference = Self.reference(weekendExcess: 0.1, &random)
        let file = ReferenceFile.adding(reference, to: Array("{\"groups\": []".utf8))
        let read = try #require(try ReferenceFile.performance(file))
        for part in WeekPart.allCases {
            #expect(read.alike(.all, in: part)?.encode() == reference.alike(.all, in: part)?.encode())
            #expect(read.alike(.all, in: part)?.encode() != read.groups[.all]?.encode())
        }
        #expect(read.alike(.all, in: nil)?.encode() == reference.groups[.all]?.encode())
    }
}
