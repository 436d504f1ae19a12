import Events
import Foundation
import Ledger
import Server
import Statistics
import Values
import Windows

/// The performance side of one model in the engine: its join and its windows, and what of them must be stored.
struct ModelPerformance {
    private let name: String
    private let settings: PerformanceSettings
    private(set) var join: LabelJoin
    private var windows: PerformanceWindows
    private var judge = PerformanceJudge()
    private let reference: PerformanceReference?
    private let shape: ModelWindows.Shape
    private let calendar: WindowCalendar
    private var commit = JoinCommit()
    private var stored: Kept
    private var storedConclusions: Conclusions

    /// What is small and changes with every step.
    private struct Kept: Codable, Equatable {
        var clocks = LabelJoin.Clocks()
        var counters = JoinTable.Counters()
    }

    /// What changes only when a window closes.
    private struct Conclusions: Codable, Equatable {
        var windows = PerformanceWindows.State()
        var judge = PerformanceJudge()
    }

    /// - Returns: `nil` where nobody asks for the model's performance.
    init?(_ model: MonitoredModel, _ ledger: Ledger, _ warn: (String) -> Void) throws {
        guard let settings = model.performance else { return nil }
        name = model.name
        self.settings = settings
        let found = try ledger.loadJoin(model: model.name, stamp: model.joinStamp)
        if found.wasReset {
            warn(
                "model \(model.name): a setting that its performance rests on changed (task, positive, threshold, sample, "
                    + "windows, timezone or segments); predictions that waited for labels and the performance so far are forgotten"
            )
        }
        let kept = try found.state.map { try JSONDecoder().decode(Kept.self, from: Data($0)) } ?? Kept()
        guard
            let table = JoinTable(
                horizon: settings.horizon, log: found.log, runs: found.runs, counters: kept.counters)
        else { throw LedgerError.damaged(ledger.path, "the log of \(model.name)'s join has half a record") }
        join = LabelJoin(
            table: table, horizon: settings.horizon, cells: found.cells, classes: found.classes, clocks: kept.clocks)
        stored = kept
        storedConclusions =
            try found.windows.map { try JSONDecoder().decode(Conclusions.self, from: Data($0)) } ?? Conclusions()
        judge = storedConclusions.judge
        reference = model.performanceReference
        shape = model.shapes[0]
        calendar = model.window.calendar
        windows = PerformanceWindows(
            settings,
            panes: PerformancePanes(
                settings, windows: model.window, shapes: model.shapes, dimensions: model.schema.dimensions,
                segmentations: model.segmentations, stored: found.panes),
            reference: model.performanceReference, state: storedConclusions.windows)
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
        var closed = windows.close(shape, range, join: join)
        closed.revisions = judged(closed.revisions)
        // A window that may be judged as it closes.
        if let own = closed.revisions.last, own.revision == 1 { closed.rows = own.rows }
        return closed
    }

    mutating func finish() -> [PerformanceWindows.Told] { judged(windows.finish(join)) }

    /// Windows of the model's own size, as they mature, are evidence.
    private mutating func judged(_ told: [PerformanceWindows.Told]) -> [PerformanceWindows.Told] {
        var told = told
        for i in told.indices where told[i].matured && !told[i].isPassedOver && told[i].shape == shape {
            judge.judge(
                &told[i].rows, told[i].range, every: shape.every, settings, reference,
                part: WeekPart(covered: calendar.weekHours(of: told[i].range)))
        }
        return told
    }

    /// The end of the latest window that may be judged; `nil` where none was yet.
    var maturedThrough: Timestamp? { windows.state.maturedThrough }

    /// The last windows for the page; `nil` where there is nothing to show.
    func overview(_ count: Int) -> PerformanceOverview? {
        guard join.clocks.hasLabels || reference != nil else { return nil }
        let (metric, estimated) = headline
        let newest = windows.newest(count, of: shape)
        let points = newest.map { range, row in
            let guess = row.performance?.estimates.first { $0.metric == estimated }
            return PerformanceOverview.Point(
                window: range, value: row.metrics[metric], coverage: row.metrics[.coverage] ?? 0,
                isMature: row.performance?.isMature ?? false, estimate: guess.map { ($0.value, $0.low, $0.high) })
        }
        let shown =
            newest.last { $0.row.performance?.isMature == true } ?? newest.last { ($0.row.metrics[.labelled] ?? 0) > 0 }
        let bins = shown?.row.performance?.sketch.binary.bins ?? []
        return PerformanceOverview(
            metric: metric, reference: reference?.metrics(of: .all)[metric], points: points,
            reliability: bins.filter { $0.rows > 0 }.map {
                let n = Double($0.rows)
                return .init(
                    score: Double($0.scores) / BinaryOutcomes.unit / n, positives: Double($0.positives) / n,
                    rows: $0.rows)
            }, reliabilityWindow: shown?.range)
    }

    private var headline: (metric: Metric, estimate: Metric) {
        switch settings.task {
        case .binary: (.auroc, .estimated_auroc)
        case .multiclass: (.accuracy, .estimated_accuracy)
        case .regression: (.mae, .estimated_mae)
        }
    }

    /// Forgets what no label can change any more.
    mutating func forget(before time: Timestamp) { commit.droppedPanes += windows.forget(before: time) }

    /// What the step changed; `nil` where it changed nothing.
    mutating func takeCommit() throws -> JoinCommit? {
        var taken = commit
        commit = JoinCommit()
        taken.panes = windows.takeChanged()
        let kept = Kept(clocks: join.clocks, counters: join.table.counters)
        if kept != stored {
            taken.state = [UInt8](try Self.encoder.encode(kept))
            stored = kept
        }
        let conclusions = Conclusions(windows: windows.state, judge: judge)
        if conclusions != storedConclusions {
            taken.windows = [UInt8](try Self.encoder.encode(conclusions))
            storedConclusions = conclusions
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
