import Foundation
import GRDB
package import Values

/// One attempt to promote a model that has a policy.
package struct Promotion: Sendable, Hashable {
    package enum Outcome: String, Sendable, CaseIterable { case passed, refused, forced }
    package let id: Int64
    package let model: String
    package let version: String
    package let outcome: Outcome
    package let checks: [GateCheck]
    package let actor: String
    package let sequence: Int64
    package let at: Timestamp
}

/// Gates: what a version must show, what was measured of it, and who approved it.
extension Registry {
    private static let metricsMaximum = 1_000

    /// Replaces the policy of a model; an empty one lets every version pass. Audited where it changes.
    package func setPolicy(
        model: String, _ policy: PromotionPolicy, actor: String, reason: String, at: Timestamp
    ) async throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        let text: String
        do {
            text = String(decoding: try encoder.encode(policy), as: UTF8.self)
        } catch {
            throw RegistryError(.invalid, "a limit of the policy is not a finite number: give one")
        }
        let isEmpty = policy.isEmpty
        try await change(actor: actor, reason: reason, at: at) { change in
            _ = try change.modelID(model)
            let present = try String.fetchOne(
                change.db, sql: "SELECT policy FROM promotion_policy WHERE model = ?", arguments: [model])
            if present == text || (present == nil && isEmpty) { return }
            if isEmpty {
                try change.db.execute(sql: "DELETE FROM promotion_policy WHERE model = ?", arguments: [model])
            } else {
                try change.db.execute(
                    sql: "INSERT OR REPLACE INTO promotion_policy (model, policy) VALUES (?, ?)",
                    arguments: [model, text])
            }
            try change.note(
                .policySet, model: model,
                .members(("model", .string(model)), ("policy_sha256", .string(SHA256Digest.hex(of: text.utf8)))))
        }
    }

    package func policy(model: String) async throws -> PromotionPolicy? {
        try await read { try PromotionPolicy.fetch($0, model) }
    }

    /// Stores measurements with a version; one of the same name and data is replaced.
    package func record(
        _ metrics: [VersionMetric], model: String, version: String, actor: String, reason: String, at: Timestamp
    ) async throws {
        guard !metrics.isEmpty, metrics.count <= Self.metricsMaximum else {
            throw RegistryError(.invalid, "\(metrics.count) metrics: send 1 to \(Self.metricsMaximum) at once")
        }
        for metric in metrics {
            try Names.check(metric.name, "metric name")
            if !metric.dataset.isEmpty { try Names.check(metric.dataset, "dataset") }
            guard metric.value.isFinite, metric.standardError.map({ $0.isFinite && $0 >= 0 }) ?? true else {
                throw RegistryError(
                    .invalid,
                    "metric '\(metric.name)' is not a finite number, or its error is negative: measure it again")
            }
        }
        try await change(actor: actor, reason: reason, at: at) { change in
            let modelID = try change.modelID(model)
            let id = try change.versionID(version, of: modelID, named: model)
            for metric in metrics {
                try change.db.execute(
                    sql: """
                        INSERT OR REPLACE INTO version_metric (version_id, name, dataset, value, standard_error, at)
                        VALUES (?, ?, ?, ?, ?, ?)
                        """,
                    arguments: [id, metric.name, metric.dataset, metric.value, metric.standardError, at.microseconds])
            }
            try change.note(
                .metricsRecorded, model: model,
                .members(
                    ("model", .string(model)), ("version", .string(version)),
                    (
                        "metrics",
                        .array(
                            metrics.map {
                                .members(
                                    ("name", .string($0.name)), ("dataset", .string($0.dataset)),
                                    ("value", .number($0.value)),
                                    ("standard_error", $0.standardError.map { .number($0) } ?? .null))
                            })
                    )))
        }
    }

    package func metrics(model: String, version: String) async throws -> [VersionMetric] {
        try await read { db in
            let modelID = try Self.modelID(db, model)
            return try VersionMetric.fetch(db, try Change.versionID(db, version, of: modelID, named: model))
        }
    }

    /// A person's word for a version; the same person counts once.
    package func approve(
        model: String, version: String, actor: String, reason: String, at: Timestamp
    ) async throws {
        try await change(actor: actor, reason: reason, at: at) { change in
            let modelID = try change.modelID(model)
            let id = try change.versionID(version, of: modelID, named: model)
            try change.db.execute(
                sql: "INSERT OR IGNORE INTO approval (version_id, approver, reason, at) VALUES (?, ?, ?, ?)",
                arguments: [id, actor, reason, at.microseconds])
            guard change.db.changesCount > 0 else { return }
            try change.note(
                .versionApproved, model: model, .members(("model", .string(model)), ("version", .string(version))))
        }
    }

    /// What the gate would say of a version now. `nil` where the model has no policy and nothing is wrong with the source.
    package func gate(model: String, version: String, actor: String) async throws -> [GateCheck]? {
        try await read { db in
            let modelID = try Self.modelID(db, model)
            let id = try Change.versionID(db, version, of: modelID, named: model)
            return try PromotionPolicy.checks(db, id, of: modelID, named: model, actor: actor)
        }
    }

    /// The latest promotions of a model that passed its gate or were stopped by it, the newest first.
    package func promotions(model: String, limit: Int = 100) async throws -> [Promotion] {
        try await read { db in
            try Row.fetchAll(
                db, sql: "SELECT * FROM promotion WHERE model = ? ORDER BY id DESC LIMIT ?",
                arguments: [model, max(0, limit)]
            ).map { row in
                let checks: String = row["checks"]
                return Promotion(
                    id: row["id"], model: row["model"], version: row["version"],
                    outcome: Promotion.Outcome(rawValue: row["outcome"]) ?? .refused,
                    checks: (try? JSONDecoder().decode([GateCheck].self, from: Data(checks.utf8))) ?? [],
                    actor: row["actor"], sequence: row["seq"], at: Timestamp(microseconds: row["at"]))
            }
        }
    }
}

