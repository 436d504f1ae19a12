import Foundation
import GRDB
import Values

/// The audit trail played again from its beginning: what the tables must say if nobody but the registry wrote them.
struct AuditReplay {
    typealias Subject = AuditFacts.Subject

    private(set) var facts = AuditFacts()
    /// Of the models in the order of registration; of deleted ones the last.
    private(set) var names: [String] = []
    private var placeByName: [String: Int] = [:]
    private var aliases: [Int: [String: String]] = [:]
    private var versions: [Int: [String: String]] = [:]
    private var moveCount = 0
    private var newName: String?
    /// Row ids in the order of registration: purges name deleted models by theirs.
    private let ids: [Int64]
    /// What older programs did not write into the trail is taken from the history.
    private let moves: [Int64: [AuditDetail.Move]]
    private let decoder = JSONDecoder()

    init(_ db: Database) throws {
        ids = try Int64.fetchAll(db, sql: "SELECT id FROM registered_model ORDER BY id")
        var moves: [Int64: [AuditDetail.Move]] = [:]
        let rows = try Row.fetchCursor(
            db,
            sql: """
                SELECT h.seq, h.alias, f.version, t.version FROM alias_history h
                LEFT JOIN model_version f ON f.id = h.from_version_id
                LEFT JOIN model_version t ON t.id = h.to_version_id ORDER BY h.id
                """)
        while let row = try rows.next() {
            moves[row[0], default: []].append(AuditDetail.Move(alias: row[1], from: row[2], to: row[3]))
        }
        self.moves = moves
    }

    mutating func apply(_ entry: AuditEntry) throws(RegistryError) {
        guard let kind = RegistryEvent.Kind(rawValue: entry.action) else {
            throw RegistryError(
                .unavailable,
                "entry \(entry.id) of the audit trail is of an unknown kind '\(entry.action)': upgrade holdfast")
        }
        let detail = try AuditDetail(entry, decoder)
        switch kind {
        case .modelRegistered: register(entry, detail)
        case .modelRenamed: rename(entry, detail)
        case .promotionRefused, .gateForced:
            let checks = JSON.array((detail.checks ?? []).map(\.json)).text
            facts.set(
                Self.gate(entry.sequence),
                Self.gate(detail.gate ?? "", detail.version ?? "", entry.actor, SHA256Digest.hex(of: checks.utf8)),
                at: entry.sequence)
        case .policySet:
            let isEmpty = detail.policySHA256 == Self.emptyPolicy
            facts.set(Self.policy(entry.model), isEmpty ? nil : detail.policySHA256, at: entry.sequence)
        case .rollbackHeld: facts.set(Self.hold(entry.model), Self.signature(entry), at: entry.sequence)
        case .rollbackReleased: facts.set(Self.hold(entry.model), nil, at: entry.sequence)
        case .rollbackRefused: decide("refused", entry, detail)
        case .rollbackWouldRun: decide("would_run", entry, detail)
        case .webhookCreated, .webhookChanged, .webhookDeleted: break
        default:
            guard let place = place(of: entry.model) else { return }
            apply(kind, entry, detail, to: place)
        }
    }

    private mutating func apply(_ kind: RegistryEvent.Kind, _ entry: AuditEntry, _ detail: AuditDetail, to place: Int) {
        let sequence = entry.sequence
        let version = detail.version ?? ""
        func about(_ kind: Subject.Kind, _ key: String? = nil) -> Subject {
            Subject(kind: kind, model: place, version: version, key: key)
        }
        switch kind {
        case .modelChanged: edit(entry, detail, Subject(kind: .description, model: place))
        case .modelDeleted: delete(place, entry, detail)
        case .versionRegistered: add(version, to: place, entry, detail)
        case .versionChanged: edit(entry, detail, about(.description))
        case .versionDeleted:
            for alias in detail.aliases ?? [] { move(alias, to: nil, of: place, entry, detail) }
            markDeleted(version, of: place, at: sequence)
        case .versionsPurged: for version in detail.versions ?? [] { purge(version, of: place, at: sequence) }
        case .aliasSet: move(detail.alias ?? "", to: detail.to, of: place, entry, detail)
        case .aliasDeleted: move(detail.alias ?? "", to: nil, of: place, entry, detail)
        case .promoted:
            flip(place, entry, detail)
            // Older programs do not tell whether there was a gate.
            let gate = detail.gateSHA256.map { Self.gate("passed", detail.to ?? "", entry.actor, $0) }
            facts.set(
                Self.gate(sequence), gate.map { .known($0) } ?? (detail.moves == nil ? .any : .absent), at: sequence)
        case .rolledBack:
            flip(place, entry, detail)
            let left = Subject(kind: .quarantine, model: place, version: detail.from)
            facts.set(left, Self.signature(entry, detail.evidenceSHA256, at: sequence), at: sequence)
            if detail.decision != nil { decide("done", entry, detail) }
        case .quarantineCleared: facts.set(about(.quarantine), nil, at: sequence)
        case .metricsRecorded:
            for metric in detail.metrics ?? [] {
                let key = Self.key(metric.name, metric.dataset)
                facts.set(about(.metric, key), Self.number(metric.value), at: sequence)
                let error = metric.error.map { $0.map { .known(Self.number($0)) } ?? .absent } ?? AuditFacts.Value.any
                facts.set(about(.error, key), error, at: sequence)
            }
        case .versionApproved: facts.set(about(.approval, entry.actor), Self.signature(entry), at: sequence)
        case .referenceStored: facts.set(about(.profile), detail.profileSHA256, at: sequence)
        default: break
        }
    }

