import Detection
import Foundation
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
            return tell(rules, index, [row(.all, now, before)], &state).map { "\($0.status.rawValue) \(index)" }
        }
    }

    private static func row(
        _ segment: Segment, _ now: PerformanceSketch, _ before: PerformanceSketch, wobble: Double = 0
    ) -> SnapshotRow {
        let nothing = Comparison(
            edges: [], categories: [], reference: [], current: [], referenceNulls: 0, currentNulls: 0)
        var values = now.metrics
        values[.mature] = 1
        var row = SnapshotRow(
            version: "*", segment: segment, column: SnapshotRow.performanceColumn,
            kind: SnapshotRow.performanceColumn, n: UInt64(now.labelled), null: 0, referenceN: 20_000,
            referenceSegment: .all, metrics: values, referenceMetrics: before.metrics, comparison: nothing,
            common: nothing)
        row.performance = PerformanceDetail(sketch: now, isMature: true, estimates: [])
        row.performance?.reference = before
        var figures = PerformanceWobble.Figures()
        figures.errors = wobble
        row.performance?.baseline = PerformanceBaseline(before, wobble: figures, windows: 28)
        return row
    }

    private static func tell(
        _ rules: RuleSet, _ index: Int, _ rows: [SnapshotRow], _ state: inout ModelAlertState
    ) -> [Alert] {
        var fixture = SnapshotFixture()
        fixture.rows = rows
        let snapshot = fixture.snapshot(index)
        return rules.evaluate(
            performance: snapshot, at: snapshot.window.end, size: hour, modelWindow: hour, state: &state)
    }

    @Test func `of a segment and what holds it only the one that explains the other is told, as of drift`() throws {
        let (web, app) = (Segment([.init("device", "web")]), Segment([.init("device", "app")]))
        for seed in 0..<6 as Range<UInt64> {
            for isWhole in [false, true] {
                var random = SeededGenerator(seed: 40 + seed)
                let before = Self.sketch(20_000, right: 0.9, &random)
                let rules = try ruleSet("alert: A, expr: (accuracy or accuracy by (*)) < 0.88, significance: edetector")
                var state = ModelAlertState(model: "fraud")
                let firing = (0..<60).flatMap { index -> [Alert] in
                    let bad = index < 20 ? 0.9 : 0.7
                    let mine = Self.sketch(150, right: bad, &random)
                    let other = Self.sketch(150, right: isWhole ? bad : 0.9, &random)
                    var both = mine
                    both.merge(other)
                    return Self.tell(
                        rules, index,
                        [Self.row(.all, both, before), Self.row(web, mine, before), Self.row(app, other, before)],
                        &state)
                }.filter { $0.status == .firing }
                #expect(
                    firing.map { $0.labels["device"] ?? "" } == [isWhole ? "" : "web"],
                    "seed \(random.seed): \(firing.map(\.labels))")
            }
        }
    }

    /// Replaces a rule's figures by what programs wrote that kept each segment's stream by itself.
    private static func older(_ state: ModelAlertState, counted: Timestamp) throws -> ModelAlertState {
        let json = try JSONEncoder().encode(state)
        guard var all = try JSONSerialization.jsonObject(with: json) as? [String: Any],
            var detectors = all["detectors"] as? [String: Any], var own = detectors["g/A"] as? [String: Any],
            let watches = own["watches"] as? [[String: Any]], let key = watches.first?["key"]
        else { throw EvaluationError(message: "no figure is kept") }
        let none = ["weight": 0.0, "weighted": 0.0]
        let changed = ["weight": 9_000.0, "weighted": 1_300.0]
        let stream: [String: Any] = [
            "logR": [12.0, 14.0, 16.0, 2.0], "sum": 16.0, "windows": 12, "weight": 9_000.0, "weighted": 1_300.0,
            "mirrored": -1e300, "recent": [["weight": 900.0, "weighted": 130.0]],
        ]
        own["watches"] = nil
        own["figures"] = [
            [
                "key": key, "segment": ["parts": [Any]()], "seen": counted.microseconds,
                "stream": [
                    "statistic": "accuracy", "stream": stream, "start": SnapshotFixture.origin.microseconds,
                    "until": counted.microseconds,
                    "alarm": [
                        "start": SnapshotFixture.origin.microseconds, "evidence": 15.5, "changed": changed,
                        "back": none, "backSum": 0.0,
                    ],
                ],
            ]
        ]
        detectors["g/A"] = own
        all["detectors"] = detectors
        return try ModelAlertState(decoding: try JSONSerialization.data(withJSONObject: all))
    }

    @Test func `an alert that an older program opened goes on, and ends when its fault does`() throws {
        var random = SeededGenerator(seed: 70)
        let before = Self.sketch(20_000, right: 0.84, &random)
        let rules = try ruleSet("alert: A, expr: accuracy < 0.79, significance: edetector")
        var state = ModelAlertState(model: "fraud")
        var told: [String] = []
        for index in 0..<60 {
            let now = Self.sketch(150, right: index < 40 ? 0.7 : 0.84, &random)
            told += Self.tell(rules, index, [Self.row(.all, now, before)], &state).map(\.status.rawValue)
            if index == 20 {
                try #require(told == ["firing"])
                state = try Self.older(state, counted: SnapshotFixture.origin + Self.hour * 21)
                try #require(state.detectors["g/A"]?.figures?.count == 1)
            }
            if index == 39 { #expect(told == ["firing"]) }
            if index == 22 {
                #expect(state.detectors["g/A"]?.figures == nil)
                #expect(try ModelAlertState(decoding: state.encoded()) == state)
            }
        }
        #expect(told == ["firing", "resolved"])
    }

    @Test func `hours that differ as they always did are no fault`() throws {
        var told = [0, 0]
        for seed in 0..<10 as Range<UInt64> {
            for knows in [0, 1] {
                var random = SeededGenerator(seed: 60 + seed)
                let before = Self.sketch(20_000, right: 0.84, &random)
                let rules = try ruleSet("alert: A, expr: accuracy < 0.8, significance: edetector")
                var state = ModelAlertState(model: "fraud")
                for index in 0..<200 {
                    let now = Self.sketch(
                        150, right: 0.84 + Double.random(in: -0.15...0.15, using: &random), &random)
                    let rows = [Self.row(.all, now, before, wobble: knows == 1 ? 0.0075 : 0)]
                    told[knows] += Self.tell(rules, index, rows, &state).count { $0.status == .firing }
                }
            }
        }
        #expect(told[0] > 10 && told[1] <= 1, "\(told)")
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
