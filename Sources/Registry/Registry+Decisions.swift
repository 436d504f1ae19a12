import Foundation
import GRDB
package import Values

/// Rollbacks that a rule asks for.
extension Registry {
    /// Decides a proposal in one transaction: the guards are checked against the state that is then changed. The same
    /// key answers the stored decision again and changes nothing, so a caller that crashed may ask again.
    /// What a guard forbids is a decision too (`refused`), not an error.
    package func decide(
        _ proposal: RollbackProposal, actor: String = "holdfast", at: Timestamp
    ) async throws -> Decision {
        try Names.check(proposal.idempotencyKey, "idempotency key", maximum: 1_000)
        try Names.check(proposal.model, "model name")
        let reason = proposal.reason.isEmpty ? "rule decided: \(proposal.idempotencyKey)" : proposal.reason
        return try await change(actor: actor, reason: reason, evidence: proposal.evidence.text, at: at) { change in
            if let earlier = try change.decision(proposal.idempotencyKey) {
                guard earlier.model == proposal.model else {
                    throw RegistryError(
                        .conflict,
                        """
                        idempotency key '\(proposal.idempotencyKey)' was used for model '\(earlier.model)' already: \
                        make keys that hold the model's name
                        """)
                }
                return earlier
            }
            return try change.decide(proposal)
        }
    }
}

extension Change {
    func decision(_ key: String) throws -> Decision? {
        try Row.fetchOne(db, sql: "SELECT * FROM decision WHERE idempotency_key = ?", arguments: [key])
            .map { try Decision($0) }
    }

    func decide(_ proposal: RollbackProposal) throws -> Decision {
        let modelID = try Int64.fetchOne(
            db, sql: "SELECT id FROM registered_model WHERE name = ?", arguments: [proposal.model])
        let (facts, plan) = try facts(for: proposal, modelID)
        let dossier = RollbackDossier(proposal, facts: facts)
        let ruling = dossier.ruling
        let text = try Self.text(dossier)
        let sequence: Int64
        if ruling.outcome == .done, let modelID, let plan {
            sequence = try perform(
                plan, of: modelID, named: proposal.model,
                decision: (proposal.idempotencyKey, SHA256Digest.hex(of: text.utf8))
            ).sequence
        } else {
            sequence = try noteUndone(proposal, ruling, facts, dossier: text)
        }
        try db.execute(
            sql: """
                INSERT INTO decision
                (idempotency_key, model_id, model, judged_version, target, mode, outcome, verdict, reason,
                from_version, to_version, evidence, dossier, seq, at)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """,
            arguments: [
                proposal.idempotencyKey, modelID, proposal.model, proposal.judgedVersion, proposal.target,
                proposal.mode.rawValue, ruling.outcome.rawValue, ruling.verdict.rawValue, ruling.reason,
                facts.champion, facts.target, proposal.evidence.text, text, sequence, at.microseconds,
            ])
        guard let stored = try decision(proposal.idempotencyKey) else {
            throw RegistryError(.unavailable, "a decision was not stored: the registry file is damaged")
        }
        return stored
    }

    /// Sorted keys, so that the same dossier is always the same bytes.
    private static func text(_ dossier: RollbackDossier) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        do {
            return String(decoding: try encoder.encode(dossier), as: UTF8.self)
        } catch {
            throw RegistryError(.invalid, "the measurements hold a number that is not finite: leave it out")
        }
    }

    /// What the registry holds now, and the plan where nothing of the registry stands against it.
    private func facts(
        for proposal: RollbackProposal, _ modelID: Int64?
    ) throws -> (RollbackDossier.Facts, RollbackPlan?) {
        var facts = RollbackDossier.Facts(
            at: at, isRegistered: modelID != nil, isInWarmSet: false, automaticInSpan: 0, fleet: 0, fleetWithTarget: 0)
        guard let modelID else { return (facts, nil) }
        facts.champion = try championState(proposal.model).champion?.version
        facts.hold = try holdText(proposal.model)
        facts.lastAutomatic = try Int64.fetchOne(
            db, sql: "SELECT MAX(at) FROM decision WHERE model_id = ? AND outcome = 'done'", arguments: [modelID]
        ).map { Timestamp(microseconds: $0) }
        facts.automaticInSpan =
            try Int.fetchOne(
                db, sql: "SELECT COUNT(*) FROM decision WHERE model_id = ? AND outcome = 'done' AND at > ?",
                arguments: [modelID, (at - proposal.maximumPer).microseconds]) ?? 0
        do {
            let plan = try planRollback(of: modelID, named: proposal.model, to: proposal.target)
            let fleet = try FleetStatus.fetch(db, modelID, named: proposal.model, at: at)
            facts.target = plan.toLabel
            facts.isInWarmSet = plan.isWarm
            facts.fleet = fleet.members.count
            facts.fleetWithTarget = fleet.loaded(plan.toLabel)
            return (facts, plan)
        } catch let error as RegistryError where error.code == .refused || error.code == .notFound {
            facts.obstacle = error.message
            return (facts, nil)
        }
    }

    /// Tells of a decision that changed nothing. It is news all the same: somebody must look.
    private func noteUndone(
        _ proposal: RollbackProposal, _ ruling: RollbackDossier.Ruling, _ facts: RollbackDossier.Facts, dossier: String
    ) throws -> Int64 {
        try note(
            ruling.outcome == .wouldRun ? .rollbackWouldRun : .rollbackRefused, model: proposal.model,
            .members(
                ("model", .string(proposal.model)), ("decision", .string(proposal.idempotencyKey)),
                ("judged", .string(proposal.judgedVersion)), ("target", .string(proposal.target)),
                ("mode", .string(proposal.mode.rawValue)), ("verdict", .string(ruling.verdict.rawValue)),
                ("from", facts.champion.map { .string($0) } ?? .null),
                ("to", facts.target.map { .string($0) } ?? .null), ("reason", .string(ruling.reason)),
                ("dossier_sha256", .string(SHA256Digest.hex(of: dossier.utf8)))))
    }
}
