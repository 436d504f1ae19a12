import Foundation
import GRDB
package import Values
package import Windows

/// What one step of a model's join changes, as the ledger stores it.
package struct JoinCommit: Sendable {
    package var writes = LabelJoin.Writes()
    /// New bytes of changed performance sketches, by pane.
    package var panes: [Timestamp: PerformancePanes.Pane] = [:]
    package var droppedPanes: [Timestamp] = []
    /// Clocks and counters, and the windows labels may still change, as the engine encodes them; `nil` where they did not change.
    package var state: [UInt8]?
    package var windows: [UInt8]?

    package init() {}
    package var isEmpty: Bool {
        writes.isEmpty && panes.isEmpty && droppedPanes.isEmpty && state == nil && windows == nil
    }
}

/// What the ledger has of a model's join.
package struct StoredJoin: Sendable {
    /// What was stored meant something else, and was dropped.
    package var wasReset = false
    package var log: [(number: Int, bytes: [UInt8])] = []
    package var runs: [JoinTable.RunInfo] = []
    package var cells: [JoinCell] = []
    package var classes: [String] = []
    package var panes: [Timestamp: PerformancePanes.Pane] = [:]
    package var state: [UInt8]?
    package var windows: [UInt8]?
}

extension Ledger {
    /// The bytes of a block of a run.
    package func joinBlock(model: String, run: Int, block: Int) throws(LedgerError) -> [UInt8] {
        let found = try reading { db in
            try Data.fetchOne(
                db.cachedStatement(sql: "SELECT bytes FROM join_block WHERE model = ? AND run = ? AND block = ?"),
                arguments: [model, run, block])
        }
        guard let found else {
            throw LedgerError.damaged(path, "block \(block) of run \(run) of \(model)'s join is not there")
        }
        return [UInt8](found)
    }

    /// All but the blocks themselves.
    /// - Parameter stamp: names the meaning of what is stored: what was stored under another is dropped.
    package func loadJoin(model: String, stamp: String) throws(LedgerError) -> StoredJoin {
        let known = try joinStamp(model: model)
        guard known == stamp else {
            try resetJoin(model: model, stamp: stamp)
            var empty = StoredJoin()
            empty.wasReset = known != nil
            return empty
        }
        return try reading { db in
            var stored = StoredJoin()
            let about = try Row.fetchOne(db, sql: "SELECT * FROM join_model WHERE model = ?", arguments: [model])
            stored.state = (about?["state"] as Data?).map { [UInt8]($0) }
            stored.windows = (about?["windows"] as Data?).map { [UInt8]($0) }
            stored.log = try Row.fetchAll(
                db, sql: "SELECT number, bytes FROM join_log WHERE model = ? ORDER BY number", arguments: [model]
            ).map { ($0["number"], [UInt8]($0["bytes"] as Data)) }
            for row in try Row.fetchAll(db, sql: "SELECT * FROM join_run WHERE model = ?", arguments: [model]) {
                let fences = try Int64.fetchAll(
                    db, sql: "SELECT first FROM join_block WHERE model = ? AND run = ? ORDER BY block",
                    arguments: [model, row["run"] as Int])
                stored.runs.append(
                    .init(
                        number: row["run"], level: row["level"], end: Timestamp(microseconds: row["end"]),
                        fences: fences.map { UInt64(bitPattern: $0) }))
            }
            for row in try Row.fetchAll(
                db, sql: "SELECT kind, text FROM join_name WHERE model = ? ORDER BY kind, number", arguments: [model])
            {
                let text: String = row["text"]
                if row["kind"] as String == "class" {
                    stored.classes.append(text)
                } else {
                    stored.cells.append(try JSONDecoder().decode(JoinCell.self, from: Data(text.utf8)))
                }
            }
            let panes = try Row.fetchCursor(db, sql: "SELECT * FROM performance WHERE model = ?", arguments: [model])
            while let row = try panes.next() {
                let version: String = row["version"]
                let key = GroupKey(version: version.nameForm, segment: try Self.segment(row["segment"]))
                let start = Timestamp(microseconds: row["start"])
                let sketch = [UInt8](row["sketch"] as Data)
                // As with panes: of two spellings the one with more in it is the newer total.
                if let other = stored.panes[start]?[key], other.count >= sketch.count { continue }
                stored.panes[start, default: [:]][key] = sketch
            }
            return stored
        }
    }

