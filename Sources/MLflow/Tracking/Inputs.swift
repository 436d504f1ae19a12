import Events
import GRDB
import Values

extension Endpoint {
    static let inputs: [Endpoint] = [
        Endpoint("POST", "runs/log-inputs", "Logs the datasets and models a run used") {
            try await $0.logInputs($1.fields)
        },
        Endpoint("POST", "runs/outputs", "Logs the models a run made") { api, call in
            let uuid = try Run.uuid(call.fields)
            var models: [(id: String, step: Int64)] = []
            for item in try call.fields.objects("models") {
                models.append((try item.required("model_id"), try item.whole("step") ?? 0))
            }
            let outputs = models
            return try await api.write { db in
                let id = try Run.active(db, uuid)
                for model in outputs {
                    try db.execute(
                        sql: "INSERT OR REPLACE INTO run_model_output (run_id, model_uuid, step) VALUES (?, ?, ?)",
                        arguments: [id, model.id, model.step])
                }
                return [:]
            }
        },
        Endpoint("POST", "runs/log-model", "Records a model of a 2.x client as a tag") { api, call in
            let uuid = try Run.uuid(call.fields)
            let text = try call.fields.required("model_json")
            guard let model = try? JSON(parsing: text.utf8), case .object = model else {
                throw MLflowError.invalid("Malformed model info. \(text.prefix(200)) is not a valid JSON object.")
            }
            guard ["artifact_path", "flavors", "utc_time_created", "run_id"].allSatisfy({ model[$0] != nil }) else {
                throw MLflowError.invalid(
                    "Model json is missing mandatory fields: artifact_path, flavors, utc_time_created or run_id")
            }
            return try await api.write { db in
                let id = try Run.active(db, uuid)
                let key = "mlflow.log-model.history"
                let old = try String.fetchOne(
                    db, sql: "SELECT value FROM run_tag WHERE run_id = ? AND key = ?", arguments: [id, key])
                let history = old.flatMap { try? JSON(parsing: $0.utf8) }?.arrayValue ?? []
                let flavors = model["flavors"]?.objectValue?.map { JSON.Member($0.key, JSON.object([])) } ?? []
                let kept = JSON.members(
                    ("artifact_path", model["artifact_path"]), ("flavors", .object(flavors)),
                    ("utc_time_created", model["utc_time_created"]), ("run_id", model["run_id"]),
                    ("model_uuid", model["model_uuid"]))
                try Tags.set(db, "run_tag", "run_id", id, key, JSON.array(history + [kept]).text)
                return [:]
            }
        },
    ]
}

extension MLflowAPI {
    private struct Dataset: Sendable {
        let name: String
        let digest: String
        let sourceType: String
        let source: String
        let schema: String?
        let profile: String?
        let tags: [(key: String, value: String)]

        init(_ input: Fields, at place: String) throws(MLflowError) {
            guard let fields = try input.object("dataset") else { throw Fields.absent("\(place).dataset") }
            name = try fields.required("name")
            digest = try fields.required("digest")
            sourceType = try fields.text("source_type") ?? ""
            source = try fields.text("source") ?? ""
            schema = try fields.text("schema")
            profile = try fields.text("profile")
            tags = try input.pairs("tags")
            try Check.length(name, Limit.datasetName, "name")
            try Check.length(digest, Limit.datasetDigest, "digest")
            try Check.length(source, Limit.datasetSource, "source")
            try Check.length(schema ?? "", Limit.datasetSchema, "schema")
            try Check.length(profile ?? "", Limit.datasetProfile, "profile")
            for tag in tags {
                try Check.length(tag.key, Limit.inputTagKey, "key")
                try Check.length(tag.value, Limit.inputTagValue, "value")
            }
        }
    }

