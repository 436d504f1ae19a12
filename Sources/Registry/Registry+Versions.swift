import GRDB
package import Values

/// Versions: immutable once registered, deleted softly, their numbers and labels never used again.
extension Registry {
    /// `version` is the label fleets publish; without one it is the version's number. A label that is itself a whole
    /// number becomes the number too, where it is free.
    package func registerVersion(
        model: String, version: String? = nil, source: String, runID: String? = nil, description: String = "",
        tags: [String: String] = [:], referencePath: String? = nil, origin: VersionOrigin = VersionOrigin(),
        actor: String, reason: String = "", at: Timestamp
    ) async throws -> ModelVersion {
        if let version { try Names.checkVersion(version) }
        try Names.checkSource(source)
        try Names.checkTags(tags)
        return try await change(actor: actor, reason: reason, at: at) { change in
            let db = change.db
            let modelID = try change.modelID(model)
            let (number, label) = try Self.name(version, of: modelID, named: model, db)
            let storage = origin.isElsewhere ? nil : try Self.storage(source, origin, db)
            let made = origin.isElsewhere ? VersionSource() : try VersionSource(source, db)
            let location = origin.isElsewhere ? nil : ArtifactLocation.path(storage ?? source)
            try db.execute(
                sql: """
                    INSERT INTO model_version
                    (model_id, number, version, source, run_id, description, reference_path, created_at, updated_at,
                     run_link, model_uuid, user_id, location, storage, source_run, source_model, is_elsewhere)
                    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                    """,
                arguments: [
                    modelID, number, label, source, runID, description, referencePath, at.microseconds, at.microseconds,
                    origin.runLink, origin.loggedModel, origin.user, location, storage, made.run, made.loggedModel,
                    origin.isElsewhere,
                ])
            let id = db.lastInsertedRowID
            for (key, value) in tags {
                try db.execute(
                    sql: "INSERT INTO model_version_tag (version_id, key, value) VALUES (?, ?, ?)",
                    arguments: [id, key, value])
            }
            try db.execute(
                sql: "UPDATE registered_model SET updated_at = ? WHERE id = ?", arguments: [at.microseconds, modelID])
            try change.note(
                .versionRegistered, model: model,
                .members(
                    ("model", .string(model)), ("version", .string(label)), ("number", .integer(number)),
                    ("source", .string(source)), ("run_id", runID.map { .string($0) }),
                    ("storage", .string(storage ?? "")),
                    ("model_id", origin.loggedModel.map { .string($0) }),
                    ("elsewhere", origin.isElsewhere ? true : nil),
                    ("reference_path", referencePath.map { .string($0) }), ("description", .string(description)),
                    ("tags", .sorted(tags))))
            return try Self.version(db, label, of: modelID, named: model)
        }
    }

    /// The versions of a model that are not deleted, by number.
    package func versions(model: String) async throws -> [ModelVersion] {
        try await read { db in
            try Self.versions(db, of: try Self.modelID(db, model), named: model, label: nil)
        }
    }

    package func version(model: String, _ version: String) async throws -> ModelVersion {
        try await read { try Self.version($0, version, of: try Self.modelID($0, model), named: model) }
    }

    /// Refused while the version is in the warm set of a protected model; other aliases go with the version.
    package func deleteVersion(
        model: String, version: String, actor: String, reason: String, at: Timestamp
    ) async throws {
        try await change(actor: actor, reason: reason, at: at) { change in
            let modelID = try change.modelID(model)
            let id = try change.versionID(version, of: modelID, named: model)
            let holders = try String.fetchAll(
                change.db, sql: "SELECT alias FROM alias WHERE version_id = ? ORDER BY alias", arguments: [id])
            if try change.isProtected(modelID), let slot = holders.first(where: { WarmSet.slots.contains($0) }) {
                throw RegistryError(
                    .refused,
                    "version '\(version)' of '\(model)' is its \(slot) and stays: promote other versions first")
            }
            let sequence = try change.note(
                .versionDeleted, model: model,
                .members(
                    ("model", .string(model)), ("version", .string(version)),
                    ("aliases", .array(holders.map { .string($0) }))))
            for alias in holders { try change.move(alias, of: modelID, to: nil, sequence: sequence) }
            try change.db.execute(
                sql: "UPDATE model_version SET deleted_at = ?, updated_at = ? WHERE id = ?",
                arguments: [at.microseconds, at.microseconds, id])
            try change.touch(model: modelID)
            if holders.contains(where: WarmSet.slots.contains) { change.publish(try change.championState(model)) }
        }
    }

