import Registry
import Testing
import Values

struct DecisionTests {
    @Test func `a sound proposal rolls back and is stored with its evidence`() async throws {
        let registry = try await Fixture.registry()
        try await Fixture.promote(registry, "1", "2")
        let decision = try await registry.decide(Fixture.proposal("k", judged: "2"), at: Fixture.time(60))
        #expect(decision.outcome == .done && decision.from == "2" && decision.to == "1")
        #expect(decision.evidence == #"{"psi":0.31}"#)
        let state = try await registry.champion(model: "fraud")
        #expect(state.slots == ["1", nil, nil] && state.sequence == decision.sequence)
        #expect(try await registry.quarantined(model: "fraud").first?.evidence == #"{"psi":0.31}"#)
        #expect(try await registry.decisions(model: "fraud") == [decision])
    }

    @Test func `eight callers with one key decide once`() async throws {
        try await Fixture.withFile { path in
            let registries = [try await Registry(path: path), try await Registry(path: path)]
            try await Fixture.fill(registries[0])
            try await Fixture.promote(registries[0], "1", "2", "3")
            let decisions = try await withThrowingTaskGroup { group in
                for i in 0..<8 {
                    group.addTask {
                        try await registries[i % 2].decide(Fixture.proposal("k", judged: "3"), at: Fixture.time(60))
                    }
                }
                return try await group.reduce(into: Set<Decision>()) { $0.insert($1) }
            }
            #expect(decisions.count == 1)
            #expect(decisions.first?.outcome == .done)
            #expect(try await registries[1].champion(model: "fraud").slots == ["2", "1", nil])
            let kinds = try await registries[0].events().map(\.kind)
            #expect(kinds.count { $0 == .rolledBack } == 1)
        }
    }

    @Test func `a stored refusal is answered again though its cause is gone`() async throws {
        let registry = try await Fixture.registry()
        try await Fixture.promote(registry, "1", "2")
        let refused = try await registry.decide(
            Fixture.proposal("k", judged: "2", vetoes: ["IncomeMissing"]), at: Fixture.time(60))
        let again = try await registry.decide(Fixture.proposal("k", judged: "2"), at: Fixture.time(90))
        #expect(refused.outcome == .refused && again == refused)
        #expect(try await registry.champion(model: "fraud").slots == ["2", "1", nil])
    }

    @Test func `one key serves one model`() async throws {
        let registry = try await Fixture.registry()
        _ = try await registry.decide(Fixture.proposal("k", judged: "2"), at: Fixture.time(60))
        var other = Fixture.proposal("k", judged: "2")
        other.model = "churn"
        let error = await refusal { [other] in _ = try await registry.decide(other, at: Fixture.time(61)) }
        #expect(error?.code == .conflict)
    }

    @Test func `refusals say why`() async throws {
        let registry = try await Fixture.registry()
        try await Fixture.promote(registry, "1", "2", "3")
        func why(_ proposal: RollbackProposal) async throws -> String {
            let decision = try await registry.decide(proposal, at: Fixture.time(60))
            #expect(decision.outcome == .refused)
            return decision.reason
        }
        #expect(try await why(Fixture.proposal("a", judged: "2")).contains("champion is '3' now"))
        #expect(
            try await why(Fixture.proposal("b", judged: "3", vetoes: ["IncomeMissing", "SchemaChanged"]))
                .contains("IncomeMissing; SchemaChanged"))
        #expect(try await why(Fixture.proposal("c", judged: "3", target: "99")).contains("no version '99'"))
        #expect(try await why(Fixture.proposal("d", judged: "3", target: "5")).contains("never was its champion"))
        #expect(try await why(Fixture.proposal("e", judged: "3", target: "3")).contains("already"))
        #expect(try await why(Fixture.proposal("f", judged: "3", maximum: 0)).contains("maximum"))
        var unknown = Fixture.proposal("g", judged: "3")
        unknown.model = "churn"
        #expect(try await why(unknown).contains("not registered"))
        try await registry.rollback(model: "fraud", to: "1", actor: "ann", reason: "", at: Fixture.time(61))
        #expect(try await why(Fixture.proposal("h", judged: "1", target: "3")).contains("quarantine"))
        try await registry.rollback(model: "fraud", to: "champion-1", actor: "ann", reason: "", at: Fixture.time(62))
        #expect(try await why(Fixture.proposal("i", judged: "2")).contains("no champion-1"))
        let kinds = try await registry.events(limit: 100).map(\.kind)
        #expect(kinds.count { $0 == .rollbackRefused } == 9)
    }

    @Test func `a dry run tells what it would do`() async throws {
        let registry = try await Fixture.registry()
        try await Fixture.promote(registry, "1", "2")
        let before = try await registry.champion(model: "fraud")
        let decision = try await registry.decide(
            Fixture.proposal("k", judged: "2", mode: .dryRun), at: Fixture.time(60))
        #expect(decision.outcome == .wouldRun && decision.from == "2" && decision.to == "1")
        #expect(try await registry.champion(model: "fraud") == before)
        #expect(try await registry.events(after: before.sequence).map(\.kind) == [.rollbackWouldRun])
        let later = try await registry.decide(
            Fixture.proposal("l", judged: "2", cooldown: .hours(6)), at: Fixture.time(61))
        #expect(later.outcome == .done, "a dry run does not count for the cooldown")
    }

    @Test func `the cooldown ends on time`() async throws {
        let registry = try await Fixture.registry()
        try await Fixture.promote(registry, "1", "2", "3")
        func decide(_ key: String, _ judged: String, at minutes: Int64) async throws -> Decision {
            try await registry.decide(
                Fixture.proposal(key, judged: judged, cooldown: .hours(6)), at: Fixture.time(minutes))
        }
        #expect(try await decide("a", "3", at: 1_000).outcome == .done)
        #expect(try await decide("b", "2", at: 1_359).reason.contains("cooldown"))
        #expect(try await decide("c", "2", at: 500).reason.contains("cooldown"))
        #expect(try await decide("d", "2", at: 1_360).outcome == .done)
    }

    @Test func `the maximum counts automatic rollbacks in its span`() async throws {
        let registry = try await Fixture.registry()
        try await Fixture.promote(registry, "1", "2", "3", "4", "5", "6")
        func decide(_ key: String, at minutes: Int64) async throws -> Decision {
            let state = try await registry.champion(model: "fraud")
            return try await registry.decide(
                Fixture.proposal(key, judged: state.champion?.version ?? "", maximum: 2, per: .hours(24)),
                at: Fixture.time(minutes))
        }
        try await registry.rollback(model: "fraud", to: "champion-1", actor: "ann", reason: "", at: Fixture.time(9))
        #expect(try await decide("a", at: 10).outcome == .done)
        #expect(try await decide("b", at: 20).outcome == .done)
        #expect(try await decide("c", at: 30).reason.contains("maximum: 2"))
        #expect(try await decide("d", at: 10 + 24 * 60).outcome == .done)
        #expect(try await decide("e", at: 11 + 24 * 60).outcome == .refused)
    }
}
