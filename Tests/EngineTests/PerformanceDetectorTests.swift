import Detection
import TestSupport
import Testing
import Values

struct PerformanceDetectorTests {
    private static let limit = LogEvidence.limit(streams: 20, windows: 30, budget: 1)

    /// Normal noise of the stated error around a value (Irwin and Hall's sum of twelve).
    private static func noisy(_ value: Double, _ error: Double, _ random: inout SeededGenerator) -> Double {
        value + error * ((0..<12).reduce(0.0) { sum, _ in sum + Double.random(in: 0..<1, using: &random) } - 6)
    }

    private static func readings(
        _ lossOfVIP: Double, isMature: Bool = true, _ random: inout SeededGenerator
    ) -> [PerformanceReading] {
        let (few, many) = (300.0, 1700.0)
        func error(_ rows: Double) -> Double {
            PerformanceMeasure.aurocError(0.78, positives: rows / 20, negatives: rows * 0.95)
        }
        let vip = noisy(0.78 - lossOfVIP, error(few), &random)
        let others = noisy(0.78, error(many), &random)
        let all = (vip * few + others * many) / (few + many)
        let values = [("all", all, few + many), ("vip", vip, few), ("others", others, many)]
        return values.map { name, value, rows in
            PerformanceReading(
                segment: name == "all" ? .all : Segment([.init("tier", name)]), value: value, reference: 0.78,
                rows: rows, positives: rows / 20, standardError: error(rows), isMature: isMature)
        }
    }

    @Test func `a drop in one segment is named there, and over within a few windows of its end`() {
        var random = SeededGenerator(seed: 21)
        var detector = PerformanceDetector(measure: .auroc)
        var open: [[Segment]] = []
        for day in 0..<40 {
            let readings = Self.readings((10..<20).contains(day) ? 0.3 : 0, &random)
            let verdicts = detector.observe(
                start: Timestamp(microseconds: Int64(day)), readings, limit: Self.limit
            ) { _, _ in true }
            open.append(zip(readings, verdicts).filter { $1.isOpen }.map { $0.0.segment })
        }
        #expect(open[..<10].joined().isEmpty, "seed \(random.seed)")
        #expect(open[14..<20].allSatisfy { $0.description == "[tier=vip]" }, "\(open), seed \(random.seed)")
        #expect(open[25...].joined().isEmpty, "\(open), seed \(random.seed)")
    }

    @Test func `windows whose labels are not mature are no evidence`() {
        var random = SeededGenerator(seed: 22)
        var detector = PerformanceDetector(measure: .auroc)
        for day in 0..<20 {
            let verdicts = detector.observe(
                start: Timestamp(microseconds: Int64(day)), Self.readings(0.4, isMature: false, &random),
                limit: Self.limit
            ) { _, _ in true }
            let isOpen = verdicts.contains { $0.isOpen }
            #expect(!isOpen)
        }
    }

    @Test func `the error of an area is Hanley and McNeil's`() {
        // Their example: area 0.893 of 51 positives and 58 negatives has the standard error 0.0324.
        let error = PerformanceMeasure.aurocError(0.8930, positives: 51, negatives: 58)
        #expect(abs(error - 0.0324) < 5e-4)
    }
}
