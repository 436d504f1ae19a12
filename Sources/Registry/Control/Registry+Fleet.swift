import Foundation
import GRDB
package import Values

/// What one serving instance last said of itself.
package struct FleetMember: Sendable, Hashable {
    package let instance: String
    /// Versions in memory, ready to serve.
    package let loaded: [String]
    /// The version that answers requests.
    package let active: String?
    package let at: Timestamp
}

/// The fleet of a model, as far as it reports.
package struct FleetStatus: Sendable, Hashable {
    package let model: String
    package let champion: String?
    /// Instances whose report is fresh, by name.
    package let members: [FleetMember]
    /// Instances that have fallen silent since.
    package let silent: Int

    /// How many of the fresh instances serve the champion, from 0 to 1; `nil` where none reports.
    package var shareOnChampion: Double? {
        members.isEmpty ? nil : Double(members.count { $0.active == champion }) / Double(members.count)
    }

    /// How many have a version loaded.
    package func loaded(_ version: String) -> Int { members.count { $0.loaded.contains(version) } }

    package var json: JSON {
        .members(
            ("model", .string(model)), ("champion", champion.map { .string($0) } ?? .null),
            ("share_on_champion", shareOnChampion.map { .number($0) } ?? .null), ("silent", .int(silent)),
            (
                "members",
                .array(
                    members.map {
                        .members(
                            ("instance", .string($0.instance)), ("active", $0.active.map { .string($0) } ?? .null),
                            ("loaded", .array($0.loaded.map { .string($0) })), ("at", .time($0.at)))
                    })
            ))
    }
}

/// Instances report which versions they have loaded and which one answers: what proves that a version is warm, and
/// that a flip has arrived.
extension Registry {
    /// A report older than this says nothing any more.
    package static let fleetFreshness = Span.seconds(60)
    /// A report that says nothing new is written down only once in this time: each is a transaction on disk.
    private static let fleetRefresh = Span.seconds(10)
    private static let fleetMaximum = 10_000
    private static let loadedMaximum = 20

    /// Takes the report of an instance, and answers what the model's fleet should have loaded.
    package func report(
        model: String, instance: String, loaded: [String], active: String?, at: Timestamp
    ) async throws -> ChampionState {
        try Names.check(instance, "instance")
        guard loaded.count <= Self.loadedMaximum else {
            throw RegistryError(.invalid, "\(loaded.count) versions loaded, \(Self.loadedMaximum) at most: name fewer")
        }
        for version in loaded + [active].compactMap({ $0 }) { try Names.check(version, "version") }
        let text = JSON.array(loaded.map { .string($0) }).text
        let (state, isNews) = try await read { db -> (ChampionState, Bool) in
            guard let state = try ChampionState.fetch(db, model: model) else { throw RegistryError.noModel(model) }
            let row = try Row.fetchOne(
                db.cachedStatement(
                    sql: """
                        SELECT f.loaded, f.active, f.at FROM fleet_member f
                        JOIN registered_model m ON m.id = f.model_id WHERE m.name = ? AND f.instance = ?
                        """), arguments: [model, instance])
            guard let row, row["loaded"] == text, row["active"] as String? == active else { return (state, true) }
            return (state, at - Timestamp(microseconds: row["at"]) >= Self.fleetRefresh)
        }
        if isNews { try await write(model, instance, text, active, at) }
        return state
    }

    /// A heartbeat is neither news nor for the audit trail.
    private func write(_ model: String, _ instance: String, _ loaded: String, _ active: String?, _ at: Timestamp)
        async throws
    {
        try await bookkeeping { db in
            let modelID = try Self.modelID(db, model)
            // Instances come and go under new names; those long silent make room.
            try db.execute(
                sql: "DELETE FROM fleet_member WHERE model_id = ? AND at < ?",
                arguments: [modelID, (at - .days(1)).microseconds])
            let count =
                try Int.fetchOne(
                    db, sql: "SELECT COUNT(*) FROM fleet_member WHERE model_id = ? AND instance != ?",
                    arguments: [modelID, instance]) ?? 0
            guard count < Self.fleetMaximum else {
                throw RegistryError(
                    .refused, "\(Self.fleetMaximum) instances of '\(model)' report already, the most kept")
            }
            try db.execute(
                sql: """
                    INSERT INTO fleet_member (model_id, instance, loaded, active, at) VALUES (?, ?, ?, ?, ?)
                    ON CONFLICT (model_id, instance) DO UPDATE
                    SET loaded = excluded.loaded, active = excluded.active, at = excluded.at
                    """, arguments: [modelID, instance, loaded, active, at.microseconds])
        }
    }

    package func fleet(model: String, at: Timestamp) async throws -> FleetStatus {
        try await read { db in
            let id = try Self.modelID(db, model)
            return try FleetStatus.fetch(db, id, named: model, at: at)
        }
    }
}

extension FleetStatus {
    static func fetch(_ db: Database, _ modelID: Int64, named model: String, at: Timestamp) throws -> FleetStatus {
        let fresh = at - Registry.fleetFreshness
        let rows = try Row.fetchAll(
            db, sql: "SELECT * FROM fleet_member WHERE model_id = ? ORDER BY instance", arguments: [modelID])
        let members = rows.map { row in
            FleetMember(
                instance: row["instance"],
                loaded: (try? JSONDecoder().decode([String].self, from: Data((row["loaded"] as String).utf8))) ?? [],
                active: row["active"], at: Timestamp(microseconds: row["at"]))
        }
        return FleetStatus(
            model: model, champion: try ChampionState.fetch(db, model: model)?.champion?.version,
            members: members.filter { $0.at > fresh }, silent: members.count { $0.at <= fresh })
    }
}
