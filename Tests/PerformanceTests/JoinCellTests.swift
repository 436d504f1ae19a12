import Events
import Statistics
import TestSupport
import Testing
import Values
import Windows

/// Segments whose values come and go.
struct JoinCellTests {
    private static let limit = 20

    /// A join of few cells, with a disk.
    private struct Rig {
        var join = LabelJoin(
            table: JoinTable(horizon: .hours(1), recentLimit: 50), horizon: .hours(1), cellLimit: limit)
        var panes: PerformancePanes
        var disk = JoinDisk()
        var stored: [Int: JoinCell] = [:]

        init() {
            var windows = WindowSettings.standard
            windows.pane = .days(100)
            windows.size = .days(100)
            windows.every = .days(100)
            panes = PerformancePanes(
                PerformanceSettings(task: .binary, horizon: .hours(1)), windows: windows, shapes: [],
                dimensions: ["shop"], segmentations: [["shop"]])
        }

        /// Ten predictions of a shop, and their labels half an hour later.
        mutating func add(shop: String, at time: Timestamp, number: Int) throws {
            var delta = JoinDelta()
            delta.cells = [JoinCell(version: "1", values: [shop])]
            delta.classes = ["1"]
            for i in 0..<10 {
                let id = UInt64(number * 10 + i + 1) &* 0x9e37_79b9_7f4a_7c15
                delta.predictions.append(
                    JoinDelta.Prediction(id: id, time: time, score: 0.5, label: .nan, cell: 0, predicted: -1))
                delta.labels.append(OutcomeRows.Label(id: id, time: time + .minutes(30), value: 0))
            }
            var changes: [JoinTable.Change] = []
            let writes = try join.apply(delta, isClass: true, changed: { changes.append($0) }, read: disk.read)
            disk.store(writes.table)
            for (number, cell) in writes.cells { stored[number] = cell }
            panes.apply(changes, cells: join.cells, classes: join.classes)
        }

        func labelled(_ range: TimeRange) -> [String: Int64] {
            var found: [String: Int64] = [:]
            for (key, sketch) in panes.sum(range) { found[key.segment["shop"] ?? "*", default: 0] += sketch.labelled }
            return found
        }
    }

    private static let start = Timestamp(microseconds: 0)
    private static let always = TimeRange(start: start - .days(200), end: start + .days(400))

    @Test func `a segment value that is gone makes room for others, and each has its own rows`() throws {
        var rig = Rig()
        for i in 0..<200 { try rig.add(shop: "s\(i / 10)", at: Self.start + .hours(Int64(i)), number: i) }
        try rig.add(shop: "new", at: Self.start + .hours(300), number: 300)
        let found = rig.labelled(Self.always)
        #expect(rig.join.cells.count <= Self.limit + 1)
        #expect(found["new"] == 10 && found["s3"] == 100 && found["*"] == 2_010)
        #expect(rig.stored.count == rig.join.cells.count)
        #expect(rig.stored.allSatisfy { rig.join.cells[$0.key] == $0.value })
    }

    @Test func `where all values are in use new ones share a segment that says so, not somebody else's`() throws {
        var rig = Rig()
        for i in 0..<40 { try rig.add(shop: "s\(i)", at: Self.start + .seconds(Int64(i)), number: i) }
        let found = rig.labelled(Self.always)
        #expect(found["(other)"] == 200 && found["s19"] == 10 && found["s20"] == nil && found["*"] == 400)
    }
}
