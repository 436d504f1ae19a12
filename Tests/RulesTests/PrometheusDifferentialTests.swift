import Foundation
import Statistics
import TestSupport
import Testing
import Values

@testable import Rules

/// The same random rules and series through `promtool test rules`, Prometheus' own implementation, where it is installed.
@Suite struct `Prometheus itself` {
    /// What a series has at one evaluation.
    private enum Value: String {
        case over = "1"
        case under = "0"
        case gone = "stale"
    }

    private struct Case {
        let name: String
        let values: [Value]
        /// Minutes.
        let hold: Int
        let keep: Int
    }

    private enum Told: Equatable {
        case nothing, pending, firing
    }

    /// What our engine says at each window. `no_data: ok` is what Prometheus does with series that are gone.
    private func told(_ test: Case) throws -> [Told] {
        let keys = "for: \(test.hold * 60)s, keep_firing_for: \(test.keep * 60)s, no_data: ok"
        let rules = try ruleSet("alert: A, expr: psi > 0.5, \(keys)")
        var state = ModelAlertState(model: "fraud")
        return test.values.enumerated().map { index, value in
            let fixture = SnapshotFixture.build {
                if value != .gone { $0.add("x", [.psi: value == .over ? 1 : 0]) }
            }
            let start = SnapshotFixture.origin + Span.minutes(1) * Int64(index)
            let window = TimeRange(start: start, end: start + .minutes(1))
            let snapshot = Snapshot(
                model: "fraud", window: window, revision: 1, versions: [], referenceName: "r", rows: fixture.rows)
            _ = rules.evaluate(snapshot: snapshot, modelWindow: .minutes(1), state: &state)
            return !state.firing.isEmpty ? .firing : !state.pending.isEmpty ? .pending : .nothing
        }
    }

    /// A timeline of one character: how likely the condition holds, how likely it stays as it was, how often the series is gone.
    private func timeline(_ length: Int, _ random: inout SeededGenerator) -> [Value] {
        let over = Double.random(in: 0.1...0.9, using: &random)
        let stays = Double.random(in: 0...0.9, using: &random)
        let shares: [Double] = [0, 0, 0.1, 0.4]
        let gone = shares[Int.random(in: 0..<shares.count, using: &random)]
        var value = Value.under
        var out: [Value] = []
        for _ in 0..<length {
            if Double.random(in: 0..<1, using: &random) >= stays {
                let isGone = Double.random(in: 0..<1, using: &random) < gone
                let isOver = Double.random(in: 0..<1, using: &random) < over
                value = isGone ? .gone : isOver ? .over : .under
            }
            out.append(value)
        }
        return out
    }

    @Test(.enabled(if: Promtool.path != nil), arguments: [23, 24, 25, 26] as [UInt64])
    func `agrees on every evaluation of five hundred random timelines`(_ seed: UInt64) async throws {
        var random = SeededGenerator(seed: seed)
        let cases = (0..<500).map { index in
            Case(
                name: "a\(index)", values: timeline(30, &random), hold: Int.random(in: 0...6, using: &random),
                keep: Int.random(in: 0...8, using: &random))
        }
        let generator = random.seed
        try await blocking { try self.compare(cases, seed: generator) }
    }

    @Test(.enabled(if: Promtool.path != nil)) func `a wrong expectation is noticed`() throws {
        let test = Case(name: "a0", values: [.under, .over, .over], hold: 1, keep: 0)
        let right = try told(test)
        #expect(right == [.nothing, .pending, .firing])
        #expect(try verdict([(test, right)]).status == 0)
        #expect(try verdict([(test, [.nothing, .firing, .firing])]).status == 1)
        #expect(try verdict([(test, [.nothing, .pending, .nothing])]).status == 1)
        #expect(try verdict([(test, [.nothing, .nothing, .firing])]).status == 1)
    }

    private func compare(_ cases: [Case], seed: UInt64) throws {
        let result = try verdict(try cases.map { ($0, try told($0)) })
        #expect(result.status == 0, "seed \(seed): \(result.text.prefix(2_000))")
    }

    /// One run over many rules: each has a series of its own, so that they do not touch. `exp_alerts` lists firing alerts only; what is
    /// pending is seen in `ALERTS`, which Prometheus writes for both.
    private func verdict(_ cases: [(test: Case, told: [Told])]) throws -> (status: Int32, text: String) {
        var rules = "groups:\n- name: g\n  rules:\n"
        var series = ""
        var alerts = ""
        var pending: [Int: [String]] = [:]
        var length = 0
        for (test, told) in cases {
            rules += "  - alert: \(test.name)\n    expr: x{n=\"\(test.name)\"} > 0.5\n    for: \(test.hold)m\n"
            rules += "    keep_firing_for: \(test.keep)m\n"
            let values = test.values.map(\.rawValue).joined(separator: " ")
            series += "  - series: 'x{n=\"\(test.name)\"}'\n    values: '\(values)'\n"
            length = max(length, told.count)
            for (minute, state) in told.enumerated() {
                alerts += "  - eval_time: \(minute)m\n    alertname: \(test.name)\n"
                if state == .firing { alerts += "    exp_alerts: [{exp_labels: {n: \(test.name)}}]\n" }
                if state == .pending { pending[minute, default: []].append(test.name) }
            }
        }
        var expressions = ""
        for minute in 0..<length {
            expressions += "  - expr: ALERTS{alertstate=\"pending\"}\n    eval_time: \(minute)m\n    exp_samples:"
            let samples = (pending[minute] ?? []).map { name in
                "    - {labels: 'ALERTS{alertname=\"\(name)\", alertstate=\"pending\", n=\"\(name)\"}', value: 1}\n"
            }
            expressions += samples.isEmpty ? " []\n" : "\n" + samples.joined()
        }
        return try Promtool.test(
            rules: rules,
            test: "rule_files: [r.yml]\nevaluation_interval: 1m\ntests:\n- interval: 1m\n  input_series:\n\(series)"
                + "  alert_rule_test:\n\(alerts)  promql_expr_test:\n\(expressions)")
    }
}
