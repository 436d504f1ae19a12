import Detection
import Events
import Foundation
import Statistics
import TestSupport
import Testing
import Values

@testable import Windows

/// A model that is right on some days and not on others, in its reference as in its stream.
struct PerformanceWobbleTests {
    // 1970-01-05 was a Monday.
    private static let monday = Timestamp(microseconds: 0) + .days(4)

    private static func pairs(
        days: Int, perDay: Int, spread: Double, excess: Double = 0, _ random: inout SeededGenerator
    ) -> [[(Double, Bool)]] {
        (0..<days).map { _ in
            let weather = Double.random(in: -spread...spread, using: &random) + excess
            return (0..<perDay).map { _ in
                let score = Double.random(in: 0.2..<0.7, using: &random)
                return (score, Double.random(in: 0..<1, using: &random) < score + weather)
            }
        }
    }

    private static func reference(spread: Double, _ random: inout SeededGenerator) throws -> PerformanceReference {
        var (times, rows): ([Timestamp], [PerformancePair?]) = ([], [])
        var all = PerformanceSketch(.binary)
        for (day, pairs) in pairs(days: 28, perDay: 400, spread: spread, &random).enumerated() {
            for (score, label) in pairs {
                times.append(monday + .days(Int64(day)))
                rows.append(
                    PerformancePair(.binary(score: score, predicted: score >= 0.5, label: label), delay: .zero))
                PerformanceFixture.add(score, label, to: &all)
            }
        }
        let builder = try #require(PerformanceWobbleBuilder(times, rows, .utc))
        let wobble = builder.wobble(rows.indices.map { Int32($0) }, PerformanceSketch(.binary))
        return PerformanceReference(
            task: .binary, groups: [.all: all], wobbles: wobble.map { [.all: $0] } ?? [:], errors: nil)
    }

    private static func open(
        _ reference: PerformanceReference, _ days: [[(Double, Bool)]]
    ) -> [Int] {
        var watch = ConceptWatch()
        return days.indices.filter { day in
            let window = TimeRange(start: monday + .days(Int64(day)), end: monday + .days(Int64(day + 1)))
            let verdicts = watch.observe(
                window, [(segment: .all, sketch: PerformanceFixture.binary(days[day]))], reference: reference,
                windows: 30)
            return verdicts[.all]?.isOpen == true
        }
    }

    @Test func `days that differ as they always did are no drop, a change beyond them is`() async throws {
        try await blocking {
            for seed in UInt64(0)..<5 {
                var random = SeededGenerator(seed: 300 + seed)
                let reference = try Self.reference(spread: 0.15, &random)
                let figures = reference.wobble(.all, window: .days(1))
                // Uniform within ±0.15: a variance of 0.0075.
                #expect(abs(figures.figures.calibration - 0.0075) < 0.004, "\(figures)")
                #expect(figures.windows == 28)
                let quiet = Self.pairs(days: 120, perDay: 400, spread: 0.15, &random)
                #expect(Self.open(reference, quiet).isEmpty, "seed \(random.seed)")
                let worse = quiet + Self.pairs(days: 20, perDay: 400, spread: 0.15, excess: -0.3, &random)
                let open = Self.open(reference, Array(worse))
                #expect(open.first.map { (120...124).contains($0) } == true, "\(open), seed \(random.seed)")
            }
        }
    }

    /// A day of 400 rows with two scores, which are right but for the weather.
    private static func day(spread: Double, _ random: inout SeededGenerator) -> PerformanceSketch {
        let weather = Double.random(in: -spread...spread, using: &random)
        var sketch = PerformanceSketch(.binary)
        for score in [0.35, 0.6] {
            let positives = Int64((0..<200).count { _ in Double.random(in: 0..<1, using: &random) < score + weather })
            PerformanceFixture.add(score, true, to: &sketch, times: positives)
            PerformanceFixture.add(score, false, to: &sketch, times: 200 - positives)
        }
        return sketch
    }