    private func place(of name: String) -> Int? {
        let parts = name.split(separator: "\u{1}")
        guard parts.count == 2, let id = Int64(parts[1]) else { return placeByName[name] }
        return ids.firstIndex(of: id)
    }
}

extension AuditReplay {
    private mutating func register(_ entry: AuditEntry, _ detail: AuditDetail) {
        let place = names.count
        names.append(entry.model)
        placeByName[entry.model] = place
        facts.set(Subject(kind: .model, model: place), Self.model(entry.model, isDeleted: false), at: entry.sequence)
        facts.set(Subject(kind: .protection, model: place), .any, at: entry.sequence)
        edit(entry, detail, Subject(kind: .description, model: place))
    }

    /// Told under the old name first; older programs did not, and left what is kept by name where it was.
    private mutating func rename(_ entry: AuditEntry, _ detail: AuditDetail) {
        if let to = detail.to {
            newName = to
            return
        }
        guard let from = detail.from, let place = placeByName.removeValue(forKey: from) else { return }
        placeByName[entry.model] = place
        names[place] = entry.model
        facts.set(Subject(kind: .model, model: place), Self.model(entry.model, isDeleted: false), at: entry.sequence)
        guard newName == entry.model else { return }
        newName = nil
        for kept in [Self.policy, Self.hold] where facts[kept(from)] != .absent {
            facts.set(kept(entry.model), facts[kept(from)], at: entry.sequence)
            facts.set(kept(from), nil, at: entry.sequence)
        }
    }

    private mutating func delete(_ place: Int, _ entry: AuditEntry, _ detail: AuditDetail) {
        for alias in (aliases[place] ?? [:]).keys.sorted() { move(alias, to: nil, of: place, entry, detail) }
        for version in (versions[place] ?? [:]).keys { markDeleted(version, of: place, at: entry.sequence) }
        facts.set(Subject(kind: .model, model: place), Self.model(entry.model, isDeleted: true), at: entry.sequence)
        placeByName[entry.model] = nil
    }

    private mutating func edit(_ entry: AuditEntry, _ detail: AuditDetail, _ description: Subject) {
        if let text = detail.description { facts.set(description, text, at: entry.sequence) }
        for (key, value) in detail.tags ?? [:] {
            var tag = description
            tag.kind = .tag
            tag.key = key
            facts.set(tag, value, at: entry.sequence)
        }
        if detail.isProtected == true { protect(description.model, at: entry.sequence) }
    }

    private mutating func protect(_ place: Int?, at sequence: Int64) {
        facts.set(Subject(kind: .protection, model: place), "on", at: sequence)
    }

    private mutating func add(_ version: String, to place: Int, _ entry: AuditEntry, _ detail: AuditDetail) {
        let sequence = entry.sequence
        func about(_ kind: Subject.Kind) -> Subject { Subject(kind: kind, model: place, version: version) }
        let number = String(detail.number ?? 0)
        versions[place, default: [:]][version] = number
        facts.set(about(.version), Self.version(number, isDeleted: false), at: sequence)
        facts.set(about(.source), detail.source, at: sequence)
        facts.set(about(.run), detail.runID, at: sequence)
        facts.set(about(.path), detail.referencePath, at: sequence)
        facts.set(about(.storage), detail.storage.map { $0.isEmpty ? .absent : .known($0) } ?? .any, at: sequence)
        edit(entry, detail, about(.description))
    }

