import Detection
import Statistics
import Testing
import Values

@testable import Rules

@Suite struct `Roles and deploys` {
    private static let fixture = SnapshotFixture.build {
        for (version, psi) in [("*", 0.2), ("13", 0.1), ("14", 0.4), ("15", 0.3)] {
            $0.add("amount", [.psi: psi], version: version)
        }
    }

    private func move(_ role: RoleHistory.Role, _ version: String?, _ hour: Int64) -> RoleHistory.Move {
        RoleHistory.Move(role: role, version: version, at: SnapshotFixture.origin + .hours(hour))
    }

    /// What holds in the window of the given hour.
    private func holds(_ text: String, _ roles: RoleHistory, hour: Int = 10) throws -> [String] {
        let snapshot = Self.fixture.snapshot(hour)
        let evaluator = ExpressionEvaluator(
            snapshot: snapshot, minimumRows: 0, significance: .none, roles: roles.versions(at: snapshot.window.end))
        return try evaluator.evaluate(ExpressionParser.parse(text)).filter { $0.truth == .holds }.map { sample in
            let labels = sample.labels.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
            return "\(labels.joined(separator: ",")) \((sample.value * 1e6).rounded() / 1e6)"
        }
    }

    @Test func `a champion that serves in no role any more is retired`() {
        let roles = RoleHistory([
            move(.champion, "13", 0), move(.champion, "14", 8), move(.shadow, "13", 8), move(.champion, "15", 10),
            move(.champion, "14", 12), move(.shadow, nil, 12),
        ])
        func retired(_ hour: Int64) -> Set<String> { roles.retired(at: SnapshotFixture.origin + .hours(hour)) }
        #expect(retired(5).isEmpty && retired(9).isEmpty, "13 is a shadow now")
        #expect(retired(11) == ["14"] && retired(13) == ["13", "15"], "14 is back")
    }

    @Test func `a role is the version that has it when the window ends`() throws {
        let roles = RoleHistory([
            move(.champion, "13", 0), move(.challenger, "15", 1), move(.champion, "14", 8), move(.challenger, nil, 20),
        ])
        #expect(try holds("psi{role=\"champion\"} > 0", roles) == ["column=amount,role=champion 0.4"])
        #expect(try holds("psi{role=\"champion\"} > 0", roles, hour: 5) == ["column=amount,role=champion 0.1"])
        #expect(
            try holds("psi{role=~\".+\"} > 0", roles) == [
                "column=amount,role=champion 0.4", "column=amount,role=challenger 0.3",
            ])
        #expect(try holds("psi{role!=\"champion\"} > 0", roles) == ["column=amount,role=challenger 0.3"])
        #expect(try holds("psi{role=\"challenger\"} > 0", roles, hour: 25) == [])
        #expect(try holds("psi{role=\"champion\"} > 0", .none) == [])
    }

    @Test func `roles are compared with one another`() throws {
        let roles = RoleHistory([move(.champion, "14", 0), move(.challenger, "15", 0), move(.shadow, "13", 0)])
        let difference = "psi{role=\"challenger\"} - psi{role=\"champion\"} < -0.02"
        #expect(try holds(difference, roles) == ["column=amount,role=challenger -0.1"])
        #expect(
            try holds("psi{role=~\"champion|shadow\"} / psi{role=~\"champion|shadow\"}", roles) == [
                "column=amount,role=shadow 1.0", "column=amount,role=champion 1.0",
            ])
    }

    /// Rules fed with the same window shape at each hour: over where `hours` says so.
    private func told(_ keys: String, _ roles: RoleHistory, over hours: Range<Int>, through last: Int) throws
        -> [String]
    {
        let rules = try ruleSet("alert: A, expr: psi > 0.2\(keys)")
        var state = ModelAlertState(model: "fraud")
        var out: [String] = []
        for hour in 0...last {
            let fixture = SnapshotFixture.build { $0.add("amount", [.psi: hours.contains(hour) ? 0.5 : 0]) }
            for alert in rules.evaluate(
                snapshot: fixture.snapshot(hour), modelWindow: .hours(1), roles: roles, state: &state)
            {
                out.append("\(hour) \(alert.status.rawValue)")
            }
        }
        return out
    }

    @Test func `a rule since a deploy is armed only for so long`() throws {
        let roles = RoleHistory([move(.champion, "13", -100), move(.champion, "14", 5)])
        let since = ", since: {deploy: 3h}"
        #expect(try told(since, .none, over: 0..<20, through: 20) == [])
        #expect(try told(since, roles, over: 2..<4, through: 20) == [])
        #expect(try told(since, roles, over: 9..<12, through: 20) == [])
        #expect(try told(since, roles, over: 2..<6, through: 20) == ["5 firing", "6 resolved"])
        // What fires goes on until it is over, also after the rule is no longer armed.
        #expect(try told(since, roles, over: 6..<15, through: 20) == ["6 firing", "15 resolved"])
        // What is only pending then is dropped.
        #expect(try told(since + ", for: 3 windows", roles, over: 7..<15, through: 20) == ["7 pending"])
        // The same champion set once more is no deploy.
        let again = RoleHistory([move(.champion, "13", -100), move(.champion, "13", 5)])
        #expect(try told(since, again, over: 0..<20, through: 20) == [])
    }
}
