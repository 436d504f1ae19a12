package import GRDB
package import Values

/// Which models have a warm set that is theirs alone to move. A plain model behaves exactly as in MLflow: any client moves
/// its aliases, and deleting a version drops them. From the first promotion on, or as soon as it is monitored, a model is
/// protected: promotions and rollbacks alone move `champion`, `champion-1` and `champion-2`, and what they stand for stays.
extension Registry {
    /// Protects a model from now on. Nothing takes that back, as histories rely on it.
    package func protect(model: String, actor: String, reason: String, at: Timestamp) async throws {
        try await change(actor: actor, reason: reason, at: at) { change in
            let modelID = try change.modelID(model)
            guard try !change.isProtected(modelID) else { return }
            try change.protect(modelID)
            try change.note(.modelChanged, model: model, .members(("model", .string(model)), ("protected", true)))
        }
    }

    /// Whether a model's warm set is its own to move.
    package func isProtected(model: String) async throws -> Bool {
        try await read { db in
            try Bool.fetchOne(
                db, sql: "SELECT is_protected FROM registered_model WHERE id = ?",
                arguments: [try Self.modelID(db, model)]) ?? false
        }
    }

    /// What versions are made from.
    package enum Ground: Sendable, Hashable {
        case run(String)
        case loggedModel(String)
        /// All runs and logged models of an experiment.
        case experiment(Int64)
    }

    /// The aliases of protected models' warm sets that point at a version made from it, as its client or its source says:
    /// why it may not be deleted. Empty where nothing stands against it.
    package static func servingVersions(_ db: Database, from ground: Ground) throws -> [String] {
        let condition =
            switch ground {
            case .run: "r.uuid = :it"
            case .loggedModel: "l.uuid = :it"
            case .experiment: ":it IN (r.experiment_id, l.experiment_id)"
            }
        let it: any DatabaseValueConvertible =
            switch ground {
            case .run(let id), .loggedModel(let id): id
            case .experiment(let id): id
            }
        // The aliases first: they are few, versions may be many.
        return try String.fetchAll(
            db,
            sql: """
                SELECT DISTINCT m.name || '@' || a.alias || ' (version ' || v.version || ')'
                FROM alias a CROSS JOIN model_version v ON v.id = a.version_id
                JOIN registered_model m ON m.id = a.model_id
                LEFT JOIN run r ON r.uuid IN (v.run_id, v.source_run)
                LEFT JOIN logged_model l ON l.uuid IN (v.model_uuid, v.source_model)
                WHERE a.alias IN ('champion', 'champion-1', 'champion-2') AND m.is_protected AND \(condition) ORDER BY 1
                """, arguments: ["it": it])
    }
}

extension Change {
    func isProtected(_ modelID: Int64) throws -> Bool {
        try Bool.fetchOne(db, sql: "SELECT is_protected FROM registered_model WHERE id = ?", arguments: [modelID])
            ?? false
    }

    func protect(_ modelID: Int64) throws {
        try db.execute(sql: "UPDATE registered_model SET is_protected = 1 WHERE id = ?", arguments: [modelID])
    }
}