    func logInputs(_ fields: Fields) async throws -> JSON {
        let uuid = try Run.uuid(fields)
        let inputs = try fields.objects("datasets")
        guard inputs.count <= 1_000 else { throw MLflowError.invalid("At most 1000 datasets can be logged at once") }
        var datasets: [Dataset] = []
        for (i, input) in inputs.enumerated() { datasets.append(try Dataset(input, at: "datasets[\(i)]")) }
        var models: [String] = []
        for item in try fields.objects("models") { models.append(try item.required("model_id")) }
        let (logged, used) = (datasets, models)
        return try await write { db in
            let id = try Run.active(db, uuid)
            let experiment = try Int64.fetchOne(db, sql: "SELECT experiment_id FROM run WHERE id = ?", arguments: [id])
            for dataset in logged { try Self.log(dataset, run: id, experiment: experiment ?? 0, db) }
            for model in used {
                try db.execute(
                    sql: "INSERT OR IGNORE INTO run_model_input (run_id, model_uuid) VALUES (?, ?)",
                    arguments: [id, model])
            }
            return [:]
        }
    }

    private static func log(_ dataset: Dataset, run: Int64, experiment: Int64, _ db: Database) throws {
        try db.execute(
            sql: """
                INSERT OR IGNORE INTO dataset (experiment_id, name, digest, source_type, source, schema, profile)
                VALUES (?, ?, ?, ?, ?, ?, ?)
                """,
            arguments: [
                experiment, dataset.name, dataset.digest, dataset.sourceType, dataset.source, dataset.schema,
                dataset.profile,
            ])
        let id = try Int64.fetchOne(
            db, sql: "SELECT id FROM dataset WHERE experiment_id = ? AND name = ? AND digest = ?",
            arguments: [experiment, dataset.name, dataset.digest])
        try db.execute(
            sql: "INSERT OR IGNORE INTO run_input (run_id, dataset_id) VALUES (?, ?)", arguments: [run, id])
        // What a run used is said once, with the tags it was said with.
        guard db.changesCount > 0 else { return }
        for tag in dataset.tags {
            try db.execute(
                sql: "INSERT OR REPLACE INTO run_input_tag (run_id, dataset_id, key, value) VALUES (?, ?, ?, ?)",
                arguments: [run, id, tag.key, tag.value])
        }
    }
}

/// What a run used and made.
enum RunInputs {
    static func view(_ db: Database, _ run: Int64) throws -> JSON {
        let rows = try Row.fetchAll(
            db.cachedStatement(
                sql:
                    "SELECT d.* FROM run_input i JOIN dataset d ON d.id = i.dataset_id WHERE i.run_id = ? ORDER BY d.id"
            ),
            arguments: [run])
        let datasets = try rows.map { row -> JSON in
            let tags = try Row.fetchAll(
                db.cachedStatement(
                    sql: "SELECT key, value FROM run_input_tag WHERE run_id = ? AND dataset_id = ? ORDER BY key"),
                arguments: [run, row["id"] as Int64])
            let (schema, profile): (String?, String?) = (row["schema"], row["profile"])
            return .members(
                ("tags", .array(tags.map { .members(("key", .string($0[0])), ("value", .string($0[1]))) })),
                (
                    "dataset",
                    .members(
                        ("name", .string(row["name"])), ("digest", .string(row["digest"])),
                        ("source_type", .string(row["source_type"])), ("source", .string(row["source"])),
                        ("schema", schema.map { .string($0) }), ("profile", profile.map { .string($0) }))
                ))
        }
        let models = try String.fetchAll(
            db.cachedStatement(sql: "SELECT model_uuid FROM run_model_input WHERE run_id = ? ORDER BY model_uuid"),
            arguments: [run])
        return .members(
            ("dataset_inputs", datasets.isEmpty ? nil : .array(datasets)),
            (
                "model_inputs",
                models.isEmpty ? nil : .array(models.map { .members(("model_id", .string($0))) })
            ))
    }

    static func outputs(_ db: Database, _ run: Int64) throws -> JSON {
        let rows = try Row.fetchAll(
            db.cachedStatement(
                sql: "SELECT model_uuid, step FROM run_model_output WHERE run_id = ? ORDER BY step, model_uuid"),
            arguments: [run])
        guard !rows.isEmpty else { return [:] }
        return .members(
            (
                "model_outputs",
                .array(rows.map { .members(("model_id", .string($0[0])), ("step", .integer($0[1]))) })
            ))
    }
}
