import GRDB
import Values

/// Aliases as clients move them, one at a time. What may be moved is checked before.
extension Change {
    /// Points an alias at a version; answers the sequence of its last move, an older one where it is there already.
    func point(
        _ alias: String, of modelID: Int64, named model: String, to version: String, expecting: SequenceCondition?
    ) throws -> Int64 {
        let old = try compare(alias, of: modelID, named: model, expecting)
        let target = try versionID(version, of: modelID, named: model)
        if alias == WarmSet.slots[0], let obstacle = try VersionSource.obstacle(db, target) {
            throw RegistryError(.refused, "version '\(version)' of '\(model)' cannot be its champion: \(obstacle)")
        }
        if let old, old.version == version { return old.sequence }
        let sequence = try note(
            .aliasSet, model: model,
            .members(
                ("model", .string(model)), ("alias", .string(alias)),
                ("from", old.map { .string($0.version) } ?? .null), ("to", .string(version))))
        try move(alias, of: modelID, to: target, sequence: sequence)
        if WarmSet.slots.contains(alias) { publish(try championState(model)) }
        return sequence
    }

    /// Removes an alias; `false` where there was none.
    func drop(_ alias: String, of modelID: Int64, named model: String, expecting: SequenceCondition?) throws -> Bool {
        guard let old = try compare(alias, of: modelID, named: model, expecting) else { return false }
        let sequence = try note(
            .aliasDeleted, model: model,
            .members(("model", .string(model)), ("alias", .string(alias)), ("from", .string(old.version))))
        try move(alias, of: modelID, to: nil, sequence: sequence)
        if WarmSet.slots.contains(alias) { publish(try championState(model)) }
        return true
    }

    /// Throws where an alias is not what the caller expects; answers what it is, `nil` where there is none.
    @discardableResult
    func compare(
        _ alias: String, of modelID: Int64, named model: String, _ expecting: SequenceCondition?
    ) throws -> (version: String, sequence: Int64)? {
        let row = try Row.fetchOne(
            db,
            sql: """
                SELECT v.version, a.seq FROM alias a JOIN model_version v ON v.id = a.version_id
                WHERE a.model_id = ? AND a.alias = ?
                """, arguments: [modelID, alias])
        try expecting?.check("alias '\(alias)' of '\(model)'", sequence: row?["seq"], version: row?["version"])
        return row.map { ($0["version"], $0["seq"]) }
    }
}
