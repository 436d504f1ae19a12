import GRDB
package import Values

/// One entry of the audit trail: who did what to which model, when and why.
package struct AuditEntry: Sendable, Hashable {
    package let id: Int64
    /// The event of the same change.
    package let sequence: Int64
    package let model: String
    package let action: String
    package let actor: String
    package let reason: String
    /// JSON text.
    package let detail: String
    package let at: Timestamp
    package let previousHash: String
    package let hash: String
}

/// What verifying the trail found.
package enum AuditVerdict: Sendable, Hashable {
    /// There is nothing to verify: a registry in which nothing happened yet, or from which everything was taken.
    case empty
    /// All rows hold, and the tables are what they tell. Keep `head` elsewhere: only that shows a trail that was rewritten as a whole.
    case intact(rows: Int64, head: String)
    /// The first row that does not hold, and what is wrong with it.
    case broken(row: Int64, why: String)
    /// The trail holds, but what it tells is not what the tables say: the first difference, by the sequence of the change
    /// that told of it last; without one where none did.
    case altered(sequence: Int64?, what: String)
}

/// The hash chain: each row's hash covers its fields and the hash of the row before it, so that a row changed, removed
/// or put in later breaks every hash from there on.
enum AuditTrail {
    static let genesis = String(repeating: "0", count: 64)

    struct Draft {
        let sequence: Int64
        let model: String
        let action: String
        let actor: String
        let reason: String
        let detail: JSON
        let at: Timestamp
    }

    static func append(_ db: Database, _ draft: Draft) throws {
        let last = try Row.fetchOne(db, sql: "SELECT id, hash FROM audit ORDER BY id DESC LIMIT 1")
        let previousHash: String = last?["hash"] ?? genesis
        let previousID: Int64 = last?["id"] ?? 0
        let unsigned = AuditEntry(
            id: previousID + 1, sequence: draft.sequence, model: draft.model, action: draft.action,
            actor: draft.actor, reason: draft.reason, detail: draft.detail.text, at: draft.at,
            previousHash: previousHash, hash: "")
        try db.execute(
            sql: """
                INSERT INTO audit (id, seq, model, action, actor, reason, detail, at, previous_hash, hash)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """,
            arguments: [
                unsigned.id, unsigned.sequence, unsigned.model, unsigned.action, unsigned.actor, unsigned.reason,
                unsigned.detail, unsigned.at.microseconds, previousHash, hash(unsigned),
            ])
    }

    /// The fields as netstrings (`length:bytes,`), so that no two different rows read alike to the hash.
    static func hash(_ entry: AuditEntry) -> String {
        var bytes = [UInt8]()
        for field in [
            entry.previousHash, String(entry.id), String(entry.sequence), entry.model, entry.action, entry.actor,
            entry.reason, entry.detail, String(entry.at.microseconds),
        ] {
            bytes += "\(field.utf8.count):".utf8
            bytes += field.utf8
            bytes.append(UInt8(ascii: ","))
        }
        return SHA256Digest.hex(of: bytes)
    }

    /// Walks the whole trail and plays it again, then looks whether the tables are what it comes to.
    static func verify(_ db: Database) throws -> AuditVerdict {
        var replay = try AuditReplay(db)
        var previous = genesis
        var expected: Int64 = 1
        let rows = try Row.fetchCursor(db, sql: "SELECT * FROM audit ORDER BY id")
        while let row = try rows.next() {
            let entry = AuditEntry(row)
            if entry.id != expected { return .broken(row: expected, why: "the row is missing") }
            if entry.previousHash != previous {
                return .broken(row: entry.id, why: "it does not follow the row before it")
            }
            if hash(entry) != entry.hash {
                return .broken(row: entry.id, why: "its contents were changed after they were written")
            }
            try replay.apply(entry)
            previous = entry.hash
            expected += 1
        }
        // SQLite remembers the highest id it ever gave out, which shows rows cut off the end.
        let given = try Int64.fetchOne(db, sql: "SELECT seq FROM sqlite_sequence WHERE name = 'audit'") ?? 0
        if given >= expected { return .broken(row: expected, why: "the row and all after it are missing") }
        if expected == 1 { return .empty }
        if let (sequence, what) = try AuditTables.firstDifference(from: replay, db) {
            return .altered(sequence: sequence == .max ? nil : sequence, what: what)
        }
        return .intact(rows: expected - 1, head: previous)
    }
}

extension AuditEntry {
    init(_ row: Row) {
        self.init(
            id: row["id"], sequence: row["seq"], model: row["model"], action: row["action"], actor: row["actor"],
            reason: row["reason"], detail: row["detail"], at: Timestamp(microseconds: row["at"]),
            previousHash: row["previous_hash"], hash: row["hash"])
    }
}
