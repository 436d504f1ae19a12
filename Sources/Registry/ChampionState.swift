import GRDB
package import Values

/// Which versions serve a model now. A state, not a difference: a reader that missed some still ends up right.
package struct ChampionState: Sendable, Hashable {
    package struct Slot: Sendable, Hashable {
        package let version: String
        package let source: String
    }

    package let model: String
    /// The event that changed the set last, 0 where there never was one. Grows with every change, also with the champion's end.
    package let sequence: Int64
    /// When that was.
    package let since: Timestamp?
    package let champion: Slot?
    package let champion1: Slot?
    package let champion2: Slot?
    /// `json` as text: written once for the thousands who are told of it.
    package let document: [UInt8]

    init(
        model: String, sequence: Int64, since: Timestamp?, champion: Slot?, champion1: Slot?, champion2: Slot?
    ) {
        self.model = model
        self.sequence = sequence
        self.since = since
        self.champion = champion
        self.champion1 = champion1
        self.champion2 = champion2
        document = Self.json(model, sequence, [champion, champion1, champion2]).bytes
    }

    /// What fleets read. Empty slots are `null`, so that every document has the same keys.
    package var json: JSON { Self.json(model, sequence, [champion, champion1, champion2]) }

    private static func json(_ model: String, _ sequence: Int64, _ slots: [Slot?]) -> JSON {
        func view(_ slot: Slot?) -> JSON {
            slot.map { .members(("version", .string($0.version)), ("source", .string($0.source))) } ?? .null
        }
        return .members(
            ("model", .string(model)), ("sequence", .integer(sequence)), ("champion", view(slots[0])),
            ("champion-1", view(slots[1])), ("champion-2", view(slots[2])))
    }
}

extension ChampionState {
    /// A model without versions in its slots, as one that was deleted or has another name now.
    static func ended(_ model: String, at sequence: Int64) -> ChampionState {
        ChampionState(
            model: model, sequence: sequence, since: nil, champion: nil, champion1: nil, champion2: nil)
    }

    /// The event that moved a slot of the model `m` last, or gave it its name since. From the history, as a slot that was
    /// emptied has no alias any more; each a look at the end of an index.
    static let moved =
        "max(m.named_seq, "
        + WarmSet.slots.map { slot in
            """
            coalesce((SELECT seq FROM alias_history WHERE model_id = m.id AND alias = '\(slot)' ORDER BY id DESC LIMIT 1), 0)
            """
        }.joined(separator: ", ") + ")"

    /// `nil` where the model is not registered. One statement, as this is what fleets ask for all day.
    static func fetch(_ db: Database, model: String) throws -> ChampionState? {
        let rows = try Row.fetchAll(
            db.cachedStatement(
                sql: """
                    SELECT a.alias, \(moved) AS moved, a.updated_at, v.version, v.source
                    FROM registered_model m
                    LEFT JOIN alias a ON a.model_id = m.id AND a.alias IN ('champion', 'champion-1', 'champion-2')
                    LEFT JOIN model_version v ON v.id = a.version_id
                    WHERE m.name = ?
                    """), arguments: [model])
        guard !rows.isEmpty else { return nil }
        var slots: [String: Slot] = [:]
        let sequence: Int64 = rows[0]["moved"]
        var since: Timestamp?
        for row in rows {
            guard let alias: String = row["alias"] else { continue }
            slots[alias] = Slot(version: row["version"], source: row["source"])
            if alias == WarmSet.slots[0] { since = Timestamp(microseconds: row["updated_at"]) }
        }
        return ChampionState(
            model: model, sequence: sequence, since: since, champion: slots[WarmSet.slots[0]],
            champion1: slots[WarmSet.slots[1]], champion2: slots[WarmSet.slots[2]])
    }
}
