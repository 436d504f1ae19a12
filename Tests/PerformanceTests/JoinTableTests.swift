import Statistics
import TestSupport
import Testing
import Values
import Windows

/// A disk for a join table: takes what it says must be stored, and gives it back after a crash.
struct JoinDisk {
    private(set) var log: [Int: [UInt8]] = [:]
    private(set) var runs: [Int: JoinTable.Run] = [:]
    private(set) var reads = 0

    mutating func store(_ writes: JoinTable.Writes) {
        if let part = writes.log { log[part.number] = part.bytes }
        if let dropped = writes.droppedLog { log = log.filter { $0.key > dropped } }
        for run in writes.droppedRuns { runs[run] = nil }
        for run in writes.runs { runs[run.info.number] = run }
    }

    func read(_ run: Int, _ block: Int) throws(TestDiskError) -> [UInt8] {
        guard let found = runs[run], found.blocks.indices.contains(block) else { throw TestDiskError() }
        return found.blocks[block]
    }

    func table(horizon: Span, counters: JoinTable.Counters, recentLimit: Int) -> JoinTable? {
        JoinTable(
            horizon: horizon, log: log.map { ($0.key, $0.value) }, runs: runs.values.map(\.info), counters: counters,
            recentLimit: recentLimit)
    }
}

struct TestDiskError: Error {}

struct JoinTableTests {
    private struct Known {
        var predicted: Timestamp?
        var label: (value: Double, time: Timestamp)?
    }

    private static func prediction(_ id: UInt64, _ time: Timestamp) -> JoinRecord {
        var record = JoinRecord(id: id)
        record.hasPrediction = true
        record.predictionTime = time
        record.score = Double(id % 1_000) / 1_000
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

    /// What the table told, summed up: the label each identity has, and how often a prediction was told.
    private struct Told {
        var labels: [UInt64: Double] = [:]
        var predictions: [UInt64: Int] = [:]
        var faults: [String] = []

        mutating func take(_ change: JoinTable.Change) {
            let id = change.record.id
            switch change.kind {
            case .prediction: predictions[id, default: 0] += 1
            case .match:
                if labels[id] != nil { faults.append("\(id) matched twice") }
                labels[id] = change.record.label
            case .correction(let old, _):
                if labels[id] != old { faults.append("\(id) corrected from \(old), had \(labels[id] ?? .nan)") }
                labels[id] = change.record.label
            }
        }
    }

    @Test(arguments: [40, 700, 100_000])
    func `whatever the order, the batches and the crashes, each prediction is told once and has its last label`(
        recentLimit: Int
    ) async throws {
        try await blocking {
            var random = SeededGenerator(seed: 61)
            let horizon = Span.seconds(100_000)
            var events: [JoinRecord] = []
            for id in UInt64(1)...4_000 {
                let key = id &* 0x9e37_79b9_7f4a_7c15
                let made = Self.at(Int.random(in: 0..<1_000, using: &random))
                if Int.random(in: 0..<10, using: &random) > 0 {
                    for _ in 0..<Int.random(in: 1...2, using: &random) { events.append(Self.prediction(key, made)) }
                }
                for _ in 0..<Int.random(in: 0...3, using: &random) {
                    events.append(
                        Self.label(
                            key, Self.at(Int.random(in: 0..<5_000, using: &random)),
                            Double(Int.random(in: 0...1, using: &random))))
                }
            }
            events.shuffle(using: &random)
            var expected: [UInt64: Known] = [:]
            for event in events {
                var known = expected[event.id] ?? Known()
                if event.hasPrediction { known.predicted = known.predicted ?? event.predictionTime }
                if event.hasLabel {
                    // Said last, or at the same time and read last.
                    if event.labelTime >= known.label?.time ?? .distantPast {
                        known.label = (event.label, event.labelTime)
                    }
                }
                expected[event.id] = known
            }
            var disk = JoinDisk()
            var table = JoinTable(horizon: horizon, recentLimit: recentLimit)
            var told = Told()
            var rest = events[...]
            while !rest.isEmpty {
                let size = Int.random(in: 1...400, using: &random)
                let writes = try table.apply(
                    Array(rest.prefix(size)), forget: .distantPast, changed: { told.take($0) },
                    read: disk.read)
                rest = rest.dropFirst(size)
                disk.store(writes)
                if Int.random(in: 0..<5, using: &random) == 0 {
                    table = try #require(
                        disk.table(horizon: horizon, counters: table.counters, recentLimit: recentLimit))
                }
            }
            #expect(told.faults.isEmpty, "\(told.faults.prefix(3)), seed \(random.seed)")
            let predictions = expected.filter { $0.value.predicted != nil }
            #expect(told.predictions == predictions.mapValues { _ in 1 })
            #expect(told.labels == predictions.compactMapValues { $0.label?.value }, "seed \(random.seed)")
            #expect(table.runs.count < 12)
        }
    }

