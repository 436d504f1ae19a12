import GRDB

/// The feed of champions of all models, for streams and topics. States and not differences: a reader that missed some
/// still ends up right.
extension Registry {
    /// Stands for every model, in the table of waiters and of holds; no model has an empty name.
    static let everyModel = ""

    /// The champions that moved after a sequence, in the order they did; those that ended among them, without a version,
    /// unless the reader has read nothing yet and so knew none of them.
    package func champions(after sequence: Int64) async throws -> [ChampionState] {
        try await read { try Self.champions($0, after: sequence, withEnded: sequence > 0) }
    }

    static func champions(_ db: Database, after sequence: Int64, withEnded: Bool) throws -> [ChampionState] {
        let rows = try Row.fetchAll(
            db,
            sql: """
                SELECT name, moved, ended FROM (
                    SELECT m.name, m.deleted_at IS NOT NULL AS ended, \(ChampionState.moved) AS moved
                    FROM registered_model m
                    UNION ALL SELECT name, 1, seq FROM former_name)
                WHERE moved > :after AND (:ended OR NOT ended) ORDER BY moved
                """, arguments: ["after": sequence, "ended": withEnded])
        return try rows.compactMap { row in
            let name: String = row["name"]
            // Whoever knew its champion must hear that there is none, under the name it had.
            return row["ended"]
                ? .ended(String(name.split(separator: "\u{1}")[0]), at: row["moved"])
                : try ChampionState.fetch(db, model: name)
        }
    }

    /// As `waitForChange`, of any model. Empty after `timeout`.
    package func waitForChanges(after sequence: Int64, timeout: Duration) async throws -> [ChampionState] {
        let present = try await champions(after: sequence)
        if !present.isEmpty { return present }
        let woken = try await wait(key: Self.everyModel, after: sequence, timeout: timeout) {
            try await champions(after: sequence).last
        }
        return woken == nil ? [] : try await champions(after: sequence)
    }

    /// The sequence of the latest event, 0 before the first.
    package func newestSequence() async throws -> Int64 {
        try await read { try Int64.fetchOne($0, sql: "SELECT MAX(seq) FROM event") ?? 0 }
    }

    /// How far a consumer of the feed has come.
    package func cursor(of consumer: String) async throws -> Int64 {
        try await read { db in
            try Int64.fetchOne(db, sql: "SELECT seq FROM feed_cursor WHERE consumer = ?", arguments: [consumer]) ?? 0
        }
    }

    /// A consumer that was never heard of begins at what happens from now on; others stay where they are.
    package func beginCursor(of consumer: String) async throws {
        try await bookkeeping { db in
            try db.execute(
                sql: """
                    INSERT OR IGNORE INTO feed_cursor (consumer, seq)
                    SELECT ?, COALESCE(MAX(seq), 0) FROM event
                    """, arguments: [consumer])
        }
    }

    /// Not a change of what is registered, so neither an event nor an entry of the audit trail.
    package func advance(_ consumer: String, to sequence: Int64) async throws {
        try await bookkeeping { db in
            try db.execute(
                sql: """
                    INSERT INTO feed_cursor (consumer, seq) VALUES (?, ?)
                    ON CONFLICT (consumer) DO UPDATE SET seq = excluded.seq
                    """, arguments: [consumer, sequence])
        }
    }
}
