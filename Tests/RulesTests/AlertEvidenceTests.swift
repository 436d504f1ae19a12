import Statistics
import Testing
import Values

@testable import Rules

@Suite struct `An alert's evidence` {
    private let rule = """
        alert: A, expr: 'psi > 0.2', annotations: {s: '{{ $labels.column }} in {{ $labels.segment }}: {{ $value }}'}
        """

    @Test func `tells numbers, histograms and what else is firing`() throws {
        var monitoring = Monitoring(try ruleSet(rule, "alert: B, expr: psi by (country) > 0.2"))
        let alerts = monitoring.close(
            0,
            SnapshotFixture.build {
                $0.add("amount", [.psi: 0.3, .p50: 12], reference: [.p50: 10])
                $0.add("age", [.psi: 0.4], in: [("country", "BR")])
            })
        let alert = try #require(alerts.first)
        #expect(alert.annotations == ["s": "amount in all traffic: 0.3"])
        let context = alert.context
        #expect(context["value"] == .number(0.3) && context["threshold"] == .number(0.2))
        #expect(context["metric"] == "psi (nats, jeffreys, 2 bins)")
        #expect(context["reference"] == "fraud v14 reference")
        #expect(context["revision"] == .integer(1))
        #expect(context["also_firing"] == .array(["B/age (country=BR)"]))
        #expect(context["window"]?["rows"] == .integer(1000))
        #expect(context["window"]?["reference_rows"] == .integer(5000))
        #expect(context["comparison"]?["edges"] == .array([.number(1)]))
        #expect(context["comparison"]?["reference"] == .array([.number(0.6), .number(0.4)]))
        #expect(context["comparison"]?["current"] == .array([.number(0.25), .number(0.75)]))
        #expect(context["comparison"]?["quantiles"]?["p50"] == .array([.number(10), .number(12)]))
        #expect(context["actions"] == .array([]))
        #expect(context["likely"] != nil)
        #expect(context["evidence"] == ["p": 1e-9, "level": 0.001])
        #expect(context["change_start"] == .time(SnapshotFixture.origin))
        #expect(context["by_chance"]?["expected"] != nil && context["by_chance"]?["p95"] != nil)
        let interval = try #require(context["interval"])
        #expect(interval != .null)
        #expect(context["cause"] != nil && context["correlated"] == .array([]))
    }

    @Test func `a failing template never stops an alert`() throws {
        let text = "alert: A, expr: psi > 0.2, annotations: {s: '{{ humanize $labels.column }}'}"
        var monitoring = Monitoring(try ruleSet(text))
        let alerts = monitoring.close(0, SnapshotFixture.build { $0.add("amount", [.psi: 0.3]) })
        #expect(alerts.first?.annotations["s"]?.hasPrefix("<error expanding template: ") == true)
    }

    @Test func `a rule without its column is silent, one that cannot be evaluated says so`() throws {
        var monitoring = Monitoring(
            try ruleSet(
                "alert: A, expr: 'psi{column=\"nobody\"} > 0.2'",
                "alert: B, expr: psi by (country) - on () psi by (country) > 1"))
        let fixture = SnapshotFixture.build {
            $0.add("a", [.psi: 0.4], in: [("country", "BR")])
            $0.add("a", [.psi: 0.4], in: [("country", "MX")])
        }
        #expect(monitoring.close(0, fixture).isEmpty)
        #expect(monitoring.state.errors.keys.sorted() == ["g/B"])
    }
}
