import GRDB

/// The run and the logged model that a version's source names: what must stay as long as the version serves, whatever its
/// client told of them.
struct VersionSource: Hashable {
    var run: String?
    var loggedModel: String?

    init() {}

    /// Of `runs:/ID/…`, `models:/m-ID`, `models:/NAME/NUMBER`, whose version may be a copy itself, and of the addresses of
    /// what is kept here. Empty for sources that are kept elsewhere or name nothing.
    init(_ source: String, _ db: Database) throws {
        self.init()
        if let run = ArtifactLocation.run(source) {
            self.run = try Self.known(run: run, db)
        } else if let model = ArtifactLocation.loggedModel(source) {
            self = try VersionSource(loggedModel: model, db)
        } else if let (name, number) = ArtifactLocation.version(source) {
            let row = try Row.fetchOne(
                db,
                sql: """
                    SELECT v.source_run, v.source_model FROM model_version v JOIN registered_model m ON m.id = v.model_id
                    WHERE m.name = ? AND v.number = ?
                    """, arguments: [name, number])
            run = row?["source_run"]
            loggedModel = row?["source_model"]
        } else if let path = ArtifactLocation.path(source) {
            self = try VersionSource(path: path, db)
        }
    }

    private init(loggedModel id: String, _ db: Database) throws {
        guard
            let row = try Row.fetchOne(
                db, sql: "SELECT source_run_id FROM logged_model WHERE uuid = ?", arguments: [id])
        else { return }
        loggedModel = id
        run = try (row["source_run_id"] as String?).flatMap { try Self.known(run: $0, db) }
    }

    /// Whose artifacts a name is among. Their ids are parts of it wherever an experiment keeps them.
    private init(path: String, _ db: Database) throws {
        self.init()
        for part in path.split(separator: "/").map(String.init) {
            let root = try String.fetchOne(
                db,
                sql: """
                    SELECT artifact_uri FROM run WHERE uuid = :id
                    UNION ALL SELECT artifact_uri FROM logged_model WHERE uuid = :id
                    """, arguments: ["id": part]
            ).flatMap(ArtifactLocation.path)
            guard let root, path == root || path.hasPrefix(root + "/") else { continue }
            if part.hasPrefix("m-") {
                self = try VersionSource(loggedModel: part, db)
            } else {
                run = part
            }
            return
        }
    }

    private static func known(run: String, _ db: Database) throws -> String? {
        try String.fetchOne(db, sql: "SELECT uuid FROM run WHERE uuid = ?", arguments: [run])
    }
}

extension VersionSource {
    /// Why nobody could load a version: what its source names does not exist, is deleted, or is not finished. `nil` where
    /// nothing is known against it, as with sources kept elsewhere.
    static func obstacle(_ db: Database, _ versionID: Int64) throws -> String? {
        guard
            let row = try Row.fetchOne(db, sql: "SELECT * FROM model_version WHERE id = ?", arguments: [versionID]),
            row["is_elsewhere"] == false
        else { return nil }
        let (source, storage): (String, String?) = (row["source"], row["storage"])
        let namedRun = ArtifactLocation.run(source)
        let runs: [String?] = [namedRun, row["source_run"], row["run_id"]]
        for run in runs.compactMap(\.self) {
            if let why = try obstacle(db, run: run, isNamed: run == namedRun) { return why }
        }
        let named = ArtifactLocation.loggedModel(source)
        let known: [String?] = [named, row["source_model"], row["model_uuid"]]
        for model in known.compactMap(\.self) {
            if let why = try obstacle(db, loggedModel: model, isNamed: model == named) { return why }
        }
        guard let address = try storage ?? ArtifactLocation.resolve(source, db) else {
            if ArtifactLocation.begins(source, with: "models:/") {
                return "its source '\(source)' names no version that exists: register it from where its files are"
            }
            return try ArtifactLocation.path(source).flatMap { try emptiness(db, $0) }
        }
        return try ArtifactLocation.path(address).flatMap { try emptiness(db, $0) }
    }

    private static func emptiness(_ db: Database, _ path: String) throws -> String? {
        // `0` comes after `/`: all names under the path.
        let hasFiles = try Bool.fetchOne(
            db, sql: "SELECT EXISTS (SELECT 1 FROM artifact WHERE path = :path OR (path >= :from AND path < :to))",
            arguments: ["path": path, "from": path + "/", "to": path + "0"])
        return hasFiles == true ? nil : "no file is kept at '\(path)', which its source stands for: log the model there"
    }

    private static func obstacle(_ db: Database, run id: String, isNamed: Bool) throws -> String? {
        guard
            let lifecycle = try String.fetchOne(db, sql: "SELECT lifecycle FROM run WHERE uuid = ?", arguments: [id])
        else { return isNamed ? "its source names run \(id), which does not exist here" : nil }
        return lifecycle == "active" ? nil : "run \(id), which it was made from, is deleted: restore it first"
    }

    private static func obstacle(_ db: Database, loggedModel id: String, isNamed: Bool) throws -> String? {
        let row = try Row.fetchOne(
            db,
            sql: """
                SELECT l.status, l.lifecycle, e.lifecycle AS experiment FROM logged_model l
                JOIN experiment e ON e.id = l.experiment_id WHERE l.uuid = ?
                """, arguments: [id])
        guard let row else {
            return isNamed ? "its source names logged model \(id), which does not exist here" : nil
        }
        guard row["lifecycle"] == "active" else { return "logged model \(id), which it was made from, is deleted" }
        guard row["experiment"] == "active" else {
            return "the experiment of logged model \(id), which it was made from, is deleted: restore it first"
        }
        switch row["status"] as String {
        case "LOGGED_MODEL_READY": return nil
        case "LOGGED_MODEL_PENDING":
            return "logged model \(id), which it was made from, is not finished: it is still PENDING"
        default: return "logged model \(id), which it was made from, was not logged whole: its upload FAILED"
        }
    }
}

extension VersionSource {
    /// Versions of before the columns. What the mirror took over from another server is known by the reason it gave.
    @Sendable static func migrate(_ db: Database) throws {
        try db.execute(
            sql: """
                ALTER TABLE model_version ADD COLUMN source_run TEXT;
                ALTER TABLE model_version ADD COLUMN source_model TEXT;
                ALTER TABLE model_version ADD COLUMN is_elsewhere INTEGER NOT NULL DEFAULT 0;
                UPDATE model_version SET is_elsewhere = 1 WHERE id IN (
                    SELECT v.id FROM audit a JOIN registered_model m ON m.name = a.model
                    JOIN model_version v ON v.model_id = m.id AND v.version = json_extract(a.detail, '$.version')
                    WHERE a.action = 'version.registered' AND a.reason = 'found on the MLflow server');
                """)
        // By id, so that what a copy was made from is known before the copy.
        for row in try Row.fetchAll(db, sql: "SELECT id, source FROM model_version WHERE NOT is_elsewhere ORDER BY id")
        {
            let made = try VersionSource(row["source"], db)
            guard made != VersionSource() else { continue }
            try db.execute(
                sql: "UPDATE model_version SET source_run = ?, source_model = ? WHERE id = ?",
                arguments: [made.run, made.loggedModel, row["id"] as Int64])
        }
    }
}
