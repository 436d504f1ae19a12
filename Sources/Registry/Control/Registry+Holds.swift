import GRDB
package import Values

/// A person's word that nothing is rolled back automatically for now.
package struct RollbackHold: Sendable, Hashable {
    /// `nil` holds every model: the kill switch.
    package let model: String?
    package let actor: String
    package let reason: String
    package let at: Timestamp
}

/// Holding automatic rollbacks of one model, or of all.
extension Registry {
    /// - Parameter model: `nil` for every model.
    package func hold(model: String?, actor: String, reason: String, at: Timestamp) async throws {
        guard !reason.isEmpty else {
            throw RegistryError(.invalid, "a hold needs a reason, for whoever finds it later: give one")
        }
        try await change(actor: actor, reason: reason, at: at) { change in
            if let model { _ = try change.modelID(model) }
            try change.db.execute(
                sql: """
                    INSERT INTO rollback_hold (model, actor, reason, at) VALUES (?, ?, ?, ?)
                    ON CONFLICT (model) DO UPDATE
                    SET actor = excluded.actor, reason = excluded.reason, at = excluded.at
                    """, arguments: [model ?? Self.everyModel, actor, reason, at.microseconds])
            try change.note(.rollbackHeld, model: model ?? "*", .members(("model", .string(model ?? "*"))))
        }
    }

    /// `false` where there was no hold.
    @discardableResult
    package func release(model: String?, actor: String, reason: String, at: Timestamp) async throws -> Bool {
        try await change(actor: actor, reason: reason, at: at) { change in
            try change.db.execute(
                sql: "DELETE FROM rollback_hold WHERE model = ?", arguments: [model ?? Self.everyModel])
            guard change.db.changesCount > 0 else { return false }
            try change.note(.rollbackReleased, model: model ?? "*", .members(("model", .string(model ?? "*"))))
            return true
        }
    }

    /// The holds in force, that of every model first.
    package func holds() async throws -> [RollbackHold] {
        try await read { db in
            try Row.fetchAll(db, sql: "SELECT * FROM rollback_hold ORDER BY model").map { row in
                let model: String = row["model"]
                return RollbackHold(
                    model: model == Self.everyModel ? nil : model, actor: row["actor"], reason: row["reason"],
                    at: Timestamp(microseconds: row["at"]))
            }
        }
    }
}

extension Change {
    /// The hold that is in force for a model, in words.
    func holdText(_ model: String) throws -> String? {
        try Row.fetchOne(
            db, sql: "SELECT * FROM rollback_hold WHERE model IN (?, '') ORDER BY model LIMIT 1", arguments: [model]
        ).map { row in
            let name: String = row["model"]
            return """
                \(row["actor"] as String) holds automatic rollbacks of \(name.isEmpty ? "every model" : "'\(name)'") \
                since \(Timestamp(microseconds: row["at"]).rfc3339): \(row["reason"] as String)
                """
        }
    }
}
