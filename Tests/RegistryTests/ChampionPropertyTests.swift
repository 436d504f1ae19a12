import Registry
import TestSupport
import Testing
import Values

/// Random lives of a model: whatever is done to it, the invariants hold after every step.
struct ChampionPropertyTests {
    @Test(arguments: 0..<12 as Range<UInt64>)
    func `aliases never dangle, champions are never quarantined, history replays`(_ seed: UInt64) async throws {
        var random = SeededGenerator(seed: seed)
        let registry = try await Fixture.registry(versions: 5)
        var last: Int64 = 0
        for step in 1...60 {
            do { try await act(registry, step, &random) } catch is RegistryError {}
            let state = try await registry.champion(model: "fraud")
            #expect(state.sequence >= last, "seed \(random.seed) step \(step)")
            last = state.sequence
            try await check(registry, state, "seed \(random.seed) step \(step)")
        }
        #expect(try await registry.verifyAudit().isIntact, "seed \(random.seed)")
    }

    private func act(_ registry: Registry, _ step: Int, _ random: inout SeededGenerator) async throws {
        let at = Fixture.time(Int64(step))
        let version = String(Int.random(in: 1...6, using: &random))
        let targets = ["champion-1", "champion-2", version]
        let target = targets[Int.random(in: 0..<3, using: &random)]
        switch Int.random(in: 0..<10, using: &random) {
        case 0...4: try await registry.promote(model: "fraud", version: version, actor: "a", reason: "", at: at)
        case 5...6: try await registry.rollback(model: "fraud", to: target, actor: "a", reason: "", at: at)
        case 7:
            _ = try await registry.decide(
                Fixture.proposal("key \(step)", judged: version, target: target, mode: .auto), at: at)
        case 8: try await registry.clearQuarantine(model: "fraud", version: version, actor: "a", reason: "", at: at)
        default:
            if Int.random(in: 0..<6, using: &random) == 0 {
                try await registry.deleteVersion(model: "fraud", version: version, actor: "a", reason: "", at: at)
                _ = try await registry.registerVersion(model: "fraud", source: "x", actor: "a", at: at)
            }
        }
    }

    private func check(_ registry: Registry, _ state: ChampionState, _ where: Comment) async throws {
        let present = Set(try await registry.versions(model: "fraud").map(\.version))
        let quarantined = Set(try await registry.quarantined(model: "fraud").map(\.version))
        let held = state.slots.compactMap { $0 }
        #expect(Set(held).count == held.count, `where`)
        #expect(Set(held).isSubset(of: present) && quarantined.isDisjoint(with: held), `where`)
        #expect(Array(state.slots.prefix(held.count)) == held, `where`)
        var replayed: [String: String] = [:]
        for move in try await registry.aliasHistory(model: "fraud") {
            #expect(replayed[move.alias] == move.from, `where`)
            replayed[move.alias] = move.to
        }
        let aliases = try await registry.aliases(model: "fraud")
        #expect(replayed == Dictionary(uniqueKeysWithValues: aliases.map { ($0.alias, $0.version) }), `where`)
    }
}

extension AuditVerdict {
    var isIntact: Bool {
        if case .intact = self { true } else { false }
    }
}
