import Events
import GRDB
import Registry
import Values

extension Endpoint {
    static let loggedModels: [Endpoint] = [
        Endpoint("POST", "logged-models", "Begins a logged model") { try await $0.createLoggedModel($1.fields) },
        Endpoint("POST", "logged-models/search", "Searches logged models", changes: false) {
            try await $0.searchLoggedModels($1.fields)
        },
        Endpoint("GET", "logged-models/{id}", "One logged model") { api, call in
            let uuid = call.path["id"] ?? ""
            return .members(("model", try await api.read { try LoggedModel.view($0, try LoggedModel.find($0, uuid)) }))
        },
        Endpoint("PATCH", "logged-models/{id}", "Finishes a logged model: once it is ready its artifacts stay") {
            api, call in
            let uuid = call.path["id"] ?? ""
            let status = try call.fields.required("status")
            guard LoggedModel.statuses.contains(status) else {
                throw MLflowError.invalid("Invalid model status: \(status)")
            }
            let now = api.milliseconds
            return try await api.write { db in
                let id: Int64 = try LoggedModel.find(db, uuid)["id"]
                try LoggedModel.set(status: status, id, at: now, db)
                return .members(("model", try LoggedModel.view(db, try LoggedModel.find(db, uuid))))
            }
        },
        Endpoint("DELETE", "logged-models/{id}", "Deletes a logged model") { api, call in
            let uuid = call.path["id"] ?? ""
            let now = api.milliseconds
            return try await api.write { db in
                let id: Int64 = try LoggedModel.find(db, uuid)["id"]
                let serving = try Registry.servingVersions(db, from: .loggedModel(uuid))
                guard serving.isEmpty else {
                    throw MLflowError.invalid(
                        "The logged model \(uuid) cannot be deleted: \(serving.joined(separator: ", ")) was made from "
                            + "it and is kept to serve. Promote other versions first.")
                }
                try db.execute(
                    sql: "UPDATE logged_model SET lifecycle = 'deleted', updated_at = ? WHERE id = ?",
                    arguments: [now, id])
                return [:]
            }
        },
        Endpoint("POST", "logged-models/{id}/params", "Adds params to a logged model") { api, call in
            let uuid = call.path["id"] ?? ""
            let params = try call.fields.pairs("params")
            return try await api.write { db in
                let id: Int64 = try LoggedModel.find(db, uuid)["id"]
                for param in params {
                    try Tags.set(
                        db, "logged_model_param", "model_id", id, param.key, Check.cut(param.value, Limit.param))
                }
                return [:]
            }
        },
        Endpoint("PATCH", "logged-models/{id}/tags", "Sets tags of a logged model") { api, call in
            let uuid = call.path["id"] ?? ""
            let tags = try call.fields.pairs("tags")
            for tag in tags { try Check.key(tag.key) }
            return try await api.write { db in
                let id: Int64 = try LoggedModel.find(db, uuid)["id"]
                for tag in tags {
                    try Tags.set(db, "logged_model_tag", "model_id", id, tag.key, Check.cut(tag.value, Limit.tag))
                }
                return .members(("model", try LoggedModel.view(db, try LoggedModel.find(db, uuid))))
            }
        },
        Endpoint("DELETE", "logged-models/{id}/tags/{key}", "Removes a tag of a logged model") { api, call in
            let uuid = call.path["id"] ?? ""
            let key = call.path["key"] ?? ""
            return try await api.write { db in
                let id: Int64 = try LoggedModel.find(db, uuid)["id"]
                guard try Tags.remove(db, "logged_model_tag", "model_id", id, key) else {
                    throw MLflowError.missing("No tag with key '\(key)' found for model with ID '\(uuid)'.")
                }
                return [:]
            }
        },
    ]
}

