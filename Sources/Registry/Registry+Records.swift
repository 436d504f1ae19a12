import Foundation
import GRDB
import Values

/// What the registry remembers: the feed of events, the audit trail, histories and decisions.
extension Registry {
    /// Events after a sequence, in order; pass the last one's sequence to go on.
    package func events(after sequence: Int64 = 0, limit: Int = 1_000) async throws -> [RegistryEvent] {
        try await read { db in
            let rows = try Row.fetchAll(
                db, sql: "SELECT * FROM event WHERE seq > ? ORDER BY seq LIMIT ?",
                arguments: [sequence, max(0, limit)])
            return try rows.map { row in
                let kind: String = row["kind"]
                guard let known = RegistryEvent.Kind(rawValue: kind) else {
                    throw RegistryError(
                        .unavailable, "event \(row["seq"] as Int64) is of an unknown kind '\(kind)': upgrade holdfast")
                }
                return RegistryEvent(
                    sequence: row["seq"], model: row["model"], kind: known, payload: row["payload"],
                    at: Timestamp(microseconds: row["at"]))
            }
        }
    }

    /// The latest audit entries, the newest first; of one model, or of all where it is `nil`.
    package func audit(model: String? = nil, limit: Int = 100) async throws -> [AuditEntry] {
        try await read { db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT * FROM audit \(model == nil ? "" : "WHERE model = :model")
                    ORDER BY id DESC LIMIT :limit
                    """,
                arguments: model.map { ["model": $0, "limit": max(0, limit)] } ?? ["limit": max(0, limit)]
            ).map { AuditEntry($0) }
        }
    }

    /// Checks every hash of the audit trail, and the tables against it. Reads it all: for the command line and a daily
    /// check, not for requests.
    package func verifyAudit() async throws -> AuditVerdict {
        try await read { try AuditTrail.verify($0) }
    }

    /// The same of a file that is only read: what is not there is said and not made.
    package static func verifyAudit(path: String) async throws -> AuditVerdict {
        let file = try await opening(path) { () throws -> any DatabaseReader in
            guard FileManager.default.fileExists(atPath: path) else {
                throw RegistryError(
                    .notFound,
                    "\(path) does not exist, so there is nothing to verify: name the folder of the registry with --state"
                )
            }
            var reading = Self.configuration
            reading.readonly = true
            let file = try DatabaseQueue(path: path, configuration: reading)
            try file.read { try checkIsPresent($0, path) }
            return file
        }
        return try await translating { try await file.read { try AuditTrail.verify($0) } }
    }

    private static func checkIsPresent(_ db: Database, _ path: String) throws {
        guard try db.tableExists("audit") else {
            throw RegistryError(
                .notFound,
                "\(path) holds no registry, so there is nothing to verify: was it emptied, or is it another file?")
        }
        if try Schema.migrator.hasBeenSuperseded(db) { throw RegistryError.ofNewerProgram(path) }
        guard try Schema.migrator.hasCompletedMigrations(db) else {
            throw RegistryError(
                .unavailable,
                "\(path) was written by an older holdfast: `holdfast registry list` brings it up to date, then verify again"
            )
        }
    }

    /// How the aliases of a model moved, the first move first; of one alias, or of all where it is `nil`.
    package func aliasHistory(model: String, alias: String? = nil) async throws -> [AliasMove] {
        try await read { db in
            var arguments: StatementArguments = ["model": try Self.modelID(db, model)]
            if let alias { arguments += ["alias": alias] }
            return try Self.moves(
                db, "h.model_id = :model \(alias == nil ? "" : "AND h.alias = :alias")", arguments)
        }
    }

    /// The moves of aliases that one event made, whatever has become of its model since.
    package func aliasMoves(at sequence: Int64) async throws -> [AliasMove] {
        try await read { try Self.moves($0, "h.seq = :seq", ["seq": sequence]) }
    }

    private static func moves(
        _ db: Database, _ condition: String, _ arguments: StatementArguments
    ) throws -> [AliasMove] {
        try Row.fetchAll(
            db,
            sql: """
                SELECT h.*, f.version AS from_version, t.version AS to_version
                FROM alias_history h
                LEFT JOIN model_version f ON f.id = h.from_version_id
                LEFT JOIN model_version t ON t.id = h.to_version_id
                WHERE \(condition) ORDER BY h.id
                """, arguments: arguments
        ).map { row in
            AliasMove(
                alias: row["alias"], from: row["from_version"], to: row["to_version"], sequence: row["seq"],
                actor: row["actor"], reason: row["reason"], evidence: row["evidence"],
                at: Timestamp(microseconds: row["at"]))
        }
    }

    /// The versions of a model that were rolled away from and not cleared since, the oldest first.
    package func quarantined(model: String) async throws -> [Quarantine] {
        try await read { db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT q.*, v.version FROM quarantine q JOIN model_version v ON v.id = q.version_id
                    WHERE q.model_id = ? ORDER BY q.seq
                    """, arguments: [try Self.modelID(db, model)]
            ).map { row in
                Quarantine(
                    version: row["version"], sequence: row["seq"], actor: row["actor"], reason: row["reason"],
                    evidence: row["evidence"], at: Timestamp(microseconds: row["at"]))
            }
        }
    }

    /// The latest decisions about a model, the newest first.
    package func decisions(model: String, limit: Int = 100) async throws -> [Decision] {
        try await read { db in
            try Row.fetchAll(
                db, sql: "SELECT * FROM decision WHERE model = ? ORDER BY id DESC LIMIT ?",
                arguments: [model, max(0, limit)]
            ).map { try Decision($0) }
        }
    }

    static func modelID(_ db: Database, _ name: String) throws -> Int64 {
        guard
            let id = try Int64.fetchOne(db, sql: "SELECT id FROM registered_model WHERE name = ?", arguments: [name])
        else { throw RegistryError.noModel(name) }
        return id
    }
}
