import GRDB
package import Values

/// Models and their versions.
extension Registry {
    package func registerModel(
        _ name: String, description: String = "", tags: [String: String] = [:], actor: String, reason: String = "",
        at: Timestamp
    ) async throws -> RegisteredModel {
        try Names.checkModel(name)
        try Names.checkTags(tags)
        return try await change(actor: actor, reason: reason, at: at) { change in
            let db = change.db
            guard
                try Int64.fetchOne(db, sql: "SELECT id FROM registered_model WHERE name = ?", arguments: [name]) == nil
            else {
                throw RegistryError(
                    .alreadyExists, "model '\(name)' is registered already: register a version of it instead")
            }
            try db.execute(
                sql: "INSERT INTO registered_model (name, description, created_at, updated_at) VALUES (?, ?, ?, ?)",
                arguments: [name, description, at.microseconds, at.microseconds])
            let id = db.lastInsertedRowID
            for (key, value) in tags {
                try db.execute(
                    sql: "INSERT INTO registered_model_tag (model_id, key, value) VALUES (?, ?, ?)",
                    arguments: [id, key, value])
            }
            try change.note(
                .modelRegistered, model: name,
                .members(("model", .string(name)), ("description", .string(description)), ("tags", .sorted(tags))))
            return RegisteredModel(name: name, description: description, tags: tags, createdAt: at, updatedAt: at)
        }
    }

    /// All models, by name in byte order.
    package func models() async throws -> [RegisteredModel] {
        try await read { try Self.models($0, name: nil) }
    }

    package func model(_ name: String) async throws -> RegisteredModel {
        try await read { db in
            guard let model = try Self.models(db, name: name).first else { throw RegistryError.noModel(name) }
            return model
        }
    }

    private static func models(_ db: Database, name: String?) throws -> [RegisteredModel] {
        let filter = "WHERE m.deleted_at IS NULL \(name == nil ? "" : "AND m.name = ?")"
        let arguments: StatementArguments = name.map { [$0] } ?? []
        var tags: [Int64: [String: String]] = [:]
        for row in try Row.fetchAll(
            db,
            sql: "SELECT t.* FROM registered_model_tag t JOIN registered_model m ON m.id = t.model_id \(filter)",
            arguments: arguments)
        {
            tags[row["model_id"], default: [:]][row["key"]] = row["value"]
        }
        return try Row.fetchAll(
            db, sql: "SELECT m.* FROM registered_model m \(filter) ORDER BY m.name", arguments: arguments
        ).map { row in
            RegisteredModel(
                name: row["name"], description: row["description"], tags: tags[row["id"]] ?? [:],
                createdAt: Timestamp(microseconds: row["created_at"]),
                updatedAt: Timestamp(microseconds: row["updated_at"]))
        }
    }
}
