import GRDB
package import Values

/// What MLflow's clients change of a model once it is there.
extension Registry {
    /// `nil` tags stay as they are; a tag with a `nil` value is removed.
    package func edit(
        model: String, description: String? = nil, tags: [String: String?] = [:], actor: String, at: Timestamp
    ) async throws {
        try Names.checkTags(tags.compactMapValues { $0 })
        try await change(actor: actor, reason: "", at: at) { change in
            let id = try change.modelID(model)
            if let description {
                try change.db.execute(
                    sql: "UPDATE registered_model SET description = ? WHERE id = ?", arguments: [description, id])
            }
            try change.write(tags, into: "registered_model_tag", "model_id", id)
            try change.touch(model: id)
            try change.note(
                .modelChanged, model: model,
                .members(
                    ("model", .string(model)), ("description", description.map { .string($0) }),
                    ("tags", tags.isEmpty ? nil : Change.json(tags))))
        }
    }

    /// Histories refer to the model by its row and follow; the audit trail keeps the names of their time.
    package func rename(model: String, to name: String, actor: String, at: Timestamp) async throws {
        try Names.checkModel(name)
        try await change(actor: actor, reason: "", at: at) { change in
            let id = try change.modelID(model)
            if try change.isProtected(id) {
                throw RegistryError(
                    .refused,
                    "model '\(model)' is watched or was promoted, and fleets know it by this name: it keeps it")
            }
            let taken = try Bool.fetchOne(
                change.db, sql: "SELECT EXISTS (SELECT 1 FROM registered_model WHERE name = ?)", arguments: [name])
            if taken == true {
                throw RegistryError(.alreadyExists, "Registered Model (name=\(name)) already exists.")
            }
            // What is set for a model by its name goes with it, lest a gate or a hold be left behind.
            for table in ["promotion_policy", "rollback_hold"] {
                try change.db.execute(
                    sql: "UPDATE OR REPLACE \(table) SET model = ? WHERE model = ?", arguments: [name, model])
            }
            // Two events, one under each name: whoever follows the old one hears its end first.
            let end = try change.note(
                .modelRenamed, model: model, .members(("model", .string(model)), ("to", .string(name))))
            try change.db.execute(sql: "UPDATE registered_model SET name = ? WHERE id = ?", arguments: [name, id])
            try change.touch(model: id)
            let sequence = try change.note(
                .modelRenamed, model: name, .members(("model", .string(name)), ("from", .string(model))))
            try change.tellOfName(id, name, at: sequence, insteadOf: model, until: end)
        }
    }

    /// The name is free again; rows stay for the histories that refer to them. Refused for a protected model that serves.
    package func deleteModel(_ model: String, actor: String, reason: String = "", at: Timestamp) async throws {
        try await change(actor: actor, reason: reason, at: at) { change in
            let id = try change.modelID(model)
            if try change.isProtected(id), try change.warmSet(id).champion != nil {
                throw RegistryError(
                    .refused, "model '\(model)' has a champion, which may be serving: it cannot be deleted")
            }
            let aliases = try String.fetchAll(
                change.db, sql: "SELECT alias FROM alias WHERE model_id = ? ORDER BY alias", arguments: [id])
            let sequence = try change.note(.modelDeleted, model: model, .members(("model", .string(model))))
            for alias in aliases { try change.move(alias, of: id, to: nil, sequence: sequence) }
            if aliases.contains(where: WarmSet.slots.contains) { change.publish(try change.championState(model)) }
            try change.db.execute(
                sql:
                    "UPDATE model_version SET deleted_at = ?, updated_at = ? WHERE model_id = ? AND deleted_at IS NULL",
                arguments: [change.at.microseconds, change.at.microseconds, id])
            // No name that can be registered holds a control character.
            try change.db.execute(
                sql: "UPDATE registered_model SET deleted_at = ?, name = name || char(1) || id WHERE id = ?",
                arguments: [change.at.microseconds, id])
        }
    }

    /// The label of the version that MLflow calls by its number.
    package func label(model: String, number: Int64) async throws -> String {
        try await read { db in
            let id = try Self.modelID(db, model)
            guard
                let label = try String.fetchOne(
                    db,
                    sql: "SELECT version FROM model_version WHERE model_id = ? AND number = ? AND deleted_at IS NULL",
                    arguments: [id, number])
            else {
                throw RegistryError(.notFound, "Model Version (name=\(model), version=\(number)) not found")
            }
            return label
        }
    }
}

extension Change {
    /// Fleets know a model by its name: those of the old one hear that it has no champion any more, those of the new one
    /// of the one it has. Nothing where no version ever was in its slots.
    fileprivate func tellOfName(
        _ id: Int64, _ name: String, at sequence: Int64, insteadOf old: String, until end: Int64
    ) throws {
        let hasServed = try Bool.fetchOne(
            db,
            sql: """
                SELECT EXISTS (SELECT 1 FROM alias_history
                WHERE model_id = ? AND alias IN ('champion', 'champion-1', 'champion-2'))
                """, arguments: [id])
        guard hasServed == true else { return }
        try db.execute(sql: "UPDATE registered_model SET named_seq = ? WHERE id = ?", arguments: [sequence, id])
        try db.execute(
            sql: "INSERT OR REPLACE INTO former_name (name, seq) VALUES (?, ?)", arguments: [old, end])
        publish(.ended(old, at: end))
        publish(try championState(name))
    }

    func write(_ tags: [String: String?], into table: String, _ column: String, _ id: Int64) throws {
        for (key, value) in tags {
            if let value {
                try db.execute(
                    sql: """
                        INSERT INTO \(table) (\(column), key, value) VALUES (?, ?, ?)
                        ON CONFLICT (\(column), key) DO UPDATE SET value = excluded.value
                        """, arguments: [id, key, value])
            } else {
                try db.execute(sql: "DELETE FROM \(table) WHERE \(column) = ? AND key = ?", arguments: [id, key])
            }
        }
    }

    func touch(model id: Int64) throws {
        try db.execute(
            sql: "UPDATE registered_model SET updated_at = ? WHERE id = ?", arguments: [at.microseconds, id])
    }

    static func json(_ tags: [String: String?]) -> JSON {
        .object(tags.sorted { $0.key < $1.key }.map { .init($0.key, $0.value.map { .string($0) } ?? .null) })
    }
}
