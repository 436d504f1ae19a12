import GRDB
import Values

/// What tracking knows of a version: the data its run read, the run itself, the logged model it was made from.
struct VersionRecord {
    /// Empty where the version names no run that is kept here.
    let inputs: [JSON]
    let run: JSON?
    let loggedModel: JSON?

    /// The run is the version's own, or else the one that made its logged model.
    init(_ db: Database, of version: ModelVersion) throws {
        let made = try Row.fetchOne(
            db,
            sql: """
                SELECT l.* FROM logged_model l JOIN model_version v ON v.model_uuid = l.uuid
                JOIN registered_model m ON m.id = v.model_id WHERE m.name = ? AND v.number = ? AND v.deleted_at IS NULL
                """, arguments: [version.model, version.number])
        loggedModel = made.map(Self.loggedModel)
        let uuid = version.runID ?? made?["source_run_id"]
        guard
            let row = try Row.fetchOne(
                db,
                sql: """
                    SELECT r.*, e.name AS experiment_name FROM run r JOIN experiment e ON e.id = r.experiment_id
                    WHERE r.uuid = ?
                    """, arguments: [uuid])
        else { (run, inputs) = (nil, []); return }
        run = try Self.run(db, row)
        inputs = try Self.inputs(db, ofRun: row["id"])
    }

    private static func run(_ db: Database, _ row: Row) throws -> JSON {
        let id: Int64 = row["id"]
        let tags = try pairs(db, "SELECT key, value FROM run_tag WHERE run_id = ?", id)
        let metrics = try Row.fetchAll(
            db, sql: "SELECT key, value, is_nan FROM latest_metric WHERE run_id = ? ORDER BY key", arguments: [id])
        return .members(
            ("run_id", .string(row["uuid"])), ("name", .string(row["name"])), ("status", .string(row["status"])),
            ("lifecycle", .string(row["lifecycle"])),
            ("experiment", .members(("id", .integer(row["experiment_id"])), ("name", .string(row["experiment_name"])))),
            ("user", .string(row["user_id"])), ("started_at", time(row["start_time"])),
            ("ended_at", time(row["end_time"])), ("source", tags["mlflow.source.name"].map { .string($0) }),
            ("commit", tags["mlflow.source.git.commit"].map { .string($0) }),
            ("params", .sorted(try pairs(db, "SELECT key, value FROM param WHERE run_id = ?", id))),
            (
                "metrics",
                .object(metrics.map { .init($0["key"], metric($0["is_nan"] ? .nan : $0["value"])) })
            ))
    }

    /// JSON has no number that is not finite; the words are those of MLflow.
    private static func metric(_ value: Double) -> JSON {
        value.isFinite ? .number(value) : .string(value.isNaN ? "NaN" : value < 0 ? "-Infinity" : "Infinity")
    }

    private static func inputs(_ db: Database, ofRun id: Int64) throws -> [JSON] {
        try Row.fetchAll(
            db,
            sql: """
                SELECT d.name, d.digest, d.source_type, d.source, t.value AS context
                FROM run_input i JOIN dataset d ON d.id = i.dataset_id LEFT JOIN run_input_tag t
                ON t.run_id = i.run_id AND t.dataset_id = i.dataset_id AND t.key = 'mlflow.data.context'
                WHERE i.run_id = ? ORDER BY d.name, d.digest
                """, arguments: [id]
        ).map { row in
            .members(
                ("name", .string(row["name"])), ("digest", .string(row["digest"])),
                ("context", (row["context"] as String?).map { .string($0) }),
                ("source_type", .string(row["source_type"])), ("source", .string(row["source"])))
        }
    }

    private static func loggedModel(_ row: Row) -> JSON {
        .members(
            ("model_id", .string(row["uuid"])), ("name", .string(row["name"])), ("status", .string(row["status"])),
            ("lifecycle", .string(row["lifecycle"])), ("experiment_id", .integer(row["experiment_id"])),
            ("created_at", time(row["created_at"])))
    }

    private static func pairs(_ db: Database, _ sql: String, _ id: Int64) throws -> [String: String] {
        Dictionary(
            try Row.fetchAll(db, sql: sql, arguments: [id]).map { ($0[0] as String, $0[1] as String) },
            uniquingKeysWith: { first, _ in first })
    }

    private static func time(_ milliseconds: Int64?) -> JSON? {
        milliseconds.map { .time(Timestamp(microseconds: $0 &* 1_000)) }
    }
}