    private static func storage(_ source: String, _ origin: VersionOrigin, _ db: Database) throws -> String? {
        do {
            return try ArtifactLocation.storage(source, db)
        } catch let error as RegistryError where error.code == .notFound && origin.mayBeOrphaned {
            return nil
        }
    }

    /// The number and label of a new version.
    private static func name(
        _ label: String?, of modelID: Int64, named model: String, _ db: Database
    ) throws -> (number: Int64, label: String) {
        func taken(_ column: String, _ value: any DatabaseValueConvertible) throws -> Bool {
            try Bool.fetchOne(
                db, sql: "SELECT EXISTS (SELECT 1 FROM model_version WHERE model_id = ? AND \(column) = ?)",
                arguments: [modelID, value]) ?? false
        }
        let last =
            try Int64.fetchOne(
                db, sql: "SELECT MAX(number) FROM model_version WHERE model_id = ?", arguments: [modelID]) ?? 0
        guard let label else {
            // A label may read as a number it does not have; the next that is free both ways is taken.
            var number = last + 1
            while try taken("version", String(number)) { number += 1 }
            return (number, String(number))
        }
        if try taken("version", label) {
            throw RegistryError(
                .alreadyExists,
                "model '\(model)' has or had a version '\(label)', and labels are never used again: choose another")
        }
        // Within MLflow's 32 bits, so that there is always a number after it.
        if let number = Int32(label), number > 0, String(number) == label, number < Int32.max / 2,
            try !taken("number", Int64(number))
        {
            return (Int64(number), label)
        }
        return (last + 1, label)
    }

    private static func version(
        _ db: Database, _ label: String, of modelID: Int64, named model: String
    ) throws -> ModelVersion {
        guard let version = try versions(db, of: modelID, named: model, label: label).first else {
            throw RegistryError.noVersion(label, of: model)
        }
        return version
    }

    private static func versions(
        _ db: Database, of modelID: Int64, named model: String, label: String?
    ) throws -> [ModelVersion] {
        let filter = "v.model_id = ? AND v.deleted_at IS NULL \(label == nil ? "" : "AND v.version = ?")"
        let arguments: StatementArguments = label.map { [modelID, $0] } ?? [modelID]
        var tags: [Int64: [String: String]] = [:]
        for row in try Row.fetchAll(
            db, sql: "SELECT t.* FROM model_version_tag t JOIN model_version v ON v.id = t.version_id WHERE \(filter)",
            arguments: arguments)
        {
            tags[row["version_id"], default: [:]][row["key"]] = row["value"]
        }
        var aliases: [Int64: [String]] = [:]
        for row in try Row.fetchAll(
            db,
            sql: """
                SELECT a.version_id, a.alias FROM alias a JOIN model_version v ON v.id = a.version_id
                WHERE \(filter) ORDER BY a.alias
                """, arguments: arguments)
        {
            aliases[row["version_id"], default: []].append(row["alias"])
        }
        return try Row.fetchAll(
            db,
            sql: """
                SELECT v.*, q.version_id IS NOT NULL AS quarantined
                FROM model_version v LEFT JOIN quarantine q ON q.version_id = v.id WHERE \(filter) ORDER BY v.number
                """, arguments: arguments
        ).map { row in
            ModelVersion(
                model: model, version: row["version"], number: row["number"], source: row["source"],
                runID: row["run_id"] ?? row["source_run"], description: row["description"],
                tags: tags[row["id"]] ?? [:],
                referencePath: row["reference_path"], createdAt: Timestamp(microseconds: row["created_at"]),
                isQuarantined: row["quarantined"], aliases: aliases[row["id"]] ?? [])
        }
    }
}
