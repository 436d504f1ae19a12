import Events
import Foundation
import Ledger
import Statistics
import Values
import Windows

/// The performance side of one model in the engine: its join and its windows, and what of them must be stored.
struct ModelPerformance {
    private let name: String
    private let settings: PerformanceSettings
    private(set) var join: LabelJoin
    private var windows: PerformanceWindows
    private var commit = JoinCommit()
    private var stored: Kept
    private var storedWindows: PerformanceWindows.State

    /// What is small and changes with every step.
    private struct Kept: Codable, Equatable {
        var clocks = LabelJoin.Clocks()
        var counters = JoinTable.Counters()
    }

    /// - Returns: `nil` where nobody asks for the model's performance.
    init?(_ model: MonitoredModel, _ ledger: Ledger) throws {
        guard let settings = model.performance else { return nil }
        name = model.name
        self.settings = settings
        let found = try ledger.loadJoin(model: model.name, stamp: model.joinStamp)
        let kept = try found.state.map { try JSONDecoder().decode(Kept.self, from: Data($0)) } ?? Kept()
        guard
            let table = JoinTable(
                horizon: settings.horizon, log: found.log, runs: found.runs, counters: kept.counters)
        else { throw LedgerError.damaged(ledger.path, "the log of \(model.name)'s join has half a record") }
        join = LabelJoin(
            table: table, horizon: settings.horizon, cells: found.cells, classes: found.classes, clocks: kept.clocks)
        stored = kept
        storedWindows =
            try found.windows.map { try JSONDecoder().decode(PerformanceWindows.State.self, from: Data($0)) }
            ?? PerformanceWindows.State()
        windows = PerformanceWindows(
            settings,
            panes: PerformancePanes(
                settings, windows: model.window, dimensions: model.schema.dimensions,
                segmentations: model.segmentations, stored: found.panes),
            reference: model.performanceReference, state: storedWindows)
    }

    /// - Parameter inOrder: as `PerformanceWindows.apply` says.
    mutating func apply(_ delta: JoinDelta, inOrder: Bool, _ ledger: Ledger) throws(LedgerError) {
        guard !delta.isEmpty else { return }
        var changes: [JoinTable.Change] = []
        let name = name
        commit.writes = try join.apply(
            delta, isClass: settings.task != .regression, changed: { changes.append($0) }
        ) { run, block throws(LedgerError) in
            try ledger.joinBlock(model: name, run: run, block: block)
        }
        windows.apply(changes, join: join, inOrder: inOrder)
    }

    mutating func close(
        _ shape: ModelWindows.Shape, _ range: TimeRange
    ) -> (rows: [SnapshotRow], revisions: [PerformanceWindows.Told]) {
        windows.close(shape, range, join: join)
    }

    mutating func finish() -> [PerformanceWindows.Told] { windows.finish(join) }

    /// Forgets what no label can change any more.
    mutating func forget(before time: Timestamp) { commit.droppedPanes += windows.forget(before: time) }

    /// What the step changed; `nil` where it changed nothing.
    mutating func takeCommit() -> JoinCommit? {
        var taken = commit
        commit = JoinCommit()
        taken.panes = windows.takeChanged()
        let kept = Kept(clocks: join.clocks, counters: join.table.counters)
        if kept != stored {
            taken.state = (try? Self.encoder.encode(kept)).map { [UInt8]($0) }
            stored = kept
        }
        if windows.state != storedWindows {
            taken.windows = (try? Self.encoder.encode(windows.state)).map { [UInt8]($0) }
            storedWindows = windows.state
        }
        return taken.isEmpty ? nil : taken
    }

    private static var encoder: JSONEncoder {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        return encoder
    }
}

extension Snapshot {
    /// The same with the rows of its performance, each after the other rows of its version and segment.
    func adding(_ performance: [SnapshotRow]) -> Snapshot {
        guard !performance.isEmpty else { return self }
        func rank(_ row: SnapshotRow) -> Int { row.version == SnapshotRow.allVersions ? 0 : 1 }
        let all = (rows + performance).enumerated().sorted { a, b in
            let (x, y) = (a.element, b.element)
            if rank(x) != rank(y) { return rank(x) < rank(y) }
            if x.version != y.version { return x.version < y.version }
            if x.segment != y.segment { return x.segment < y.segment }
            return a.offset < b.offset
        }
        return Snapshot(
            model: model, window: window, revision: revision, versions: versions, referenceName: referenceName,
            rows: all.map(\.element))
    }
}