extension MLflowAPI {
    fileprivate func createLoggedModel(_ fields: Fields) async throws -> JSON {
        let experiment = try Experiment.id(try fields.required("experiment_id"))
        let given = try fields.text("name") ?? ""
        if !given.isEmpty, given.contains(where: { "/:.%\"'".contains($0) }) {
            throw MLflowError.invalid(
                "Invalid model name (\(given)) provided. Model name must be a non-empty string and cannot contain the "
                    + "following characters: ('/', ':', '.', '%', '\"', \"'\")")
        }
        let digits = newID()
        let uuid = "m-\(digits)"
        let name = given.isEmpty ? RunName.make(from: digits) : given
        let type = try fields.text("model_type")
        let run = try fields.text("source_run_id")
        let params = try fields.pairs("params")
        let tags = try fields.pairs("tags")
        for tag in tags { try Check.key(tag.key) }
        let now = milliseconds
        return try await write { db in
            let row = try Experiment.find(db, experiment)
            try Experiment.checkActive(row)
            let location: String = row["artifact_location"]
            try db.execute(
                sql: """
                    INSERT INTO logged_model
                    (uuid, experiment_id, name, model_type, source_run_id, status, artifact_uri, created_at, updated_at)
                    VALUES (?, ?, ?, ?, ?, 'LOGGED_MODEL_PENDING', ?, ?, ?)
                    """,
                arguments: [
                    uuid, experiment, name, type, run,
                    ArtifactLocation.appending("models/\(uuid)/artifacts", to: location), now, now,
                ])
            let id = db.lastInsertedRowID
            for param in params {
                try Tags.set(db, "logged_model_param", "model_id", id, param.key, Check.cut(param.value, Limit.param))
            }
            for tag in tags {
                try Tags.set(db, "logged_model_tag", "model_id", id, tag.key, Check.cut(tag.value, Limit.tag))
            }
            return .members(("model", try LoggedModel.view(db, try LoggedModel.find(db, uuid))))
        }
    }

    fileprivate func searchLoggedModels(_ fields: Fields) async throws -> JSON {
        var query = SearchQuery(.loggedModels)
        try query.require(experiments: try fields.texts("experiment_ids"), "l.experiment_id")
        query.require("l.lifecycle = 'active'")
        try query.filter(try fields.text("filter"))
        for item in try fields.objects("order_by") {
            let field = try item.required("field_name")
            try query.add(loggedModelOrder: field, isAscending: try item.flag("ascending") ?? true)
        }
        for dataset in try fields.objects("datasets") {
            query.require(
                """
                EXISTS (SELECT 1 FROM logged_model_metric x WHERE x.model_id = l.id AND x.dataset_name = ?
                AND (? = '' OR x.dataset_digest = ?))
                """,
                [
                    try dataset.required("dataset_name"), try dataset.text("dataset_digest") ?? "",
                    try dataset.text("dataset_digest") ?? "",
                ])
        }
        let page = try Page(fields, default: 100, maximum: 50_000)
        let search = query
        return try await read { db in
            let (ids, next) = page.cut(try search.ids(db, page))
            var found: [JSON] = []
            for id in ids {
                if let row = try Row.fetchOne(db, sql: "SELECT * FROM logged_model WHERE id = ?", arguments: [id]) {
                    found.append(try LoggedModel.view(db, row))
                }
            }
            return .members(("models", found.isEmpty ? nil : .array(found)), ("next_page_token", next))
        }
    }
}

/// Rows of `logged_model`.
enum LoggedModel {
    static let ready = "LOGGED_MODEL_READY"
    static let statuses: Set = ["LOGGED_MODEL_PENDING", ready, "LOGGED_MODEL_UPLOAD_FAILED"]

    /// What was ready once may be called failed later, but who loaded it then knows its files: they do not change any more.
    static func set(status: String, _ id: Int64, at: Int64, _ db: Database) throws {
        try db.execute(
            sql: """
                UPDATE logged_model SET status = ?1, updated_at = ?2,
                ready_at = CASE WHEN ?1 = 'LOGGED_MODEL_READY' THEN COALESCE(ready_at, ?2) ELSE ready_at END WHERE id = ?3
                """, arguments: [status, at, id])
    }

