import GRDB
package import Values

/// Moving the champion by hand: promotion, rollback, and letting a version out of quarantine.
extension Registry {
    /// Makes a version the champion; the champions before it move down one slot each, and a slot the version held
    /// before closes up. The present champion stays as it is, without an event. With `expectedSequence` the change
    /// happens only while the champion is the one that was read with it.
    ///
    /// Where the model has a promotion policy the version must pass it; what the gate found is recorded either way.
    /// - Parameter force: promote though the gate refuses; audited. Who may is the caller's to check.
    @discardableResult
    package func promote(
        model: String, version: String, expectedSequence: Int64? = nil, force: Bool = false, actor: String,
        reason: String, at: Timestamp
    ) async throws -> ChampionState {
        let result = try await change(actor: actor, reason: reason, at: at) { change in
            try change.promote(model, version, expectedSequence: expectedSequence, force: force)
        }
        return try result.get()
    }

    /// Goes back to `champion-1`, `champion-2` or a version by its label, and puts the present champion in
    /// quarantine. `expectedChampion` guards against going back twice. `evidence` is JSON text.
    @discardableResult
    package func rollback(
        model: String, to target: String, expectedChampion: String? = nil, expectedSequence: Int64? = nil,
        actor: String, reason: String, evidence: String? = nil, at: Timestamp
    ) async throws -> ChampionState {
        try await change(actor: actor, reason: reason, evidence: evidence, at: at) { change in
            let modelID = try change.modelID(model)
            if let expectedSequence { try change.expect(expectedSequence, try change.championState(model)) }
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
    fileprivate func expect(_ sequence: Int64, _ present: ChampionState) throws {
        guard sequence != present.sequence else { return }
        throw RegistryError(
            .conflict,
            """
            the champion of '\(present.model)' is at sequence \(present.sequence) \
            (version '\(present.champion?.version ?? "none")'), not \(sequence): read it again and decide anew
            """)
    }

    /// A gate's refusal is answered, not thrown: throwing would undo the record of it.
    fileprivate func promote(
        _ model: String, _ version: String, expectedSequence: Int64?, force: Bool
    ) throws -> Result<ChampionState, RegistryError> {
        let modelID = try modelID(model)
        let target = try versionID(version, of: modelID, named: model)
        let present = try championState(model)
        let set = try warmSet(modelID)
        if set.champion == target { return .success(present) }
        if let expectedSequence { try expect(expectedSequence, present) }
        if try isQuarantined(target) {
            throw RegistryError(
                .refused,
                """
                version '\(version)' of '\(model)' was rolled away from and is in quarantine: clear it first, \
                or promote another version
                """)
        }
        if let refusal = try passGate(target, version, of: modelID, named: model, force: force) {
            return .failure(refusal)
        }
        let sequence = try note(
            .promoted, model: model,
            .members(
                ("model", .string(model)), ("from", present.champion.map { .string($0.version) } ?? .null),
                ("to", .string(version))))
        return .success(try install(set.promoting(target), over: set, of: modelID, named: model, sequence))
    }
}
