import Registry
import Testing
import Values

struct ChampionTests {
    @Test func `promotion moves the champions down`() async throws {
        let registry = try await Fixture.registry()
        #expect(try await registry.champion(model: "fraud").slots == [nil, nil, nil])
        try await Fixture.promote(registry, "1", "2", "3", "4")
        #expect(try await registry.champion(model: "fraud").slots == ["4", "3", "2"])
    }

    @Test func `a version promoted again leaves its old slot`() async throws {
        let registry = try await Fixture.registry()
        try await Fixture.promote(registry, "1", "2", "3", "1")
        #expect(try await registry.champion(model: "fraud").slots == ["1", "3", "2"])
        try await Fixture.promote(registry, "3")
        #expect(try await registry.champion(model: "fraud").slots == ["3", "1", "2"])
    }

    @Test func `promoting the champion changes nothing`() async throws {
        let registry = try await Fixture.registry()
        try await Fixture.promote(registry, "1", "2")
        let before = try await registry.champion(model: "fraud")
        let events = try await registry.events().count
        try await Fixture.promote(registry, "2")
        #expect(try await registry.champion(model: "fraud") == before)
        #expect(try await registry.events().count == events)
    }

    @Test func `compare and set conflicts with a champion that moved`() async throws {
        let registry = try await Fixture.registry()
        try await Fixture.promote(registry, "1")
        let read = try await registry.champion(model: "fraud").sequence
        func promote(_ version: String) async throws {
            try await registry.promote(
                model: "fraud", version: version, expecting: .at(read), actor: "ann", reason: "", at: Fixture.time(2))
        }
        try await promote("2")
        let error = await refusal { try await promote("3") }
        #expect(error?.code == .conflict)
        #expect(error?.message.contains("version '2'") == true)
        #expect(try await registry.champion(model: "fraud").slots == ["2", "1", nil])
    }

    @Test func `of many who promote at once with the same expectation one wins`() async throws {
        let registry = try await Fixture.registry()
        let wins = await withTaskGroup { group in
            for version in 1...6 {
                group.addTask {
                    let won = try? await registry.promote(
                        model: "fraud", version: String(version), expecting: .at(0), actor: "a", reason: "",
                        at: Fixture.time(2))
                    return won == nil ? 0 : 1
                }
            }
            return await group.reduce(0, +)
        }
        #expect(wins == 1)
    }

    @Test func `rollback quarantines the champion and refills from history`() async throws {
        let registry = try await Fixture.registry()
        try await Fixture.promote(registry, "1", "2", "3", "4")
        let state = try await registry.rollback(
            model: "fraud", to: "champion-1", expectedChampion: "4", actor: "ann", reason: "bad scores",
            evidence: #"{"psi":0.4}"#, at: Fixture.time(9))
        #expect(state.slots == ["3", "2", "1"])
        #expect(state.since == Fixture.time(9))
        let quarantine = try await registry.quarantined(model: "fraud")
        #expect(quarantine.map(\.version) == ["4"])
        #expect(quarantine.first?.evidence == #"{"psi":0.4}"# && quarantine.first?.reason == "bad scores")
        #expect(try await registry.version(model: "fraud", "4").isQuarantined)
        let move = try await registry.aliasHistory(model: "fraud", alias: "champion").last
        #expect(move?.from == "4" && move?.to == "3" && move?.sequence == state.sequence && move?.actor == "ann")
    }

    @Test func `rollback goes to the second slot or to a version by name`() async throws {
        let registry = try await Fixture.registry()
        try await Fixture.promote(registry, "1", "2", "3", "4")
        func back(_ target: String) async throws -> [String?] {
            try await registry.rollback(model: "fraud", to: target, actor: "ann", reason: "", at: Fixture.time(9)).slots
        }
        #expect(try await back("champion-2") == ["2", "3", "1"])
        #expect(try await back("1") == ["1", "3", nil])
        #expect(try await back("3") == ["3", nil, nil])
    }

    @Test func `what never was champion is promoted through its gate, not rolled back to`() async throws {
        let registry = try await Fixture.registry()
        try await Fixture.promote(registry, "1", "2", "3", "4")
        let error = await refusal {
            try await registry.rollback(model: "fraud", to: "5", actor: "ann", reason: "", at: Fixture.time(9))
        }
        #expect(error?.code == .refused && error?.message.contains("holdfast registry promote fraud") == true)
        #expect(try await registry.quarantined(model: "fraud").isEmpty)
        // Out of the warm set, but it has served.
        let state = try await registry.rollback(
            model: "fraud", to: "1", actor: "ann", reason: "", at: Fixture.time(9))
        #expect(state.champion?.version == "1")
    }

    @Test func `rollback tells why it refuses`() async throws {
        let registry = try await Fixture.registry()
        func why(_ target: String, expected: String? = nil, evidence: String? = nil) async -> RegistryError? {
            await refusal {
                try await registry.rollback(
                    model: "fraud", to: target, expectedChampion: expected, actor: "ann", reason: "",
                    evidence: evidence, at: Fixture.time(9))
            }
        }
        #expect(await why("champion-1")?.message.contains("no champion") == true)
        try await Fixture.promote(registry, "1")
        #expect(await why("champion-1")?.code == .refused)
        #expect(await why("champion")?.message.contains("already") == true)
        #expect(await why("1")?.code == .refused)
        #expect(await why("99")?.code == .notFound)
        try await Fixture.promote(registry, "2", "3")
        #expect(await why("champion-1", expected: "2")?.code == .conflict)
        #expect(await why("champion-1", evidence: "{")?.code == .invalid)
        try await registry.rollback(model: "fraud", to: "champion-1", actor: "ann", reason: "", at: Fixture.time(9))
        #expect(await why("3")?.message.contains("quarantine") == true)
        #expect(try await registry.champion(model: "fraud").slots == ["2", "1", nil])
    }

    @Test func `a quarantined version is promoted only once cleared`() async throws {
        let registry = try await Fixture.registry()
        try await Fixture.promote(registry, "1", "2")
        try await registry.rollback(model: "fraud", to: "champion-1", actor: "ann", reason: "", at: Fixture.time(9))
        #expect(await refusal { try await Fixture.promote(registry, "2") }?.code == .refused)
        func clear() async throws -> Bool {
            try await registry.clearQuarantine(
                model: "fraud", version: "2", actor: "bo", reason: "data was at fault", at: Fixture.time(10))
        }
        #expect(try await clear())
        #expect(try await !clear())
        try await Fixture.promote(registry, "2")
        #expect(try await registry.champion(model: "fraud").slots == ["2", "1", nil])
    }

    @Test func `the document fleets read has every slot`() async throws {
        let registry = try await Fixture.registry()
        try await Fixture.promote(registry, "1", "2")
        let state = try await registry.champion(model: "fraud")
        #expect(
            state.json.text == """
                {"model":"fraud","sequence":\(state.sequence),\
                "champion":{"version":"2","source":"s3://models/fraud"},\
                "champion-1":{"version":"1","source":"s3://models/fraud"},"champion-2":null}
                """)
    }
}
