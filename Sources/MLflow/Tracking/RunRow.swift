import GRDB
import Values

/// Rows of `run` and what hangs on them.
enum Run {
    /// MLflow's names of a run's state.
    static let statuses: Set = ["RUNNING", "SCHEDULED", "FINISHED", "FAILED", "KILLED"]

    /// Clients send the id under both names.
    static func uuid(_ fields: Fields) throws(MLflowError) -> String {
        let id = try fields.text("run_id") ?? ""
        if !id.isEmpty { return try check(id) }
        let old = try fields.text("run_uuid") ?? ""
        guard !old.isEmpty else { throw Fields.absent("run_id") }
        return try check(old)
    }

    private static func check(_ id: String) throws(MLflowError) -> String {
        let allowed = id.utf8.allSatisfy {
            ($0 | 0x20) &- 0x61 < 26 || $0 &- 0x30 < 10 || $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: "-")
        }
        guard allowed, id.utf8.count <= 256 else {
            throw .invalid("Invalid value \"\(id)\" for parameter 'run_id' supplied.")
        }
        return id
    }

    static func find(_ db: Database, _ uuid: String) throws -> Row {
        guard
            let row = try Row.fetchOne(
                db.cachedStatement(sql: "SELECT * FROM run WHERE uuid = ?"), arguments: [uuid])
        else { throw MLflowError.missing("Run with id=\(uuid) not found") }
        return row
    }

    /// The row id of a run that can be written to.
    static func active(_ db: Database, _ uuid: String) throws -> Int64 {
        let statement = try db.cachedStatement(sql: "SELECT id, lifecycle FROM run WHERE uuid = ?")
        guard let row = try Row.fetchOne(statement, arguments: [uuid]) else {
            throw MLflowError.missing("Run with id=\(uuid) not found")
        }
        guard row[1] == "active" else {
            let state: String = row[1]
            throw MLflowError.invalid(
                "The run \(uuid) must be in the 'active' state. Current state is \(state).")
        }
        return row[0]
    }

    static func info(_ row: Row) -> JSON {
        let uuid: String = row["uuid"]
        let experiment: Int64 = row["experiment_id"]
        let (start, end): (Int64?, Int64?) = (row["start_time"], row["end_time"])
        return .members(
            ("run_uuid", .string(uuid)), ("run_id", .string(uuid)), ("run_name", .string(row["name"])),
            ("experiment_id", .string(String(experiment))), ("user_id", .string(row["user_id"])),
            ("status", .string(row["status"])), ("start_time", start.map { .integer($0) }),
            ("end_time", end.map { .integer($0) }), ("artifact_uri", .string(row["artifact_uri"])),
            ("lifecycle_stage", .string(row["lifecycle"])))
    }

    /// All of a run, as `runs/get` and searches give it.
    static func view(_ db: Database, _ row: Row) throws -> JSON {
        let id: Int64 = row["id"]
        return .members(
            ("info", info(row)),
            (
                "data",
                .members(
                    ("metrics", try latestMetrics(db, id)), ("params", try Tags.view(db, "param", "run_id", id)),
                    ("tags", try Tags.view(db, "run_tag", "run_id", id)))
            ), ("inputs", try RunInputs.view(db, id)), ("outputs", try RunInputs.outputs(db, id)))
    }

    private static func latestMetrics(_ db: Database, _ id: Int64) throws -> JSON? {
        let rows = try Row.fetchCursor(
            db.cachedStatement(
                sql: "SELECT key, value, is_nan, timestamp, step FROM latest_metric WHERE run_id = ? ORDER BY key"),
            arguments: [id])
        var items: [JSON] = []
        while let row = try rows.next() {
            items.append(
                Metric.view(key: row[0], value: row[1], isNaN: row[2], timestamp: row[3], step: row[4]))
        }
        return items.isEmpty ? nil : .array(items)
    }
}

/// One logged value of a metric.
struct Metric: Sendable {
    let key: String
    let value: Double
    let isNaN: Bool
    let timestamp: Int64
    let step: Int64
    /// The logged model and the dataset it was computed on, where told.
    var model: String?
    var datasetName = ""
    var datasetDigest = ""

    /// - Parameter at: where in the request, for messages.
    init(_ fields: Fields, at place: String = "") throws(MLflowError) {
        func named(_ name: String) -> String { place.isEmpty ? name : "\(place).\(name)" }
        key = try fields.text("key") ?? ""
        guard !key.isEmpty else { throw Fields.absent(named("key")) }
        try Check.key(key, named("name"))
        guard let number = try fields.number("value") else {
            throw Fields.absent(named("value"))
        }
        isNaN = number.isNaN
        // Databases keep no NaN and no infinity; MLflow's largest stand-in for the latter is the largest number.
        value = number.isNaN ? 0 : number.isInfinite ? (number < 0 ? -1 : 1) * Double.greatestFiniteMagnitude : number
        guard let time = try fields.whole("timestamp") else { throw Fields.absent(named("timestamp")) }
        guard time >= 0 else {
            throw .invalid(
                "Invalid value for parameter '\(named("timestamp"))' supplied: metric '\(key)'. Timestamp must be a "
                    + "nonnegative long (64-bit integer)")
        }
        timestamp = time
        step = try fields.whole("step") ?? 0
        model = try fields.text("model_id").flatMap { $0.isEmpty ? nil : $0 }
        datasetName = try fields.text("dataset_name") ?? ""
        datasetDigest = try fields.text("dataset_digest") ?? ""
    }

    /// The one that counts as the last: by step, then time, then value.
    func isLater(than other: Metric) -> Bool {
        (step, timestamp, value) >= (other.step, other.timestamp, other.value)
    }

    static func view(key: String, value: Double, isNaN: Bool, timestamp: Int64, step: Int64) -> JSON {
        .members(
            ("key", .string(key)), ("value", isNaN ? "NaN" : .number(value)), ("timestamp", .integer(timestamp)),
            ("step", .integer(step)))
    }
}
