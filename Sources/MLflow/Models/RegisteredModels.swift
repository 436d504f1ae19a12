import GRDB
import Registry
import Values

extension Endpoint {
    static let registeredModels: [Endpoint] = [
        .encoding("POST", "registered-models/create", "Registers a model") { api, call in
            let name = try call.fields.required("name")
            try Check.model(name)
            let tags = try RegisteredModelRow.tags(call.fields)
            let description = try call.fields.text("description") ?? ""
            do {
                _ = try await api.registry.registerModel(
                    name, description: description, tags: tags, actor: call.actor, at: api.now())
            } catch let error as RegistryError where error.code == .alreadyExists {
                throw try await api.taken(name, byPrompt: tags[Prompt.tag] == "true")
            }
            return try await api.registeredModel(name)
        },
        .encoding("GET", "registered-models/get", "One model with its aliases and newest versions") { api, call in
            try await api.registeredModel(try call.fields.required("name"))
        },
        Endpoint("GET", "registered-models/search", "Searches models") { try await $0.searchModels($1.fields) },
        .encoding("POST", "registered-models/rename", "Renames a model") { api, call in
            let name = try call.fields.required("name")
            let new = try call.fields.text("new_name") ?? ""
            guard !new.isEmpty else { throw MLflowError.invalid("Missing value for required parameter 'new_name'.") }
            try Check.model(new)
            try await api.finding(name) {
                try await api.registry.rename(model: name, to: new, actor: call.actor, at: api.now())
            }
            return try await api.registeredModel(new)
        },
        .encoding("PATCH", "registered-models/update", "Changes a model's description") { api, call in
            let name = try call.fields.required("name")
            let description = try call.fields.text("description")
            try await api.finding(name) {
                try await api.registry.edit(model: name, description: description, actor: call.actor, at: api.now())
            }
            return try await api.registeredModel(name)
        },
        Endpoint("DELETE", "registered-models/delete", "Deletes a model and its versions") { api, call in
            let name = try call.fields.required("name")
            try await api.finding(name) {
                try await api.registry.deleteModel(name, actor: call.actor, at: api.now())
            }
            return [:]
        },
        Endpoint(
            "POST", "registered-models/get-latest-versions", "The newest version of each stage", changes: false
        ) { try await $0.latestVersions($1.fields) },
        Endpoint("GET", "registered-models/get-latest-versions", "The newest version of each stage") {
            try await $0.latestVersions($1.fields)
        },
        Endpoint("POST", "registered-models/set-tag", "Sets a tag of a model") { api, call in
            let name = try call.fields.required("name")
            let (key, value) = try RegisteredModelRow.tag(call.fields)
            try await api.finding(name) {
                try await api.registry.edit(model: name, tags: [key: value], actor: call.actor, at: api.now())
            }
            return [:]
        },
        Endpoint("DELETE", "registered-models/delete-tag", "Removes a tag of a model") { api, call in
            let name = try call.fields.required("name")
            let key = try call.fields.required("key")
            try await api.finding(name) {
                try await api.registry.edit(
                    model: name, tags: [key: Optional<String>.none], actor: call.actor, at: api.now())
            }
            return [:]
        },
    ]
}

extension MLflowAPI {
    func registeredModel(_ name: String) async throws -> Answer {
        try await repeated("model\n\(name)") { db in
            .members(("registered_model", try RegisteredModelRow.view(db, RegisteredModelRow.find(db, name))))
        }
    }

    /// A model that is not there is said in MLflow's words, which clients look for.
    fileprivate func finding(_ name: String, _ body: () async throws -> Void) async throws {
        do {
            try await body()
        } catch let error as RegistryError where error.code == .notFound {
            throw MLflowError.missing("Registered Model with name=\(name) not found")
        }
    }

    fileprivate func taken(_ name: String, byPrompt isPrompt: Bool) async throws -> MLflowError {
        let wasPrompt = try await registry.model(name).tags[Prompt.tag] == "true"
        let (old, new) = (wasPrompt ? "prompt" : "registered model", isPrompt ? "prompt" : "registered model")
        let what = wasPrompt ? "Prompt" : "Registered Model"
        return MLflowError(
            .resourceAlreadyExists,
            wasPrompt == isPrompt
                ? "\(what) (name=\(name)) already exists."
                : "Tried to create a \(new) with name '\(name)', but the name is already taken by a \(old). MLflow does not "
                    + "allow registered models and prompts to share the same name.")
    }

