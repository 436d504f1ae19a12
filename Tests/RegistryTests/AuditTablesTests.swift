import Foundation
import GRDB
import Testing
import Values

@testable import Registry

/// The trail played again: whoever writes the tables past the registry is found, with what and where.
struct AuditTablesTests {
    /// Something of everything that the trail tells of.
    private static func live(_ path: String) async throws {
        let registry = try await Registry(path: path)
        try await Fixture.fill(registry, versions: 5)
        try await registry.setPolicy(
            model: "fraud", PromotionPolicy(requirements: [.init(metric: "aupr", minimum: 0.8)], approvals: 1),
            actor: "ann", reason: "", at: Fixture.time(1))
        for version in ["1", "2", "3"] {
            _ = await refusal { try await Fixture.promote(registry, version) }
            try await registry.record(
                [
                    VersionMetric(name: "aupr", value: 0.83, standardError: 0.01),
                    VersionMetric(name: "latency", dataset: "june", value: 12),
                ], model: "fraud", version: version, actor: "ann", reason: "", at: Fixture.time(2))
            try await registry.approve(
                model: "fraud", version: version, actor: "bo", reason: "read it", at: Fixture.time(3))
            try await Fixture.promote(registry, version)
        }
        try await registry.promote(
            model: "fraud", version: "4", force: true, actor: "ann", reason: "fire", at: Fixture.time(4))
        try await registry.rollback(
            model: "fraud", to: "champion-1", actor: "ann", reason: "worse", evidence: #"{"psi":0.4}"#,
            at: Fixture.time(5))
        _ = try await registry.decide(Fixture.proposal("k", judged: "3", mode: .auto), at: Fixture.time(6))
        _ = try await registry.decide(Fixture.proposal("l", judged: "3", mode: .auto), at: Fixture.time(6))
        try await registry.clearQuarantine(
            model: "fraud", version: "4", actor: "ann", reason: "", at: Fixture.time(7))
        try await registry.setAlias(
            model: "fraud", alias: "live", version: "5", actor: "ann", reason: "", at: Fixture.time(8))
        try await registry.edit(
            model: "fraud", version: "5", description: "fifth", tags: ["team": "risk", "gone": nil], actor: "ann",
            at: Fixture.time(9))
        try await registry.storeReference(
            [1, 2, 3], model: "fraud", version: "5", actor: "ann", reason: "", at: Fixture.time(9))
        try await registry.hold(model: nil, actor: "ann", reason: "migration", at: Fixture.time(10))
        _ = try await registry.registerModel("old", tags: ["a": "b"], actor: "ann", at: Fixture.time(11))
        for _ in 0..<2 {
            _ = try await registry.registerVersion(model: "old", source: "s3://o", actor: "ann", at: Fixture.time(11))
        }
        try await registry.pointAlias(
            model: "old", alias: "champion", version: "1", mayPromote: true, actor: "ann", at: Fixture.time(12))
        try await registry.deleteVersion(model: "old", version: "2", actor: "ann", reason: "", at: Fixture.time(12))
        try await registry.rename(model: "old", to: "new", actor: "ann", at: Fixture.time(13))
        _ = try await registry.registerModel("old", actor: "ann", at: Fixture.time(14))
        try await registry.deleteModel("new", actor: "ann", at: Fixture.time(15))
        _ = try await registry.purge(
            deletedBefore: Fixture.time(99), dryRun: false, actor: "ann", reason: "", at: Fixture.time(100))
    }

    private static let fraud = "(SELECT id FROM registered_model WHERE name = 'fraud')"

    private static func version(_ number: Int) -> String {
        "(SELECT id FROM model_version WHERE model_id = \(fraud) AND number = \(number))"
    }

    @Test func `a life without strangers is intact`() async throws {
        try await Fixture.withFile { path in
            try await Self.live(path)
            let verdict = try await Registry.verifyAudit(path: path)
            #expect(verdict.isIntact, "\(verdict)")
        }
    }

