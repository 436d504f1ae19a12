import GRDB
import Values

extension Endpoint {
    static let logging: [Endpoint] = [
        Endpoint("POST", "runs/log-metric", "Logs one value of a metric") { api, call in
            let uuid = try Run.uuid(call.fields)
            let metric = try Metric(call.fields)
            return try await api.write { db in
                try Logging.log([metric], run: uuid, id: try Run.active(db, uuid), db)
                return [:]
            }
        },
        Endpoint("POST", "runs/log-parameter", "Logs a param, which keeps its value") { api, call in
            let uuid = try Run.uuid(call.fields)
            let key = try call.fields.required("key")
            let value = try call.fields.text("value") ?? ""
            try Check.key(key)
            return try await api.write { db in
                try Logging.log(params: [(key, value)], run: uuid, id: try Run.active(db, uuid), db)
                return [:]
            }
        },
        Endpoint("POST", "runs/log-batch", "Logs metrics, params and tags at once, all or none") {
            try await $0.logBatch($1.fields)
        },
        Endpoint("POST", "runs/set-tag", "Sets a tag of a run") { api, call in
            let uuid = try Run.uuid(call.fields)
            let key = try call.fields.required("key")
            let value = try call.fields.text("value") ?? ""
            try Check.key(key)
            return try await api.write { db in
                try Logging.log(tags: [(key, value)], id: try Run.active(db, uuid), db)
                return [:]
            }
        },
        Endpoint("POST", "runs/delete-tag", "Removes a tag of a run") { api, call in
            let uuid = try Run.uuid(call.fields)
            let key = try call.fields.required("key")
            return try await api.write { db in
                let id = try Run.active(db, uuid)
                guard try Tags.remove(db, "run_tag", "run_id", id, key) else {
                    throw MLflowError.missing("No tag with name: \(key) in run with id \(uuid)")
                }
                return [:]
            }
        },
        Endpoint("GET", "metrics/get-history", "All values of a metric, by time, step and value") {
            try await $0.history($1.fields)
        },
    ]
}

extension MLflowAPI {
    fileprivate func logBatch(_ fields: Fields) async throws -> JSON {
        let uuid = try Run.uuid(fields)
        var metrics: [Metric] = []
        for (i, item) in try fields.objects("metrics").enumerated() {
            metrics.append(try Metric(item, at: "metrics[\(i)]"))
        }
        let params = try fields.pairs("params")
        let tags = try fields.pairs("tags")
        func check(_ what: String, _ count: Int, _ maximum: Int) throws(MLflowError) {
            guard count > maximum else { return }
            throw .invalid(
                "A batch logging request can contain at most \(maximum) \(what). Got \(count) \(what). Please split "
                    + "up \(what) across multiple requests and try again.")
        }
        try check("metrics", metrics.count, Limit.metricsPerBatch)
        try check("params", params.count, Limit.paramsPerBatch)
        try check("tags", tags.count, Limit.tagsPerBatch)
        try check("metrics, params, and tags", metrics.count + params.count + tags.count, Limit.entitiesPerBatch)
        for (i, param) in params.enumerated() { try Check.key(param.key, "params[\(i)].key") }
        for (i, tag) in tags.enumerated() { try Check.key(tag.key, "tags[\(i)].key") }
        let doubled = Dictionary(grouping: params, by: \.key).filter { $0.value.count > 1 }.keys.sorted()
        guard doubled.isEmpty else {
            throw MLflowError.invalid(
                "Duplicate parameter keys have been submitted: \(doubled). Please ensure the request contains only one "
                    + "param value per param key.")
        }
        let batch = metrics
        return try await write { db in
            let id = try Run.active(db, uuid)
            try Logging.log(params: params, run: uuid, id: id, db)
            try Logging.log(batch, run: uuid, id: id, db)
            try Logging.log(tags: tags, id: id, db)
            return [:]
        }
    }

    fileprivate func history(_ fields: Fields) async throws -> JSON {
        let uuid = try Run.uuid(fields)
        let key = try fields.required("metric_key")
        let page = try Page(fields, default: Limit.history, maximum: Limit.history)
        return try await read { db in
            let id: Int64 = try Run.find(db, uuid)["id"]
            let rows = try Row.fetchAll(
                db.cachedStatement(
                    sql: """
                        SELECT key, value, is_nan, timestamp, step FROM metric
                        WHERE run_id = ? AND key = ? ORDER BY timestamp, step, value LIMIT ? OFFSET ?
                        """), arguments: [id, key, page.limit + 1, page.offset])
            let (found, next) = page.cut(rows)
            return .members(
                (
                    "metrics",
                    .array(
                        found.map {
                            Metric.view(key: $0[0], value: $0[1], isNaN: $0[2], timestamp: $0[3], step: $0[4])
                        })
                ), ("next_page_token", next))
        }
    }
}