    /// MLflow's own tag of what a logged model was registered as, which its user interface reads.
    static func note(version number: Int64, of name: String, from uuid: String, _ db: Database) throws {
        guard let id = try Int64.fetchOne(db, sql: "SELECT id FROM logged_model WHERE uuid = ?", arguments: [uuid])
        else { return }
        let key = "mlflow.modelVersions"
        let old = try String.fetchOne(
            db, sql: "SELECT value FROM logged_model_tag WHERE model_id = ? AND key = ?", arguments: [id, key])
        let known = old.flatMap { try? JSON(parsing: $0.utf8) }?.arrayValue ?? []
        let version = JSON.members(("name", .string(name)), ("version", .integer(number)))
        guard !known.contains(version) else { return }
        // Spaced as Python writes it, because clients compare the text.
        let items = (known + [version]).map { item in
            "{\"name\": \((item["name"] ?? .null).text), \"version\": \((item["version"] ?? .null).text)}"
        }
        try Tags.set(db, "logged_model_tag", "model_id", id, key, "[\(items.joined(separator: ", "))]")
    }

    static func find(_ db: Database, _ uuid: String) throws -> Row {
        guard
            let row = try Row.fetchOne(
                db.cachedStatement(sql: "SELECT * FROM logged_model WHERE uuid = ? AND lifecycle = 'active'"),
                arguments: [uuid])
        else { throw MLflowError.missing("Logged model with ID '\(uuid)' not found.") }
        return row
    }

    static func view(_ db: Database, _ row: Row) throws -> JSON {
        let id: Int64 = row["id"]
        let experiment: Int64 = row["experiment_id"]
        let (type, run): (String?, String?) = (row["model_type"], row["source_run_id"])
        let uuid: String = row["uuid"]
        let info = JSON.members(
            ("model_id", .string(uuid)), ("experiment_id", .string(String(experiment))),
            ("name", .string(row["name"])), ("creation_timestamp_ms", .integer(row["created_at"])),
            ("last_updated_timestamp_ms", .integer(row["updated_at"])),
            ("artifact_uri", .string(row["artifact_uri"])), ("status", .string(row["status"])),
            ("model_type", type.map { .string($0) }), ("source_run_id", run.map { .string($0) }),
            ("tags", try Tags.view(db, "logged_model_tag", "model_id", id)),
            ("registrations", try registrations(db, uuid)))
        let data = JSON.members(
            ("params", try Tags.view(db, "logged_model_param", "model_id", id)),
            ("metrics", try metrics(db, id, uuid)))
        return .members(("info", info), ("data", data))
    }

    private static func registrations(_ db: Database, _ uuid: String) throws -> JSON? {
        let rows = try Row.fetchAll(
            db.cachedStatement(
                sql: """
                    SELECT m.name, v.number FROM model_version v JOIN registered_model m ON m.id = v.model_id
                    WHERE v.model_uuid = ? AND v.deleted_at IS NULL ORDER BY m.name, v.number
                    """), arguments: [uuid])
        guard !rows.isEmpty else { return nil }
        return .array(
            rows.map { row in
                let (name, number): (String, Int64) = (row[0], row[1])
                return .members(("name", .string(name)), ("version", .string(String(number))))
            })
    }

    private static func metrics(_ db: Database, _ id: Int64, _ uuid: String) throws -> JSON? {
        let rows = try Row.fetchAll(
            db.cachedStatement(
                sql: "SELECT * FROM logged_model_metric WHERE model_id = ? ORDER BY key, timestamp, step"),
            arguments: [id])
        guard !rows.isEmpty else { return nil }
        return .array(
            rows.map { row in
                let (name, digest): (String, String) = (row["dataset_name"], row["dataset_digest"])
                return .members(
                    ("key", .string(row["key"])), ("value", row["is_nan"] ? "NaN" : .number(row["value"])),
                    ("timestamp", .integer(row["timestamp"])), ("step", .integer(row["step"])),
                    ("model_id", .string(uuid)), ("run_id", .string(row["run_uuid"])),
                    ("dataset_name", name.isEmpty ? nil : .string(name)),
                    ("dataset_digest", digest.isEmpty ? nil : .string(digest)))
            })
    }
}