    private static let tampering: [(String, String)] = [
        ("UPDATE alias SET version_id = \(version(5)) WHERE alias = 'champion'", "alias 'champion' of 'fraud'"),
        ("DELETE FROM alias WHERE alias = 'live'", "alias 'live' of 'fraud' is not there"),
        (
            "INSERT INTO alias (model_id, alias, version_id, seq, updated_at) VALUES (\(fraud), 'x', \(version(1)), 3, 0)",
            "of which the trail does not tell"
        ),
        ("UPDATE alias_history SET actor = 'bo' WHERE id = 2", "move '2'"),
        ("UPDATE alias_history SET evidence = '{\"psi\":0.1}' WHERE evidence IS NOT NULL", "move"),
        ("DELETE FROM alias_history WHERE id = (SELECT MAX(id) FROM alias_history)", "is not there"),
        ("DELETE FROM quarantine", "quarantine of version '3' of 'fraud' is not there"),
        ("UPDATE quarantine SET reason = 'none'", "quarantine of version '3'"),
        ("UPDATE model_version SET source = 's3://evil' WHERE id = \(version(3))", "source of version '3' of 'fraud'"),
        ("UPDATE model_version SET storage = 's3://evil' WHERE id = \(version(3))", "storage of version '3'"),
        ("UPDATE model_version SET deleted_at = 1 WHERE id = \(version(5))", "version '5' of 'fraud'"),
        ("UPDATE model_version SET description = 'x' WHERE id = \(version(5))", "description of version '5'"),
        ("UPDATE model_version_tag SET value = 'x' WHERE key = 'team'", "tag 'team' of version '5'"),
        ("UPDATE version_metric SET value = 0.99 WHERE name = 'aupr'", "metric 'aupr' of version"),
        ("UPDATE version_metric SET standard_error = NULL WHERE name = 'aupr'", "standard error"),
        ("UPDATE approval SET approver = 'cleo' WHERE version_id = \(version(3))", "approval"),
        ("DELETE FROM approval WHERE version_id = \(version(2))", "approval 'bo' of version '2'"),
        ("DELETE FROM promotion_policy", "policy 'fraud' is not there"),
        ("UPDATE promotion SET outcome = 'passed' WHERE outcome = 'forced'", "gate"),
        ("UPDATE promotion SET checks = '[]' WHERE outcome = 'passed'", "gate"),
        ("UPDATE decision SET dossier = '{}'", "decision 'k'"),
        ("DELETE FROM rollback_hold", "hold '*'"),
        ("UPDATE registered_model SET is_protected = 0", "protection of 'fraud' is not there"),
        ("UPDATE registered_model SET deleted_at = NULL", "model 'new'"),
        ("UPDATE version_reference SET profile = x'00'", "reference profile of version '5'"),
        ("UPDATE event SET payload = '{}' WHERE seq = 4", "event 4 of the feed"),
        ("DELETE FROM event WHERE seq = 3", "event 3 of the feed"),
    ]

    @Test(arguments: tampering)
    func `what was written past the registry is found`(_ sql: String, _ words: String) async throws {
        try await Fixture.withFile { path in
            try await Self.live(path)
            try await DatabaseQueue(path: path).write { db in
                for table in ["alias_history", "promotion", "event"] {
                    try db.execute(sql: "DROP TRIGGER \(table)_no_update")
                    try db.execute(sql: "DROP TRIGGER IF EXISTS \(table)_no_delete")
                }
                try db.execute(sql: sql)
            }
            guard case .altered(_, let what) = try await Registry.verifyAudit(path: path) else {
                Issue.record("the tables are said to be intact")
                return
            }
            #expect(what.contains(words), "\(what)")
        }
    }

    @Test func `the first difference is told with the sequence of the change it contradicts`() async throws {
        try await Fixture.withFile { path in
            try await Self.live(path)
            let sequence = try await Registry(path: path).aliases(model: "fraud").first { $0.alias == "champion" }?
                .sequence
            try await DatabaseQueue(path: path).write { db in
                try db.execute(sql: "UPDATE alias SET version_id = \(Self.version(5)) WHERE alias = 'champion'")
                try db.execute(sql: "DELETE FROM rollback_hold")
            }
            guard case .altered(let found, let what) = try await Registry.verifyAudit(path: path) else {
                Issue.record("the tables are said to be intact")
                return
            }
            #expect(found == sequence && what.contains("version '5'") && what.contains("version '2'"), "\(what)")
        }
    }

    /// Trails that were begun before entries told the slots' moves are taken with the history's.
    @Test func `a trail of before is understood`() async throws {
        try await Fixture.withFile { path in
            try await Self.live(path)
            try await DatabaseQueue(path: path).write { db in
                try Self.makeOld(db)
            }
            let verdict = try await Registry.verifyAudit(path: path)
            #expect(verdict.isIntact, "\(verdict)")
        }
    }

    /// The same trail as an older program wrote it, chained anew.
    private static func makeOld(_ db: Database) throws {
        try db.execute(sql: "DROP TRIGGER audit_no_update; DROP TRIGGER event_no_update")
        for table in ["audit", "event"] {
            let column = table == "audit" ? "detail" : "payload"
            try db.execute(
                sql: """
                    UPDATE \(table) SET \(column) = json_remove(\(column), '$.moves', '$.gate_sha256', '$.storage')
                    """)
        }
        var previous = String(repeating: "0", count: 64)
        for row in try Row.fetchAll(db, sql: "SELECT * FROM audit ORDER BY id") {
            let old = AuditEntry(row)
            let hash = AuditTrail.hash(
                AuditEntry(
                    id: old.id, sequence: old.sequence, model: old.model, action: old.action, actor: old.actor,
                    reason: old.reason, detail: old.detail, at: old.at, previousHash: previous, hash: ""))
            try db.execute(
                sql: "UPDATE audit SET previous_hash = ?, hash = ? WHERE id = ?",
                arguments: [previous, hash, row["id"] as Int64])
            previous = hash
        }
    }
}