extension PromotionPolicy {
    static func fetch(_ db: Database, _ model: String) throws -> PromotionPolicy? {
        guard
            let text = try String.fetchOne(
                db, sql: "SELECT policy FROM promotion_policy WHERE model = ?", arguments: [model])
        else { return nil }
        do {
            return try JSONDecoder().decode(PromotionPolicy.self, from: Data(text.utf8))
        } catch {
            // A gate that cannot be read must not stand open.
            throw RegistryError(
                .unavailable, "the promotion policy of '\(model)' cannot be read: was it written by a newer holdfast?")
        }
    }

    static func checks(
        _ db: Database, _ versionID: Int64, of modelID: Int64, named model: String, actor: String
    ) throws -> [GateCheck]? {
        let source = try VersionSource.obstacle(db, versionID).map {
            GateCheck(condition: "its source can be loaded", passed: false, found: $0)
        }
        guard let policy = try fetch(db, model) else { return source.map { [$0] } }
        let champion = try Int64.fetchOne(
            db, sql: "SELECT version_id FROM alias WHERE model_id = ? AND alias = ?",
            arguments: [modelID, WarmSet.slots[0]])
        let promoter = Names.person(actor)
        let approvers = try Set(
            String.fetchAll(db, sql: "SELECT approver FROM approval WHERE version_id = ?", arguments: [versionID])
                .map(Names.person))
        let checks = policy.check(
            try VersionMetric.fetch(db, versionID), champion: try champion.map { try VersionMetric.fetch(db, $0) },
            approvers: approvers.subtracting([promoter]).sorted(),
            promoter: approvers.contains(promoter) ? promoter : nil)
        return (source.map { [$0] } ?? []) + checks
    }
}

extension VersionMetric {
    /// Tags of this form count as metrics too: what plain MLflow clients can set on a version.
    private static let tagPrefix = "holdfast.metric."

    static func fetch(_ db: Database, _ versionID: Int64) throws -> [VersionMetric] {
        let stored = try Row.fetchAll(
            db, sql: "SELECT * FROM version_metric WHERE version_id = ? ORDER BY name, dataset", arguments: [versionID]
        ).map { row in
            VersionMetric(
                name: row["name"], dataset: row["dataset"], value: row["value"], standardError: row["standard_error"])
        }
        let tagged = try Row.fetchAll(
            db, sql: "SELECT key, value FROM model_version_tag WHERE version_id = ? ORDER BY key",
            arguments: [versionID]
        ).compactMap { row -> VersionMetric? in
            let key: String = row["key"]
            guard key.hasPrefix(tagPrefix), let value = Double(row["value"] as String), value.isFinite else {
                return nil
            }
            return VersionMetric(name: String(key.dropFirst(tagPrefix.count)), value: value)
        }
        return stored + tagged.filter { tag in !stored.contains { $0.name == tag.name && $0.dataset.isEmpty } }
    }
}

extension Change {
    /// What the gate of a promotion came to.
    enum Gate {
        /// Nothing stands against it; with the digest of what was found, where there was anything to check.
        case open(digest: String?)
        case closed(RegistryError)

        var digest: String? {
            if case .open(let digest) = self { digest } else { nil }
        }
    }

    /// Checks the gate of a promotion and writes down what came of it; throws nothing for a refusal, so that the
    /// record of it stays.
    func passGate(
        _ versionID: Int64, _ version: String, of modelID: Int64, named model: String, force: Bool
    ) throws -> Gate {
        guard let checks = try PromotionPolicy.checks(db, versionID, of: modelID, named: model, actor: actor) else {
            return .open(digest: nil)
        }
        let failed = checks.filter { !$0.passed }
        let outcome: Promotion.Outcome = failed.isEmpty ? .passed : force ? .forced : .refused
        let found = JSON.array(checks.map(\.json))
        let detail = JSON.members(
            ("model", .string(model)), ("version", .string(version)), ("gate", .string(outcome.rawValue)),
            ("checks", found))
        // The event of a promotion follows in this transaction; a refusal and a forced gate are news of their own.
        let sequence =
            outcome == .passed
            ? (try Int64.fetchOne(db, sql: "SELECT COALESCE(MAX(seq), 0) FROM event") ?? 0) + 1
            : try note(outcome == .forced ? .gateForced : .promotionRefused, model: model, detail)
        try db.execute(
            sql: """
                INSERT INTO promotion (model, version, outcome, checks, actor, seq, at) VALUES (?, ?, ?, ?, ?, ?, ?)
                """,
            arguments: [model, version, outcome.rawValue, found.text, actor, sequence, at.microseconds])
        guard outcome == .refused else {
            return .open(digest: outcome == .passed ? SHA256Digest.hex(of: found.text.utf8) : nil)
        }
        let reasons = failed.map { "\($0.condition): \($0.found)" }.joined(separator: "; ")
        return .closed(RegistryError(.refused, "version '\(version)' of '\(model)' does not pass its gate: \(reasons)"))
    }

    static func versionID(_ db: Database, _ version: String, of modelID: Int64, named model: String) throws -> Int64 {
        let id = try Int64.fetchOne(
            db, sql: "SELECT id FROM model_version WHERE model_id = ? AND version = ? AND deleted_at IS NULL",
            arguments: [modelID, version])
        guard let id else { throw RegistryError.noVersion(version, of: model) }
        return id
    }
}