    /// The stamp that a model's join is stored under; `nil` without one.
    package func joinStamp(model: String) throws(LedgerError) -> String? {
        try reading { db in
            try String.fetchOne(db, sql: "SELECT stamp FROM join_model WHERE model = ?", arguments: [model])
        }
    }

    /// Keeps the records of a join and puts what was counted of them anew in the place of what was counted under another stamp.
    /// - Parameters:
    ///   - cells: all of them, by number.
    ///   - windows: as `JoinCommit.windows`; `nil` to begin with none.
    package func recountJoin(
        model: String, stamp: String, cells: [JoinCell], panes: [Timestamp: PerformancePanes.Pane], windows: [UInt8]?
    ) throws(LedgerError) {
        var join = JoinCommit()
        join.panes = panes
        join.writes.cells = cells.enumerated().map { ($0.offset, $0.element) }
        let counted = join
        do {
            try database.write { db in
                try db.execute(sql: "DELETE FROM performance WHERE model = ?", arguments: [model])
                try db.execute(sql: "DELETE FROM join_name WHERE model = ? AND kind = 'cell'", arguments: [model])
                try db.execute(
                    sql: "UPDATE join_model SET stamp = ?, windows = ? WHERE model = ?",
                    arguments: [stamp, windows.map { Data($0) }, model])
                try Self.write(counted, model: model, db)
            }
        } catch {
            throw LedgerError(path: path, reason: "cannot be written: \(error)")
        }
    }

    private func resetJoin(model: String, stamp: String) throws(LedgerError) {
        do {
            try database.write { db in
                for table in ["join_log", "join_run", "join_block", "join_name", "performance", "join_model"] {
                    try db.execute(sql: "DELETE FROM \(table) WHERE model = ?", arguments: [model])
                }
                try db.execute(sql: "INSERT INTO join_model (model, stamp) VALUES (?, ?)", arguments: [model, stamp])
            }
        } catch {
            throw LedgerError(path: path, reason: "cannot be written: \(error)")
        }
    }

    static func write(_ join: JoinCommit, model: String, _ db: Database) throws {
        let table = join.writes.table
        if let log = table.log {
            try db.cachedExecute("INSERT INTO join_log VALUES (?, ?, ?)", [model, log.number, Data(log.bytes)])
        }
        if let dropped = table.droppedLog {
            try db.cachedExecute("DELETE FROM join_log WHERE model = ? AND number <= ?", [model, dropped])
        }
        for run in table.droppedRuns {
            try db.cachedExecute("DELETE FROM join_run WHERE model = ? AND run = ?", [model, run])
            try db.cachedExecute("DELETE FROM join_block WHERE model = ? AND run = ?", [model, run])
        }
        for run in table.runs {
            try db.cachedExecute(
                "INSERT INTO join_run VALUES (?, ?, ?, ?)",
                [model, run.info.number, run.info.level, run.info.end.microseconds])
            for (number, bytes) in run.blocks.enumerated() {
                try db.cachedExecute(
                    "INSERT INTO join_block VALUES (?, ?, ?, ?, ?)",
                    [model, run.info.number, number, Int64(bitPattern: run.info.fences[number]), Data(bytes)])
            }
        }
        for (number, cell) in join.writes.cells {
            let text = String(decoding: try JSONEncoder().encode(cell), as: UTF8.self)
            try db.cachedExecute("INSERT OR REPLACE INTO join_name VALUES (?, 'cell', ?, ?)", [model, number, text])
        }
        for (number, name) in join.writes.classes {
            try db.cachedExecute("INSERT INTO join_name VALUES (?, 'class', ?, ?)", [model, number, name])
        }
        for (start, groups) in join.panes {
            for (key, bytes) in groups {
                try db.cachedExecute(
                    "INSERT OR REPLACE INTO performance VALUES (?, ?, ?, ?, ?)",
                    [model, start.microseconds, key.version, key.segment.json.text, Data(bytes)])
            }
        }
        for start in join.droppedPanes {
            try db.cachedExecute(
                "DELETE FROM performance WHERE model = ? AND start = ?", [model, start.microseconds])
        }
        if let state = join.state {
            try db.cachedExecute("UPDATE join_model SET state = ? WHERE model = ?", [Data(state), model])
        }
        if let windows = join.windows {
            try db.cachedExecute("UPDATE join_model SET windows = ? WHERE model = ?", [Data(windows), model])
        }
    }
}
