import GRDB
package import Values

/// What MLflow's clients change of a version, and of the aliases of plain models.
extension Registry {
    /// A tag with a `nil` value is removed. `version` is the label.
    package func edit(
        model: String, version: String, description: String? = nil, tags: [String: String?] = [:], actor: String,
        at: Timestamp
    ) async throws {
        try Names.checkTags(tags.compactMapValues { $0 })
        try await change(actor: actor, reason: "", at: at) { change in
            let id = try change.versionID(version, of: try change.modelID(model), named: model)
            if let description {
                try change.db.execute(
                    sql: "UPDATE model_version SET description = ? WHERE id = ?", arguments: [description, id])
            }
            try change.write(tags, into: "model_version_tag", "version_id", id)
            try change.db.execute(
                sql: "UPDATE model_version SET updated_at = ? WHERE id = ?",
                arguments: [change.at.microseconds, id])
            try change.note(
                .versionChanged, model: model,
                .members(
                    ("model", .string(model)), ("version", .string(version)),
                    ("description", description.map { .string($0) }),
                    ("tags", tags.isEmpty ? nil : Change.json(tags))))
        }
    }

    /// MLflow's stages are stored and shown and steer nothing. With `archives`, other versions of the stage go to Archived.
    package func setStage(
        model: String, version: String, stage: String, archives: Bool, actor: String, at: Timestamp
    ) async throws {
        try await change(actor: actor, reason: "", at: at) { change in
            let modelID = try change.modelID(model)
            let id = try change.versionID(version, of: modelID, named: model)
            if archives {
                try change.db.execute(
                    sql: """
                        UPDATE model_version SET stage = 'Archived', updated_at = ?
                        WHERE model_id = ? AND stage = ? AND id <> ? AND deleted_at IS NULL
                        """, arguments: [change.at.microseconds, modelID, stage, id])
            }
            try change.db.execute(
                sql: "UPDATE model_version SET stage = ?, updated_at = ? WHERE id = ?",
                arguments: [stage, change.at.microseconds, id])
            try change.touch(model: modelID)
            try change.note(
                .versionChanged, model: model,
                .members(("model", .string(model)), ("version", .string(version)), ("stage", .string(stage))))
        }
    }

    /// Points an alias where a client wants it, those of the warm set too while the model is plain. On a protected model
    /// `champion` is a promotion, with all that stands against one, for those who may.
    package func pointAlias(
        model: String, alias: String, version: String, mayPromote: Bool, actor: String, at: Timestamp
    ) async throws {
        guard WarmSet.slots.contains(alias) else {
            try await setAlias(model: model, alias: alias, version: version, actor: actor, reason: "", at: at)
            return
        }
        if mayPromote, alias == WarmSet.slots[0], try await isProtected(model: model) {
            try await promote(
                model: model, version: version, actor: actor, reason: "alias set by an MLflow client", at: at)
            return
        }
        try await change(actor: actor, reason: "", at: at) { change in
            let modelID = try change.modelID(model)
            try change.checkPlain(modelID, named: model, alias)
            let target = try change.versionID(version, of: modelID, named: model)
            let old = try change.currentVersion(of: alias, modelID)
            if old == target { return }
            let from = try old.map { try change.label($0) }
            let sequence = try change.note(
                .aliasSet, model: model,
                .members(
                    ("model", .string(model)), ("alias", .string(alias)), ("from", from.map { .string($0) } ?? .null),
                    ("to", .string(version))))
            try change.move(alias, of: modelID, to: target, sequence: sequence)
            change.publish(try change.championState(model))
        }
    }

    /// Removes an alias; nothing where there is none, as in MLflow.
    package func dropAlias(model: String, alias: String, actor: String, at: Timestamp) async throws {
        guard WarmSet.slots.contains(alias) else {
            try await deleteAlias(model: model, alias: alias, actor: actor, reason: "", at: at)
            return
        }
        try await change(actor: actor, reason: "", at: at) { change in
            let modelID = try change.modelID(model)
            try change.checkPlain(modelID, named: model, alias)
            guard let old = try change.currentVersion(of: alias, modelID) else { return }
            let sequence = try change.note(
                .aliasDeleted, model: model,
                .members(
                    ("model", .string(model)), ("alias", .string(alias)), ("from", .string(try change.label(old)))))
            try change.move(alias, of: modelID, to: nil, sequence: sequence)
            change.publish(try change.championState(model))
        }
    }
}

extension Change {
    fileprivate func checkPlain(_ modelID: Int64, named model: String, _ alias: String) throws {
        guard try isProtected(modelID) else { return }
        throw RegistryError(
            .refused,
            "alias '\(alias)' of '\(model)' is protected: only promote and rollback move it, use one of them")
    }
}
