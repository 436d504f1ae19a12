import GRDB
import Registry
package import Values

/// Taking over what another MLflow server has, in the form its REST interface gives it. Each function may be called again
/// with the same thing: nothing is doubled.
extension MLflowAPI {
    /// Answers the id here: that of an experiment of the same name, where there is one.
    package func takeExperiment(_ view: JSON) async throws -> String {
        let fields = try Fields(view, at: "experiment")
        let name = try fields.required("name")
        let tags = try fields.pairs("tags")
        let location = try fields.text("artifact_location") ?? ""
        let state = try fields.text("lifecycle_stage") == "deleted" ? "deleted" : "active"
        let now = milliseconds
        let (created, updated) = (try fields.whole("creation_time") ?? now, try fields.whole("last_update_time") ?? now)
        return try await Self.translating {
            try await write { db in
                if let id = try Int64.fetchOne(db, sql: "SELECT id FROM experiment WHERE name = ?", arguments: [name]) {
                    for tag in tags { try Tags.set(db, "experiment_tag", "experiment_id", id, tag.key, tag.value) }
                    return String(id)
                }
                try db.execute(
                    sql: """
                        INSERT INTO experiment (name, artifact_location, lifecycle, created_at, updated_at)
                        VALUES (?, ?, ?, ?, ?)
                        """, arguments: [name, location, state, created, updated])
                let id = db.lastInsertedRowID
                // What the other server kept is kept here from now on; other stores stay where they are.
                if ArtifactLocation.path(location) != nil || location.isEmpty {
                    try db.execute(
                        sql: "UPDATE experiment SET artifact_location = ? WHERE id = ?",
                        arguments: ["\(ArtifactLocation.scheme)/\(id)", id])
                }
                for tag in tags { try Tags.set(db, "experiment_tag", "experiment_id", id, tag.key, tag.value) }
                return String(id)
            }
        }
    }

    /// A run under its own id, with all values of its metrics. Answers where its artifacts belong here, `nil` where they
    /// are not the other server's to give.
    ///
    /// - Parameters:
    ///   - view: as `runs/search` gives it.
    ///   - history: objects as `metrics/get-history` gives them.
    package func takeRun(_ view: JSON, history: [JSON], experiment: String) async throws -> ArtifactPath? {
        let run = try Fields(view, at: "run")
        guard let info = try run.object("info"), let data = try run.object("data") else { throw Fields.absent("info") }
        let uuid = try Run.uuid(info)
        let id = try Experiment.id(experiment)
        var metrics: [Metric] = []
        for (i, item) in history.enumerated() {
            metrics.append(try Metric(try Fields(item, at: "metrics"), at: "metrics[\(i)]"))
        }
        let (params, tags) = (try data.pairs("params"), try data.pairs("tags"))
        let uri = try info.text("artifact_uri") ?? ""
        let isOurs = ArtifactLocation.path(uri) != nil
        let local = isOurs ? "\(ArtifactLocation.scheme)/\(id)/\(uuid)/artifacts" : uri
        // Clients cannot read a state that MLflow does not have.
        let status = try info.text("status").flatMap { Run.statuses.contains($0) ? $0 : nil } ?? "FINISHED"
        let arguments: StatementArguments = [
            uuid, id, try info.text("run_name") ?? "", try info.text("user_id") ?? "", status,
            try info.whole("start_time"), try info.whole("end_time"),
            try info.text("lifecycle_stage") == "deleted" ? "deleted" : "active", local,
        ]
        let values = metrics
        try await Self.translating {
            try await write { db in
                try db.execute(
                    sql: """
                        INSERT OR IGNORE INTO run
                        (uuid, experiment_id, name, user_id, status, start_time, end_time, lifecycle, artifact_uri)
                        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
                        """, arguments: arguments)
                let row: Int64 = try Run.find(db, uuid)["id"]
                try Logging.log(params: params, run: uuid, id: row, db)
                try Logging.log(values, run: uuid, id: row, db)
                try Logging.log(tags: tags, id: row, db)
            }
        }
        try await takeInputs(run, uuid)
        return isOurs ? try ArtifactLocation.path(local).map { try ArtifactPath($0) } : nil
    }

    private func takeInputs(_ run: Fields, _ uuid: String) async throws {
        let inputs = try run.object("inputs")
        let outputs = try run.object("outputs")
        let datasets = try inputs?.list("dataset_inputs") ?? []
        let used = try inputs?.list("model_inputs") ?? []
        let made = try outputs?.list("model_outputs") ?? []
        guard !datasets.isEmpty || !used.isEmpty || !made.isEmpty else { return }
        // A deleted run takes no inputs from clients; it is brought back for the moment.
        let wasDeleted = try await Self.translating {
            try await write { db in
                let state: String = try Run.find(db, uuid)["lifecycle"]
                try db.execute(sql: "UPDATE run SET lifecycle = 'active' WHERE uuid = ?", arguments: [uuid])
                return state == "deleted"
            }
        }
        _ = try await Self.translating {
            try await logInputs(
                try Fields(
                    body: .members(
                        ("run_id", .string(uuid)), ("datasets", .array(datasets)), ("models", .array(used))),
                    query: []))
        }
        let models = try (outputs?.objects("model_outputs") ?? []).map {
            (id: try $0.required("model_id"), step: try $0.whole("step") ?? 0)
        }
        try await Self.translating {
            try await write { db in
                for model in models {
                    try db.execute(
                        sql: """
                            INSERT OR REPLACE INTO run_model_output (run_id, model_uuid, step)
                            SELECT id, ?, ? FROM run WHERE uuid = ?
                            """, arguments: [model.id, model.step, uuid])
                }
                if wasDeleted {
                    try db.execute(sql: "UPDATE run SET lifecycle = 'deleted' WHERE uuid = ?", arguments: [uuid])
                }
            }
        }
    }

