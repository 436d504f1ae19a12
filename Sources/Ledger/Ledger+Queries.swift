import Files
import Foundation
import GRDB
package import Values

extension Ledger {
    /// The snapshots of windows that end within (from, to], oldest first, each as its lines. At most `limit`, the newest ones.
    /// - Parameter isFirstOnly: leave revisions out, which hold performance alone.
    package func snapshots(
        model: String, from: Timestamp, to: Timestamp, limit: Int, isFirstOnly: Bool = false
    ) async throws -> [(window: TimeRange, revision: Int, lines: [UInt8])] {
        try await database.read { db in
            let rows = try Row.fetchAll(
                db,
                sql: """
                    SELECT window_start, window_end, revision, lines FROM snapshot
                    WHERE model = ? AND window_end > ? AND window_end <= ? AND (revision = 1 OR NOT ?)
                    ORDER BY window_end DESC, window_start DESC, revision DESC LIMIT ?
                    """, arguments: [model, from.microseconds, to.microseconds, isFirstOnly, limit])
            return rows.reversed().map(Self.snapshot)
        }
    }

    private static func snapshot(_ row: Row) -> (window: TimeRange, revision: Int, lines: [UInt8]) {
        let window = TimeRange(
            start: Timestamp(microseconds: row["window_start"]), end: Timestamp(microseconds: row["window_end"]))
        return (window, row["revision"], Zstd.decompress([UInt8](row["lines"] as Data)) ?? [])
    }

    /// Windows that end within (from, to], oldest first, each with all that is known of it by now: what its first evaluation said of the
    /// columns, and what its newest revision says of the performance. Revisions hold performance alone.
    /// - Parameters:
    ///   - length: leave windows of other lengths out.
    ///   - limit: at most so many windows, the newest ones, however often each was revised.
    package func windows(
        model: String, length: Span? = nil, from: Timestamp, to: Timestamp, limit: Int
    ) async throws -> [(window: TimeRange, revision: Int, lines: [UInt8])] {
        try await database.read { db in
            let ranges = try Row.fetchAll(
                db,
                sql: """
                    SELECT DISTINCT window_start, window_end FROM snapshot
                    WHERE model = ?1 AND window_end > ?2 AND window_end <= ?3
                        AND (?4 IS NULL OR window_end - window_start = ?4)
                    ORDER BY window_end DESC, window_start DESC LIMIT ?5
                    """, arguments: [model, from.microseconds, to.microseconds, length?.microseconds, limit])
            return try ranges.reversed().map { range in
                let (start, end) = (range["window_start"] as Int64, range["window_end"] as Int64)
                let rows = try Row.fetchAll(
                    db,
                    sql: """
                        SELECT revision, lines FROM snapshot
                        WHERE model = ?1 AND window_end = ?2 AND window_start = ?3 AND (revision = 1 OR revision = (
                            SELECT max(revision) FROM snapshot
                            WHERE model = ?1 AND window_end = ?2 AND window_start = ?3))
                        ORDER BY revision
                        """, arguments: [model, end, start])
                let revisions = rows.map { row -> (number: Int, lines: [UInt8]) in
                    (row["revision"], Zstd.decompress([UInt8](row["lines"] as Data)) ?? [])
                }
                var lines = revisions.first?.lines ?? []
                if let newest = revisions.last, revisions.count > 1 {
                    lines = Self.withoutPerformance(lines) + newest.lines
                }
                return (
                    TimeRange(start: Timestamp(microseconds: start), end: Timestamp(microseconds: end)),
                    revisions.last?.number ?? 1, lines
                )
            }
        }
    }

    private static func withoutPerformance(_ lines: [UInt8]) -> [UInt8] {
        // Lines are written by us, and quotes inside of texts are escaped, so they can be compared as text.
        let mark = Data(#","column":"performance","#.utf8)
        return lines.split(separator: UInt8(ascii: "\n")).reduce(into: []) { kept, line in
            guard Data(line).range(of: mark) == nil else { return }
            kept += line
            kept.append(UInt8(ascii: "\n"))
        }
    }

    /// Every alert that is pending or fires, and the newest `resolved` ones; newest first. Each is a line of `alerts.jsonl`.
    package func alerts(model: String?, resolved: Int) async throws -> [String] {
        try await database.read { db in
            let query = "SELECT line FROM alert WHERE (?1 IS NULL OR model = ?1) AND status"
            let open = try String.fetchAll(
                db, sql: query + " IN ('pending', 'firing') ORDER BY seq DESC", arguments: [model])
            let closed = try String.fetchAll(
                db, sql: query + " = 'resolved' ORDER BY seq DESC LIMIT ?2", arguments: [model, resolved])
            return open + closed
        }
    }

    /// The last line of each of these alerts, by fingerprint; those that are not known are left out.
    package func alerts(fingerprints: [String]) throws(LedgerError) -> [String: String] {
        try reading { db in
            var lines: [String: String] = [:]
            let statement = try db.cachedStatement(sql: "SELECT line FROM alert WHERE fingerprint = ?")
            for fingerprint in fingerprints {
                lines[fingerprint] = try String.fetchOne(statement, arguments: [fingerprint])
            }
            return lines
        }
    }

    /// Alerts whose fingerprint begins with a text, with their models; the newest first.
    package func alerts(beginning prefix: String) async throws -> [(fingerprint: String, model: String)] {
        try await database.read { db in
            // Resolved alerts may be forgotten before their transitions.
            try Row.fetchAll(
                db,
                sql: """
                    SELECT fingerprint, model, max(seq) AS last FROM transition
                    WHERE substr(fingerprint, 1, length(?1)) = ?1 GROUP BY fingerprint, model ORDER BY last DESC
                    """, arguments: [prefix]
            ).map { ($0["fingerprint"], $0["model"]) }
        }
    }

    /// What was told of an alert, oldest first, each as a line of `alerts.jsonl`; the last one with what became of its actions.
    package func transitions(of fingerprint: String, model: String) async throws -> [String] {
        try await database.read { db in
            let lines = try String.fetchAll(
                db, sql: "SELECT line FROM transition WHERE fingerprint = ? AND model = ? ORDER BY seq",
                arguments: [fingerprint, model])
            let latest = try String.fetchOne(
                db, sql: "SELECT line FROM alert WHERE fingerprint = ? AND model = ?", arguments: [fingerprint, model])
            return latest.map { Array(lines.dropLast()) + [$0] } ?? lines
        }
    }

    /// Alerts of models that are no longer monitored would stay open for ever.
    package func forgetAlerts(exceptOf models: [String]) async throws {
        try await database.write { db in
            for model in try String.fetchAll(db, sql: "SELECT DISTINCT model FROM alert WHERE status != 'resolved'")
            where !models.contains(model) {
                try db.execute(sql: "DELETE FROM alert WHERE model = ? AND status != 'resolved'", arguments: [model])
            }
        }
    }

    /// All transitions in order, for tests and exports.
    package func transitions(after seq: Int64 = 0) async throws -> [String] {
        try await database.read { db in
            try String.fetchAll(db, sql: "SELECT line FROM transition WHERE seq > ? ORDER BY seq", arguments: [seq])
        }
    }
}
