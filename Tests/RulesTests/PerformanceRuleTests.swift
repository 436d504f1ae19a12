import Statistics
import StrictYAML
import Testing
import Values

@testable import Rules

/// Rules about performance judge windows long after they ended.
struct PerformanceRuleTests {
    private static let hour = SnapshotFixture.hour
    private static let origin = SnapshotFixture.origin

    private struct Judging {
        let rules: RuleSet
        var state = ModelAlertState(model: "fraud")

        init(_ rules: RuleSet) { self.rules = rules }

        mutating func judge(_ index: Int, _ auroc: Double, at: Timestamp) -> [Alert] {
            let fixture = SnapshotFixture.build {
                $0.add(SnapshotRow.performanceColumn, [.auroc: auroc, .mature: 1, .coverage: 1], kind: "performance")
            }
            return rules.evaluate(
                performance: fixture.snapshot(index), at: at, size: hour, modelWindow: hour, state: &state)
        }

        mutating func close(_ index: Int, _ columns: [String], over: Bool) -> [Alert] {
            let fixture = SnapshotFixture.build {
                for column in columns { $0.add(column, [.psi: over ? 0.3 : 0.1]) }
            }
            return rules.evaluate(snapshot: fixture.snapshot(index), modelWindow: hour, state: &state)
        }
    }

    @Test func `an alert begins and ends when its window is judged, and starts with the window`() throws {
        var judging = Judging(try ruleSet("alert: A, expr: auroc < 0.7"))
        let late = Self.origin + .days(10)
        let firing = try #require(judging.judge(0, 0.6, at: late).first)
        #expect(firing.status == .firing && firing.at == late)
        #expect(firing.startsAt == Self.origin + Self.hour)
        #expect(judging.state.firing.first?.firedAt == late)
        let resolved = try #require(judging.judge(1, 0.9, at: late + .hours(5)).first)
        #expect(resolved.status == .resolved && resolved.at == late + .hours(5))
        #expect(resolved.endsAt == late + .hours(5))
    }

    @Test func `what is looked back on is asked for by the time of windows, not of judging`() throws {
        var judging = Judging(try ruleSet("alert: A, expr: 'delta(auroc, 2h) < -0.05'"))
        // Labels come in one batch, days late.
        let late = Self.origin + .days(10)
        for (index, value) in [0.9, 0.9, 0.9].enumerated() {
            #expect(judging.judge(index, value, at: late).isEmpty)
        }
        #expect(judging.judge(3, 0.8, at: late).map(\.status) == [.firing], "0.8 after 0.9 two windows before")
        #expect(judging.judge(4, 0.8, at: late).isEmpty)
        #expect(judging.judge(5, 0.8, at: late).map(\.status) == [.resolved], "0.8 after 0.8")
    }

    @Test func `the limit of a group is told for each pass apart`() throws {
        var judging = Judging(
            try ruleSet("alert: A, expr: psi > 0.2", "alert: B, expr: auroc < 0.7", group: "limit: 1"))
        #expect(judging.close(0, ["a", "b"], over: true).map(\.rule) == ["A", RuleSet.limitAlert])
        #expect(judging.judge(0, 0.9, at: Self.origin + .hours(3)).isEmpty, "nothing was refused there")
        #expect(judging.close(1, ["a", "b"], over: true).isEmpty)
        let refused = judging.judge(1, 0.6, at: Self.origin + .hours(4))
        #expect(refused.map(\.rule) == [RuleSet.limitAlert] && refused[0].labels["pass"] == "performance")
        #expect(judging.close(2, ["a", "b"], over: false).filter { $0.status == .resolved }.count == 2)
    }

    @Test func `an alert of a column that is gone ends after a month`() throws {
        var judging = Judging(try ruleSet("alert: A, expr: psi > 0.2"))
        #expect(judging.close(0, ["a", "b"], over: true).count == 2)
        let days = 24
        #expect(judging.close(29 * days, ["b"], over: true).isEmpty)
        #expect(judging.state.firing.count == 2)
        let ended = judging.close(31 * days, ["b"], over: true)
        #expect(ended.map(\.status) == [.resolved] && ended.first?.labels["column"] == "a")
        #expect(judging.state.firing.count == 1)
    }

    @Test func `concept drift in windows other than the model's own is refused`() throws {
        let rules = try ruleSet("alert: A, expr: concept_drift > 0, window: 7d")
        func problems(_ window: Span) -> [String] {
            rules.check(against: [
                ModelCatalog(name: "fraud", columns: [("a", "numeric")], segmentations: [], window: window)
            ]).map(\.message)
        }
        #expect(problems(.days(7)).isEmpty)
        #expect(problems(.days(1)).first?.contains("leave `window: 7d` out") == true)
    }

    static let silent: [(String, ModelCatalog.Labels, String?)] = [
        (
            "mae > 3", .of(.binary),
            "`A` is silent there: `mae` does not exist for model `fraud`, whose task is binary"
        ),
        (
            "auroc < 1", .none,
            "`A` is silent there: `auroc` needs labels, which model `fraud` does not join: say its `task`, or build its "
                + "reference from labelled rows"
        ),
        ("mae > 3 or auroc < 1", .of(.binary), nil), ("psi > 1", .none, nil), ("auroc < 1", .unknown, nil),
    ]

    @Test(arguments: silent)
    func `a rule that no row can meet is told, though it is no mistake`(
        expression: String, labels: ModelCatalog.Labels, expected: String?
    ) throws {
        let rules = try ruleSet("alert: A, expr: \(expression)")
        let fraud = ModelCatalog(name: "fraud", columns: [("a", "numeric")], segmentations: [], labels: labels)
        #expect(rules.check(against: [fraud]).isEmpty)
        #expect(rules.silences(against: [fraud]).map(\.message) == [expected].compactMap(\.self))
    }
}
