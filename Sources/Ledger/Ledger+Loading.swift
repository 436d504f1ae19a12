import Events
import Foundation
import GRDB
import Sketches
package import Values
package import Windows

/// What the ledger knows of one model.
package struct StoredModel: Sendable {
    package var windows = ModelWindows.State()
    package var alerts: [UInt8]?
    package var panes: [Timestamp: PaneCounts] = [:]
    /// The past that moving references are made of, by piece.
    package var history: [Timestamp: PaneCounts] = [:]
    /// Rows of open panes that were counted with another reference or pane length and cannot be carried over.
    package var incompatibleRows = false

    package init() {}
}

extension Ledger {
    package func offsets() throws(LedgerError) -> [String: Int64] {
        try reading { db in
            try Row.fetchAll(db, sql: "SELECT source, next_offset FROM source_offset").reduce(into: [:]) {
                $0[$1[0] as String] = $1[1] as Int64
            }
        }
    }

    /// Loads a model's state.
    /// - Parameter layoutName: names the bins and the pane length; panes written under another name are not loaded.
    package func load(model: String, plans: GroupPlans, layoutName: String) throws(LedgerError) -> StoredModel {
        try reading { db in
            var stored = StoredModel()
            guard let row = try Row.fetchOne(db, sql: "SELECT * FROM model_state WHERE model = ?", arguments: [model])
            else { return stored }
            stored.windows = try JSONDecoder().decode(ModelWindows.State.self, from: row["windows"])
            stored.alerts = (row["alerts"] as Data?).map { [UInt8]($0) }
            guard row["layout"] as String == layoutName else {
                stored.incompatibleRows = true
                stored.windows.startAnew()
                return stored
            }
            stored.panes = try Self.counts(in: "pane", model, plans, db)
            stored.history = try Self.counts(in: "history", model, plans, db)
            return stored
        }
    }

    private static func counts(
        in table: String, _ model: String, _ plans: GroupPlans, _ db: Database
    ) throws -> [Timestamp: PaneCounts] {
        var counts: [Timestamp: PaneCounts] = [:]
        let rows = try Row.fetchCursor(db, sql: "SELECT * FROM \(table) WHERE model = ?", arguments: [model])
        while let row = try rows.next() {
            let segment = try segment(row["segment"])
            let profile = try PackedProfile(
                checking: [UInt8](row["profile"] as Data), layout: plans.plan(for: segment).layout)
            let start = Timestamp(microseconds: row["start"])
            // Totals were once written under whichever spelling of a name was at hand: the greater holds all rows of the other.
            let key = GroupKey(version: (row["version"] as String).nameForm, segment: segment)
            if let other = counts[start]?[key], other.rows >= profile.rows { continue }
            counts[start, default: [:]][key] = profile
        }
        return counts
    }

    /// Forgets panes and history that were counted with other bins.
    package func dropPanes(model: String) throws(LedgerError) {
        do {
            try database.write { db in
                try db.execute(sql: "DELETE FROM pane WHERE model = ?", arguments: [model])
                try db.execute(sql: "DELETE FROM history WHERE model = ?", arguments: [model])
            }
        } catch {
            throw LedgerError(path: path, reason: "cannot be written: \(error)")
        }
    }

    static func segment(_ text: String) throws -> Segment {
        let json = try JSON(parsing: text.utf8)
        return Segment((json.objectValue ?? []).map { Segment.Part($0.key, ($0.value.stringValue ?? "").nameForm) })
    }

    func reading<T: Sendable>(_ body: @Sendable (Database) throws -> T) throws(LedgerError) -> T {
        do {
            return try database.read(body)
        } catch {
            throw LedgerError(path: path, reason: "cannot be read: \(error)")
        }
    }
}
