import Registry
import Testing
import Values

/// Aliases moved by comparing, and what a rename takes with it.
struct AliasTests {
    private static func set(
        _ registry: Registry, _ alias: String, _ version: String, _ expecting: SequenceCondition?
    ) async throws -> Int64 {
        try await registry.pointAlias(
            model: "fraud", alias: alias, version: version, expecting: expecting, mayPromote: true, actor: "ann",
            at: Fixture.time(1))
    }

    /// A plain alias, a plain model's champion, and a protected one's.
    @Test(arguments: [("live", false), ("champion", false), ("champion", true)])
    func `an alias moves only while it is what was read`(_ alias: String, _ isProtected: Bool) async throws {
        let registry = try await Fixture.registry()
        if isProtected { try await registry.protect(model: "fraud", actor: "ann", reason: "", at: Fixture.time(0)) }
        let absent = await refusal { _ = try await Self.set(registry, alias, "1", SequenceCondition(match: .any)) }
        #expect(
            absent?.code == .conflict && absent?.message.contains("points nowhere, and must point somewhere") == true)
        let first = try await Self.set(registry, alias, "1", SequenceCondition(noneMatch: .any))
        let taken = await refusal { _ = try await Self.set(registry, alias, "2", SequenceCondition(noneMatch: .any)) }
        #expect(taken?.code == .conflict)
        let second = try await Self.set(registry, alias, "2", .at(first))
        #expect(second > first)
        let late = await refusal { _ = try await Self.set(registry, alias, "3", .at(first)) }
        #expect(
            late?.code == .conflict
                && late?.message.contains("version '2', at sequence \(second), not at \(first)") == true)
        // It is there already, but not by this caller's doing.
        #expect(await refusal { _ = try await Self.set(registry, alias, "2", .at(first)) }?.code == .conflict)
        #expect(try await Self.set(registry, alias, "2", .at(second)) == second)
        let third = try await Self.set(registry, alias, "4", SequenceCondition(match: .any))
        let aliases = try await registry.aliases(model: "fraud")
        #expect(aliases.first { $0.alias == alias }?.sequence == third)
        guard !isProtected else { return }
        func drop(_ expecting: SequenceCondition) async throws {
            try await registry.dropAlias(
                model: "fraud", alias: alias, expecting: expecting, actor: "ann", at: Fixture.time(2))
        }
        #expect(await refusal { try await drop(.at(second)) }?.code == .conflict)
        try await drop(.at(third))
        #expect(await refusal { try await drop(.at(third)) }?.code == .conflict)
    }

    @Test func `the champion that a client set is promoted like any other, and stays from then on`() async throws {
        try await Fixture.withFile { path in
            let registry = try await Registry(path: path)
            try await Fixture.fill(registry)
            let sequence = try await Self.set(registry, "champion", "1", nil)
            #expect(try await !registry.isProtected(model: "fraud"))
            let state = try await registry.promote(
                model: "fraud", version: "1", actor: "maria", reason: "it serves", at: Fixture.time(2))
            #expect(state.champion?.version == "1" && state.sequence == sequence)
            #expect(try await registry.isProtected(model: "fraud"))
            let refused = await refusal {
                try await registry.deleteVersion(
                    model: "fraud", version: "1", actor: "ann", reason: "", at: Fixture.time(3))
            }
            #expect(refused?.code == .refused)
            guard case .intact = try await Registry.verifyAudit(path: path) else {
                Issue.record("the trail does not come to the tables")
                return
            }
        }
    }

    @Test func `of many who move an alias at once with the same expectation one wins`() async throws {
        let registry = try await Fixture.registry()
        let read = try await Self.set(registry, "live", "1", nil)
        let wins = await withTaskGroup { group in
            for version in 2...6 {
                group.addTask { (try? await Self.set(registry, "live", String(version), .at(read))) == nil ? 0 : 1 }
            }
            return await group.reduce(0, +)
        }
        #expect(wins == 1)
    }

    @Test func `a renamed model ends under its old name and goes on under the new one`() async throws {
        let registry = try await Fixture.registry(versions: 2)
        _ = try await Self.set(registry, "champion", "2", nil)
        let before = try await registry.champions(after: 0)
        let read = try #require(before.last?.sequence)
        async let old = registry.waitForChange(model: "fraud", after: read, timeout: .seconds(60))
        async let all = registry.waitForChanges(after: read, timeout: .seconds(60))
        while registry.waiterCount < 2 { await Task.yield() }
        try await registry.rename(model: "fraud", to: "scam", actor: "ann", at: Fixture.time(2))
        #expect(try await old?.champion == nil)
        let heard = try await all
        #expect(heard.map(\.model) == ["fraud", "scam"])
        #expect(heard.map(\.champion?.version) == [nil, "2"])
        // One event each, so that whoever stops between them goes on with the second.
        let end = try #require(heard.first?.sequence)
        #expect(try await registry.champions(after: end).map(\.model) == ["scam"])
        #expect(try await registry.champion(model: "scam").sequence == heard.last?.sequence)
        // Who begins to read now never knew the old name.
        #expect(try await registry.champions(after: 0).map(\.model) == ["scam"])
        #expect(try await registry.audit(model: "fraud", limit: 1).first?.detail.contains(#""to":"scam""#) == true)
        try await registry.rename(model: "scam", to: "fraud", actor: "ann", at: Fixture.time(3))
        #expect(try await registry.champions(after: read).map(\.model) == ["fraud", "scam", "fraud"])
        #expect(try await registry.champions(after: read).last?.champion?.version == "2")
        #expect(try await registry.verifyAudit().isIntact)
    }

    @Test func `a gate and a hold go with a model that is renamed`() async throws {
        let registry = try await Fixture.registry(versions: 1)
        try await registry.setPolicy(
            model: "fraud", PromotionPolicy(approvals: 1), actor: "ann", reason: "", at: Fixture.time(1))
        try await registry.hold(model: "fraud", actor: "ann", reason: "migration", at: Fixture.time(1))
        try await registry.rename(model: "fraud", to: "scam", actor: "ann", at: Fixture.time(2))
        let error = await refusal {
            try await registry.promote(model: "scam", version: "1", actor: "ann", reason: "", at: Fixture.time(3))
        }
        #expect(error?.code == .refused && error?.message.contains("approvals >= 1") == true)
        #expect(try await registry.holds().map(\.model) == ["scam"])
        #expect(try await registry.verifyAudit().isIntact)
    }

    @Test func `whoever begins to read hears nothing of models that are gone`() async throws {
        let registry = try await Fixture.registry(versions: 1)
        _ = try await Self.set(registry, "champion", "1", nil)
        let read = try await registry.newestSequence()
        try await registry.deleteModel("fraud", actor: "ann", at: Fixture.time(2))
        #expect(try await registry.champions(after: 0).isEmpty)
        #expect(try await registry.champions(after: read).map(\.model) == ["fraud"])
    }

    @Test func `a rollback with nowhere to go says the command that does it`() async throws {
        let registry = try await Fixture.registry()
        try await Fixture.promote(registry, "1")
        for target in ["champion-1", "1"] {
            let error = await refusal {
                try await registry.rollback(model: "fraud", to: target, actor: "a", reason: "", at: Fixture.time(2))
            }
            #expect(error?.message.contains("`holdfast registry rollback fraud --to VERSION`") == true)
        }
    }
}
