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
