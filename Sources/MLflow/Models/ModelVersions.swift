import GRDB
import Registry
import Values

extension Endpoint {
    static let modelVersions: [Endpoint] = [
        Endpoint("POST", "model-versions/create", "Adds a version to a model") { try await $0.createVersion($1) },
        Endpoint("GET", "model-versions/get", "One version") { try await $0.version($1.fields) },
        Endpoint("GET", "model-versions/search", "Searches versions") { try await $0.searchVersions($1.fields) },
        Endpoint("GET", "model-versions/get-download-uri", "Where a version's artifacts are") { api, call in
            let (name, number) = try Self.named(call.fields)
            return try await api.read { db in
                let address = try ModelVersionRow.address(try ModelVersionRow.find(db, name, number), db)
                return .members(("artifact_uri", .string(address)))
            }
        },
        Endpoint("PATCH", "model-versions/update", "Changes a version's description") { api, call in
            let (name, number) = try Self.named(call.fields)
            let label = try await api.registry.label(model: name, number: number)
            try await api.registry.edit(
                model: name, version: label, description: try call.fields.text("description"), actor: call.actor,
                at: api.now())
            return try await api.version(call.fields)
        },
        Endpoint("DELETE", "model-versions/delete", "Deletes a version; its number is never used again") { api, call in
            let (name, number) = try Self.named(call.fields)
            let label = try await api.registry.label(model: name, number: number)
            try await api.registry.deleteVersion(
                model: name, version: label, actor: call.actor, reason: "", at: api.now())
            return [:]
        },
        Endpoint("POST", "model-versions/transition-stage", "Sets the stage of a version") { api, call in
            let (name, number) = try Self.named(call.fields)
            let stage = try ModelVersionRow.stage(try call.fields.required("stage"))
            let archives = try call.fields.flag("archive_existing_versions") ?? false
            if archives, !["Staging", "Production"].contains(stage) {
                throw MLflowError.invalid(
                    "Model version transition cannot archive existing model versions because '\(stage)' is not an "
                        + "Active stage. Valid stages are Staging, Production")
            }
            let label = try await api.registry.label(model: name, number: number)
            try await api.registry.setStage(
                model: name, version: label, stage: stage, archives: archives, actor: call.actor, at: api.now())
            return try await api.version(call.fields)
        },
        Endpoint("POST", "model-versions/set-tag", "Sets a tag of a version") { api, call in
            let (name, number) = try Self.named(call.fields)
            let (key, value) = try RegisteredModelRow.tag(call.fields)
            try Self.refuseDigest(key)
            let label = try await api.registry.label(model: name, number: number)
            try await api.registry.edit(
                model: name, version: label, tags: [key: value], actor: call.actor, at: api.now())
            return [:]
        },
        Endpoint("DELETE", "model-versions/delete-tag", "Removes a tag of a version") { api, call in
            let (name, number) = try Self.named(call.fields)
            let key = try call.fields.required("key")
            try Self.refuseDigest(key)
            let label = try await api.registry.label(model: name, number: number)
            try await api.registry.edit(
                model: name, version: label, tags: [key: Optional<String>.none], actor: call.actor, at: api.now())
            return [:]
        },
    ]

    /// A fleet that checks what it loads trusts this tag.
    private static func refuseDigest(_ key: String) throws(MLflowError) {
        guard key != Manifest.tag else {
            throw MLflowError(
                .permissionDenied, "Tag '\(key)' is the digest of the version's files and is not for clients to change")
        }
    }

    private static func named(_ fields: Fields) throws(MLflowError) -> (name: String, number: Int64) {
        (try fields.required("name"), try ModelVersionRow.number(try fields.required("version")))
    }
}

extension MLflowAPI {
    /// The label of the version that clients call by its number.
    func label(_ name: String, _ version: String) async throws -> String {
        let number = try ModelVersionRow.number(version)
        return try await registry.label(model: name, number: number)
    }

    fileprivate func version(_ fields: Fields) async throws -> JSON {
        let name = try fields.required("name")
        let number = try ModelVersionRow.number(try fields.required("version"))
        return try await read { db in
            .members(
                (
                    "model_version",
                    try ModelVersionRow.view(db, ModelVersionRow.find(db, name, number), withAliases: true)
                ))
        }
    }

    fileprivate func createVersion(_ call: MLflowCall) async throws -> JSON {
        let fields = call.fields
        let name = try fields.required("name")
        try Check.model(name)
        let source = try fields.required("source")
        var tags = try RegisteredModelRow.tags(fields)
        if !tags.keys.contains(Prompt.tag) { try ArtifactPath.checkAddress(source, "source") }
        var run = try fields.text("run_id").flatMap { $0.isEmpty ? nil : $0 }
        let given = try fields.text("model_id").flatMap { $0.isEmpty ? nil : $0 }
        let model = given ?? ArtifactLocation.loggedModel(source)
        let found = try await read { db in
            _ = try RegisteredModelRow.find(db, name)
            let storage = try ArtifactLocation.storage(source, db) ?? source
            let digest = try ArtifactLocation.path(storage).flatMap { try Manifest.digest(db, under: $0) }
            let row = try model.flatMap {
                try Row.fetchOne(db, sql: "SELECT source_run_id FROM logged_model WHERE uuid = ?", arguments: [$0])
            }
            return (digest: digest, run: row?["source_run_id"] as String?)
        }
        run = run ?? found.run
        if let digest = found.digest { tags[Manifest.tag] = digest }
        let version = try await registry.registerVersion(
            model: name, source: source, runID: run, description: try fields.text("description") ?? "", tags: tags,
            origin: VersionOrigin(
                runLink: try fields.text("run_link"), loggedModel: model,
                user: call.user),
            actor: call.actor, at: now())
        if let given {
            try await write { try LoggedModel.note(version: version.number, of: name, from: given, $0) }
        }
        return try await read { db in
            let row = try ModelVersionRow.find(db, name, version.number)
            return .members(("model_version", try ModelVersionRow.view(db, row, withAliases: true)))
        }
    }

    fileprivate func searchVersions(_ fields: Fields) async throws -> JSON {
        var query = SearchQuery(.versions)
        query.require("v.deleted_at IS NULL AND m.deleted_at IS NULL")
        try query.filter(try fields.text("filter"))
        if !query.isForPrompts { query.require(Prompt.isNone(of: "m.id")) }
        let order = try fields.texts("order_by")
        try query.sort(order.isEmpty ? ["last_updated_timestamp DESC"] : order)
        let page = try Page(fields, default: 10_000, maximum: 200_000)
        let search = query
        return try await read { db in
            let (ids, next) = page.cut(try search.ids(db, page))
            var found: [JSON] = []
            for id in ids {
                if let row = try ModelVersionRow.byID(db, id) {
                    found.append(try ModelVersionRow.view(db, row, withAliases: false))
                }
            }
            return .members(("model_versions", found.isEmpty ? nil : .array(found)), ("next_page_token", next))
        }
    }
}
