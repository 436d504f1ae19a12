import GRDB
package import Values

/// Plain aliases. Those of the warm set move with promotions and rollbacks only.
extension Registry {
    /// Points an alias at a version, creating or moving it; answers the sequence of its last move.
    @discardableResult
    package func setAlias(
        model: String, alias: String, version: String, expecting: SequenceCondition? = nil, actor: String,
        reason: String,
        at: Timestamp
    ) async throws -> Int64 {
        try Names.checkPlainAlias(alias)
        return try await change(actor: actor, reason: reason, at: at) { change in
            try change.point(
                alias, of: try change.modelID(model), named: model, to: version, expecting: expecting)
        }
    }

    /// Removes a plain alias; `false` where there was none, which is not an error (as in MLflow).
    @discardableResult
    package func deleteAlias(
        model: String, alias: String, expecting: SequenceCondition? = nil, actor: String, reason: String, at: Timestamp
    ) async throws -> Bool {
        try Names.checkPlainAlias(alias)
        return try await change(actor: actor, reason: reason, at: at) { change in
            try change.drop(alias, of: try change.modelID(model), named: model, expecting: expecting)
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
