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
    /// `champion` is a promotion, with all that stands against one, for those who may. Answers the sequence of the move.
    @discardableResult
    package func pointAlias(
        model: String, alias: String, version: String, expecting: SequenceCondition? = nil, mayPromote: Bool,
        actor: String,
        reason: String = "", at: Timestamp
    ) async throws -> Int64 {
        guard WarmSet.slots.contains(alias) else {
            return try await setAlias(
                model: model, alias: alias, version: version, expecting: expecting, actor: actor, reason: reason, at: at
            )
        }
        let result = try await change(actor: actor, reason: reason, at: at) { change -> Result<Int64, RegistryError> in
            let modelID = try change.modelID(model)
            if mayPromote, alias == WarmSet.slots[0], try change.isProtected(modelID) {
                try change.compare(alias, of: modelID, named: model, expecting)
                let promoted = try change.promote(model, version, expecting: nil, force: false)
                let sequence = try change.compare(alias, of: modelID, named: model, nil)?.sequence ?? 0
                return promoted.map { _ in sequence }
            }
            try change.checkPlain(modelID, named: model, alias)
            return .success(
                try change.point(alias, of: modelID, named: model, to: version, expecting: expecting))
        }
        return try result.get()
    }

    /// Removes an alias; nothing where there is none, as in MLflow.
    package func dropAlias(
        model: String, alias: String, expecting: SequenceCondition? = nil, actor: String, at: Timestamp
    ) async throws {
        guard WarmSet.slots.contains(alias) else {
            try await deleteAlias(model: model, alias: alias, expecting: expecting, actor: actor, reason: "", at: at)
            return
        }
        _ = try await change(actor: actor, reason: "", at: at) { change in
            let modelID = try change.modelID(model)
            try change.checkPlain(modelID, named: model, alias)
            return try change.drop(alias, of: modelID, named: model, expecting: expecting)
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
