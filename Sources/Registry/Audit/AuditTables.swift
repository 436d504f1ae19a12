import Foundation
import GRDB
import Values

/// The tables as statements, to be held against what the audit trail comes to.
struct AuditTables {
    typealias Subject = AuditFacts.Subject

    private var facts = AuditFacts()
    private var places: [Int64: Int] = [:]

    /// The earliest difference, told with who made the change that it contradicts; `nil` where there is none.
    static func firstDifference(from replay: AuditReplay, _ db: Database) throws -> (sequence: Int64, what: String)? {
        let tables = try AuditTables(db)
        var first: (sequence: Int64, subject: Subject)?
        func offer(_ sequence: Int64, _ subject: Subject) {
            if let first, (first.sequence, first.subject.text([])) <= (sequence, subject.text([])) { return }
            first = (sequence, subject)
        }
        for (subject, told) in replay.facts.all where told.value != .any && told.value != tables.facts[subject] {
            offer(told.sequence, subject)
        }
        for (subject, found) in tables.facts.all where replay.facts.all[subject] == nil {
            offer(found.sequence, subject)
        }
        if let event = try differingEvent(db), event < first?.sequence ?? .max {
            return (event, "event \(event) of the feed is not the one that the trail tells of")
        }
        guard let first else { return nil }
        let (sequence, subject) = first
        let found = tables.facts[subject].words
        let name = subject.text(replay.names)
        guard let told = replay.facts.all[subject] else {
            return (sequence, "\(name) is \(found), of which the trail does not tell")
        }
        let entry = try Row.fetchOne(
            db, sql: "SELECT action, actor FROM audit WHERE seq = ?", arguments: [told.sequence])
        let maker = entry.map { " (\($0["action"] as String) by \($0["actor"] as String))" } ?? ""
        return (sequence, "\(name) is \(found), but the trail\(maker) made it \(told.value.words)")
    }

    /// Fleets and webhooks read the events, which carry the same as the trail but for the digest of evidence.
    private static func differingEvent(_ db: Database) throws -> Int64? {
        try Int64.fetchOne(
            db,
            sql: """
                SELECT MIN(seq) FROM (
                    SELECT a.seq FROM audit a LEFT JOIN event e ON e.seq = a.seq
                    WHERE e.seq IS NULL OR e.kind <> a.action OR e.model <> a.model OR e.at <> a.at
                        OR json_remove(a.detail, '$.evidence_sha256') <> json(e.payload)
                    UNION ALL SELECT seq FROM event WHERE seq NOT IN (SELECT seq FROM audit))
                """)
    }

    private init(_ db: Database) throws {
        try models(db)
        try versions(db)
        try ofVersions(db)
        try aliases(db)
        try decisions(db)
    }

    /// - Parameter sequence: the row's own, where it has one.
    private mutating func add(_ subject: Subject, _ text: String?, at sequence: Int64? = nil) {
        if let text { facts.set(subject, text, at: sequence ?? .max) }
    }

    private mutating func models(_ db: Database) throws {
        for (place, row) in try Row.fetchAll(db, sql: "SELECT * FROM registered_model ORDER BY id").enumerated() {
            places[row["id"]] = place
            let name: String = row["name"]
            let isDeleted = (row["deleted_at"] as Int64?) != nil
            let plain = isDeleted ? String(name.prefix { $0 != "\u{1}" }) : name
            add(Subject(kind: .model, model: place), AuditReplay.model(plain, isDeleted: isDeleted))
            add(Subject(kind: .description, model: place), row["description"])
            add(Subject(kind: .protection, model: place), row["is_protected"] ? "on" : nil)
        }
        for row in try Row.fetchAll(db, sql: "SELECT * FROM registered_model_tag") {
            add(Subject(kind: .tag, model: places[row["model_id"]], key: row["key"]), row["value"])
        }
        for row in try Row.fetchAll(db, sql: "SELECT * FROM promotion_policy") {
            let text: String = row["policy"]
            add(AuditReplay.policy(row["model"]), SHA256Digest.hex(of: text.utf8))
        }
        for row in try Row.fetchAll(db, sql: "SELECT * FROM rollback_hold") {
            let model: String = row["model"]
            add(AuditReplay.hold(model == Registry.everyModel ? "*" : model), Self.signature(row))
        }
    }

