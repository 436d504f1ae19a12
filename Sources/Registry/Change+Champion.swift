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
                    "model '\(model)' has no \(target): no earlier version is left to go back to, name one yourself")
            }
            to = held
        } else {
            to = try versionID(target, of: modelID, named: model)
            guard try set.versions.contains(to) || served(modelID).contains(to) else {
                throw RegistryError(
                    .refused,
                    """
                    version '\(target)' of '\(model)' never was its champion, so there is no going back to it: \
                    promote it, which its gate judges
                    """)
            }
        }
        let (fromLabel, toLabel) = (try label(from), try label(to))
        guard from != to else {
            throw RegistryError(
                .refused, "version '\(toLabel)' is the champion of '\(model)' already: name another target")
        }
        if try isQuarantined(to) {
            throw RegistryError(
                .refused,
                """
                version '\(toLabel)' of '\(model)' was itself rolled away from and is in quarantine: name another \
                target, or clear it first
                """)
        }
        return RollbackPlan(from: from, fromLabel: fromLabel, to: to, toLabel: toLabel, before: set)
    }

    /// Flips the champion and puts the failed version in quarantine. `decision` is the key of an automatic one, with the
    /// digest of its dossier.
    func perform(
        _ plan: RollbackPlan, of modelID: Int64, named model: String, decision: (key: String, dossier: String)?
    ) throws -> (state: ChampionState, sequence: Int64) {
        let sequence = try note(
            .rolledBack, model: model,
            .members(
                ("model", .string(model)), ("from", .string(plan.fromLabel)), ("to", .string(plan.toLabel)),
                ("decision", decision.map { .string($0.key) }),
                ("dossier_sha256", decision.map { .string($0.dossier) })))
        try db.execute(
            sql: """
                INSERT INTO quarantine (version_id, model_id, seq, actor, reason, evidence, at)
                VALUES (?, ?, ?, ?, ?, ?, ?)
                """, arguments: [plan.from, modelID, sequence, actor, reason, evidence, at.microseconds])
        let barred = try Set(
            Int64.fetchAll(
                db,
                sql: """
                    SELECT version_id FROM quarantine WHERE model_id = :model
                    UNION SELECT id FROM model_version WHERE model_id = :model AND deleted_at IS NOT NULL
                    """, arguments: ["model": modelID]))
        let next = plan.before.rollingBack(to: plan.to, served: try served(modelID), barred: barred)
        let state = try install(next, over: plan.before, of: modelID, named: model, sequence)
        return (state, sequence)
    }

    /// Writes the slots that differ; the model is protected from then on.
    func install(
        _ next: WarmSet, over old: WarmSet, of modelID: Int64, named model: String, _ sequence: Int64
    ) throws -> ChampionState {
        try protect(modelID)
        // `old` does not show the gaps that clients may have left in the slots of a plain model.
        for (i, slot) in WarmSet.slots.enumerated()
        where try next[i] != old[i] || next[i] != currentVersion(of: slot, modelID) {
            try move(slot, of: modelID, to: next[i], sequence: sequence)
        }
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
