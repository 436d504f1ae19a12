import Events
import Foundation
import Ledger
import Statistics
import TestSupport
import Testing
import Values
import Windows

/// The join and the ledger at size: a million predictions, and their labels ten days later. `HOLDFAST_JOIN_BENCH=1` prints the figures;
/// without it a tenth is run, for what it says and not for how fast.
struct JoinThroughputTests {
    private static let isBenchmark = ProcessInfo.processInfo.environment["HOLDFAST_JOIN_BENCH"] != nil
    private static let step = 50_000

    @Test func `every label finds its prediction ten days later, through a ledger on disk`() async throws {
        try await blocking { try Self.run(Self.isBenchmark ? 1_000_000 : 100_000) }
    }

    private static func run(_ count: Int) throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "holdfast-join-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let ledger = try Ledger(path: folder.appending(path: "ledger.sqlite").path)
        _ = try ledger.loadJoin(model: "m", stamp: "1")
        let settings = PerformanceSettings(task: .binary)
        var windows = WindowSettings.standard
        windows.pane = .days(1)
        windows.size = .days(1)
        windows.every = .days(1)
        var join = LabelJoin(table: JoinTable(horizon: settings.horizon), horizon: settings.horizon)
        var panes = PerformancePanes(
            settings, windows: windows, shapes: [], dimensions: ["country", "device"],
            segmentations: [["country"], ["device"]])
        var random = SeededGenerator(seed: 91)
        let cells = (0..<30).map { JoinCell(version: "1", values: ["c\($0 / 3)", "d\($0 % 3)"]) }
        let start = Timestamp(rfc3339: "2026-03-01T00:00:00Z") ?? Timestamp(microseconds: 0)
        // A day of predictions, then ten days on their labels in another order.
        func time(_ i: Int) -> Timestamp { start + Span(microseconds: Int64(i) * 86_400_000_000 / Int64(count)) }
        func id(_ i: Int) -> UInt64 { UInt64(i + 1) &* 0x9e37_79b9_7f4a_7c15 }
        var order = Array(0..<count)
        order.shuffle(using: &random)
        let scores = (0..<count).map { _ in Double.random(in: 0..<1, using: &random) }
        var spent = 0.0
        func apply(_ delta: JoinDelta) throws {
            let began = cpuSeconds()
            var changes: [JoinTable.Change] = []
            var commit = JoinCommit()
            commit.writes = try join.apply(delta, isClass: true, changed: { changes.append($0) }) {
                run, block throws(LedgerError) in
                try ledger.joinBlock(model: "m", run: run, block: block)
            }
            panes.apply(changes, cells: join.cells, classes: join.classes)
            commit.panes = panes.takeChanged()
            var step = LedgerCommit()
            step.joins["m"] = commit
            step.offsets["source"] = 1
            try ledger.commit(step, layouts: [:])
            spent += cpuSeconds() - began
        }
        for first in stride(from: 0, to: count, by: Self.step) {
            var delta = JoinDelta()
            delta.cells = cells
            delta.predictions = (first..<min(first + Self.step, count)).map { i in
                JoinDelta.Prediction(
                    id: id(i), time: time(i), score: scores[i], label: .nan, cell: Int32(i % 30), predicted: -1)
            }
            try apply(delta)
        }
        for first in stride(from: 0, to: count, by: Self.step) {
            var delta = JoinDelta()
            delta.classes = ["0", "1"]
            delta.labels = order[first..<min(first + Self.step, count)].map { i in
                OutcomeRows.Label(id: id(i), time: time(i) + .days(10), value: scores[i] > 0.7 ? 1 : 0)
            }
            try apply(delta)
        }
        let all = panes.sum(TimeRange(start: start, end: start + .days(1)))
        let total = try #require(all[GroupKey(version: "1", segment: .all)])
        #expect(total.predictions == Int64(count) && total.labelled == Int64(count))
        #expect(join.table.counters.matches == UInt64(count))
        if Self.isBenchmark {
            print(
                "join: \(count) pairs, \(Int(Double(count) / spent)) pairs per second of CPU, resident at most "
                    + "\(peakMegabytes()) MB, ledger \(size(folder) / 1_000_000) MB")
        }
    }

    private static func cpuSeconds() -> Double {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        let user = Double(usage.ru_utime.tv_sec) + Double(usage.ru_utime.tv_usec) / 1e6
        return user + Double(usage.ru_stime.tv_sec) + Double(usage.ru_stime.tv_usec) / 1e6
    }

    private static func peakMegabytes() -> Int {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        return usage.ru_maxrss / 1_000
    }

    private static func size(_ folder: URL) -> Int {
        let files = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return files.reduce(0) { sum, name in
            let path = folder.appending(path: name).path
            let size = (try? FileManager.default.attributesOfItem(atPath: path))?[.size] as? Int
            return sum + (size ?? 0)
        }
    }
}
