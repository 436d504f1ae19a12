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
        let found = try RowStatement(db, "SELECT id, lifecycle FROM run WHERE uuid = ?")
        found.bind(uuid, at: 1)
        guard try found.next() else { throw MLflowError.missing("Run with id=\(uuid) not found") }
        defer { found.restart() }
        let state = found.text(1)
        guard state == "active" else {
            throw MLflowError.invalid(
                "The run \(uuid) must be in the 'active' state. Current state is \(state).")
        }
        return found.whole(0)
    }

    /// What a run is; `false` where there is none with this row id.
    @discardableResult
    static func writeInfo(_ db: Database, _ id: Int64, into json: inout JSONWriter) throws -> Bool {
        let row = try RowStatement(
            db,
            """
            SELECT uuid, name, experiment_id, user_id, status, start_time, end_time, artifact_uri, lifecycle
            FROM run WHERE id = ?
            """)
        row.bind(id, at: 1)
        guard try row.next() else { return false }
        defer { row.restart() }
        json.object { json in
            json.member("run_uuid", row, 0)
            json.member("run_id", row, 0)
            json.member("run_name", row, 1)
            json.member("experiment_id", row, 2)
            json.member("user_id", row, 3)
            json.member("status", row, 4)
            json.member("start_time", whole: row, 5)
            json.member("end_time", whole: row, 6)
            json.member("artifact_uri", row, 7)
            json.member("lifecycle_stage", row, 8)
        }
        return true
    }

    static func answer(_ db: Database, _ id: Int64) throws -> Answer {
        try Answer { json in
            json.key("run")
            try write(db, id, into: &json)
        }
    }

    /// All of a run, as `runs/get` and searches give it.
    static func write(_ db: Database, _ id: Int64, into json: inout JSONWriter) throws {
        try json.object { json in
            json.key("info")
            guard try writeInfo(db, id, into: &json) else { throw MLflowError.missing("Run not found") }
            json.key("data")
            try json.object { json in
                try writeMetrics(db, id, into: &json)
                try writePairs(db, "params", "param", id, into: &json)
                try writePairs(db, "tags", "run_tag", id, into: &json)
            }
            // Most runs have none of them, and one look tells.
            let linked = try RowStatement(
                db,
                """
                SELECT EXISTS (SELECT 1 FROM run_input WHERE run_id = ?1)
                OR EXISTS (SELECT 1 FROM run_model_input WHERE run_id = ?1),
                EXISTS (SELECT 1 FROM run_model_output WHERE run_id = ?1)
                """)
            linked.bind(id, at: 1)
            let (hasInputs, hasOutputs) =
                try linked.next() ? (linked.whole(0) == 1, linked.whole(1) == 1) : (true, true)
            linked.restart()
            json.key("inputs")
            json.value(hasInputs ? try RunInputs.view(db, id) : [:])
            json.key("outputs")
            json.value(hasOutputs ? try RunInputs.outputs(db, id) : [:])
        }
    }

    private static func writeMetrics(_ db: Database, _ id: Int64, into json: inout JSONWriter) throws {
        let row = try RowStatement(
            db, "SELECT key, value, is_nan, timestamp, step FROM latest_metric WHERE run_id = ? ORDER BY key")
        row.bind(id, at: 1)
        // MLflow leaves empty lists out.
        guard try row.next() else { return }
        json.key("metrics")
        try json.array { json in
            repeat {
                json.object { json in
                    json.member("key", row, 0)
                    json.key("value")
                    json.value(row.whole(2) == 1 ? "NaN" : .number(row.number(1)))
                    json.member("timestamp", whole: row, 3)
                    json.member("step", whole: row, 4)
                }
            } while try row.next()
        }
    }

    private static func writePairs(
        _ db: Database, _ name: StaticString, _ table: String, _ id: Int64, into json: inout JSONWriter
    ) throws {
        let row = try RowStatement(db, "SELECT key, value FROM \(table) WHERE run_id = ? ORDER BY key")
        row.bind(id, at: 1)
        guard try row.next() else { return }
        json.key(name)
        try json.array { json in
            repeat {
                json.object { json in
                    json.member("key", row, 0)
                    json.member("value", row, 1)
                }
            } while try row.next()
        }
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
    init(_ fields: Fields, at place: @autoclosure () -> String = "") throws(MLflowError) {
        func named(_ name: String) -> String { place().isEmpty ? name : "\(place()).\(name)" }
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
