import GRDB
import Values

/// A rollback that nothing stands against: the guards held when it was planned, in the same transaction.
struct RollbackPlan {
    let from: Int64
    let fromLabel: String
    let to: Int64
    let toLabel: String
    let before: WarmSet

    /// Whether the target is one the fleet keeps loaded.
    var isWarm: Bool { before.versions.contains(to) }
}

extension Change {
    func championState(_ model: String) throws -> ChampionState {
        guard let state = try ChampionState.fetch(db, model: model) else { throw RegistryError.noModel(model) }
        return state
    }

    func warmSet(_ modelID: Int64) throws -> WarmSet {
        // Clients may have pointed the aliases of a plain model as they liked, two at one version for instance.
        var versions: [Int64] = []
        for slot in WarmSet.slots {
            if let version = try currentVersion(of: slot, modelID), !versions.contains(version) {
                versions.append(version)
            }
        }
        return WarmSet(versions)
    }

    func isQuarantined(_ versionID: Int64) throws -> Bool {
        try Bool.fetchOne(
            db, sql: "SELECT EXISTS (SELECT 1 FROM quarantine WHERE version_id = ?)", arguments: [versionID]) ?? false
    }

    /// Resolves both ends of a rollback and throws the reason where it may not happen. Writes nothing.
    func planRollback(of modelID: Int64, named model: String, to target: String) throws -> RollbackPlan {
        let set = try warmSet(modelID)
        guard let from = set.champion else {
            throw RegistryError(.refused, "model '\(model)' has no champion to roll back from: promote a version first")
        }
        let to: Int64
        if let slot = WarmSet.slots.firstIndex(of: target) {
            guard let held = set[slot] else {
                throw RegistryError(
                    .refused,
                    """
                    model '\(model)' has no \(target): no earlier version is kept warm to go back to. Name one that was \
                    champion: `holdfast registry rollback \(model) --to VERSION`
                    """)
            }
            to = held
        } else {
            to = try versionID(target, of: modelID, named: model)
            guard try set.versions.contains(to) || served(modelID).contains(to) else {
                throw RegistryError(
                    .refused,
                    """
                    version '\(target)' of '\(model)' never was its champion, so there is no going back to it: \
                    `holdfast registry promote \(model) \(target)` asks its gate
                    """)
            }
        }
        let (fromLabel, toLabel) = (try label(from), try label(to))
        guard from != to else {
            throw RegistryError(
                .refused,
                """
                version '\(toLabel)' is the champion of '\(model)' already: name another, \
                `holdfast registry rollback \(model) --to VERSION`
                """)
        }
        if try isQuarantined(to) {
            throw RegistryError(
                .refused,
                """
                version '\(toLabel)' of '\(model)' was itself rolled away from and is in quarantine: name another, \
                `holdfast registry rollback \(model) --to VERSION`, or clear it first
                """)
        }
        return RollbackPlan(from: from, fromLabel: fromLabel, to: to, toLabel: toLabel, before: set)
    }

    /// Flips the champion and puts the failed version in quarantine. `decision` is the key of an automatic one, with the
    /// digest of its dossier.
    func perform(
        _ plan: RollbackPlan, of modelID: Int64, named model: String, decision: (key: String, dossier: String)?
    ) throws -> (state: ChampionState, sequence: Int64) {
        var barred = try Set(
            Int64.fetchAll(
                db,
                sql: """
                    SELECT version_id FROM quarantine WHERE model_id = :model
                    UNION SELECT id FROM model_version WHERE model_id = :model AND deleted_at IS NOT NULL
                    """, arguments: ["model": modelID]))
        barred.insert(plan.from)
        let next = plan.before.rollingBack(to: plan.to, served: try served(modelID), barred: barred)
        let moves = try moves(from: plan.before, to: next, of: modelID)
        let sequence = try note(
            .rolledBack, model: model,
            .members(
                ("model", .string(model)), ("from", .string(plan.fromLabel)), ("to", .string(plan.toLabel)),
                ("moves", try json(moves)), ("decision", decision.map { .string($0.key) }),
                ("dossier_sha256", decision.map { .string($0.dossier) })))
        try db.execute(
            sql: """
                INSERT INTO quarantine (version_id, model_id, seq, actor, reason, evidence, at)
                VALUES (?, ?, ?, ?, ?, ?, ?)
                """, arguments: [plan.from, modelID, sequence, actor, reason, evidence, at.microseconds])
        return (try install(moves, of: modelID, named: model, sequence), sequence)
    }

    /// One slot that is to point elsewhere.
    struct SlotMove {
        let slot: String
        let from: Int64?
        let to: Int64?
    }

    /// The slots that differ. The old set does not show the gaps that clients may have left in the slots of a plain model.
    func moves(from old: WarmSet, to next: WarmSet, of modelID: Int64) throws -> [SlotMove] {
        try WarmSet.slots.enumerated().compactMap { i, slot in
            let from = try currentVersion(of: slot, modelID)
            return next[i] == old[i] && next[i] == from ? nil : SlotMove(slot: slot, from: from, to: next[i])
        }
    }

    /// As the audit trail keeps them: what the tables must come to if they are played again.
    func json(_ moves: [SlotMove]) throws -> JSON {
        func view(_ version: Int64?) throws -> JSON { try version.map { .string(try label($0)) } ?? .null }
        return .array(
            try moves.map {
                .members(("alias", .string($0.slot)), ("from", try view($0.from)), ("to", try view($0.to)))
            })
    }

    /// Moves the slots; the model is protected from then on.
    func install(
        _ moves: [SlotMove], of modelID: Int64, named model: String, _ sequence: Int64
    ) throws -> ChampionState {
        try protect(modelID)
        for slot in moves { try move(slot.slot, of: modelID, to: slot.to, sequence: sequence) }
        let state = try championState(model)
        publish(state)
        return state
    }

    /// Wakes the waiters once the transaction is on disk.
    func publish(_ state: ChampionState) {
        db.afterNextTransaction { [waiters] _ in waiters.publish(state) }
    }

    /// The versions that have been champion, the latest first, each once.
    private func served(_ modelID: Int64) throws -> [Int64] {
        try Int64.fetchAll(
            db,
            sql: """
                SELECT to_version_id FROM alias_history
                WHERE model_id = ? AND alias = ? AND to_version_id IS NOT NULL
                GROUP BY to_version_id ORDER BY MAX(id) DESC
                """, arguments: [modelID, WarmSet.slots[0]])
    }
}