    @Test func `a label joins up to the horizon to the microsecond, on either side, and not past it`() throws {
        let horizon = Span.seconds(100)
        let edge = Span(microseconds: 1)
        for (label, joins) in [
            (Self.at(1_100), true), (Self.at(1_100) + edge, false), (Self.at(900), true), (Self.at(900) - edge, false),
        ] {
            for labelFirst in [true, false] {
                var table = JoinTable(horizon: horizon)
                var told = Told()
                let events = [Self.prediction(7, Self.at(1_000)), Self.label(7, label, 1)]
                for event in labelFirst ? events.reversed() : events {
                    _ = try table.apply(
                        [event], forget: .distantPast, changed: { told.take($0) }, read: JoinDisk().read)
                }
                #expect((told.labels[7] != nil) == joins, "\(label) \(labelFirst)")
                #expect(table.counters.tooLate == (joins ? 0 : 1))
            }
        }
    }

    @Test func `the label that was said last counts, whatever order labels and prediction are read in`() throws {
        // Said, repeated, and between the two something else.
        let labels = [
            Self.label(7, Self.at(1_010), 1), Self.label(7, Self.at(1_020), 0), Self.label(7, Self.at(1_030), 1),
        ]
        var orders: [[JoinRecord]] = [[]]
        for event in labels + [Self.prediction(7, Self.at(1_000))] {
            orders = orders.flatMap { order in
                (0...order.count).map { Array(order[..<$0]) + [event] + Array(order[$0...]) }
            }
        }
        #expect(orders.count == 24)
        for order in orders {
            var table = JoinTable(horizon: .seconds(100))
            var told = Told()
            for event in order {
                _ = try table.apply([event], forget: .distantPast, changed: { told.take($0) }, read: JoinDisk().read)
            }
            #expect(told.labels[7] == 1 && told.faults.isEmpty, "\(order.map(\.labelTime.rfc3339))")
        }
    }

    @Test func `a repeated label took no longer to come, and its correction takes back what it had added`() throws {
        var table = JoinTable(horizon: .days(30))
        var changes: [JoinTable.Change] = []
        let hour = DelayCounts.bucket(.hours(1))
        for event in [
            Self.prediction(7, Self.at(0)), Self.label(7, Self.at(3_600), 0), Self.label(7, Self.at(40_000), 0),
            Self.label(7, Self.at(80_000), 1),
        ] {
            _ = try table.apply([event], forget: .distantPast, changed: { changes.append($0) }, read: JoinDisk().read)
        }
        #expect(changes.count == 3 && changes[1].record.delay == hour)
        guard case .correction(from: 0, let delay) = changes[2].kind else {
            Issue.record("\(changes[2].kind)")
            return
        }
        #expect(delay == hour && changes[2].record.delay == DelayCounts.bucket(.seconds(80_000)))
        #expect(table.counters.duplicateLabels == 1 && table.counters.corrections == 1)
    }

    @Test func `what no label can join any more is forgotten`() throws {
        var disk = JoinDisk()
        var table = JoinTable(horizon: .seconds(10), recentLimit: 100)
        for step in 0..<40 {
            let records = (0..<100).map { i -> JoinRecord in
                let id = UInt64(step * 100 + i + 1) &* 0x9e37_79b9_7f4a_7c15
                return i % 10 == 0 ? Self.label(id, Self.at(step), 1) : Self.prediction(id, Self.at(step))
            }
            let writes = try table.apply(records, forget: Self.at(step), changed: { _ in }, read: disk.read)
            disk.store(writes)
        }
        let kept = disk.runs.values.reduce(0) { $0 + $1.blocks.reduce(0) { $0 + $1.count / JoinRecord.size } }
        #expect(kept <= 2_600, "of 4,000 records those of the last ten seconds, and what waits for a merge: \(kept)")
        #expect(table.counters.predictions == 3_600 && table.counters.labels == 400 && table.counters.matches == 0)
    }

    @Test func `a block that cannot be read stops the step`() throws {
        var table = JoinTable(horizon: .days(1), recentLimit: 1)
        _ = try table.apply(
            [Self.prediction(5, Self.at(1))], forget: .distantPast, changed: { _ in }, read: JoinDisk().read)
        #expect(throws: TestDiskError.self) {
            try table.apply(
                [Self.label(5, Self.at(2), 1)], forget: .distantPast, changed: { _ in }, read: JoinDisk().read)
        }
    }
}
