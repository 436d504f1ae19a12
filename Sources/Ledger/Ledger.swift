import Events
import Files
import Foundation
import GRDB
import Rules
import Sketches
import Values
import Windows

/// What the engine knows, on disk: SQLite in WAL mode. Counts, the offsets they cover, window and alert state, transitions and the outbox
/// change in one transaction, so that a crash leaves all of a step or nothing of it.
///
/// `commit` blocks and is for the engine's thread; readers may use the ledger from any task.
package final class Ledger: Sendable {
    package let path: String
    let database: any DatabaseWriter
    private let mark: LedgerMark?

    /// - Parameter path: the database file, or `nil` for one in memory (`replay`).
    package init(path: String?) throws(LedgerError) {
        self.path = path ?? ":memory:"
        mark = path.map { LedgerMark(ledger: $0) }
        do {
            var configuration = Configuration()
            configuration.busyMode = .timeout(20)
            if let path {
                database = try DatabasePool(path: path, configuration: configuration)
                let health = try database.read { try String.fetchOne($0, sql: "PRAGMA quick_check(1)") }
                if let health, health != "ok" { throw LedgerError.damaged(path, health) }
            } else {
                database = try DatabaseQueue(configuration: configuration)
            }
            try LedgerSchema.migrator().migrate(database)
            // A commit that was acknowledged must survive a power cut too: events posted over HTTP are nowhere else. The pool
            // asks for less when it opens, and migrations need no more: what a power cut undoes is done again at the next start.
            // Steps rewrite the same counts over and over: a log four times as long as usual is moved to the file far less often.
            try database.writeWithoutTransaction {
                try $0.execute(sql: "PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 4000")
            }
            let held = try database.read { try Int64.fetchOne($0, sql: "SELECT commits FROM commit_count") ?? 0 }
            if let mark, held < mark.read() {
                throw LedgerError.damaged(
                    self.path,
                    "it holds \(held) commits and held \(mark.read()) before: the file or its -wal was lost or cut")
            }
        } catch let error as LedgerError {
            throw error
        } catch let error as DatabaseError
            where error.resultCode == .SQLITE_CORRUPT || error.resultCode == .SQLITE_NOTADB
        {
            throw LedgerError.damaged(self.path, error.message ?? "not a database")
        } catch {
            throw LedgerError(path: self.path, reason: "cannot be opened: \(error)")
        }
    }

    /// Opens a ledger to look at it, beside the service that writes it or without one. Nothing is written.
    package init(readingAt path: String) throws(LedgerError) {
        self.path = path
        mark = nil
        do {
            var configuration = Configuration()
            configuration.readonly = true
            configuration.busyMode = .timeout(20)
            database = try DatabasePool(path: path, configuration: configuration)
            let isLedger = try database.read { try $0.tableExists("transition") }
            guard isLedger else { throw LedgerError(path: path, reason: "this is no ledger") }
        } catch let error as LedgerError {
            throw error
        } catch {
            throw LedgerError(path: path, reason: "cannot be opened: \(error)")
        }
    }

    /// Writes a step. Returns when it is durable.
    package func commit(_ step: LedgerCommit, layouts: [String: String]) throws(LedgerError) {
        do {
            let commits = try database.write { db in
                try Self.write(step, layouts, db)
                return try Int64.fetchOne(
                    db, sql: "UPDATE commit_count SET commits = commits + 1 RETURNING commits") ?? 0
            }
            mark?.write(commits)
        } catch {
            throw LedgerError(path: path, reason: "cannot be written: \(error)")
        }
    }

    private static func write(_ step: LedgerCommit, _ layouts: [String: String], _ db: Database) throws {
        for (source, next) in step.offsets {
            try db.cachedExecute(
                "INSERT INTO source_offset VALUES (?, ?) ON CONFLICT DO UPDATE SET next_offset = excluded.next_offset",
                [source, next])
        }
        try store(step.panes, dropping: step.droppedPanes, in: "pane", db)
        try store(step.history, dropping: step.droppedHistory, in: "history", db)
        for (model, state) in step.states {
            try db.cachedExecute(
                """
                INSERT INTO model_state VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET
                layout = excluded.layout, windows = excluded.windows, alerts = coalesce(excluded.alerts, alerts)
                """,
                [model, layouts[model] ?? "", try encoder.encode(state.windows), state.alerts.map { Data($0) }])
        }
        for (model, join) in step.joins { try write(join, model: model, db) }
        try writeResults(step, db)
    }

    /// - Parameter table: `pane` or `history`, which are alike.
    private static func store(
        _ counts: [String: [Timestamp: PaneCounts]], dropping: [String: [Timestamp]], in table: String, _ db: Database
    ) throws {
        for (model, panes) in counts {
            for (start, counts) in panes {
                for (key, profile) in counts {
                    try db.cachedExecute(
                        "INSERT OR REPLACE INTO \(table) VALUES (?, ?, ?, ?, ?)",
                        [model, start.microseconds, key.version, key.segment.json.text, Data(profile.stored)])
                }
            }
        }
        for (model, starts) in dropping {
            for start in starts {
                try db.cachedExecute(
                    "DELETE FROM \(table) WHERE model = ? AND start = ?", [model, start.microseconds])
            }
        }
    }

    private static func writeResults(_ step: LedgerCommit, _ db: Database) throws {
        for snapshot in step.snapshots {
            try db.cachedExecute(
                "INSERT OR REPLACE INTO snapshot (model, window_start, window_end, revision, lines) VALUES (?, ?, ?, ?, ?)",
                [
                    snapshot.model, snapshot.window.start.microseconds, snapshot.window.end.microseconds,
                    snapshot.revision, Data(Zstd.compress(snapshot.lines)),
                ])
        }
        for alert in step.transitions {
            try db.cachedExecute(
                "INSERT INTO transition (model, at, status, fingerprint, line) VALUES (?, ?, ?, ?, ?)",
                [alert.model, alert.at.microseconds, alert.status.rawValue, alert.fingerprint, alert.json.text])
            try db.cachedExecute(
                "INSERT OR REPLACE INTO alert VALUES (?, last_insert_rowid(), ?, ?, ?, ?, ?)",
                [
                    alert.fingerprint, alert.model, alert.status.rawValue, alert.revision, alert.at.microseconds,
                    alert.json.text,
                ])
        }
        for (model, open) in step.openAlerts { try close(except: open, of: model, db) }
        for entry in step.outbox { try add(entry, db) }
        if let limit = step.forgetBefore { try forget(limit, db) }
    }

    /// Forgets what is older than the retention. Open alerts stay, and so does what is still to be delivered.
    private static func forget(_ limit: Timestamp, _ db: Database) throws {
        try db.cachedExecute("DELETE FROM snapshot WHERE window_end < ?", [limit.microseconds])
        try db.cachedExecute("DELETE FROM transition WHERE at < ?", [limit.microseconds])
        try db.cachedExecute("DELETE FROM alert WHERE at < ? AND status = 'resolved'", [limit.microseconds])
        try db.cachedExecute("DELETE FROM told WHERE fingerprint NOT IN (SELECT fingerprint FROM alert)", [])
        try db.cachedExecute("DELETE FROM outbox WHERE at < ? AND state != 'pending'", [limit.microseconds])
    }

    /// A pending alert that came to nothing has no transition of its own; it only ends.
    private static func close(except open: Set<String>, of model: String, _ db: Database) throws {
        let shown = try String.fetchAll(
            db.cachedStatement(sql: "SELECT fingerprint FROM alert WHERE status != 'resolved' AND model = ?"),
            arguments: [model])
        for fingerprint in shown where !open.contains(fingerprint) {
            try db.cachedExecute("DELETE FROM alert WHERE fingerprint = ?", [fingerprint])
        }
    }

    static func add(_ entry: OutboxEntry, _ db: Database) throws {
        try db.cachedExecute(
            "INSERT OR IGNORE INTO outbox (kind, key, target, lane, body, at, due) VALUES (?, ?, ?, ?, ?, ?, ?)",
            [
                entry.kind.rawValue, entry.key, entry.target, entry.lane, Data(entry.body), entry.at.microseconds,
                entry.at.microseconds,
            ])
    }

    private static var encoder: JSONEncoder {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        return encoder
    }
}

extension Database {
    /// Executes with a cached statement; `nil` binds NULL.
    func cachedExecute(_ sql: String, _ arguments: [(any DatabaseValueConvertible)?]) throws {
        try cachedStatement(sql: sql).execute(arguments: StatementArguments(arguments))
    }
}
