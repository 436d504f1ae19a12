import Statistics
import StrictYAML
import TestSupport
import Testing
import Values

@testable import Rules

/// Rules that compare a performance figure with a number, by the evidence of all mature windows.
struct FigureRuleTests {
    private static let hour = SnapshotFixture.hour

    /// Answers of a binary model of which a share is right.
    private static func sketch(_ rows: Int, right: Double, _ random: inout SeededGenerator) -> PerformanceSketch {
        var sketch = PerformanceSketch(.binary)
        for row in 0..<rows {
            let label = row % 3 == 0
            let answer = Double.random(in: 0..<1, using: &random) < right ? label : !label
            let score = answer ? 0.8 : 0.2
            sketch.add(prediction: score, times: 1)
            sketch.add(
                PerformancePair(.binary(score: score, predicted: answer, label: label), delay: .hours(1)), times: 1)
        }
        return sketch
    }

    /// What a rule tells in each of the windows, which have 70 rows, by hour.
    private static func told(_ rule: String, _ right: [Double], seed: UInt64, rows: Int = 70) throws -> [String] {
        var random = SeededGenerator(seed: seed)
        let before = sketch(20_000, right: 0.84, &random)
        let rules = try ruleSet("alert: A, expr: \(rule), significance: edetector")
        var state = ModelAlertState(model: "fraud")
        return right.enumerated().flatMap { index, right in
            let now = sketch(rows, right: right, &random)
            let nothing = Comparison(
                edges: [], categories: [], reference: [], current: [], referenceNulls: 0, currentNulls: 0)
            var values = now.metrics
            values[.mature] = 1
            var row = SnapshotRow(
                version: "*", segment: .all, column: SnapshotRow.performanceColumn,
                kind: SnapshotRow.performanceColumn, n: UInt64(rows), null: 0, referenceN: 20_000,
                referenceSegment: .all, metrics: values, referenceMetrics: before.metrics, comparison: nothing,
                common: nothing)
            row.performance = PerformanceDetail(sketch: now, isMature: true, estimates: [])
            row.performance?.reference = before
            var fixture = SnapshotFixture()
            fixture.rows = [row]
            let snapshot = fixture.snapshot(index)
            return rules.evaluate(
                performance: snapshot, at: snapshot.window.end, size: hour, modelWindow: hour, state: &state
            ).map { "\($0.status.rawValue) \(index)" }
        }
    }

    @Test(arguments: ["accuracy < reference(accuracy) - 0.05", "accuracy < 0.79"])
    func `one lasting fault is one alert, which ends soon after it, and chance is none`(_ rule: String) throws {
        let hours = [Double](repeating: 0.84, count: 100) + [Double](repeating: 0.7, count: 150)
        var exact = 0
        for seed in 0..<12 as Range<UInt64> {
            let told = try Self.told(rule, hours + [Double](repeating: 0.84, count: 20), seed: seed)
            let times = told.compactMap { $0.split(separator: " ").last.flatMap { Int($0) } }
            guard told.count == 2 else { continue }
            exact += 1
            #expect((100..<140).contains(times[0]) && (250..<270).contains(times[1]), "seed \(seed): \(told)")
        }
        #expect(exact >= 11, "\(exact) of 12")
    }

    @Test func `the number of a rule is the effect: a smaller one is no alert`() throws {
        let hours = [Double](repeating: 0.84, count: 30) + [Double](repeating: 0.78, count: 100)
        let told = try (0..<12 as Range<UInt64>).count { seed in
            try !Self.told("accuracy < reference(accuracy) - 0.1", hours, seed: seed).isEmpty
        }
        #expect(told <= 1, "\(told) of 12")
    }

    @Test func `where the reference itself is past the number, and in windows with few labels, the window decides`()
        throws
    {
        #expect(try Self.told("accuracy < 0.9", [0.7, 0.7], seed: 1) == ["firing 0"])
        #expect(try Self.told("accuracy < 0.6", [0.84, 0.2], seed: 1, rows: 20) == ["firing 1"])
    }

    @Test func `a figure that only the window itself can be judged by is noted`() throws {
        let rules = try ruleSet(
            "alert: A, expr: f1 < 0.7, significance: edetector", "alert: B, expr: f1 < 0.7, significance: none",
            "alert: C, expr: accuracy < 0.7, significance: edetector")
        #expect(rules.judgedAlone.map(\.message).count == 1)
        #expect(rules.judgedAlone.first?.message.hasPrefix("`A` judges `f1` by each window alone") == true)
    }
}
