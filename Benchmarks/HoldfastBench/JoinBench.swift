import ArgumentParser
import Events
import Foundation
import Ledger
import Statistics
import Values
import Windows

/// Predictions of a day and their labels ten days later, in another order, through the join, the performance panes and a ledger on disk:
/// all that a step of the engine does with them. What makes the events is not on the clock.
struct JoinBench: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "join", abstract: "Predictions and late labels.")

    @Option(name: .long, help: "Predictions, each with a label.") var pairs = 1_000_000
    @Option(name: .long, help: "Events of a step.") var step = 50_000

    private static let model = "bench"
    private static let day = Timestamp(rfc3339: "2026-03-01T00:00:00Z") ?? Timestamp(microseconds: 0)
    private static let delay = Span.days(10)
    private static let cells = (0..<30).map { JoinCell(version: "1", values: ["c\($0 / 3)", "d\($0 % 3)"]) }

    private func time(_ i: Int) -> Timestamp {
        Self.day + Span(microseconds: Int64(i) * Span.days(1).microseconds / Int64(pairs))
    }
    private func id(_ i: Int) -> UInt64 { Self.mixed(UInt64(i + 1)) }
    private func score(_ i: Int) -> Double { Double(Self.mixed(UInt64(i)) >> 11) * 0x1p-53 }
    /// The i-th label's prediction: a permutation that needs no memory.
    private func order(_ i: Int) -> Int { Int(UInt64(i) &* 0x9e37_79b1 % UInt64(pairs)) }

    /// The finaliser of splitmix64 (Steele, Lea and Flood 2014), which maps different numbers to different ones.
    private static func mixed(_ x: UInt64) -> UInt64 {
        var z = x &* 0x9e37_79b9_7f4a_7c15
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }

    func validate() throws {
        // The multiplier of `order` is a prime.
        guard pairs > 0, step > 0, pairs % 0x9e37_79b1 != 0 else {
            throw ValidationError("--pairs and --step are at least 1")
        }
    }

    func run() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "holdfast-join-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        var join = try Join(folder.appending(path: "ledger.sqlite").path)
        var predicting = Clock.Cost()
        var labelling = Clock.Cost()
        for first in stride(from: 0, to: pairs, by: step) {
            var delta = JoinDelta()
            delta.cells = Self.cells
            delta.predictions = (first..<min(first + step, pairs)).map { i in
                JoinDelta.Prediction(
                    id: id(i), time: time(i), score: score(i), label: .nan, cell: Int32(i % Self.cells.count),
                    predicted: -1)
            }
            try predicting.measure(delta.predictions.count) { try join.apply(delta) }
        }
        for first in stride(from: 0, to: pairs, by: step) {
            var delta = JoinDelta()
            delta.classes = ["0", "1"]
            delta.labels = (first..<min(first + step, pairs)).map { i in
                let own = order(i)
                return OutcomeRows.Label(id: id(own), time: time(own) + Self.delay, value: score(own) > 0.7 ? 1 : 0)
            }
            try labelling.measure(delta.labels.count) { try join.apply(delta) }
        }
        let found = join.totals(TimeRange(start: Self.day, end: Self.day + .days(1)))
        guard found.predictions == Int64(pairs), found.labelled == Int64(pairs) else {
            throw ValidationError("\(found.labelled) of \(pairs) labels found their prediction")
        }
        func mean(_ cost: Clock.Cost) -> Double { cost.cpu.reduce(0, +) / Double(cost.cpu.count) }
        Output.line([
            ("mode", .text("join")), ("events", .number(Double(pairs))),
            ("cpu_ns", .numbers([mean(predicting) + mean(labelling)])),
            ("prediction_cpu_ns", .numbers(predicting.cpu)), ("label_cpu_ns", .numbers(labelling.cpu)),
            ("resident_peak_bytes", .number(Double(Self.peakResidentBytes))),
        ])
    }

    private static var peakResidentBytes: Int {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        return usage.ru_maxrss * 1_024
    }

    /// What the engine keeps of one model's join.
    private struct Join {
        private let ledger: Ledger
        private var join: LabelJoin
        private var panes: PerformancePanes

        init(_ path: String) throws {
            ledger = try Ledger(path: path)
            _ = try ledger.loadJoin(model: JoinBench.model, stamp: "1")
            let settings = PerformanceSettings(task: .binary)
            var windows = WindowSettings.standard
            windows.pane = .days(1)
            windows.size = .days(1)
            windows.every = .days(1)
            join = LabelJoin(table: JoinTable(horizon: settings.horizon), horizon: settings.horizon)
            panes = PerformancePanes(
                settings, windows: windows, shapes: [], dimensions: ["country", "device"],
                segmentations: [["country"], ["device"]])
        }

        mutating func apply(_ delta: JoinDelta) throws {
            var changes: [JoinTable.Change] = []
            var commit = JoinCommit()
            commit.writes = try join.apply(delta, isClass: true, changed: { changes.append($0) }) {
                run, block throws(LedgerError) in
                try ledger.joinBlock(model: JoinBench.model, run: run, block: block)
            }
            panes.apply(changes, cells: join.cells, classes: join.classes)
            commit.panes = panes.takeChanged()
            var step = LedgerCommit()
            step.joins[JoinBench.model] = commit
            step.offsets["source"] = 1
            try ledger.commit(step, layouts: [:])
        }

        func totals(_ range: TimeRange) -> PerformanceSketch {
            panes.sum(range)[GroupKey(version: "1", segment: .all)] ?? PerformanceSketch(.binary)
        }
    }
}
