import GRDB
package import Values

/// A version whose contents were, or would be, removed for good.
package struct PurgedVersion: Sendable, Hashable {
    package let model: String
    package let version: String
    package let source: String
    package let deletedAt: Timestamp
}

/// Deletion for good. Rows stay as tombstones, because numbers and labels are never used again and histories name them.
extension Registry {
    /// Clears source, description, tags, measurements and reference profile of versions deleted before a time.
    /// - Parameter dryRun: only tell which.
    package func purge(
        deletedBefore limit: Timestamp, dryRun: Bool, actor: String, reason: String, at: Timestamp
    ) async throws -> [PurgedVersion] {
        try await change(actor: actor, reason: reason, at: at) { change in
            let rows = try Row.fetchAll(
                change.db,
                sql: """
                    SELECT v.id, v.version, v.source, v.deleted_at, m.name FROM model_version v
                    JOIN registered_model m ON m.id = v.model_id
                    WHERE v.deleted_at IS NOT NULL AND v.deleted_at < ? AND v.purged_at IS NULL
                    ORDER BY m.name, v.number
                    """, arguments: [limit.microseconds])
            let purged = rows.map { row in
                PurgedVersion(
                    model: row["name"], version: row["version"], source: row["source"],
                    deletedAt: Timestamp(microseconds: row["deleted_at"]))
            }
            guard !dryRun, !rows.isEmpty else { return purged }
            for row in rows {
                let id: Int64 = row["id"]
                for table in ["model_version_tag", "version_metric", "approval", "version_reference"] {
                    try change.db.execute(sql: "DELETE FROM \(table) WHERE version_id = ?", arguments: [id])
                }
                try change.db.execute(
                    sql: """
                        UPDATE model_version SET source = '', description = '', run_id = NULL, reference_path = NULL,
                        purged_at = ? WHERE id = ?
                        """, arguments: [at.microseconds, id])
            }
            for (model, versions) in Dictionary(grouping: purged, by: \.model).sorted(by: { $0.key < $1.key }) {
                try change.note(
                    .versionsPurged, model: model,
                    .members(
                        ("model", .string(model)), ("versions", .array(versions.map { .string($0.version) }))))
            }
            return purged
        }
    }
}
