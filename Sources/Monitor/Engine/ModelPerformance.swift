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
    private var positives: PositiveWatch
    private var warnings: [String] = []
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
        guard let settings = model.performance, let stamp = model.joinStamp else { return nil }
        name = model.name
        self.settings = settings
        positives = PositiveWatch(model: model.name, settings)
        try Self.recount(model, settings, stamp, ledger, warn)
        let found = try ledger.loadJoin(model: model.name, stamp: stamp.text)
        if found.wasReset {
            warn(
                "model \(model.name): a setting that its labels rest on changed (task, labels.sample or ranking.separator); "
                    + "predictions that waited for labels and the performance so far are forgotten")
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

    /// Where only what is counted changed, and not what is joined, predictions that wait for labels stay, and the performance of those within
    /// the horizon is counted anew. What was concluded from it begins anew.
    private static func recount(
        _ model: MonitoredModel, _ settings: PerformanceSettings, _ stamp: JoinStamp, _ ledger: Ledger,
        _ warn: (String) -> Void
    ) throws {
        guard let known = try ledger.joinStamp(model: model.name), known != stamp.text,
            let old = JoinStamp(known), stamp.canRecount(old)
        else { return }
        let found = try ledger.loadJoin(model: model.name, stamp: known)
        guard
            let table = JoinTable(
                horizon: settings.horizon, log: found.log, runs: found.runs, counters: JoinTable.Counters())
        else { throw LedgerError.damaged(ledger.path, "the log of \(model.name)'s join has half a record") }
        let cells = found.cells.map { stamp.cell($0, of: old) }
        var panes = PerformancePanes(
            settings, windows: model.window, shapes: model.shapes, dimensions: model.schema.dimensions,
            segmentations: model.segmentations)
        var changes: [JoinTable.Change] = []
        try table.forEach { record in
            changes += table.changes(of: record)
            guard changes.count >= recountStep else { return }
            panes.apply(changes, cells: cells, classes: found.classes)
            changes.removeAll(keepingCapacity: true)
        } read: { run, block throws(LedgerError) in
            try ledger.joinBlock(model: model.name, run: run, block: block)
        }
        panes.apply(changes, cells: cells, classes: found.classes)
        var conclusions = Conclusions()
        if stamp.hasPanes(of: old), let told = found.windows {
            conclusions.windows = try JSONDecoder().decode(Conclusions.self, from: Data(told)).windows
        }
        try ledger.recountJoin(
            model: model.name, stamp: stamp.text, cells: cells, panes: panes.takeChanged(),
            windows: [UInt8](try encoder.encode(conclusions)))
        warn(
            "model \(model.name): a setting that its performance rests on changed (positive, threshold, windows, timezone, "
                + "segments or ranking.at); it is counted anew for predictions that labels can still join and that have an id"
        )
    }

    /// Changes counted at once.
    private static let recountStep = 50_000

    /// - Parameter inOrder: as `PerformanceWindows.apply` says.
    mutating func apply(_ delta: JoinDelta, inOrder: Bool, _ ledger: Ledger) throws(LedgerError) {
        guard !delta.isEmpty else { return }
        if let warning = positives.take(delta) { warnings.append(warning) }
        var changes: [JoinTable.Change] = []
        let name = name
        commit.writes = try join.apply(
            delta, isClass: settings.task.labelsAreClasses, changed: { changes.append($0) }
        ) { run, block throws(LedgerError) in
            try ledger.joinBlock(model: name, run: run, block: block)
        }
        windows.apply(changes, join: join, inOrder: inOrder)
    }

    /// - Parameter isCutOff: as `PerformanceWindows.close` says.
    mutating func close(
        _ shape: ModelWindows.Shape, _ range: TimeRange, isCutOff: Bool
    ) -> (rows: [SnapshotRow], revisions: [PerformanceWindows.Told]) {
        var closed = windows.close(shape, range, join: join, isCutOff: isCutOff)
        closed.revisions = judged(closed.revisions)
        // A window that may be judged as it closes.
        if let own = closed.revisions.last, own.revision == 1 { closed.rows = own.rows }
        return closed
    }

    mutating func finish() -> [PerformanceWindows.Told] {
        if let warning = positives.finish() { warnings.append(warning) }
        return judged(windows.finish(join))
    }

    /// What the log is to say, once.
    mutating func takeWarnings() -> [String] {
        defer { warnings = [] }
        return warnings
    }

    /// Mature windows are evidence; of a change of concept those of the model's own size.
    private mutating func judged(_ told: [PerformanceWindows.Told]) -> [PerformanceWindows.Told] {
        var told = told
        for i in told.indices where told[i].matured && !told[i].isPassedOver {
            let part = WeekPart(covered: calendar.weekHours(of: told[i].range))
            let length = told[i].range.length
            for row in told[i].rows.indices {
                let segment = told[i].rows[row].segment
                told[i].rows[row].performance?.baseline = reference?.baseline(segment, window: length, in: part)
            }
            guard told[i].shape == shape else { continue }
            judge.judge(&told[i].rows, told[i].range, every: shape.every, settings, reference, part: part)
        }
        return told
    }

    /// The end of the latest window that may be judged; `nil` where none was yet.
    var maturedThrough: Timestamp? { windows.state.maturedThrough }

    /// What became of predictions and labels; `nil` where there is nothing to show.
    var labels: LabelOverview? {
        guard join.clocks.hasLabels || reference != nil else { return nil }
        let counters = join.table.counters
        let unlabelled = windows.unlabelled
        var shown = LabelOverview()
        shown.joined = counters.matches
        shown.waiting = unlabelled.waiting
        shown.expired = unlabelled.expired
        shown.orphans = counters.labels - min(counters.labels, counters.matches)
        shown.corrections = counters.corrections
        shown.duplicatePredictions = counters.duplicatePredictions
        shown.duplicateLabels = counters.duplicateLabels
        shown.staleLabels = counters.staleLabels
        shown.tooLate = counters.tooLate
        shown.crowded = counters.crowded ?? 0
        shown.bytes = join.table.bytes
        return shown
    }

    /// The last windows for the page; `nil` where there is nothing to show.
    func overview(_ count: Int) -> PerformanceOverview? {
        guard join.clocks.hasLabels || reference != nil else { return nil }
        let (metric, estimated) = headline
        let newest = windows.newest(count, of: shape)
        let points = newest.map { range, row in
            let guess = estimated.flatMap { wanted in row.performance?.estimates.first { $0.metric == wanted } }
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

    private var headline: (metric: Metric, estimate: Metric?) {
        switch settings.task {
        case .binary: (.auroc, .estimated_auroc)
        case .multiclass: (.accuracy, .estimated_accuracy)
        case .regression: (.mae, .estimated_mae)
        case .ranking: (.ndcg, nil)
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
