import Foundation
import Statistics
import TestSupport
import Testing
import Values

@testable import Rules

@Suite struct `Looking back` {
    /// Columns with these `psi` in one window; `nil` has no rows, NaN too few to say.
    private func window(_ values: [String: Double?]) -> SnapshotFixture {
        SnapshotFixture.build { fixture in
            for (column, value) in values.sorted(by: { $0.key < $1.key }) {
                if let value { fixture.add(column, value.isNaN ? [:] : [.psi: value]) }
            }
        }
    }

    /// Which windows, from 0, a rule fires in when one column has these values. A restart follows every window.
    private func firing(_ expression: String, _ values: [Double?]) throws -> [Int] {
        var monitoring = Monitoring(try ruleSet("alert: A, expr: '\(expression)', significance: none"))
        var out: [Int] = []
        for (index, value) in values.enumerated() {
            _ = monitoring.close(index, window(["x": value]))
            monitoring.state = try ModelAlertState(decoding: monitoring.state.encoded())
            if !monitoring.state.firing.isEmpty { out.append(index) }
        }
        return out
    }

    @Test func `the last windows are averaged, this one included`() throws {
        #expect(try firing("avg_over(psi, 3h) > 0.2", [0.3, 0, 0, 0.5, 0.2, 0, 0]) == [0, 4, 5])
        #expect(try firing("max_over(psi, 2h) > 0.2", [0, 0.3, 0, 0, 0.3]) == [1, 2, 4])
        #expect(try firing("min_over(psi, 2h) > 0.2", [0.3, 0.3, 0.1, 0.3, 0.3, 0.3]) == [0, 1, 4, 5])
        // A window without an answer is passed over, and the alert keeps its state meanwhile.
        #expect(try firing("avg_over(psi, 3h) > 0.2", [0.1, 0.5, nil, .nan, 0.1]) == [1, 2, 3])
    }

    @Test func `a delta needs a value that old`() throws {
        #expect(try firing("delta(psi, 2h) > 0.2", [0, 0.9, 0.1, 1.2, 0.4]) == [3, 4])
        // The value two hours ago is missing: the one before it stands in.
        #expect(try firing("delta(psi, 2h) > 0.2", [0, nil, 0.1, 0.4]) == [3])
        // Twice as far back nothing stands in any more.
        #expect(try firing("delta(psi, 1h) > 0.2", [0, nil, nil, 0.9, 1.2]) == [4])
    }

    @Test func `what is looked back on may be computed, compared and combined`() throws {
        var monitoring = Monitoring(
            try ruleSet(
                "alert: A, expr: 'psi > 2 * avg_over(psi * 1, 2h) - 0.01 and max_over(psi, 3h) > 0.2', significance: none"
            ))
        #expect(monitoring.told(0, window(["x": 0.1, "y": 0.1])) == [])
        #expect(monitoring.told(1, window(["x": 0.5, "y": 0.15])) == [])
        #expect(monitoring.told(2, window(["x": 0, "y": 0.1])) == [])
        #expect(monitoring.told(3, window(["x": 0.5, "y": 0.1])) == ["firing A x"])
    }

    @Test func `instances are remembered apart, and those that left keep their alert`() throws {
        var monitoring = Monitoring(try ruleSet("alert: A, expr: 'avg_over(psi, 4h) > 0.2', significance: none"))
        #expect(monitoring.told(0, window(["x": 0.3, "y": 0.1])) == ["firing A x"])
        #expect(monitoring.told(1, window(["y": 0.1])) == [])
        #expect(monitoring.state.firing.first?.health == .no_data)
        #expect(monitoring.told(2, window(["x": 0, "y": 0.1])) == ["resolved A x"])
    }

    @Test func `no more is kept than the rules ask for`() throws {
        var monitoring = Monitoring(
            try ruleSet(
                "alert: A, expr: 'avg_over(psi, 3h) > 9'", "alert: B, expr: 'max_over(psi, 5h) > 9'",
                "alert: C, expr: 'avg_over(null_rate, 2h) > 9'"))
        for index in 0..<50 { _ = monitoring.close(index, window(["x": 0.1])) }
        let kept = try #require(monitoring.state.histories)
        // `A` and `B` look at the same values and share them; nothing is known of null rates.
        #expect(kept.values.flatMap(\.series).map(\.at.count) == [5])
        for index in 50..<100 { _ = monitoring.close(index, window(["x": 0.1])) }
        #expect(monitoring.state.histories?.values.flatMap(\.series).map(\.at.count) == [5])
        let whole = try monitoring.state.encoded().count
        // Some hundred windows are remembered as evidence for alerts, whatever the rules ask for.
        for index in 100..<1_000 { _ = monitoring.close(index, window(["x": 0.1])) }
        let later = try monitoring.state.encoded().count
        for index in 1_000..<1_100 { _ = monitoring.close(index, window(["x": 0.1])) }
        #expect(
            abs(try monitoring.state.encoded().count - later) < 20,
            "\(whole) bytes after 100 windows, \(later) after 1,000")
        monitoring.rules = try ruleSet("alert: A, expr: 'psi > 9'")
        _ = monitoring.close(1_100, window(["x": 0.1]))
        #expect(monitoring.state.histories == nil)
    }

    @Test func `a history that grows too large is an error, and starts anew`() throws {
        var history = RuleHistory()
        let samples = (0..<1_000).map {
            Sample(labels: ["column": "\($0)"], segment: .all, value: 1, truth: .holds)
        }
        var failed = false
        for minute in 0..<300 where !failed {
            do {
                try history.record(samples, at: SnapshotFixture.origin + .minutes(Int64(minute)), memory: .days(1))
            } catch {
                failed = true
                #expect(error.message.contains("200000"))
            }
        }
        #expect(failed && history.series.isEmpty)
    }

    @Test func `a state from before there were histories is still read`() throws {
        let state = ModelAlertState(model: "fraud")
        let text = String(decoding: try state.encoded(), as: UTF8.self)
        #expect(!text.contains("histories"))
        #expect(try ModelAlertState(decoding: Data(text.utf8)) == state)
    }
}
