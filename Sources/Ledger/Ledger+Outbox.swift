import Foundation
import GRDB
package import Rules
package import Values

extension Ledger {
    /// Pending entries to a target that are due, oldest first; of each lane only the first, so that nothing overtakes it.
    package func due(
        _ kind: OutboxEntry.Kind, to target: String, at now: Timestamp, limit: Int
    ) async throws -> [StoredOutboxEntry] {
        try await database.read { db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT * FROM outbox WHERE id IN (
                        SELECT min(id) FROM outbox WHERE state = 'pending' AND kind = ? AND target = ? GROUP BY lane)
                    AND due <= ? ORDER BY id LIMIT ?
                    """, arguments: [kind.rawValue, target, now.microseconds, limit]
            ).map(Self.entry)
        }
    }

    /// Targets with pending entries.
    package func targets(_ kind: OutboxEntry.Kind) async throws -> [String] {
        try await database.read { db in
            try String.fetchAll(
                db, sql: "SELECT DISTINCT target FROM outbox WHERE state = 'pending' AND kind = ? ORDER BY target",
                arguments: [kind.rawValue])
        }
    }

    /// Entries given up on, with why.
    package func deadEntries() async throws -> [(entry: StoredOutboxEntry, note: String)] {
        try await database.read { db in
            try Row.fetchAll(db, sql: "SELECT * FROM outbox WHERE state = 'dead' ORDER BY id").map {
                (Self.entry($0), $0["note"] as String? ?? "")
            }
        }
    }

    /// Puts an entry in line that no step of the engine caused. One whose key is there already is left out.
    package func add(_ entry: OutboxEntry) async throws {
        try await database.write { db in try Self.add(entry, db) }
    }

    package func reschedule(_ id: Int64, progress: [UInt8], due: Timestamp, note: String) async throws {
        try await database.write { db in
            try db.execute(
                sql: "UPDATE outbox SET progress = ?, due = ?, note = ? WHERE id = ?",
                arguments: [Data(progress), due.microseconds, note, id])
        }
    }

    /// Marks an entry finished: `done`, or `dead` with the reason. What follows from it is added in the same transaction.
    /// - Parameter alert: shown from now on instead of the alert's own last firing line.
    package func finish(
        _ id: Int64, dead reason: String? = nil, adding entries: [OutboxEntry] = [], amending alert: Alert? = nil
    ) async throws {
        try await database.write { db in
            if let alert {
                try db.execute(
                    sql: "UPDATE alert SET line = ? WHERE fingerprint = ? AND revision = ? AND status = 'firing'",
                    arguments: [alert.json.text, alert.fingerprint, alert.revision])
            }
            try db.execute(
                sql: "UPDATE outbox SET state = ?, note = ? WHERE id = ?",
                arguments: [reason == nil ? "done" : "dead", reason, id])
            for entry in entries { try Self.add(entry, db) }
        }
    }

    /// Puts a dead entry back in line.
    package func retryDead(_ id: Int64, at now: Timestamp) async throws -> Bool {
        try await database.write { db in
            try db.execute(
                sql: """
                    UPDATE outbox SET state = 'pending', progress = x'', due = ?, note = NULL
                    WHERE id = ? AND state = 'dead'
                    """, arguments: [now.microseconds, id])
            return db.changesCount > 0
        }
    }

    private static func entry(_ row: Row) -> StoredOutboxEntry {
        StoredOutboxEntry(
            id: row["id"],
            entry: OutboxEntry(
                kind: OutboxEntry.Kind(rawValue: row["kind"]) ?? .delivery, key: row["key"], target: row["target"],
                lane: row["lane"], body: [UInt8](row["body"] as Data), at: Timestamp(microseconds: row["at"])),
            progress: [UInt8](row["progress"] as Data), due: Timestamp(microseconds: row["due"]))
    }
}