/// Writing what runs log. Each in the caller's transaction.
enum Logging {
    static func log(_ metrics: [Metric], run: String, id: Int64, _ db: Database) throws {
        guard !metrics.isEmpty else { return }
        let insert = try RowStatement(
            db, "INSERT OR IGNORE INTO metric (run_id, key, timestamp, step, value, is_nan) VALUES (?, ?, ?, ?, ?, ?)")
        insert.bind(id, at: 1)
        // By key, where in `metrics` its last value stands.
        var latest: [String: Int] = [:]
        for (i, metric) in metrics.enumerated() {
            insert.bind(metric.key, at: 2)
            insert.bind(metric.timestamp, at: 3)
            insert.bind(metric.step, at: 4)
            insert.bind(metric.value, at: 5)
            insert.bind(Int64(metric.isNaN ? 1 : 0), at: 6)
            try insert.run()
            if let before = latest[metric.key], !metric.isLater(than: metrics[before]) { continue }
            latest[metric.key] = i
        }
        // The row comparison is `Metric.isLater` once more, against what is stored.
        let replace = try RowStatement(
            db,
            """
            INSERT INTO latest_metric (run_id, key, value, is_nan, timestamp, step) VALUES (?, ?, ?, ?, ?, ?)
            ON CONFLICT (run_id, key) DO UPDATE SET value = excluded.value, is_nan = excluded.is_nan,
            timestamp = excluded.timestamp, step = excluded.step
            WHERE (excluded.step, excluded.timestamp, excluded.value) >= (step, timestamp, value)
            """)
        replace.bind(id, at: 1)
        for i in latest.values {
            let metric = metrics[i]
            replace.bind(metric.key, at: 2)
            replace.bind(metric.value, at: 3)
            replace.bind(Int64(metric.isNaN ? 1 : 0), at: 4)
            replace.bind(metric.timestamp, at: 5)
            replace.bind(metric.step, at: 6)
            try replace.run()
        }
        for metric in metrics where metric.model != nil { try logOnModel(metric, run: run, db) }
    }

    /// The value belongs to a logged model too. A model that is not there is no reason to lose the metric of the run.
    static func logOnModel(_ metric: Metric, run: String, _ db: Database) throws {
        try db.cachedStatement(
            sql: """
                INSERT OR REPLACE INTO logged_model_metric
                (model_id, key, timestamp, step, run_uuid, value, is_nan, dataset_name, dataset_digest)
                SELECT id, ?, ?, ?, ?, ?, ?, ?, ? FROM logged_model WHERE uuid = ?
                """
        ).execute(
            arguments: [
                metric.key, metric.timestamp, metric.step, run, metric.value, metric.isNaN, metric.datasetName,
                metric.datasetDigest, metric.model,
            ])
    }

    static func log(params: [(key: String, value: String)], run: String, id: Int64, _ db: Database) throws {
        guard !params.isEmpty else { return }
        let insert = try db.cachedStatement(
            sql: "INSERT INTO param (run_id, key, value) VALUES (?, ?, ?) ON CONFLICT DO NOTHING")
        let present = try db.cachedStatement(sql: "SELECT value FROM param WHERE run_id = ? AND key = ?")
        for param in params {
            let value = Check.cut(param.value, Limit.param)
            try insert.execute(arguments: [id, param.key, value])
            if db.changesCount == 0, let old = try String.fetchOne(present, arguments: [id, param.key]), old != value {
                throw MLflowError.invalid(
                    "Changing param values is not allowed. Param with key='\(param.key)' was already logged with "
                        + "value='\(old)' for run ID='\(run)'. Attempted logging new value '\(value)'.")
            }
        }
    }

    static func log(tags: [(key: String, value: String)], id: Int64, _ db: Database) throws {
        for tag in tags {
            try Tags.set(db, "run_tag", "run_id", id, tag.key, Check.cut(tag.value, Limit.tag))
            if tag.key == "mlflow.runName" {
                try db.execute(sql: "UPDATE run SET name = ? WHERE id = ?", arguments: [tag.value, id])
            }
        }
    }
}
