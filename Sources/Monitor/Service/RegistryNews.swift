import Events
import Registry
import Values

/// An event of the registry in the words of MLflow's webhooks: entity, action, timestamp, data.
enum RegistryNews {
    static func bodies(_ event: RegistryEvent, _ registry: Registry) async throws -> [JSON] {
        let payload = (try? JSON(parsing: event.payload.utf8)) ?? .null
        func body(_ entity: String, _ action: String, _ data: [JSON.Member]) -> JSON {
            .members(
                ("entity", .string(entity)), ("action", .string(action)), ("timestamp", .time(event.at)),
                ("data", .object(data + [.init("seq", .integer(event.sequence))])))
        }
        func members(_ pairs: (String, JSON?)...) -> [JSON.Member] {
            [.init("name", .string(event.model))] + pairs.compactMap { key, value in value.map { .init(key, $0) } }
        }
        // MLflow keeps prompts as models of a kind.
        let isPrompt = try await registry.isPrompt(event, payload)
        switch event.kind {
        case .modelRegistered:
            return [
                body(
                    isPrompt ? "prompt" : "registered_model", "created",
                    members(("description", payload["description"]), ("tags", payload["tags"])))
            ]
        case .versionRegistered:
            return [
                body(
                    isPrompt ? "prompt_version" : "model_version", "created",
                    members(
                        ("version", payload["version"]), ("source", payload["source"]), ("run_id", payload["run_id"]),
                        ("description", payload["description"]), ("tags", payload["tags"])))
            ]
        case .versionChanged, .modelChanged:
            // MLflow has no news of tags of models that are no prompts.
            let isVersion = event.kind == .versionChanged
            guard isVersion || isPrompt else { return [] }
            let entity = isVersion ? (isPrompt ? "prompt_version_tag" : "model_version_tag") : "prompt_tag"
            return (payload["tags"]?.objectValue ?? []).map { tag in
                let key = JSON.string(tag.key)
                let version = isVersion ? payload["version"] : nil
                return tag.value == .null
                    ? body(entity, "deleted", members(("version", version), ("key", key)))
                    : body(entity, "set", members(("version", version), ("key", key), ("value", tag.value)))
            }
        case .aliasSet, .aliasDeleted, .promoted, .rolledBack, .versionDeleted, .modelDeleted:
            // The model may be gone by now, or have another name.
            return try await registry.aliasMoves(at: event.sequence).map { move in
                body(
                    isPrompt ? "prompt_alias" : "model_version_alias", move.to == nil ? "deleted" : "created",
                    members(
                        ("alias", .string(move.alias)), ("version", (move.to ?? move.from).map { .string($0) }),
                        ("previous_version", move.from.map { .string($0) } ?? .null), ("actor", .string(move.actor)),
                        ("reason", .string(move.reason))))
            }
        default: return []
        }
    }
}

extension Registry {
    /// What its model is now, or was called to be when it was registered. Of a model that is gone nothing is known.
    fileprivate func isPrompt(_ event: RegistryEvent, _ payload: JSON) async throws -> Bool {
        let tag = "mlflow.prompt.is_prompt"
        if event.kind == .modelRegistered || event.kind == .versionRegistered {
            if let value = payload["tags"]?[tag] { return value == "true" }
        }
        do {
            return try await model(event.model).tags[tag] == "true"
        } catch let error as RegistryError where error.code == .notFound {
            return false
        }
    }
}
