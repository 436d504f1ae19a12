import Files
import Foundation
import GRDB
package import Values

extension Ledger {
    /// The snapshots of windows that end within (from, to], oldest first, each as its lines. At most `limit`, the newest ones.
    package func snapshots(
        model: String, from: Timestamp, to: Timestamp, limit: Int
    ) async throws -> [(window: TimeRange, revision: Int, lines: [UInt8])] {
        try await database.read { db in
            let rows = try Row.fetchAll(
                db,
                sql: """
                    SELECT window_start, window_end, revision, lines FROM snapshot
                    WHERE model = ? AND window_end > ? AND window_end <= ?
                    ORDER BY window_end DESC, window_start DESC, revision DESC LIMIT ?
                    """, arguments: [model, from.microseconds, to.microseconds, limit])
            return rows.reversed().map { row in
                let window = TimeRange(
                    start: Timestamp(microseconds: row["window_start"]), end: Timestamp(microseconds: row["window_end"])
                )
                return (window, row["revision"] as Int, Zstd.decompress([UInt8](row["lines"] as Data)) ?? [])
            }
        }
    }

    /// The latest transition of every alert that has not resolved, and the newest `resolved` ones; newest first. Each is a line of
    /// `alerts.jsonl`.
    package func alerts(model: String?, resolved: Int) async throws -> [String] {
        try await database.read { db in
            let latest = """
                SELECT t.seq, t.status, t.line FROM transition t
                JOIN (SELECT fingerprint, max(seq) AS seq FROM transition GROUP BY fingerprint) l ON l.seq = t.seq
                WHERE (? IS NULL OR t.model = ?)
                """
            let open = try Row.fetchAll(
                db, sql: latest + " AND t.status != 'resolved' ORDER BY t.seq DESC", arguments: [model, model])
            let closed = try Row.fetchAll(
                db, sql: latest + " AND t.status = 'resolved' ORDER BY t.seq DESC LIMIT ?",
                arguments: [model, model, resolved])
            return (open + closed).map { $0["line"] as String }
        }
    }

    /// All transitions in order, for tests and exports.
    package func transitions(after seq: Int64 = 0) async throws -> [String] {
        try await database.read { db in
            try String.fetchAll(db, sql: "SELECT line FROM transition WHERE seq > ? ORDER BY seq", arguments: [seq])
        }
    }
}
