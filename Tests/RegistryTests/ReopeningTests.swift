import Foundation
import GRDB
import Registry
import Testing
import Values

struct ReopeningTests {
    @Test func `a registry opened again is as it was`() async throws {
        try await Fixture.withFile { path in
            let before = try await write(path)
            let registry = try await Registry(path: path)
            #expect(try await registry.champion(model: "fraud") == before)
            #expect(try await registry.quarantined(model: "fraud").map(\.version) == ["3"])
            #expect(try await registry.verifyAudit().isIntact)
            let again = try await registry.decide(Fixture.proposal("k", judged: "3"), at: Fixture.time(99))
            #expect(again.outcome == .done && again.at == Fixture.time(60))
            let next = try await registry.registerVersion(
                model: "fraud", source: "x", actor: "ann", at: Fixture.time(99))
            #expect(next.number == 7)
        }
    }

    /// In a function of its own, so that the registry is closed when it returns.
    private func write(_ path: String) async throws -> ChampionState {
        let registry = try await Registry(path: path)
        try await Fixture.fill(registry)
        try await Fixture.promote(registry, "1", "2", "3")
        _ = try await registry.decide(Fixture.proposal("k", judged: "3"), at: Fixture.time(60))
        return try await registry.champion(model: "fraud")
    }

    @Test func `a change that fails leaves nothing behind`() async throws {
        let registry = try await Fixture.registry()
        try await Fixture.promote(registry, "1")
        let before = (try await registry.events().count, try await registry.audit().count)
        _ = await refusal {
            try await registry.rollback(
                model: "fraud", to: "champion-1", actor: "ann", reason: "", at: Fixture.time(2))
        }
        #expect((try await registry.events().count, try await registry.audit().count) == before)
    }

    @Test func `a file that is no registry is refused by name and left alone`() async throws {
        try await Fixture.withFile { path in
            let junk = Data(repeating: 0x41, count: 8_192)
            try junk.write(to: URL(filePath: path))
            let error = await refusal { _ = try await Registry(path: path) }
            #expect(error?.code == .unavailable && error?.message.contains(path) == true)
            #expect(try Data(contentsOf: URL(filePath: path)) == junk)
        }
    }

    @Test func `a folder that is missing is told by name`() async throws {
        let error = await refusal { _ = try await Registry(path: "/nonexistent/folder/registry.sqlite") }
        #expect(error?.code == .unavailable && error?.message.contains("/nonexistent/folder") == true)
    }

    @Test func `a file of a newer program is refused`() async throws {
        try await Fixture.withFile { path in
            _ = try await write(path)
            try await DatabaseQueue(path: path).write { db in
                try db.execute(sql: "INSERT INTO grdb_migrations (identifier) VALUES ('99 of the future')")
            }
            let error = await refusal { _ = try await Registry(path: path) }
            #expect(error?.code == .unavailable && error?.message.contains("newer") == true)
        }
    }
}