    /// References that know of four weeks, streams of ten months as before.
    @Test(arguments: [0, 0.05, 0.15]) func `a thousand months that wobble as they always did keep their budget`(
        spread: Double
    ) async throws {
        try await blocking {
            var (alarms, told) = (0, 0)
            for seed in UInt64(0)..<34 {
                var random = SeededGenerator(seed: 3_000 + seed)
                let before = (0..<28).map { _ in Self.day(spread: spread, &random) }
                var all = PerformanceSketch(.binary)
                for day in before { all.merge(day) }
                let wobble = PerformanceWobble([
                    .init(length: .days(1), count: 28, figures: PerformanceWobble.figures(before))
                ])
                let reference = PerformanceReference(
                    task: .binary, groups: [.all: all], wobbles: [.all: wobble], errors: nil)
                var watch = ConceptWatch()
                for day in 0..<300 as Range<Int64> {
                    let window = TimeRange(start: Self.monday + .days(day), end: Self.monday + .days(day + 1))
                    let verdict = watch.observe(
                        window, [(segment: .all, sketch: Self.day(spread: spread, &random))], reference: reference,
                        windows: 30)[.all]
                    if verdict?.isNew == true { alarms += 1 }
                    if verdict?.isOpen == true { told += 1 }
                }
            }
            // The budget is one a month. How much days differ is known from 28 of them, so it is not all slack.
            #expect(alarms <= 100 && told <= 500, "\(alarms) alarms, \(told) days")
        }
    }

    @Test func `labels that come as if drawn one by one wobble by nothing`() throws {
        var random = SeededGenerator(seed: 310)
        #expect(try Self.reference(spread: 0, &random).wobbles.isEmpty)
    }

    @Test func `what weekends always differ by is no wobble where they are compared with weekends`() throws {
        var random = SeededGenerator(seed: 312)
        var (times, rows): ([Timestamp], [PerformancePair?]) = ([], [])
        for day in 0..<28 {
            for (score, label) in Self.pairs(days: 1, perDay: 400, spread: 0, excess: day % 7 < 5 ? 0 : 0.15, &random)[
                0]
            {
                times.append(Self.monday + .days(Int64(day)))
                rows.append(
                    PerformancePair(.binary(score: score, predicted: score >= 0.5, label: label), delay: .zero))
            }
        }
        let builder = try #require(PerformanceWobbleBuilder(times, rows, .utc))
        let all = rows.indices.map { Int32($0) }
        let together = try #require(builder.wobble(all, PerformanceSketch(.binary)))
        #expect(together.figures(window: .days(1)).figures.calibration > 0.003)
        #expect(builder.wobble(all, PerformanceSketch(.binary), isByPart: true) == nil)
    }

