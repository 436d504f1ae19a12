import Statistics
import TestSupport
import Testing
import Values
import Windows

/// Several versions that predict the same identities: a champion and its shadow.
struct JoinVersionTests {
    private static let versions: [UInt32] = [0, 1, 2, 2, 3, 4, 5, 6, 7, 8, 9]
    private static let query: UInt64 = ~0xff_ffff

    private static func prediction(_ id: UInt64, _ cell: UInt32, _ time: Timestamp) -> JoinRecord {
        var record = JoinRecord(id: id)
        record.hasPrediction = true
        record.predictionTime = time
        record.score = Double(cell)
        record.cell = cell
        return record
    }

    private static func label(_ id: UInt64, _ time: Timestamp, _ value: Double) -> JoinRecord {
        var record = JoinRecord(id: id)
        record.hasLabel = true
        record.labelTime = time
        record.label = value
        return record
    }

    private static func at(_ seconds: Int) -> Timestamp { Timestamp(microseconds: Int64(seconds) * 1_000_000) }

    private struct Key: Hashable {
        let id: UInt64
        let version: UInt32
    }

    /// Summed up by identity and version.
    private struct Told {
        var labels: [Key: Double] = [:]
        var predictions: [Key: Int] = [:]
        var faults: [String] = []

        mutating func take(_ change: JoinTable.Change) {
            let key = Key(id: change.record.id & query, version: versions[Int(change.record.cell)])
            switch change.kind {
            case .prediction: predictions[key, default: 0] += 1
            case .match:
                if labels[key] != nil { faults.append("\(key) matched twice") }
                labels[key] = change.record.label
            case .correction(let old, _):
                if labels[key] != old { faults.append("\(key) corrected from \(old)") }
                labels[key] = change.record.label
            }
        }
    }

    @Test(arguments: [40, 700, 100_000])
    func `whatever the order and the crashes, each version's prediction is told once and has the last label`(
        recentLimit: Int
    ) async throws {
        try await blocking {
            var random = SeededGenerator(seed: 62)
            let horizon = Span.seconds(100_000)
            var events: [JoinRecord] = []
            for id in UInt64(1)...2_000 {
                let key = id &* 0x9e37_79b9_7f4a_7c15
                for cell in UInt32(0)...3 where Int.random(in: 0..<3, using: &random) > 0 {
                    let made = Self.at(Int.random(in: 0..<1_000, using: &random))
                    for _ in 0..<Int.random(in: 1...2, using: &random) {
                        events.append(Self.prediction(key, cell, made))
                    }
                }
                for _ in 0..<Int.random(in: 0...3, using: &random) {
                    let time = Self.at(Int.random(in: 0..<5_000, using: &random))
                    events.append(Self.label(key, time, Double(Int.random(in: 0...1, using: &random))))
                }
            }
            events.shuffle(using: &random)
            var predictions: [Key: Int] = [:]
            var last: [UInt64: (value: Double, time: Timestamp)] = [:]
            for event in events {
                let id = event.id & Self.query
                if event.hasPrediction { predictions[Key(id: id, version: Self.versions[Int(event.cell)])] = 1 }
                if event.hasLabel, event.labelTime >= last[id]?.time ?? .distantPast {
                    last[id] = (event.label, event.labelTime)
                }
            }
            var disk = JoinDisk()
            var table = JoinTable(horizon: horizon, recentLimit: recentLimit)
            var told = Told()
            var rest = events[...]
            while !rest.isEmpty {
                let size = Int.random(in: 1...400, using: &random)
                let writes = try table.apply(
                    Array(rest.prefix(size)), versions: Self.versions, forget: .distantPast,
                    changed: { told.take($0) }, read: disk.read)
                rest = rest.dropFirst(size)
                disk.store(writes)
                if Int.random(in: 0..<5, using: &random) == 0 {
                    table = try #require(
                        disk.table(horizon: horizon, counters: table.counters, recentLimit: recentLimit))
                }
            }
            #expect(told.faults.isEmpty, "\(told.faults.prefix(3)), seed \(random.seed)")
            #expect(told.predictions == predictions, "seed \(random.seed)")
            let expected = predictions.keys.reduce(into: [:]) { all, key in all[key] = last[key.id]?.value }
            #expect(told.labels == expected, "seed \(random.seed)")
            #expect(table.counters.matches == UInt64(expected.count))
            var counted = Told()
            try table.forEach({ record in table.changes(of: record).forEach { counted.take($0) } }, read: disk.read)
            #expect(counted.labels == expected, "counted anew from what is stored")
        }
    }

    @Test func `a shadow's prediction joins up to its own horizon, and is forgotten after it`() throws {
        let horizon = Span.seconds(100)
        for (label, joins) in [(190, true), (191, false)] {
            var disk = JoinDisk()
            var table = JoinTable(horizon: horizon, recentLimit: 1)
            var told = Told()
            func apply(_ event: JoinRecord, _ limit: Int) throws {
                disk.store(
                    try table.apply(
                        [event], versions: Self.versions, forget: Self.at(limit), changed: { told.take($0) },
                        read: disk.read))
            }
            try apply(Self.prediction(7 << 24, 0, Self.at(0)), 0)
            try apply(Self.prediction(7 << 24, 1, Self.at(90)), 0)
            // Other traffic, with which runs are merged and what has ended is dropped.
            for i in 1...40 { try apply(Self.prediction(UInt64(100 + i) << 24, 0, Self.at(150)), 150) }
            try apply(Self.label(7 << 24, Self.at(label), 1), 150)
            #expect(told.labels == (joins ? [Key(id: 7 << 24, version: 1): 1] : [:]), "\(label)")
            for i in 1...40 { try apply(Self.prediction(UInt64(200 + i) << 24, 0, Self.at(400)), 400) }
            var left = 0
            try table.forEach({ left += $0.id >> 24 == 7 ? 1 : 0 }, read: disk.read)
            #expect(left == 0)
        }
    }

    @Test func `predictions of more versions than there are places are counted, and a label is counted once`() throws {
        var table = JoinTable(horizon: .days(1))
        var told = Told()
        let cells: [UInt32] = [0, 1, 2, 4, 5, 6, 7, 8, 9, 10]
        for (second, cell) in cells.enumerated() {
            _ = try table.apply(
                [Self.prediction(5 << 24, cell, Self.at(second))], versions: Self.versions, forget: .distantPast,
                changed: { told.take($0) }, read: JoinDisk().read)
        }
        for (second, value) in [(20, 1.0), (21, 1.0), (22, 0.0)] {
            _ = try table.apply(
                [Self.label(5 << 24, Self.at(second), value)], versions: Self.versions, forget: .distantPast,
                changed: { told.take($0) }, read: JoinDisk().read)
        }
        #expect(told.predictions.count == 8 && told.labels.values.allSatisfy { $0 == 0 } && told.labels.count == 8)
        #expect(table.counters.crowded == 2 && table.counters.matches == 8)
        #expect(table.counters.corrections == 1 && table.counters.duplicateLabels == 1)
    }
}
