import Foundation
import Registry
import Testing
import Values

/// What the controller makes of measurements, and what keeps it from acting.
struct RollbackControlTests {
    /// Windows an hour long; the values are PSI of champion and target.
    static func trial(
        _ champion: [Double?], _ target: [Double?] = [], subject: RollbackTrial.Subject = .input, rows: Int64 = 500,
        needed: Int = 2, inputs: [RollbackTrial.Input] = [], threshold: Double? = 0.2, errors: [String] = []
    ) -> RollbackTrial {
        func reading(_ version: String, _ value: Double?) -> RollbackTrial.Reading {
            .init(version: version, rows: rows, value: value, p: value.map { $0 > 0.05 ? 1e-9 : 0.4 })
        }
        return RollbackTrial(
            column: subject == .output ? "prediction" : "amount", segment: "country=BR", subject: subject,
            metric: "psi", threshold: threshold, failsAbove: true, windowsNeeded: needed, rowsNeeded: 40,
            windows: champion.enumerated().map { i, value in
                .init(
                    start: Fixture.time(Int64(i) * 60), end: Fixture.time(Int64(i + 1) * 60),
                    champion: reading("2", value),
                    target: target.indices.contains(i) ? reading("1", target[i]) : nil, inputs: inputs)
            }, errors: errors)
    }

    private static func decide(
        _ trial: RollbackTrial, mode: RollbackProposal.Mode = .guarded
    ) async throws -> Decision {
        let registry = try await Fixture.registry()
        try await Fixture.promote(registry, "1", "2")
        var proposal = Fixture.proposal("k", judged: "2", mode: mode)
        proposal.trial = trial
        let decision = try await registry.decide(proposal, at: Fixture.time(600))
        #expect(try decision.decidedAgain() == .same)
        let champion = try await registry.champion(model: "fraud").champion?.version
        #expect(champion == (decision.outcome == .done ? "1" : "2"))
        return decision
    }

    @Test func `a champion that fails in enough windows beside a sound target is rolled away from`() async throws {
        let decision = try await Self.decide(Self.trial([0.31, 0.34], [0.01, 0.02]))
        #expect(decision.verdict == .degrade && decision.outcome == .done)
    }