    private mutating func markDeleted(_ version: String, of place: Int, at sequence: Int64) {
        guard let number = versions[place]?.removeValue(forKey: version) else { return }
        facts.set(
            Subject(kind: .version, model: place, version: version), Self.version(number, isDeleted: true), at: sequence
        )
    }

    private mutating func purge(_ version: String, of place: Int, at sequence: Int64) {
        facts.clear(
            [.tag, .metric, .error, .approval, .profile, .run, .path], model: place, version: version, at: sequence)
        for kind in [Subject.Kind.source, .description] {
            facts.set(Subject(kind: kind, model: place, version: version), "", at: sequence)
        }
    }

    private mutating func flip(_ place: Int, _ entry: AuditEntry, _ detail: AuditDetail) {
        protect(place, at: entry.sequence)
        for slot in detail.moves ?? moves[entry.sequence] ?? [] {
            move(slot.alias, to: slot.to, of: place, entry, detail)
        }
    }

    private mutating func move(
        _ alias: String, to version: String?, of place: Int, _ entry: AuditEntry, _ detail: AuditDetail
    ) {
        let from = aliases[place]?[alias]
        aliases[place, default: [:]][alias] = version
        facts.set(
            Subject(kind: .alias, model: place, key: alias), version.map { Self.alias($0, at: entry.sequence) },
            at: entry.sequence)
        moveCount += 1
        facts.set(
            Subject(kind: .move, key: String(moveCount)),
            Self.move(alias, place, from, version, Self.signature(entry, detail.evidenceSHA256, at: entry.sequence)),
            at: entry.sequence)
    }

    private mutating func decide(_ outcome: String, _ entry: AuditEntry, _ detail: AuditDetail) {
        let known = detail.dossierSHA256.map { AuditFacts.Value.known(Self.decision(outcome, $0)) }
        facts.set(Subject(kind: .decision, key: detail.decision), known ?? .any, at: entry.sequence)
    }
}

/// How values are written, so that the trail and the tables write the same alike.
extension AuditReplay {
    static let emptyPolicy: String? = {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        return (try? encoder.encode(PromotionPolicy())).map { SHA256Digest.hex(of: $0) }
    }()

    static func policy(_ model: String) -> Subject { Subject(kind: .policy, key: model) }
    static func hold(_ model: String) -> Subject { Subject(kind: .hold, key: model) }
    static func gate(_ sequence: Int64) -> Subject { Subject(kind: .gate, key: "at \(sequence)") }

    static func model(_ name: String, isDeleted: Bool) -> String { "'\(name)'\(isDeleted ? ", deleted" : "")" }
    static func version(_ number: String, isDeleted: Bool) -> String {
        "number \(number)\(isDeleted ? ", deleted" : "")"
    }
    static func alias(_ version: String, at sequence: Int64) -> String { "version '\(version)' since \(sequence)" }
    static func key(_ name: String, _ dataset: String) -> String { dataset.isEmpty ? name : "\(name) on \(dataset)" }
    static func number(_ value: Double) -> String { JSON.number(value).text }

    static func gate(_ outcome: String, _ version: String, _ actor: String, _ digest: String) -> String {
        "\(outcome), version '\(version)', by \(actor), found \(digest)"
    }

    static func decision(_ outcome: String, _ digest: String) -> String { "\(outcome), from dossier \(digest)" }

    static func move(
        _ alias: String, _ place: Int, _ from: String?, _ to: String?, _ signature: String
    ) -> String {
        "'\(alias)' of model \(place + 1) from '\(from ?? "")' to '\(to ?? "")' \(signature)"
    }

    static func signature(
        _ actor: String, _ reason: String, _ at: Timestamp, _ evidence: String? = nil, _ sequence: Int64? = nil
    ) -> String {
        "by \(actor) at \(at.microseconds)\(sequence.map { " (\($0))" } ?? ""): '\(reason)'"
            + (evidence.map { ", evidence \($0)" } ?? "")
    }

    private static func signature(_ entry: AuditEntry, _ evidence: String? = nil, at sequence: Int64? = nil) -> String {
        signature(entry.actor, entry.reason, entry.at, evidence, sequence)
    }
}
