import Foundation
import GRDB
import Registry
import Testing
import Values

struct AuditTests {
    @Test func `every change is audited and the chain holds`() async throws {
        let registry = try await Fixture.registry(versions: 2)
        try await Fixture.promote(registry, "1", "2")
        _ = try await registry.decide(Fixture.proposal("k", judged: "2"), at: Fixture.time(60))
        let entries = try await registry.audit(model: "fraud")
        #expect(
            entries.map(\.action).reversed() == [
                "model.registered", "version.registered", "version.registered", "champion.promoted",
                "champion.promoted", "champion.rolled_back",
            ])
        #expect(entries.first?.actor == "holdfast" && entries.first?.detail.contains("evidence_sha256") == true)
        #expect(entries.map(\.sequence) == (try await registry.events()).map(\.sequence).reversed())
        guard case .intact(let rows, let head) = try await registry.verifyAudit() else {
            Issue.record("the chain is broken")
            return
        }
        #expect(rows == 6 && head == entries.first?.hash)
        #expect(try await registry.audit(model: "churn").isEmpty)
        #expect(try await registry.audit(limit: 2).count == 2)
    }

    @Test func `an empty trail proves nothing`() async throws {
        #expect(try await Registry.inMemory().verifyAudit() == .empty)
    }

    @Test func `a registry that is not there is not made to be verified`() async throws {
        try await Fixture.withFile { path in
            let missing = await refusal { _ = try await Registry.verifyAudit(path: path) }
            #expect(missing?.code == .notFound && missing?.message.contains("does not exist") == true)
            #expect(!FileManager.default.fileExists(atPath: path))
            try Data().write(to: URL(filePath: path))
            let empty = await refusal { _ = try await Registry.verifyAudit(path: path) }
            #expect(empty?.code == .notFound && empty?.message.contains("holds no registry") == true)
            #expect(try Data(contentsOf: URL(filePath: path)).isEmpty)
            try Data("no database at all, and longer than a header of SQLite's, which has a hundred bytes".utf8)
                .write(to: URL(filePath: path))
            #expect(await refusal { _ = try await Registry.verifyAudit(path: path) }?.code == .unavailable)
        }
    }

    @Test func `a file is verified while it is in use`() async throws {
        try await Fixture.withFile { path in
            let registry = try await Registry(path: path)
            #expect(try await Registry.verifyAudit(path: path) == .empty)
            try await Fixture.fill(registry, versions: 1)
            try await Fixture.promote(registry, "1")
            #expect(try await Registry.verifyAudit(path: path) == registry.verifyAudit())
            #expect(try await Registry.verifyAudit(path: path).isIntact)
        }
    }

    @Test(arguments: [
        ("UPDATE audit SET actor = 'mallory' WHERE id = 4", Int64(4)),
        ("UPDATE audit SET at = at + 1 WHERE id = 2", 2),
        ("UPDATE audit SET detail = '{}' WHERE id = 7", 7),
        ("DELETE FROM audit WHERE id = 3", 3),
        ("DELETE FROM audit WHERE id = 1", 1),
        ("DELETE FROM audit WHERE id >= 6", 6),
        ("UPDATE audit SET previous_hash = hash WHERE id = 5", 5),
        ("UPDATE audit SET actor = reason, reason = actor WHERE id = 6", 6),
    ])
    func `a row tampered with is found`(_ sql: String, _ row: Int64) async throws {
        try await Fixture.withFile { path in
            let registry = try await Registry(path: path)
            try await Fixture.fill(registry, versions: 4)
            try await Fixture.promote(registry, "1", "2")
            try await DatabaseQueue(path: path).write { db in
                try db.execute(sql: "DROP TRIGGER audit_no_update; DROP TRIGGER audit_no_delete;")
                try db.execute(sql: sql)
            }
            guard case .broken(let found, _) = try await registry.verifyAudit() else {
                Issue.record("the chain is said to be intact")
                return
            }
            #expect(found == row)
        }
    }

    @Test(arguments: ["audit", "alias_history"])
    func `the past is append-only`(_ table: String) async throws {
        try await Fixture.withFile { path in
            let registry = try await Registry(path: path)
            try await Fixture.fill(registry, versions: 2)
            try await Fixture.promote(registry, "1", "2")
            for sql in ["UPDATE \(table) SET actor = 'mallory'", "DELETE FROM \(table)"] {
                await #expect(throws: DatabaseError.self) {
                    try await DatabaseQueue(path: path).write { try $0.execute(sql: sql) }
                }
            }
        }
    }
}
