import GRDB
import Values

/// One change being written: the open transaction, and who makes it, why and when.
///
/// Lives only inside the closure of `Registry.change`. Every change calls `note` once, which gives it its place in
/// the feed and in the audit trail, and stamps the aliases it moves with that sequence.
struct Change {
    let db: Database
    let waiters: ChampionWaiters
    let actor: String
    let reason: String
    /// JSON text, valid.
    let evidence: String?
    let at: Timestamp

    static func checkEvidence(_ db: Database, _ evidence: String?) throws {
        guard let evidence else { return }
        guard try Bool.fetchOne(db, sql: "SELECT json_valid(?)", arguments: [evidence]) == true else {
            throw RegistryError(.invalid, "evidence is not valid JSON: send one JSON document")
        }
    }

    /// Appends the event and the audit entry of this change; answers the event's sequence.
    @discardableResult
    func note(_ kind: RegistryEvent.Kind, model: String, _ detail: JSON) throws -> Int64 {
        try db.execute(
            sql: "INSERT INTO event (model, kind, payload, at) VALUES (?, ?, ?, ?)",
            arguments: [model, kind.rawValue, detail.text, at.microseconds])
        let sequence = db.lastInsertedRowID
        try AuditTrail.append(
            db,
            AuditTrail.Draft(
                sequence: sequence, model: model, action: kind.rawValue, actor: actor, reason: reason,
                detail: audited(detail), at: at))
        return sequence
    }

    /// Evidence can be large and is kept elsewhere; its digest ties it into the chain.
    private func audited(_ detail: JSON) -> JSON {
        guard let evidence, case .object(let members) = detail else { return detail }
        return .object(members + [.init("evidence_sha256", .string(SHA256Digest.hex(of: evidence.utf8)))])
    }

    func modelID(_ name: String) throws -> Int64 { try Registry.modelID(db, name) }

    /// A version that exists and is not deleted.
    func versionID(_ version: String, of modelID: Int64, named model: String) throws -> Int64 {
        try Self.versionID(db, version, of: modelID, named: model)
    }

    func label(_ versionID: Int64) throws -> String {
        guard
            let label = try String.fetchOne(
                db, sql: "SELECT version FROM model_version WHERE id = ?", arguments: [versionID])
        else { throw RegistryError(.unavailable, "version row \(versionID) is missing: the registry file is damaged") }
        return label
    }

    func currentVersion(of alias: String, _ modelID: Int64) throws -> Int64? {
        try Int64.fetchOne(
            db, sql: "SELECT version_id FROM alias WHERE model_id = ? AND alias = ?", arguments: [modelID, alias])
    }

    /// Points the alias at a version, or removes it, and writes the move into its history.
    func move(_ alias: String, of modelID: Int64, to version: Int64?, sequence: Int64) throws {
        let old = try currentVersion(of: alias, modelID)
        if let version {
            try db.execute(
                sql: """
                    INSERT INTO alias (model_id, alias, version_id, seq, updated_at) VALUES (?, ?, ?, ?, ?)
                    ON CONFLICT (model_id, alias) DO UPDATE
                    SET version_id = excluded.version_id, seq = excluded.seq, updated_at = excluded.updated_at
                    """, arguments: [modelID, alias, version, sequence, at.microseconds])
        } else {
            try db.execute(
                sql: "DELETE FROM alias WHERE model_id = ? AND alias = ?", arguments: [modelID, alias])
        }
        try db.execute(
            sql: """
                INSERT INTO alias_history
                (model_id, alias, from_version_id, to_version_id, seq, actor, reason, evidence, at)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
                """,
            arguments: [modelID, alias, old, version, sequence, actor, reason, evidence, at.microseconds])
    }
}

extension RegistryError {
    static func noModel(_ name: String) -> RegistryError {
        RegistryError(.notFound, "model '\(name)' is not registered: register it first, or check the spelling")
    }

    static func noVersion(_ version: String, of model: String) -> RegistryError {
        RegistryError(
            .notFound, "model '\(model)' has no version '\(version)': register it first, or list its versions")
    }
}