    /// A logged model under its own id. Until `finishLoggedModel` its artifacts can be added.
    package func takeLoggedModel(_ view: JSON, experiment: String) async throws -> ArtifactPath? {
        let model = try Fields(view, at: "model")
        guard let info = try model.object("info") else { throw Fields.absent("info") }
        let data = try model.object("data")
        let uuid = try info.required("model_id")
        let id = try Experiment.id(experiment)
        let uri = try info.text("artifact_uri") ?? ""
        let isOurs = ArtifactLocation.path(uri) != nil
        let local = isOurs ? "\(ArtifactLocation.scheme)/\(id)/models/\(uuid)/artifacts" : uri
        let now = milliseconds
        let arguments: StatementArguments = [
            uuid, id, try info.text("name") ?? "", try info.text("model_type"), try info.text("source_run_id"), local,
            try info.whole("creation_timestamp_ms") ?? now, try info.whole("last_updated_timestamp_ms") ?? now,
        ]
        let (tags, params) = (try info.pairs("tags"), try data?.pairs("params") ?? [])
        var metrics: [(run: String, metric: Metric)] = []
        for item in try data?.objects("metrics") ?? [] {
            var metric = try Metric(item)
            metric.model = uuid
            metrics.append((try item.text("run_id") ?? "", metric))
        }
        let values = metrics
        try await Self.translating {
            try await write { db in
                try db.execute(
                    sql: """
                        INSERT OR IGNORE INTO logged_model (uuid, experiment_id, name, model_type, source_run_id, status,
                        artifact_uri, created_at, updated_at)
                        VALUES (?, ?, ?, ?, ?, 'LOGGED_MODEL_PENDING', ?, ?, ?)
                        """, arguments: arguments)
                let row: Int64 = try LoggedModel.find(db, uuid)["id"]
                for tag in tags { try Tags.set(db, "logged_model_tag", "model_id", row, tag.key, tag.value) }
                for param in params { try Tags.set(db, "logged_model_param", "model_id", row, param.key, param.value) }
                for (run, metric) in values { try Logging.logOnModel(metric, run: run, db) }
            }
        }
        return isOurs ? try ArtifactLocation.path(local).map { try ArtifactPath($0) } : nil
    }

    /// Gives a logged model the state it had.
    package func finishLoggedModel(_ id: String, status: String) async throws {
        try await Self.translating {
            try await write { db in
                try db.execute(
                    sql: """
                        UPDATE logged_model SET status = ?1,
                        ready_at = CASE WHEN ?1 = 'LOGGED_MODEL_READY' THEN updated_at END WHERE uuid = ?2
                        """, arguments: [LoggedModel.statuses.contains(status) ? status : LoggedModel.ready, id])
            }
        }
    }

    /// Where something of the other server is to be found here: addresses of what it kept itself are those of the same
    /// run or logged model here; others stay.
    package func localAddress(_ source: String) async throws -> String {
        guard let path = ArtifactLocation.path(source) else { return source }
        let parts = path.split(separator: "/").map(String.init)
        return try await Self.translating {
            try await read { db in
                for (i, part) in parts.enumerated() {
                    let root =
                        try String.fetchOne(db, sql: "SELECT artifact_uri FROM run WHERE uuid = ?", arguments: [part])
                        ?? String.fetchOne(
                            db, sql: "SELECT artifact_uri FROM logged_model WHERE uuid = ?", arguments: [part])
                    // The address of a run ends in `artifacts`, and what follows is inside.
                    if let root { return ([root] + parts.dropFirst(i + 2)).joined(separator: "/") }
                }
                return source
            }
        }
    }

    /// Gives a version the times and the stage it had on the other server.
    package func date(model: String, number: Int64, view: JSON) async throws {
        let fields = try Fields(view, at: "model_version")
        let created = try fields.whole("creation_timestamp")
        let updated = try fields.whole("last_updated_timestamp")
        let stage = (try? ModelVersionRow.stage(try fields.text("current_stage") ?? "None")) ?? "None"
        try await Self.translating {
            try await write { db in
                try db.execute(
                    sql: """
                        UPDATE model_version SET created_at = COALESCE(? * 1000, created_at),
                        updated_at = COALESCE(? * 1000, updated_at), stage = ?
                        WHERE number = ? AND model_id = (SELECT id FROM registered_model WHERE name = ?)
                        """, arguments: [created, updated, stage, number, model])
            }
        }
    }
}