    @Test func `drift of the data, which the target shows as well, is refused and says why`() async throws {
        let decision = try await Self.decide(Self.trial([0.31, 0.34], [0.29, 0.33]))
        #expect(decision.verdict == .degrade && decision.outcome == .refused)
        #expect(decision.reason.contains("the data is at fault, not the model"))
        // Below the limit and still most of the way there.
        #expect(try await Self.decide(Self.trial([0.31, 0.34], [0.01, 0.18])).outcome == .refused)
        #expect(
            try await Self.decide(Self.trial([0.31, 0.34], [0.29, 0.33]), mode: .auto).outcome == .done,
            "auto does without the comparison")
    }

    @Test func `outputs that move while inputs do not are the model's, and the data's where inputs move`() async throws
    {
        let calm = [RollbackTrial.Input(column: "amount", psi: 0.01, p: 0.3)]
        let moved = [RollbackTrial.Input(column: "amount", psi: 0.4, p: 1e-12)]
        #expect(try await Self.decide(Self.trial([0.3, 0.3], subject: .output, inputs: calm)).outcome == .done)
        let refused = try await Self.decide(Self.trial([0.3, 0.3], subject: .output, inputs: moved))
        #expect(refused.outcome == .refused && refused.reason.contains("the input amount changed"))
        // An input that drifts where only the champion serves says nothing of the version before it.
        let unknown = try await Self.decide(Self.trial([0.3, 0.3]))
        #expect(unknown.outcome == .refused && unknown.reason.hasPrefix("inconclusive: no window holds"))
    }

    @Test func `inconclusive and healthy never flip`() async throws {
        func check(
            _ trial: RollbackTrial, _ verdict: RollbackVerdict, _ reason: String, _ mode: RollbackProposal.Mode = .auto
        ) async throws {
            let decision = try await Self.decide(trial, mode: mode)
            #expect(decision.verdict == verdict && decision.outcome == .refused, "\(decision.reason)")
            #expect(decision.reason.contains(reason), "\(decision.reason)")
        }
        try await check(Self.trial([0.3], [0.01]), .inconclusive, "only 1 of 2 windows")
        try await check(Self.trial([0.3, 0.3], [0, 0], rows: 12), .inconclusive, "only 12 rows")
        try await check(Self.trial([0.3, nil], [0, 0]), .inconclusive, "cannot be asked of one version")
        try await check(Self.trial([0.3, 0.3], [0, 0], errors: ["disk"]), .inconclusive, "could not measure: disk")
        try await check(Self.trial([0.3, 0.02], [0, 0]), .healthy, "do not fail")
        try await check(Self.trial([0.02, 0.3], [0, 0]), .inconclusive, "only 1 of 2 windows")
        try await check(Self.trial([]), .inconclusive, "only 0 of 2 windows")
        try await check(Self.trial([nil, 0.3], [0, 0]), .inconclusive, "cannot be asked of one version")
        try await check(Self.trial([0.3, 0.3], [0, 0], threshold: nil), .inconclusive, "cannot be asked", .guarded)
        // Without a limit that one version can be asked for, auto takes the rule's word.
        #expect(try await Self.decide(Self.trial([0.3, 0.3], [0, 0], threshold: nil), mode: .auto).outcome == .done)
    }

    @Test func `a hold of the model or of all stops automatic rollbacks until it is released`() async throws {
        let registry = try await Fixture.registry()
        try await Fixture.promote(registry, "1", "2")
        func outcome(_ key: String) async throws -> Decision {
            try await registry.decide(Fixture.proposal(key, judged: "2"), at: Fixture.time(60))
        }
        for model in ["fraud", nil] as [String?] {
            try await registry.hold(model: model, actor: "ann", reason: "black friday", at: Fixture.time(50))
            let held = try await outcome("held \(model ?? "all")")
            #expect(held.outcome == .refused && held.reason.contains("black friday"))
            #expect(try held.isPutOff())
            #expect(try await registry.holds().map(\.model) == [model])
            #expect(try await registry.release(model: model, actor: "ann", reason: "over", at: Fixture.time(55)))
            #expect(try await !registry.release(model: model, actor: "ann", reason: "over", at: Fixture.time(56)))
        }
        #expect(try await outcome("free").outcome == .done)
        let nameless = await refusal {
            try await registry.hold(model: "fraud", actor: "ann", reason: "", at: Fixture.time(57))
        }
        #expect(nameless?.code == .invalid)
        let kinds = try await registry.events().map(\.kind)
        #expect(kinds.count { $0 == .rollbackHeld } == 2 && kinds.count { $0 == .rollbackReleased } == 2)
    }

    @Test func `a target that most of the fleet has not loaded is not warm`() async throws {
        let registry = try await Fixture.registry()
        try await Fixture.promote(registry, "1", "2")
        func report(_ instance: String, _ loaded: [String], at minutes: Int64) async throws {
            _ = try await registry.report(
                model: "fraud", instance: instance, loaded: loaded, active: "2", at: Fixture.time(minutes))
        }
        for i in 0..<3 { try await report("pod-\(i)", i == 0 ? ["2", "1"] : ["2"], at: 60) }
        let cold = try await registry.decide(Fixture.proposal("cold", judged: "2"), at: Fixture.time(60))
        #expect(cold.outcome == .refused && cold.reason.contains("only 1 of 3 instances"))
        #expect(try cold.isPutOff())
        try await report("pod-1", ["2", "1"], at: 60)
        let warm = try await registry.decide(Fixture.proposal("warm", judged: "2"), at: Fixture.time(60))
        #expect(warm.outcome == .done)
    }

    @Test func `every stored decision comes out the same when it is made again`() async throws {
        let registry = try await Fixture.registry()
        try await Fixture.promote(registry, "1", "2", "3")
        for (i, trial) in [
            Self.trial([0.3, 0.3], [0.3, 0.3]), Self.trial([0.02, 0.02]), Self.trial([0.3]),
        ].enumerated() {
            var proposal = Fixture.proposal("k\(i)", judged: "3", vetoes: i == 1 ? ["IncomeMissing"] : [])
            proposal.trial = trial
            _ = try await registry.decide(proposal, at: Fixture.time(60))
        }
        _ = try await registry.decide(Fixture.proposal("dry", judged: "3", mode: .dryRun), at: Fixture.time(61))
        _ = try await registry.decide(Fixture.proposal("go", judged: "3"), at: Fixture.time(62))
        _ = try await registry.decide(
            Fixture.proposal("soon", judged: "2", cooldown: .hours(6)), at: Fixture.time(63))
        let decisions = try await registry.decisions(model: "fraud")
        #expect(decisions.count == 6)
        let putOff = try decisions.filter { try $0.isPutOff() }.map(\.idempotencyKey)
        #expect(putOff == ["soon", "k1"], "the cooldown and the veto pass, a target that fails as well does not")
        for decision in decisions { #expect(try decision.decidedAgain() == .same, "\(decision.idempotencyKey)") }
        #expect(try await registry.verifyAudit().isIntact)
        let detail = try #require(
            try await registry.audit(model: "fraud").first { $0.action == "champion.rolled_back" })
        #expect(detail.detail.contains("dossier_sha256"))
    }
}
