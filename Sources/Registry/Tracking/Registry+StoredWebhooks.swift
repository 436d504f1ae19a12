import GRDB
package import Values

/// Webhooks that clients made. Who may make them and where they may lead is for the callers to check.
extension Registry {
    /// How many there may be: each is a task and a cursor of the service.
    static let webhooksMaximum = 100

    /// Begins to tell it of what happens from now on.
    package func add(_ webhook: StoredWebhook, actor: String) async throws {
        try await change(actor: actor, reason: "", at: webhook.createdAt) { [seal] change in
            let count = try Int.fetchOne(change.db, sql: "SELECT COUNT(*) FROM webhook") ?? 0
            guard count < Self.webhooksMaximum else {
                throw RegistryError(.invalid, "there are \(count) webhooks already, the most kept: delete one first")
            }
            try change.db.execute(
                sql: """
                    INSERT INTO webhook (uuid, name, about, url, sealed, events, is_active, created_at, updated_at)
                    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
                    """,
                arguments: [
                    webhook.id, webhook.name, webhook.about, webhook.url, try Self.sealed(webhook.secret, seal),
                ]
                    + Self.state(webhook) + [webhook.createdAt.microseconds, webhook.updatedAt.microseconds])
            try change.note(.webhookCreated, model: "", webhook.audited)
            try Self.begin(webhook, change.db)
        }
    }

    /// The ones that are active or not, the newest first.
    package func webhooks() async throws -> [StoredWebhook] {
        try await read { [seal] db in
            try Row.fetchAll(db, sql: "SELECT * FROM webhook ORDER BY id DESC").map { StoredWebhook($0, seal) }
        }
    }

    /// `nil` where there is none.
    package func webhook(_ id: String) async throws -> StoredWebhook? {
        try await read { [seal] in try Self.webhook(id, $0, seal) }
    }

    /// Changes what the closure changes. One that is active again is told of what happens from now on.
    ///
    /// - Returns: the webhook as it is now; `nil` where there is none.
    package func changeWebhook(
        _ id: String, actor: String, at: Timestamp, _ body: @escaping @Sendable (inout StoredWebhook) throws -> Void
    ) async throws -> StoredWebhook? {
        try await change(actor: actor, reason: "", at: at) { [seal] change in
            guard let old = try Self.webhook(id, change.db, seal) else { return nil }
            var webhook = old
            try body(&webhook)
            if webhook.secret != old.secret {
                webhook.isLocked = false
                try change.db.execute(
                    sql: "UPDATE webhook SET sealed = ? WHERE uuid = ?",
                    arguments: [try Self.sealed(webhook.secret, seal), id])
            }
            // Clients see milliseconds, and expect each change to be later than the one before.
            webhook.updatedAt = max(at, old.updatedAt + .milliseconds(1))
            try change.db.execute(
                sql: """
                    UPDATE webhook SET name = ?, about = ?, url = ?, events = ?, is_active = ?, updated_at = ?
                    WHERE uuid = ?
                    """,
                arguments: [webhook.name, webhook.about, webhook.url]
                    + Self.state(webhook) + [webhook.updatedAt.microseconds, id])
            try change.note(.webhookChanged, model: "", webhook.audited)
            if webhook.isActive, !old.isActive { try Self.begin(webhook, change.db) }
            return webhook
        }
    }

    /// `false` where there is none.
    package func deleteWebhook(_ id: String, actor: String, at: Timestamp) async throws -> Bool {
        try await change(actor: actor, reason: "", at: at) { change in
            guard let webhook = try Self.webhook(id, change.db, nil) else { return false }
            try change.db.execute(sql: "DELETE FROM webhook WHERE uuid = ?", arguments: [id])
            try change.db.execute(sql: "DELETE FROM feed_cursor WHERE consumer = ?", arguments: [webhook.consumer])
            try change.note(.webhookDeleted, model: "", webhook.audited)
            return true
        }
    }

    private static func webhook(_ id: String, _ db: Database, _ seal: SecretSeal?) throws -> StoredWebhook? {
        try Row.fetchOne(db, sql: "SELECT * FROM webhook WHERE uuid = ?", arguments: [id]).map {
            StoredWebhook($0, seal)
        }
    }

    private static func sealed(_ secret: String?, _ seal: SecretSeal?) throws -> String? {
        guard let secret else { return nil }
        guard let seal else {
            throw RegistryError(
                .unavailable, "the secret of a webhook cannot be kept: the registry was opened without a key")
        }
        return try seal.seal(secret)
    }

    /// Seals what older versions kept as it came, and what another key sealed that is at hand. What was overwritten is zeroed in
    /// the file (secure_delete), and the log that still holds it is emptied.
    static func sealSecrets(_ writer: any DatabaseWriter, _ seal: SecretSeal) throws {
        try writer.writeWithoutTransaction { db in
            let rows = try Row.fetchAll(
                db, sql: "SELECT id, secret, sealed FROM webhook WHERE secret IS NOT NULL OR sealed IS NOT NULL")
            var tokens: [(id: Int64, token: String)] = []
            for row in rows {
                let (plain, old): (String?, String?) = (row["secret"], row["sealed"])
                if let secret = plain ?? old.flatMap({ seal.isStale($0) ? seal.open($0) : nil }) {
                    tokens.append((row["id"], try seal.seal(secret)))
                }
            }
            guard !tokens.isEmpty else { return }
            try db.execute(sql: "PRAGMA secure_delete = ON")
            try db.inTransaction(.immediate) {
                for (id, token) in tokens {
                    try db.execute(
                        sql: "UPDATE webhook SET secret = NULL, sealed = ? WHERE id = ?", arguments: [token, id])
                }
                return .commit
            }
            try db.execute(sql: "PRAGMA secure_delete = OFF")
            // Where another process reads just now, its next checkpoint does it.
            _ = try? db.checkpoint(.truncate)
        }
    }

    private static func state(_ webhook: StoredWebhook) -> StatementArguments {
        [webhook.events.joined(separator: " "), webhook.isActive]
    }

    private static func begin(_ webhook: StoredWebhook, _ db: Database) throws {
        try db.execute(
            sql: "INSERT OR REPLACE INTO feed_cursor (consumer, seq) SELECT ?, COALESCE(MAX(seq), 0) FROM event",
            arguments: [webhook.consumer])
    }
}

extension StoredWebhook {
    fileprivate init(_ row: Row, _ seal: SecretSeal?) {
        let events: String = row["events"]
        let sealed: String? = row["sealed"]
        let secret = sealed.flatMap { seal?.open($0) }
        self.init(
            id: row["uuid"], name: row["name"], about: row["about"], url: row["url"], secret: secret,
            events: events.split(separator: " ").map(String.init), isActive: row["is_active"],
            at: Timestamp(microseconds: row["created_at"]))
        updatedAt = Timestamp(microseconds: row["updated_at"])
        isLocked = sealed != nil && secret == nil
    }

    /// Without what may not be shown.
    fileprivate var audited: JSON {
        .members(
            ("webhook", .string(id)), ("name", .string(name)), ("events", .array(events.map { .string($0) })),
            ("active", .bool(isActive)))
    }
}
