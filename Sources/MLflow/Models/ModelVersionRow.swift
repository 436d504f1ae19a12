import GRDB
import Registry
import Values

/// Rows of `model_version`, each with its model's name as `model`.
enum ModelVersionRow {
    private static let columns =
        "SELECT v.*, m.name AS model FROM model_version v JOIN registered_model m ON m.id = v.model_id"

    static func number(_ text: String) throws(MLflowError) -> Int64 {
        guard let number = Int64(text) else {
            throw .invalid("Parameter 'version' must be an integer, got '\(text)'.")
        }
        return number
    }

    static func find(_ db: Database, _ name: String, _ number: Int64) throws -> Row {
        let row = try Row.fetchOne(
            db.cachedStatement(sql: "\(columns) WHERE m.name = ? AND v.number = ? AND v.deleted_at IS NULL"),
            arguments: [name, number])
        guard let row else {
            throw MLflowError.missing("Model Version (name=\(name), version=\(number)) not found")
        }
        return row
    }

    static func byID(_ db: Database, _ id: Int64) throws -> Row? {
        try Row.fetchOne(db.cachedStatement(sql: "\(columns) WHERE v.id = ?"), arguments: [id])
    }

    static func newest(_ db: Database, _ model: Int64) throws -> Row? {
        try Row.fetchOne(
            db, sql: "\(columns) WHERE v.model_id = ? AND v.deleted_at IS NULL ORDER BY v.number DESC LIMIT 1",
            arguments: [model])
    }

    /// Where its artifacts are.
    static func address(_ row: Row, _ db: Database) throws -> String {
        let (source, storage): (String, String?) = (row["source"], row["storage"])
        return try storage ?? ArtifactLocation.resolve(source, db) ?? source
    }

    /// The newest version of each stage, or of those named.
    static func latest(_ db: Database, _ model: Int64, stages: [String]) throws -> [Row] {
        let rows = try Row.fetchAll(
            db.cachedStatement(
                sql: """
                    \(columns) WHERE v.model_id = ?1 AND v.deleted_at IS NULL AND v.number = (
                    SELECT MAX(o.number) FROM model_version o
                    WHERE o.model_id = ?1 AND o.stage = v.stage AND o.deleted_at IS NULL) ORDER BY v.number
                    """), arguments: [model])
        return stages.isEmpty ? rows : rows.filter { stages.contains($0["stage"]) }
    }

    /// The stage as MLflow spells it.
    static func stage(_ text: String) throws(MLflowError) -> String {
        let known = ["None", "Staging", "Production", "Archived"]
        guard let stage = known.first(where: { $0.lowercased() == text.lowercased() }) else {
            throw .invalid(
                "Invalid Model Version stage: \(text). Value must be one of \(known.joined(separator: ", ")).")
        }
        return stage
    }

    /// - Parameter withAliases: searches leave them out, as MLflow's do.
    static func view(_ db: Database, _ row: Row, withAliases: Bool) throws -> JSON {
        let id: Int64 = row["id"]
        let number: Int64 = row["number"]
        let (created, updated): (Int64, Int64) = (row["created_at"], row["updated_at"])
        let (run, link, model): (String?, String?, String?) = (row["run_id"], row["run_link"], row["model_uuid"])
        let aliases =
            withAliases
            ? try String.fetchAll(
                db.cachedStatement(sql: "SELECT alias FROM alias WHERE version_id = ? ORDER BY alias"), arguments: [id])
            : []
        return .members(
            ("name", .string(row["model"])), ("version", .string(String(number))),
            ("creation_timestamp", .integer(created / 1_000)), ("last_updated_timestamp", .integer(updated / 1_000)),
            ("user_id", .string(row["user_id"])), ("current_stage", .string(row["stage"])),
            ("description", .string(row["description"])), ("source", .string(row["source"])),
            ("run_id", .string(run ?? "")), ("status", "READY"), ("run_link", .string(link ?? "")),
            ("model_id", model.map { .string($0) }), ("tags", try Tags.view(db, "model_version_tag", "version_id", id)),
            ("aliases", aliases.isEmpty ? nil : .array(aliases.map { .string($0) })))
    }
}
