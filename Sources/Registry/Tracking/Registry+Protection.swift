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

    /// The aliases of protected models' warm sets that point at a version made from a run or a logged model: why
    /// neither may be deleted. Empty where nothing stands against it.
    package static func servingVersions(_ db: Database, ofRun run: String?, loggedModel: String?) throws -> [String] {
        try String.fetchAll(
            db,
            sql: """
                SELECT m.name || '@' || a.alias || ' (version ' || v.version || ')'
                FROM model_version v JOIN alias a ON a.version_id = v.id JOIN registered_model m ON m.id = v.model_id
                WHERE m.is_protected AND a.alias IN ('champion', 'champion-1', 'champion-2')
                AND (v.run_id = :run OR v.model_uuid = :model) ORDER BY 1
                """, arguments: ["run": run, "model": loggedModel])
    }

    /// The same for all runs and logged models of an experiment.
    package static func servingVersions(_ db: Database, ofExperiment experiment: Int64) throws -> [String] {
        let runs = try String.fetchAll(
            db,
            sql: """
                SELECT DISTINCT v.run_id FROM alias a JOIN model_version v ON v.id = a.version_id
                JOIN run r ON r.uuid = v.run_id
                WHERE a.alias IN ('champion', 'champion-1', 'champion-2') AND r.experiment_id = ?
                """, arguments: [experiment])
        let models = try String.fetchAll(
            db,
            sql: """
                SELECT DISTINCT v.model_uuid FROM alias a JOIN model_version v ON v.id = a.version_id
                JOIN logged_model l ON l.uuid = v.model_uuid
                WHERE a.alias IN ('champion', 'champion-1', 'champion-2') AND l.experiment_id = ?
                """, arguments: [experiment])
        let found =
            try runs.flatMap { try servingVersions(db, ofRun: $0, loggedModel: nil) }
            + models.flatMap { try servingVersions(db, ofRun: nil, loggedModel: $0) }
        return Set(found).sorted()
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
