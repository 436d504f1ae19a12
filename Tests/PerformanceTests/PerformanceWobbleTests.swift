import Detection
import Events
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
                let worse = quiet.prefix(10) + Self.pairs(days: 20, perDay: 400, spread: 0.15, excess: -0.3, &random)
                let open = Self.open(reference, Array(worse))
                #expect(open.first.map { (10...19).contains($0) } == true, "\(open), seed \(random.seed)")
            }
        }
    }

    @Test func `labels that come as if drawn one by one wobble by nothing`() throws {
        var random = SeededGenerator(seed: 310)
        #expect(try Self.reference(spread: 0, &random).wobbles.isEmpty)
    }

    @Test func `a wobble survives the file, and nonsense in it is refused with its place`() throws {
        var random = SeededGenerator(seed: 311)
        let reference = try Self.reference(spread: 0.15, &random)
        let file = ReferenceFile.adding(reference, to: Array("{\"groups\": [\n  ]\n}\n".utf8))
        let read = try #require(try ReferenceFile.performance(file))
        #expect(read.wobbles == reference.wobbles)
        let broken = String(decoding: file, as: UTF8.self).replacing("\"calibration\":0", with: "\"calibration\":-1")
        #expect {
            try ReferenceFile.performance(Array(broken.utf8))
        } throws: { "\($0)".contains("wobble calibration must be a number of at least 0") }
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
}
