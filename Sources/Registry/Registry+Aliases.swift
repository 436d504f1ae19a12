import GRDB
package import Values

/// Plain aliases. Those of the warm set move with promotions and rollbacks only.
extension Registry {
    /// Points an alias at a version, creating or moving it; answers the sequence of its last move.
    @discardableResult
    package func setAlias(
        model: String, alias: String, version: String, actor: String, reason: String, at: Timestamp
    ) async throws -> Int64 {
        try Names.checkPlainAlias(alias)
        return try await change(actor: actor, reason: reason, at: at) { change in
            let modelID = try change.modelID(model)
            let target = try change.versionID(version, of: modelID, named: model)
            let old = try Row.fetchOne(
                change.db, sql: "SELECT version_id, seq FROM alias WHERE model_id = ? AND alias = ?",
                arguments: [modelID, alias])
            if let old, old["version_id"] == target { return old["seq"] }
            let from: String? = try old.map { try change.label($0["version_id"]) }
            let sequence = try change.note(
                .aliasSet, model: model,
                .members(
                    ("model", .string(model)), ("alias", .string(alias)), ("from", from.map { .string($0) } ?? .null),
                    ("to", .string(version))))
            try change.move(alias, of: modelID, to: target, sequence: sequence)
            return sequence
        }
    }

    /// Removes a plain alias; `false` where there was none, which is not an error (as in MLflow).
    @discardableResult
    package func deleteAlias(
        model: String, alias: String, actor: String, reason: String, at: Timestamp
    ) async throws -> Bool {
        try Names.checkPlainAlias(alias)
        return try await change(actor: actor, reason: reason, at: at) { change in
            let modelID = try change.modelID(model)
            guard let old = try change.currentVersion(of: alias, modelID) else { return false }
            let sequence = try change.note(
                .aliasDeleted, model: model,
                .members(
                    ("model", .string(model)), ("alias", .string(alias)), ("from", .string(try change.label(old)))))
            try change.move(alias, of: modelID, to: nil, sequence: sequence)
            return true
        }
    }

    /// All aliases of a model, those of the warm set included, in byte order.
    package func aliases(model: String) async throws -> [Alias] {
        try await read { db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT a.*, v.version FROM alias a JOIN model_version v ON v.id = a.version_id
                    WHERE a.model_id = ? ORDER BY a.alias
                    """, arguments: [try Self.modelID(db, model)]
            ).map { row in
                Alias(
                    alias: row["alias"], version: row["version"], sequence: row["seq"],
                    updatedAt: Timestamp(microseconds: row["updated_at"]))
            }
        }
    }
}