    @Test func `a wobble survives the file, and nonsense in it is refused with its place`() throws {
        var random = SeededGenerator(seed: 311)
        let reference = try Self.reference(spread: 0.15, &random)
        let file = ReferenceFile.adding(reference, to: Array("{\"groups\": [\n  ]\n}\n".utf8))
        let read = try #require(try ReferenceFile.performance(file))
        #expect(read.wobbles == reference.wobbles)
        #expect(read.judged(by: 0.4).wobbles == reference.wobbles, "another threshold makes no day like another")
        let broken = String(decoding: file, as: UTF8.self).replacing("\"calibration\":0", with: "\"calibration\":-1")
        #expect {
            try ReferenceFile.performance(Array(broken.utf8))
        } throws: { "\($0)".contains("wobble calibration must be a number of at least 0") }
    }

    @Test func `an alarm that an older program opened goes on, and ends when the change does`() throws {
        let stream = """
            {"logR": [3, 9, 14, 6], "sum": 20, "windows": 40, "weight": 20000, "weighted": 3000, "mirrored": 0,
             "told": {"weight": 5000, "weighted": 900}, "recent": [{"weight": 1000, "weighted": 180}]}
            """
        let key = #"{"segment": {"parts": []}, "statistic": "accuracy"}"#
        let since = Self.monday - .days(3)
        let older = """
            {"streams": [\(key), \(stream)], "starts": [\(key), \(since.microseconds)],
             "alarms": [{"parts": []}, {"statistic": "accuracy", "since": \(since.microseconds), "effect": 0.15, "evidence": 14}],
             "seen": [{"parts": []}, \((Self.monday - .days(1)).microseconds)]}
            """
        var watch = try JSONDecoder().decode(ConceptWatch.self, from: Data(older.utf8))
        func rows(right: Double) -> PerformanceSketch {
            var sketch = PerformanceSketch(.binary)
            for label in [false, true] {
                PerformanceFixture.add(0.5 + (label ? 0.3 : -0.3), label, to: &sketch, times: Int64(200 * right))
                PerformanceFixture.add(0.5 - (label ? 0.3 : -0.3), label, to: &sketch, times: Int64(200 * (1 - right)))
            }
            return sketch
        }
        let reference = PerformanceReference(task: .binary, groups: [.all: rows(right: 0.9)], errors: nil)
        var open: [Int64] = []
        for day in 0..<8 as Range<Int64> {
            let window = TimeRange(start: Self.monday + .days(day), end: Self.monday + .days(day + 1))
            let verdict = watch.observe(
                window, [(segment: .all, sketch: rows(right: day < 5 ? 0.75 : 0.9))], reference: reference, windows: 30)[
                    .all]
            if verdict?.isOpen == true, verdict?.since == since { open.append(day) }
            let stored = try JSONEncoder().encode(watch)
            #expect(try JSONDecoder().decode(ConceptWatch.self, from: stored) == watch)
        }
        #expect(open.count >= 5 && (open.last ?? 9) <= 6, "\(open)")
    }

    @Test func `an alarm ends when the change does, though it was told of while it was small`() async throws {
        try await blocking {
            var late = 0
            for seed in UInt64(0)..<20 {
                var random = SeededGenerator(seed: 320 + seed)
                let reference = try Self.reference(spread: 0, &random)
                // Half of the first day is still right.
                let days =
                    Self.pairs(days: 10, perDay: 150, spread: 0, &random)
                    + Self.pairs(days: 2, perDay: 150, spread: 0, excess: -0.1, &random)
                    + Self.pairs(days: 6, perDay: 150, spread: 0, excess: -0.25, &random)
                    + Self.pairs(days: 6, perDay: 150, spread: 0, &random)
                let open = Self.open(reference, days)
                #expect(open.contains(17), "seed \(random.seed)")
                if (open.last ?? 0) > 19 { late += 1 }
            }
            #expect(late <= 1, "\(late) of 20")
        }
    }

    @Test func `a drop that comes and goes is told a few times and then as one, and it ends`() async throws {
        try await blocking {
            var random = SeededGenerator(seed: 411)
            let reference = try Self.reference(spread: 0, &random)
            var days: [[(Double, Bool)]] = []
            for _ in 0..<10 {
                days += Self.pairs(days: 4, perDay: 300, spread: 0, &random)
                days += Self.pairs(days: 2, perDay: 300, spread: 0, excess: -0.3, &random)
            }
            let drops = days.count
            days += Self.pairs(days: 20, perDay: 300, spread: 0, &random)
            let open = Self.open(reference, days)
            let begun = open.filter { !open.contains($0 - 1) }
            #expect((1...3).contains(begun.count), "begun on days \(begun)")
            #expect((drops...drops + 12).contains(open.last ?? 0), "until day \(open.last ?? 0)")
        }
    }

    @Test func `drops of different segments are different drops, each over when it is over`() async throws {
        try await blocking {
            var random = SeededGenerator(seed: 412)
            let all = try Self.reference(spread: 0, &random)
            let part = Segment([.init("channel", "app")])
            let rows = try #require(all.groups[.all])
            let reference = PerformanceReference(
                task: .binary, groups: [.all: rows, part: rows], wobbles: [:], errors: nil)
            var watch = ConceptWatch()
            var day: Int64 = 0
            func observe(_ inPart: Double, _ everywhere: Double) throws -> Bool {
                let window = TimeRange(start: Self.monday + .days(day), end: Self.monday + .days(day + 1))
                day += 1
                let own = try #require(Self.pairs(days: 1, perDay: 300, spread: 0, excess: inPart, &random).first)
                let rest = try #require(Self.pairs(days: 1, perDay: 300, spread: 0, excess: everywhere, &random).first)
                let verdicts = watch.observe(
                    window,
                    [
                        (segment: .all, sketch: PerformanceFixture.binary(own + rest)),
                        (segment: part, sketch: PerformanceFixture.binary(own)),
                    ], reference: reference, windows: 30)
                return verdicts.values.contains { $0.isOpen }
            }
            for (inPart, everywhere) in [(-0.3, -0.3), (-0.3, 0), (-0.3, -0.3), (-0.3, 0)] {
                for _ in 0..<4 { _ = try observe(0, 0) }
                for _ in 0..<3 { _ = try observe(inPart, everywhere) }
                let isOpen = try [observe(0, 0), observe(0, 0), observe(0, 0)]
                #expect(!isOpen[2], "day \(day)")
            }
        }
    }
}
