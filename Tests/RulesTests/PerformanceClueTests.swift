import Statistics
import Testing
import Values

@testable import Rules

/// What an alert about performance says: in which way the model is worse, by how much, and what moved with it.
@Suite struct PerformanceClueTests {
    /// `rows` of each tenth of the scores, of which `positives` per cent were positive.
    private static func sketch(_ positives: [Int], rows: Int64 = 100, scores: [Double]? = nil) -> PerformanceSketch {
        var sketch = PerformanceSketch(.binary)
        for (tenth, share) in positives.enumerated() {
            let score = scores?[tenth] ?? (Double(tenth) + 0.5) / 10
            for label in [true, false] {
                let times = rows * Int64(label ? share : 100 - share) / 100
                guard times > 0 else { continue }
                sketch.add(prediction: score, times: times)
                let pair = PerformancePair(
                    .binary(score: score, predicted: score >= 0.5, label: label), delay: .hours(1))
                sketch.add(pair, times: times)
            }
        }
        return sketch
    }

    private static let good = [5, 15, 25, 35, 45, 55, 65, 75, 85, 95]

    private static func row(
        _ now: PerformanceSketch, _ before: PerformanceSketch, statistic: String, effect: Double,
        segment: Segment = .all, version: String = SnapshotRow.allVersions
    ) -> SnapshotRow {
        var metrics = now.metrics
        metrics[.mature] = 1
        metrics[.concept_drift] = 1
        let none = Comparison(
            edges: [], categories: [], reference: [], current: [], referenceNulls: 0, currentNulls: 0)
        var row = SnapshotRow(
            version: version, segment: segment, column: SnapshotRow.performanceColumn,
            kind: SnapshotRow.performanceColumn, n: UInt64(now.predictions), null: 0,
            referenceN: UInt64(before.labelled), referenceSegment: segment, metrics: metrics,
            referenceMetrics: before.metrics, comparison: none, common: none)
        row.performance = PerformanceDetail(sketch: now, isMature: true, estimates: [])
        row.performance?.reference = before
        row.performance?.change = PerformanceChange(
            statistic: statistic, effect: effect, evidence: 20, limit: 9, since: SnapshotFixture.origin - .hours(2))
        return row
    }

    private static func alert(_ rows: SnapshotRow...) throws -> Alert {
        var fixture = SnapshotFixture()
        fixture.rows = rows
        var state = ModelAlertState(model: "fraud")
        let rules = try ruleSet(
            "alert: PerformanceDrop, expr: (concept_drift or concept_drift by (*)) > 0, significance: none, "
                + "annotations: {summary: '{{ $figure }}'}")
        let hour = SnapshotFixture.hour
        let alerts = rules.evaluate(
            performance: fixture.snapshot(0, versions: ["14", "15"]), at: SnapshotFixture.origin + .days(4), size: hour,
            modelWindow: hour, state: &state)
        return try #require(alerts.first)
    }

    private static func text(_ json: JSON?) -> String? {
        if case .string(let text)? = json { text } else { nil }
    }

