import GRDB
package import Values

/// Moving the champion by hand: promotion, rollback, and letting a version out of quarantine.
extension Registry {
    /// Makes a version the champion; the champions before it move down one slot each, and a slot the version held
    /// before closes up. The present champion stays as it is, without an event. `expecting` is compared with the
    /// champion's state: the change happens only where it holds, and where nothing is to change it must hold as well.
    ///
    /// Where the model has a promotion policy the version must pass it; what the gate found is recorded either way.
    /// - Parameter force: promote though the gate refuses; audited. Who may is the caller's to check.
    @discardableResult
    package func promote(
        model: String, version: String, expecting: SequenceCondition? = nil, force: Bool = false, actor: String,
        reason: String, at: Timestamp
    ) async throws -> ChampionState {
        let result = try await change(actor: actor, reason: reason, at: at) { change in
            try change.promote(model, version, expecting: expecting, force: force)
        }
        return try result.get()
    }

    /// Goes back to `champion-1`, `champion-2` or a version by its label, and puts the present champion in
    /// quarantine. `expectedChampion` guards against going back twice. `evidence` is JSON text.
    @discardableResult
    package func rollback(
        model: String, to target: String, expectedChampion: String? = nil, expecting: SequenceCondition? = nil,
        actor: String, reason: String, evidence: String? = nil, at: Timestamp
    ) async throws -> ChampionState {
        try await change(actor: actor, reason: reason, evidence: evidence, at: at) { change in
            let modelID = try change.modelID(model)
            try change.expect(expecting, of: try change.championState(model))
            let plan = try change.planRollback(of: modelID, named: model, to: target)
            if let expectedChampion, expectedChampion != plan.fromLabel {
                throw RegistryError(
                    .conflict,
                    """
                    the champion of '\(model)' is version '\(plan.fromLabel)', not '\(expectedChampion)': look \
                    again and decide anew
                    """)
            }
            return try change.perform(plan, of: modelID, named: model, decision: nil).state
        }
    }

    /// Lets a version be promoted again. The warm set stays as it is. `false` where it was not in quarantine.
    @discardableResult
    package func clearQuarantine(
        model: String, version: String, actor: String, reason: String, at: Timestamp
    ) async throws -> Bool {
        try await change(actor: actor, reason: reason, at: at) { change in
            let modelID = try change.modelID(model)
            let id = try change.versionID(version, of: modelID, named: model)
            guard try change.isQuarantined(id) else { return false }
            try change.db.execute(sql: "DELETE FROM quarantine WHERE version_id = ?", arguments: [id])
            try change.note(
                .quarantineCleared, model: model,
                .members(("model", .string(model)), ("version", .string(version))))
            return true
        }
    }
}

extension Change {
    /// Compare-and-set: the champion must be the one the caller read.
    fileprivate func expect(_ expecting: SequenceCondition?, of present: ChampionState) throws(RegistryError) {
        try expecting?.check(
            "the champion of '\(present.model)'", sequence: present.sequence, version: present.champion?.version)
    }

    /// A gate's refusal is answered, not thrown: throwing would undo the record of it.
    func promote(
        _ model: String, _ version: String, expecting: SequenceCondition?, force: Bool
    ) throws -> Result<ChampionState, RegistryError> {
        let modelID = try modelID(model)
        let target = try versionID(version, of: modelID, named: model)
        let present = try championState(model)
        let set = try warmSet(modelID)
        try expect(expecting, of: present)
        // Of a plain model a client of MLflow's may have set it: promoted, it is one that stays.
        if set.champion == target, try isProtected(modelID) { return .success(present) }
        if try isQuarantined(target) {
            throw RegistryError(
                .refused,
                """
                version '\(version)' of '\(model)' was rolled away from and is in quarantine: clear it first, \
                or promote another version
                """)
        }
        let gate = try passGate(target, version, of: modelID, named: model, force: force)
        if case .closed(let refusal) = gate { return .failure(refusal) }
        let next = set.promoting(target)
        let moves = try moves(from: set, to: next, of: modelID)
        let sequence = try note(
            .promoted, model: model,
            .members(
                ("model", .string(model)), ("from", present.champion.map { .string($0.version) } ?? .null),
                ("to", .string(version)), ("moves", try json(moves)),
                ("gate_sha256", gate.digest.map { .string($0) })))
        return .success(try install(moves, of: modelID, named: model, sequence))
    }
}
