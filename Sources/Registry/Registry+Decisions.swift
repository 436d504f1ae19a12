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
    /// What a proposal came to, before it is stored.
    private struct Judgement {
        var outcome: Decision.Outcome
        var reason: String
        var from: String?
        var to: String?
        /// The rollback's own event, where there was one.
        var sequence: Int64?
    }

    func decision(_ key: String) throws -> Decision? {
        try Row.fetchOne(db, sql: "SELECT * FROM decision WHERE idempotency_key = ?", arguments: [key])
            .map { try Decision($0) }
    }

    func decide(_ proposal: RollbackProposal) throws -> Decision {
        let modelID = try Int64.fetchOne(
            db, sql: "SELECT id FROM registered_model WHERE name = ?", arguments: [proposal.model])
        let judgement = try judge(proposal, modelID)
        let sequence = try judgement.sequence ?? noteUndone(proposal, judgement)
        try db.execute(
            sql: """
                INSERT INTO decision
                (idempotency_key, model_id, model, judged_version, target, mode, outcome, reason, from_version,
                to_version, evidence, seq, at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """,
            arguments: [
                proposal.idempotencyKey, modelID, proposal.model, proposal.judgedVersion, proposal.target,
                proposal.mode.rawValue, judgement.outcome.rawValue, judgement.reason, judgement.from, judgement.to,
                proposal.evidence.text, sequence, at.microseconds,
            ])
        guard let stored = try decision(proposal.idempotencyKey) else {
            throw RegistryError(.unavailable, "a decision was not stored: the registry file is damaged")
        }
        return stored
    }

    /// The guards in the order they are told: is the verdict still about the champion, is it time, is the data sound,
    /// is there somewhere to go.
    private func judge(_ proposal: RollbackProposal, _ modelID: Int64?) throws -> Judgement {
        guard let modelID else {
            return Judgement(outcome: .refused, reason: RegistryError.noModel(proposal.model).message)
        }
        let champion = try championState(proposal.model).champion?.version
        func refused(_ reason: String, to: String? = nil) -> Judgement {
            Judgement(outcome: .refused, reason: reason, from: champion, to: to)
        }
        guard champion == proposal.judgedVersion else {
            return refused(
                """
                version '\(proposal.judgedVersion)' was judged, but the champion is \
                \(champion.map { "'\($0)'" } ?? "none") now: nothing to roll back
                """)
        }
        if let reason = try tooSoon(proposal, modelID) { return refused(reason) }
        guard proposal.vetoes.isEmpty else {
            return refused(proposal.vetoes.joined(separator: "; "))
        }
        let plan: RollbackPlan
        do {
            plan = try planRollback(of: modelID, named: proposal.model, to: proposal.target)
        } catch let error as RegistryError where error.code == .refused || error.code == .notFound {
            return refused(error.message)
        }
        guard plan.isWarm else {
            return refused(
                """
                version '\(plan.toLabel)' is not champion-1 or champion-2, so no fleet keeps it loaded: roll back \
                to it by hand
                """, to: plan.toLabel)
        }
        if proposal.mode == .dryRun {
            return Judgement(
                outcome: .wouldRun,
                reason: "dry run: the champion would have gone from '\(plan.fromLabel)' to '\(plan.toLabel)'",
                from: champion, to: plan.toLabel)
        }
        let done = try perform(plan, of: modelID, named: proposal.model, decision: proposal.idempotencyKey)
        return Judgement(
            outcome: .done, reason: "the champion went from '\(plan.fromLabel)' to '\(plan.toLabel)'", from: champion,
            to: plan.toLabel, sequence: done.sequence)
    }

    /// Why another automatic rollback may not happen yet; only those that were done count. A decision dated before
    /// one that was done is too soon as well, so that no order of arrival gets round the guard.
    private func tooSoon(_ proposal: RollbackProposal, _ modelID: Int64) throws -> String? {
        let last = try Int64.fetchOne(
            db, sql: "SELECT MAX(at) FROM decision WHERE model_id = ? AND outcome = 'done'", arguments: [modelID])
        if let last = last.map({ Timestamp(microseconds: $0) }), at - last < proposal.cooldown {
            return """
                cooldown: the last automatic rollback was at \(last.rfc3339), and \(proposal.cooldown) must pass \
                before the next
                """
        }
        let since = at - proposal.maximumPer
        let count =
            try Int.fetchOne(
                db, sql: "SELECT COUNT(*) FROM decision WHERE model_id = ? AND outcome = 'done' AND at > ?",
                arguments: [modelID, since.microseconds]) ?? 0
        if count >= proposal.maximum {
            return """
                maximum: \(count) automatic rollbacks in the last \(proposal.maximumPer), \(proposal.maximum) are \
                allowed
                """
        }
        return nil
    }

    /// Tells of a decision that changed nothing. It is news all the same: somebody must look.
    private func noteUndone(_ proposal: RollbackProposal, _ judgement: Judgement) throws -> Int64 {
        try note(
            judgement.outcome == .wouldRun ? .rollbackWouldRun : .rollbackRefused, model: proposal.model,
            .members(
                ("model", .string(proposal.model)), ("decision", .string(proposal.idempotencyKey)),
                ("judged", .string(proposal.judgedVersion)), ("target", .string(proposal.target)),
                ("mode", .string(proposal.mode.rawValue)), ("from", judgement.from.map { .string($0) } ?? .null),
                ("to", judgement.to.map { .string($0) } ?? .null), ("reason", .string(judgement.reason))))
    }
}