    private mutating func versions(_ db: Database) throws {
        let rows = try Row.fetchCursor(db, sql: "SELECT * FROM model_version")
        while let row = try rows.next() {
            func about(_ kind: Subject.Kind) -> Subject {
                Subject(kind: kind, model: places[row["model_id"]], version: row["version"])
            }
            let isDeleted = (row["deleted_at"] as Int64?) != nil
            add(about(.version), AuditReplay.version(String(row["number"] as Int64), isDeleted: isDeleted))
            add(about(.source), row["source"])
            add(about(.storage), row["storage"])
            add(about(.run), row["run_id"])
            add(about(.path), row["reference_path"])
            add(about(.description), row["description"])
        }
    }

    /// What is kept of a version beside its own row.
    private mutating func ofVersions(_ db: Database) throws {
        func each(_ table: String, _ body: (Row, (Subject.Kind, String?) -> Subject) throws -> Void) throws {
            let rows = try Row.fetchCursor(
                db,
                sql: """
                    SELECT t.*, v.model_id AS owner, v.version AS label
                    FROM \(table) t JOIN model_version v ON v.id = t.version_id
                    """)
            while let row = try rows.next() {
                try body(row) { kind, key in
                    Subject(kind: kind, model: places[row["owner"]], version: row["label"], key: key)
                }
            }
        }
        try each("model_version_tag") { row, about in add(about(.tag, row["key"]), row["value"]) }
        try each("version_metric") { row, about in
            let key = AuditReplay.key(row["name"], row["dataset"])
            add(about(.metric, key), AuditReplay.number(row["value"]))
            add(about(.error, key), (row["standard_error"] as Double?).map(AuditReplay.number))
        }
        try each("approval") { row, about in
            add(about(.approval, row["approver"]), Self.signature(row, actor: row["approver"]))
        }
        try each("version_reference") { row, about in
            add(about(.profile, nil), SHA256Digest.hex(of: [UInt8](row["profile"] as Data)))
        }
        try each("quarantine") { row, about in
            add(about(.quarantine, nil), Self.signature(row, sequence: row["seq"]), at: row["seq"])
        }
    }

    private mutating func aliases(_ db: Database) throws {
        for row in try Row.fetchAll(
            db, sql: "SELECT a.*, v.version FROM alias a JOIN model_version v ON v.id = a.version_id")
        {
            add(
                Subject(kind: .alias, model: places[row["model_id"]], key: row["alias"]),
                AuditReplay.alias(row["version"], at: row["seq"]), at: row["seq"])
        }
        let rows = try Row.fetchCursor(
            db,
            sql: """
                SELECT h.*, f.version AS old, t.version AS new FROM alias_history h
                LEFT JOIN model_version f ON f.id = h.from_version_id
                LEFT JOIN model_version t ON t.id = h.to_version_id ORDER BY h.id
                """)
        var count = 0
        while let row = try rows.next() {
            count += 1
            add(
                Subject(kind: .move, key: String(count)),
                AuditReplay.move(
                    row["alias"], places[row["model_id"]] ?? -1, row["old"], row["new"],
                    Self.signature(row, sequence: row["seq"])), at: row["seq"])
        }
    }

    /// Of gates, and of automatic rollbacks.
    private mutating func decisions(_ db: Database) throws {
        for row in try Row.fetchAll(db, sql: "SELECT * FROM promotion") {
            let checks: String = row["checks"]
            add(
                AuditReplay.gate(row["seq"]),
                AuditReplay.gate(
                    row["outcome"], row["version"], row["actor"], SHA256Digest.hex(of: checks.utf8)), at: row["seq"])
        }
        for row in try Row.fetchAll(db, sql: "SELECT idempotency_key, outcome, dossier, seq FROM decision") {
            let dossier: String? = row["dossier"]
            add(
                Subject(kind: .decision, key: row["idempotency_key"]),
                AuditReplay.decision(row["outcome"], SHA256Digest.hex(of: (dossier ?? "").utf8)), at: row["seq"])
        }
    }

    private static func signature(_ row: Row, actor: String? = nil, sequence: Int64? = nil) -> String {
        let evidence: String? = row.hasColumn("evidence") ? row["evidence"] : nil
        return AuditReplay.signature(
            actor ?? row["actor"], row["reason"], Timestamp(microseconds: row["at"]),
            evidence.map { SHA256Digest.hex(of: $0.utf8) }, sequence)
    }
}

extension AuditFacts.Value {
    /// Cut where it is long: it is told in one line.
    fileprivate var words: String {
        switch self {
        case .known(let text): text.count > 200 ? "\(text.prefix(200))…" : text.isEmpty ? "empty" : text
        case .absent: "not there"
        case .any: "anything"
        }
    }
}