    @Test func `scores that rank worse while nothing else moved point at what leads to an outcome`() throws {
        let alert = try Self.alert(
            Self.row(Self.sketch(Self.good.reversed()), Self.sketch(Self.good), statistic: "auroc", effect: 0.66))
        let likely = try #require(Self.text(alert.context["likely"]))
        #expect(
            likely.hasPrefix("scores rank worse (AUROC 0.83 in the reference, 0.17 in 1,000 labelled rows"), "\(likely)"
        )
        #expect(likely.contains("lower by 0.66 in the mean of its windows"), "\(likely)")
        #expect(
            likely.hasSuffix("what leads to an outcome has changed, or labels are joined to other rows"), "\(likely)")
    }

    @Test func `outcomes that became more frequent than the scores say are told with both shares`() throws {
        let now = Self.sketch(Self.good.map { min(100, $0 + 20) })
        let alert = try Self.alert(
            Self.row(
                now, Self.sketch(Self.good), statistic: "calibration", effect: 0.19,
                segment: Segment([.init("country", "BR")])))
        let likely = try #require(Self.text(alert.context["likely"]))
        #expect(
            likely.hasPrefix("more positives than the scores say in country=BR (68% at a mean score of 50%"),
            "\(likely)")
        #expect(likely.hasSuffix("positives went from 50% to 68% and the scores did not follow"), "\(likely)")
    }

    @Test func `the summary says what is worse, from what to what, how sure that is and on how many rows`() throws {
        let ranking = try Self.alert(
            Self.row(Self.sketch(Self.good.reversed()), Self.sketch(Self.good), statistic: "auroc", effect: 0.66))
        #expect(
            ranking.annotations["summary"]
                == "AUROC 0.17 (95% between 0.145 and 0.195, 1,000 labelled rows), 0.83 in the reference",
            "\(ranking.annotations)")
        #expect(ranking.context["figure"]?["metric"] == "auroc" && ranking.context["figure"]?["rows"] == 1000)
        let errors = try Self.alert(
            Self.row(Self.sketch(Self.good.reversed()), Self.sketch(Self.good), statistic: "accuracy", effect: 0.5))
        #expect(
            errors.annotations["summary"]
                == "accuracy 25% (95% between 22% and 28%, 1,000 labelled rows), 75% in the reference",
            "\(errors.annotations)")
    }

    @Test func `scores that moved while outcomes stayed point at inputs and releases`() throws {
        let now = Self.sketch(Self.good, scores: Self.good.indices.map { min(0.999, (Double($0) + 3.5) / 10) })
        let alert = try Self.alert(Self.row(now, Self.sketch(Self.good), statistic: "calibration", effect: -0.27))
        let likely = try #require(Self.text(alert.context["likely"]))
        #expect(likely.hasPrefix("fewer positives than the scores say"), "\(likely)")
        #expect(likely.hasSuffix("while outcomes stayed: look for inputs that moved, or a release"), "\(likely)")
    }

    @Test func `a version that errs more than the other in the same window is named`() throws {
        let reference = Self.sketch(Self.good)
        let bad = Self.row(
            Self.sketch(Self.good.reversed()), reference, statistic: "accuracy", effect: 0.5, version: "15")
        let fine = Self.row(reference, reference, statistic: "accuracy", effect: 0.0, version: "14")
        let clues = WindowClues(
            snapshot: SnapshotFixture().snapshot(0, versions: ["14", "15"]), memory: WindowMemory(),
            champions: [ChampionMove(from: "14", to: "15", at: SnapshotFixture.origin)], start: SnapshotFixture.origin)
        let clue = try #require(clues.deploys([fine, bad]).first)
        #expect(clue.blamesRelease == true)
        #expect(
            clue.reading == "it came with version 15: in the same window 14 errs in 25% of its rows, 15 in 75%",
            "\(clue.reading ?? "")")
        let both = clues.deploys([bad.relabelled(version: "14"), bad])
        #expect(both.first?.blamesRelease == false)
    }

    @Test func `the context holds figures on both sides, the reliability of scores and the evidence`() throws {
        let alert = try Self.alert(
            Self.row(Self.sketch(Self.good.reversed()), Self.sketch(Self.good), statistic: "auroc", effect: 0.66))
        let context = alert.context
        #expect(context["evidence"] == ["ln_e": 20.0, "ln_threshold": 9.0, "effect": 0.66, "statistic": "auroc"])
        #expect(context["comparison"]?["metrics"]?["accuracy"] == [0.75, 0.25])
        #expect(context["comparison"]?["edges"] == nil, "there is no histogram to compare")
        #expect(context["comparison"]?["metrics"]?["labelled"] == [1000.0, 1000.0])
        #expect(context["correlated"] == .array([]), "the alert is no news beside itself")
        let reliability = context["comparison"]?["reliability"]
        let shares = Self.good.map { JSON.number(Double($0) / 100) }
        #expect(reliability?["reference"] == .array(shares))
        #expect(reliability?["current"] == .array(shares.reversed()))
        #expect(reliability?["rows"] == .array([JSON](repeating: 100, count: 10)))
        // The watch takes the change to begin two windows before the one that opened the alarm.
        #expect(context["change_start"] == .time(SnapshotFixture.origin - .hours(2)))
        #expect(abs(alert.weight - 20.0 / 9) < 1e-9, "beside other alerts it weighs by its evidence")
    }
}
