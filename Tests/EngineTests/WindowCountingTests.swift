import Sketches
import TestSupport
import Testing
import Values
import Windows

/// Counting: it does not matter who counts, in which pieces or in which order.
struct WindowCountingTests {
    private static let start = Fixture.time("2026-03-01T00:00:00Z")

    @Test func `deltas of any pieces in any order merge to what counting row by row gives`() {
        var random = SeededGenerator(seed: 101)
        let settings = WindowFixture.settings(lateness: "1d")
        for round in 0..<40 {
            let rows = WindowFixture.rows(200, from: Self.start, over: .hours(2), &random).shuffled(using: &random)
            var deltas: [PaneDelta] = []
            var rest = rows[...]
            while !rest.isEmpty {
                var worker = WindowFixture.Worker(settings)
                for _ in 0..<Int.random(in: 1...3, using: &random) {
                    let piece = rest.prefix(Int.random(in: 1...60, using: &random))
                    rest = rest.dropFirst(piece.count)
                    if Bool.random(using: &random) {
                        worker.add(piece)
                    } else {
                        for row in piece { worker.add([row]) }
                    }
                }
                deltas.append(worker.take())
            }
            var total = PaneDelta()
            for delta in deltas.shuffled(using: &random) { total.merge(delta) }
            #expect(total.rows == 200 && total.lateRows.isEmpty, "seed \(random.seed) round \(round)")
            let panes = Dictionary(grouping: rows) {
                settings.calendar.range(of: settings.pane, containing: $0.time).start
            }
            #expect(Set(total.panes.keys) == Set(panes.keys), "seed \(random.seed) round \(round)")
            for (start, expected) in panes {
                let expected = WindowFixture.recount(expected).mapValues { $0.encode() }
                #expect(total.panes[start]?.mapValues(\.bytes) == expected, "seed \(random.seed) round \(round)")
            }
            let clocks = Dictionary(grouping: rows, by: \.source).map {
                (WindowFixture.sources[$0], $1.map(\.time).max())
            }
            #expect(
                total.clocks
                    == Dictionary(uniqueKeysWithValues: clocks.compactMap { key, time in time.map { (key, $0) } }))
        }
    }

    @Test func `two spellings of one segment are counted together`() {
        var worker = WindowFixture.Worker(WindowFixture.settings())
        let row = WindowFixture.Row(time: Self.start, source: 0, version: "1", amount: 1, country: nil, device: nil)
        var composed = row
        composed.device = "caf\u{e9}"
        var decomposed = row
        decomposed.device = "cafe\u{301}"
        let delta = worker.delta([composed, decomposed, composed])
        let segment = Segment([.init("device", "caf\u{e9}")])
        #expect(delta.panes[Self.start]?[GroupKey(version: "1", segment: segment)]?.rows == 3)
    }

    @Test func `two spellings of one version are one version, all its traffic counted`() throws {
        var worker = WindowFixture.Worker(WindowFixture.settings())
        let row = WindowFixture.Row(
            time: Self.start, source: 0, version: "\u{e9}1", amount: 1, country: "BR", device: nil)
        var decomposed = row
        decomposed.version = "e\u{301}1"
        let delta = worker.delta([row, decomposed, row])
        let all = try #require(delta.panes[Self.start]?[GroupKey(version: "\u{e9}1", segment: .all)])
        #expect(all.rows == 3 && all.profile(WindowFixture.layout).moments[0].count == 3)
    }

    @Test func `events of thousands of panes in one batch are packed on the way and all there in the end`() {
        var worker = WindowFixture.Worker(WindowFixture.settings(pane: "1m", size: "1h", lateness: "1000d"))
        var random = SeededGenerator(seed: 103)
        // Each of these panes takes some hundred bytes hot; 64 MB of them are never there at once.
        let rows = (0..<120_000).map { i in
            WindowFixture.Row(
                time: Self.start + .minutes(Int64(i)), source: 0, version: "\(i % 3)", amount: i % 60, country: "BR",
                device: ["web", "ios"].randomElement(using: &random))
        }
        worker.add(rows)
        #expect(worker.accumulator.groupCount < 4 * 120_000)
        let delta = worker.take()
        #expect(delta.panes.count == 120_000 && delta.rows == 120_000)
        let counted = delta.panes.values.reduce(0) { sum, pane in
            pane.reduce(sum) { $1.key.segment.isAll ? $0 + $1.value.rows : $0 }
        }
        #expect(counted == 120_000 && worker.accumulator.isEmpty && worker.accumulator.pendingBytes == 0)
    }

    @Test func `late rows are counted exactly, however the stream is cut into batches`() {
        var random = SeededGenerator(seed: 102)
        let settings = WindowFixture.settings(pane: "5m", lateness: "10m")
        for round in 0..<30 {
            var rows = WindowFixture.rows(300, from: Self.start, over: .hours(3), &random)
            for i in rows.indices where Int.random(in: 0..<5, using: &random) == 0 {
                rows[i].time = rows[i].time - .minutes(Int64.random(in: 0...40, using: &random))
            }
            // By hand: a row is late when its pane ended `lateness` before the newest time of its own source.
            var clocks: [Int: Timestamp] = [:]
            var late: [Timestamp: UInt64] = [:]
            for row in rows {
                let clock = max(clocks[row.source] ?? .distantPast, row.time)
                clocks[row.source] = clock
                let pane = settings.calendar.range(of: settings.pane, containing: row.time)
                if pane.end <= clock - settings.lateness { late[pane.start, default: 0] += 1 }
            }
            for size in [1, 7, 300] {
                var worker = WindowFixture.Worker(settings)
                var total = PaneDelta()
                for at in stride(from: 0, to: rows.count, by: size) {
                    worker.add(rows[at..<min(rows.count, at + size)])
                    if Bool.random(using: &random) { total.merge(worker.take()) }
                }
                total.merge(worker.take())
                #expect(total.lateRows == late, "seed \(random.seed) round \(round) batches of \(size)")
                #expect(total.rows + late.values.reduce(0, +) == 300)
            }
        }
    }

    @Test func `a clock taken over from before decides what is late, and can be forgotten`() {
        var worker = WindowFixture.Worker(WindowFixture.settings())
        let row = WindowFixture.Row(time: Self.start, source: 0, version: "1", amount: 1, country: nil, device: nil)
        worker.accumulator.setClock("t/0", Self.start + .hours(1))
        #expect(worker.delta([row]).lateRows == [Self.start: 1])
        worker.accumulator.setClock("t/0", nil)
        #expect(worker.delta([row]).lateRows.isEmpty)
        #expect(worker.accumulator.isEmpty && worker.take().isEmpty)
    }
}
