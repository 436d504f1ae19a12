import GRDB
import Registry
package import Values

/// What became of a run: a version that was registered from it.
package struct RunVersion: Sendable, Hashable {
    package let model: String
    /// As fleets call it.
    package let label: String
    package let aliases: [String]
    package let isQuarantined: Bool
}

/// A logged model that a run made.
package struct RunModel: Sendable, Hashable {
    package let id: String
    package let name: String
    package let status: String
    package let createdAt: Timestamp
}

extension MLflowAPI {
    /// The history of each metric of a run, thinned out to what a small drawing can show; NaN is a gap. Of a long history the
    /// newest part.
    package func curves(ofRun uuid: String) async throws -> [String: [Double?]] {
        try await Self.translating {
            try await read { db in
                let id: Int64 = try Run.find(db, uuid)["id"]
                let keys = try String.fetchAll(
                    db, sql: "SELECT key FROM latest_metric WHERE run_id = ? ORDER BY key LIMIT ?",
                    arguments: [id, RunCurve.metricsMaximum])
                var curves: [String: [Double?]] = [:]
                for key in keys { curves[key] = try RunCurve.points(db, id, key) }
                return curves
            }
        }
    }

    /// The versions of all models that were registered from a run.
    package func versions(ofRun uuid: String) async throws -> [RunVersion] {
        try await Self.translating {
            try await read { db in
                let rows = try Row.fetchAll(
                    db,
                    sql: """
                        SELECT v.id, m.name, v.version,
                        EXISTS (SELECT 1 FROM quarantine q WHERE q.version_id = v.id) AS quarantined
                        FROM model_version v JOIN registered_model m ON m.id = v.model_id
                        WHERE v.run_id = ? AND v.deleted_at IS NULL ORDER BY m.name, v.number
                        """, arguments: [uuid])
                return try rows.map { row in
                    let id: Int64 = row["id"]
                    let aliases = try String.fetchAll(
                        db, sql: "SELECT alias FROM alias WHERE version_id = ? ORDER BY alias", arguments: [id])
                    return RunVersion(
                        model: row["name"], label: row["version"], aliases: aliases, isQuarantined: row["quarantined"])
                }
            }
        }
    }

    /// The logged models that a run made, the oldest first.
    package func models(ofRun uuid: String) async throws -> [RunModel] {
        try await Self.translating {
            try await read { db in
                let experiment: Int64 = try Run.find(db, uuid)["experiment_id"]
                // By experiment, as there is an index for that.
                let rows = try Row.fetchAll(
                    db,
                    sql: """
                        SELECT uuid, name, status, created_at FROM logged_model
                        WHERE experiment_id = ? AND source_run_id = ? AND lifecycle = 'active' ORDER BY created_at LIMIT 100
                        """, arguments: [experiment, uuid])
                return rows.map { row in
                    let milliseconds: Int64 = row["created_at"]
                    return RunModel(
                        id: row["uuid"], name: row["name"], status: row["status"],
                        createdAt: Timestamp(microseconds: milliseconds * 1_000))
                }
            }
        }
    }

    /// The run that made a logged model; `nil` where none is told.
    package func run(ofLoggedModel uuid: String) async throws -> String? {
        try await Self.translating { try await read { try LoggedModel.find($0, uuid)["source_run_id"] } }
    }
}

/// The history of one metric, small enough for a page.
private enum RunCurve {
    static let metricsMaximum = 200
    private static let valuesMaximum = 4_000
    private static let pointsMaximum = 160

    static func points(_ db: Database, _ run: Int64, _ key: String) throws -> [Double?] {
        let rows = try Row.fetchAll(
            db.cachedStatement(
                sql: """
                    SELECT step, timestamp, value, is_nan FROM metric WHERE run_id = ? AND key = ?
                    ORDER BY timestamp DESC, step DESC, value DESC LIMIT ?
                    """), arguments: [run, key, valuesMaximum])
        let values = rows.map { row in
            (step: row[0] as Int64, time: row[1] as Int64, value: row[3] as Bool ? nil : row[2] as Double)
        }.sorted { ($0.step, $0.time) < ($1.step, $1.time) }
        guard values.count > pointsMaximum else { return values.map(\.value) }
        // The first and the last are among them.
        return (0..<pointsMaximum).map { values[$0 * (values.count - 1) / (pointsMaximum - 1)].value }
    }
}