    fileprivate func searchModels(_ fields: Fields) async throws -> JSON {
        var query = SearchQuery(.models)
        query.require("m.deleted_at IS NULL")
        try query.filter(try fields.text("filter"))
        if !query.isForPrompts { query.require(Prompt.isNone(of: "m.id")) }
        let order = try fields.texts("order_by")
        try query.sort(order.isEmpty ? ["name ASC"] : order)
        let page = try Page(fields, default: 100, maximum: 1_000)
        let search = query
        return try await read { db in
            let (ids, next) = page.cut(try search.ids(db, page))
            var found: [JSON] = []
            for id in ids {
                if let row = try Row.fetchOne(db, sql: "SELECT * FROM registered_model WHERE id = ?", arguments: [id]) {
                    found.append(try RegisteredModelRow.view(db, row))
                }
            }
            return .members(
                ("registered_models", found.isEmpty ? nil : .array(found)), ("next_page_token", next))
        }
    }

    fileprivate func latestVersions(_ fields: Fields) async throws -> JSON {
        let name = try fields.required("name")
        var stages: [String] = []
        for stage in try fields.texts("stages") { stages.append(try ModelVersionRow.stage(stage)) }
        let wanted = stages
        return try await read { db in
            let model = try RegisteredModelRow.find(db, name)
            let versions = try ModelVersionRow.latest(db, model["id"], stages: wanted)
            return .members(
                ("model_versions", .array(try versions.map { try ModelVersionRow.view(db, $0, withAliases: false) })))
        }
    }
}

/// Models that MLflow keeps prompts as.
enum Prompt {
    static let tag = "mlflow.prompt.is_prompt"

    /// A condition on the row id of a model: searches find prompts only where they ask for them.
    static func isNone(of model: String) -> String {
        """
        NOT EXISTS (SELECT 1 FROM registered_model_tag p WHERE p.model_id = \(model) AND p.key = '\(tag)'
        AND p.value = 'true')
        """
    }
}

/// Rows of `registered_model`.
enum RegisteredModelRow {
    static func find(_ db: Database, _ name: String) throws -> Row {
        let row = try Row.fetchOne(
            db.cachedStatement(sql: "SELECT * FROM registered_model WHERE name = ? AND deleted_at IS NULL"),
            arguments: [name])
        guard let row else { throw MLflowError.missing("Registered Model with name=\(name) not found") }
        return row
    }

    static func view(_ db: Database, _ row: Row) throws -> JSON {
        let id: Int64 = row["id"]
        let (created, updated): (Int64, Int64) = (row["created_at"], row["updated_at"])
        let description: String = row["description"]
        let latest = try ModelVersionRow.latest(db, id, stages: []).map {
            try ModelVersionRow.view(db, $0, withAliases: false)
        }
        let aliases = try Row.fetchAll(
            db.cachedStatement(
                sql: """
                    SELECT a.alias, v.number FROM alias a JOIN model_version v ON v.id = a.version_id
                    WHERE a.model_id = ? ORDER BY a.alias
                    """), arguments: [id])
        return .members(
            ("name", .string(row["name"])), ("creation_timestamp", .integer(created / 1_000)),
            ("last_updated_timestamp", .integer(updated / 1_000)),
            ("description", description.isEmpty ? nil : .string(description)),
            ("latest_versions", latest.isEmpty ? nil : .array(latest)),
            ("tags", try Tags.view(db, "registered_model_tag", "model_id", id)),
            (
                "aliases",
                aliases.isEmpty
                    ? nil
                    : .array(
                        aliases.map {
                            .members(("alias", .string($0[0])), ("version", .string(String($0[1] as Int64))))
                        })
            ))
    }

    static func tags(_ fields: Fields) throws(MLflowError) -> [String: String] {
        var tags: [String: String] = [:]
        for tag in try fields.pairs("tags") {
            try Check.key(tag.key)
            try Check.length(tag.value, Limit.registryTag, "value")
            tags[tag.key] = tag.value
        }
        return tags
    }

    static func tag(_ fields: Fields) throws(MLflowError) -> (key: String, value: String) {
        let key = try fields.required("key")
        let value = try fields.text("value") ?? ""
        try Check.key(key)
        try Check.length(value, Limit.registryTag, "value")
        return (key, value)
    }
}
