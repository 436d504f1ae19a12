import Events
import Foundation
import GRDB
package import Rules
package import Values

/// A delivery of one alert that a silence holds back.
package struct HeldDelivery: Sendable, Hashable {
    package let fingerprint: String
    package let entry: OutboxEntry

    package init(fingerprint: String, entry: OutboxEntry) {
        self.fingerprint = fingerprint
        self.entry = entry
    }
}

/// What a delivery told of one alert.
package struct ToldAlert: Sendable, Hashable {
    package let fingerprint: String
    /// Tells episodes of an alert apart; as the body has it.
    package let startsAt: String
    package let isOver: Bool

    package init(fingerprint: String, startsAt: String, isOver: Bool) {
        self.fingerprint = fingerprint
        self.startsAt = startsAt
        self.isOver = isOver
    }
}

/// Silences, and the deliveries they hold back.
extension Ledger {
    /// Silences that can still be kept at once; a person writes a few.
    package static let maximumSilences = 10_000

    /// All silences, those that end last first. Expired ones are kept for a month.
    package func silences() async throws -> [Silence] {
        try await database.read { db in
            try String.fetchAll(db, sql: "SELECT json FROM silence ORDER BY ends DESC, id").compactMap(Self.silence)
        }
    }

    private static func silence(_ text: String) -> Silence? {
        guard let json = try? JSON(parsing: text.utf8) else { return nil }
        // What is stored was read before; the defaults are never used.
        return try? Silence(json, id: "", createdBy: "", at: .distantPast)
    }

    package func silence(_ id: String) async throws -> Silence? {
        try await database.read { db in
            try String.fetchOne(db, sql: "SELECT json FROM silence WHERE id = ?", arguments: [id]).flatMap(Self.silence)
        }
    }

    /// Adds a silence or replaces the one of its id, and forgets those that expired over a month ago.
    /// - Returns: whether there was room.
    package func put(_ silence: Silence, at now: Timestamp) async throws -> Bool {
        try await database.write { db in
            try db.execute(sql: "DELETE FROM silence WHERE ends < ?", arguments: [(now - .days(30)).microseconds])
            let others =
                try Int.fetchOne(db, sql: "SELECT count(*) FROM silence WHERE id != ?", arguments: [silence.id]) ?? 0
            guard others < Self.maximumSilences else { return false }
            try db.execute(
                sql: "INSERT OR REPLACE INTO silence VALUES (?, ?, ?)",
                arguments: [silence.id, silence.endsAt.microseconds, silence.json.text])
            return true
        }
    }

    /// Fingerprints of alerts a receiver was not told of.
    package func held(to target: String) async throws -> Set<String> {
        try await database.read { db in
            try Set(String.fetchAll(db, sql: "SELECT fingerprint FROM held WHERE target = ?", arguments: [target]))
        }
    }

    /// What a receiver was told fires and not yet that it is over: the start of the episode by fingerprint.
    package func told(to target: String) async throws -> [String: String] {
        try await database.read { db in
            let rows = try Row.fetchAll(
                db, sql: "SELECT fingerprint, starts_at FROM told WHERE target = ?", arguments: [target])
            return Dictionary(uniqueKeysWithValues: rows.map { ($0["fingerprint"], $0["starts_at"]) })
        }
    }

    /// Ends an entry that was delivered, and notes what its receiver knows now.
    package func finish(_ id: Int64, telling alerts: [ToldAlert], to target: String) async throws {
        try await database.write { db in
            for alert in alerts {
                if alert.isOver {
                    try db.cachedExecute(
                        "DELETE FROM told WHERE target = ? AND fingerprint = ?", [target, alert.fingerprint])
                } else {
                    try db.cachedExecute(
                        "INSERT OR REPLACE INTO told VALUES (?, ?, ?)", [target, alert.fingerprint, alert.startsAt])
                }
            }
            try db.cachedExecute("UPDATE outbox SET state = 'done', note = NULL WHERE id = ?", [id])
        }
    }

    package func heldDeliveries() async throws -> [HeldDelivery] {
        try await database.read { db in
            try Row.fetchAll(db, sql: "SELECT * FROM held ORDER BY fingerprint, target").map { row in
                HeldDelivery(
                    fingerprint: row["fingerprint"],
                    entry: OutboxEntry(
                        kind: .delivery, key: row["key"], target: row["target"], lane: row["lane"],
                        body: [UInt8](row["body"] as Data), at: Timestamp(microseconds: row["at"])))
            }
        }
    }

    /// Notes what a silence holds back, forgets what is told after all, and ends the entry where nothing is left of it: all or nothing.
    package func hold(
        _ deliveries: [HeldDelivery], telling told: [String], to target: String, finishing id: Int64?
    ) async throws {
        try await database.write { db in
            for delivery in deliveries {
                try db.execute(
                    sql: "INSERT OR REPLACE INTO held VALUES (?, ?, ?, ?, ?, ?)",
                    arguments: [
                        delivery.fingerprint, target, delivery.entry.key, delivery.entry.lane,
                        Data(delivery.entry.body),
                        delivery.entry.at.microseconds,
                    ])
            }
            for fingerprint in told {
                try db.execute(
                    sql: "DELETE FROM held WHERE fingerprint = ? AND target = ?", arguments: [fingerprint, target])
            }
            if let id {
                try db.execute(sql: "UPDATE outbox SET state = 'done', note = 'silenced' WHERE id = ?", arguments: [id])
            }
        }
    }

    /// Lets deliveries go that no silence holds back any more: those of alerts that still fire are due now, the others are forgotten.
    /// - Returns: how many are due.
    package func release(_ deliveries: [HeldDelivery], at now: Timestamp) async throws -> Int {
        try await database.write { db in
            var due = 0
            for delivery in deliveries {
                let isFiring = try Bool.fetchOne(
                    db, sql: "SELECT 1 FROM alert WHERE fingerprint = ? AND status = 'firing'",
                    arguments: [delivery.fingerprint])
                if isFiring == true {
                    try Self.add(
                        OutboxEntry(
                            kind: .delivery, key: "\(delivery.entry.key)-after-\(delivery.fingerprint)",
                            target: delivery.entry.target, lane: delivery.entry.lane, body: delivery.entry.body, at: now
                        ), db)
                    due += 1
                }
                try db.execute(
                    sql: "DELETE FROM held WHERE fingerprint = ? AND target = ?",
                    arguments: [delivery.fingerprint, delivery.entry.target])
            }
            return due
        }
    }
}
