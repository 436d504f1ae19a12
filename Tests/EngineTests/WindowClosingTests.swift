import Foundation
import Sketches
import TestSupport
import Testing
import Values
import Windows

/// When windows close, and what they hold.
struct WindowClosingTests {
    private static let start = Fixture.time("2026-03-01T00:00:00Z")

    private static func row(_ time: Timestamp, source: Int = 0) -> WindowFixture.Row {
        WindowFixture.Row(time: time, source: source, version: "1", amount: 1, country: "BR", device: nil)
    }

    /// Everything a stream closes: after each piece up to the watermark, at the end with `finish`.
    private static func run(
        _ pieces: [[WindowFixture.Row]], _ settings: WindowSettings, finish: Bool = true
    ) -> [ModelWindows.Closed] {
        var worker = WindowFixture.Worker(settings)
        var windows = WindowFixture.windows(settings)
        var closed: [ModelWindows.Closed] = []
        for piece in pieces {
            _ = windows.apply(worker.delta(piece))
            if let watermark = windows.watermark(active: windows.state.clocks.keys, idle: .zero) {
                _ = windows.close(through: watermark) { closed.append($0) }
            }
        }
        if finish { _ = windows.finish { closed.append($0) } }
        return closed
    }

    @Test(arguments: ["1h/1h", "1h/5m", "30m/10m", "2h/30m"])
    func `each window holds what recounting its rows gives, sliding or tumbling`(shape: String) {
        var random = SeededGenerator(seed: 201)
        let lengths = shape.split(separator: "/").map(String.init)
        let settings = WindowFixture.settings(size: lengths[0], every: lengths[1], lateness: "10m")
        for round in 0..<5 {
            let rows = WindowFixture.rows(400, from: Self.start + .minutes(7), over: .hours(6), &random)
                .map { row in
                    var row = row
                    row.source = 0
                    return row
                }
            let pieces = stride(from: 0, to: 400, by: 37).map { Array(rows[$0..<min(400, $0 + 37)]) }
            let closed = Self.run(pieces, settings)
            let grid = settings.calendar.range(of: settings.every, containing: Self.start + .minutes(7))
            #expect(closed.first?.range.start == grid.start, "the first window begins with its first row's piece")
            for (a, b) in zip(closed, closed.dropFirst()) {
                #expect(b.range.start == a.range.start + settings.every, "seed \(random.seed) round \(round)")
            }
            for window in closed {
                let expected = WindowFixture.recount(rows.filter { window.range.contains($0.time) })
                #expect(
                    window.counts.mapValues { $0.encode() } == expected.mapValues { $0.encode() },
                    "seed \(random.seed) round \(round) \(window.range.start.rfc3339)")
            }
            let last = closed.last?.range.end ?? .distantPast
            #expect(rows.allSatisfy { $0.time < last }, "finish closes the window of the last row")
        }
    }

    @Test(arguments: ["Europe/Berlin", "Asia/Kathmandu", "America/Sao_Paulo", "Australia/Lord_Howe"])
    func `tumbling windows share out every row once, over changes of the clock`(zone: String) throws {
        let calendar = try #require(WindowCalendar(timezone: zone))
        for (from, size) in [
            ("2026-03-27", "6h"), ("2026-10-23", "6h"), ("2026-03-27", "1d"), ("2018-11-02", "8h"),
            ("2018-02-16", "1d"),
        ] {
            let settings = WindowFixture.settings(
                pane: "30m", size: size, every: size, lateness: "0s", calendar: calendar)
            let start = Fixture.time("\(from)T00:00:00Z")
            let rows = (0..<96 * 4).map { Self.row(start + .minutes(Int64($0) * 15)) }
            let closed = Self.run([rows], settings)
            #expect(closed.reduce(0) { $0 + $1.rows } == 96 * 4, "\(from) \(size)")
            for (a, b) in zip(closed, closed.dropFirst()) { #expect(a.range.end == b.range.start, "\(from) \(size)") }
        }
    }

    @Test(arguments: ["Europe/Berlin", "Australia/Lord_Howe"])
    func `a sliding window ends with its last pane, over changes of the clock`(zone: String) throws {
        let calendar = try #require(WindowCalendar(timezone: zone))
        for from in ["2026-03-27", "2026-10-23", "2026-04-03", "2026-10-02"] {
            let settings = WindowFixture.settings(
                pane: "2h", size: "6h", every: "2h", lateness: "0s", calendar: calendar)
            let start = Fixture.time("\(from)T00:00:00Z")
            let rows = (0..<96 * 4).map { Self.row(start + .minutes(Int64($0) * 15)) }
            for window in Self.run(rows.map { [$0] }, settings) {
                let expected = rows.count { window.range.contains($0.time) }
                #expect(window.rows == UInt64(expected), "\(window.range.start.rfc3339)–\(window.range.end.rfc3339)")
            }
        }
    }

    @Test func `the clocks of sources that ended long ago and are read by nobody are forgotten`() {
        var state = ModelWindows.State()
        let day = Span.days(1).microseconds
        for (source, age) in [("gone/0", Int64(40)), ("read/0", 40), ("new/0", 1)] {
            state.clocks[source] = Timestamp(microseconds: (100 - age) * day)
        }
        var windows = ModelWindows(
            plans: WindowFixture.plans, settings: .standard, shapes: [], state: state)
        let time = Timestamp(microseconds: 70 * day)
        let hasForgotten = windows.forgetClocks(before: time, except: ["read/0"])
        #expect(hasForgotten)
        #expect(Set(windows.state.clocks.keys) == ["read/0", "new/0"])
        let forgetsMore = windows.forgetClocks(before: time, except: ["read/0"])
        #expect(!forgetsMore)
    }

    @Test func `the watermark is the slowest active source's, less the lateness`() {
        let settings = WindowFixture.settings(lateness: "10m")
        var worker = WindowFixture.Worker(settings)
        var windows = WindowFixture.windows(settings)
        #expect(windows.watermark(active: ["t/0"], idle: .zero) == nil, "nothing has been seen")
        #expect(windows.watermark(active: [], idle: .hours(1)) == nil)
        _ = windows.apply(
            worker.delta([Self.row(Self.start + .hours(2)), Self.row(Self.start + .hours(1), source: 1)]))
        #expect(windows.watermark(active: ["t/0", "t/1"], idle: .zero) == Self.start + .minutes(50))
        #expect(windows.watermark(active: ["t/0"], idle: .hours(9)) == Self.start + .minutes(110))
        #expect(
            windows.watermark(active: ["t/0", "t/2"], idle: .zero) == nil, "a source without a row may have old ones")
        #expect(
            windows.watermark(active: [], idle: .minutes(7)) == Self.start + .minutes(117),
            "where all are idle, time runs on from the newest")
    }

    @Test func `windows close only when the watermark has passed their end`() {
        let settings = WindowFixture.settings(lateness: "10m")
        var worker = WindowFixture.Worker(settings)
        var windows = WindowFixture.windows(settings)
        var closed: [TimeRange] = []
        for minute in stride(from: 0, through: 130, by: 1) {
            _ = windows.apply(worker.delta([Self.row(Self.start + .minutes(Int64(minute)))]))
            let watermark = windows.watermark(active: ["t/0"], idle: .zero)
            _ = windows.close(through: watermark ?? .distantPast) { closed.append($0.range) }
            #expect(closed.count == (minute >= 130 ? 2 : minute >= 70 ? 1 : 0), "minute \(minute)")
        }
        #expect(closed.map(\.start) == [Self.start, Self.start + .hours(1)])
    }

    @Test func `rows for a pane that is final are late, and named so`() {
        let settings = WindowFixture.settings(lateness: "0s")
        var worker = WindowFixture.Worker(settings)
        var other = WindowFixture.Worker(settings)
        var windows = WindowFixture.windows(settings)
        _ = windows.apply(worker.delta([Self.row(Self.start), Self.row(Self.start + .minutes(90))]))
        _ = windows.close(through: Self.start + .hours(1)) { _ in }
        let applied = windows.apply(
            other.delta([
                Self.row(Self.start + .minutes(59), source: 1), Self.row(Self.start + .minutes(61), source: 1),
            ]))
        #expect(applied.lateRows == 1 && windows.state.lateRows == 1)
        #expect(applied.changed.keys.sorted() == [Self.start + .hours(1)])
    }

    @Test func `a change tells new totals of the keys it touched, and of no others`() {
        let settings = WindowFixture.settings()
        var worker = WindowFixture.Worker(settings)
        var windows = WindowFixture.windows(settings)
        _ = windows.apply(worker.delta([Self.row(Self.start), Self.row(Self.start)]))
        var american = Self.row(Self.start)
        american.country = "US"
        let changed = windows.apply(worker.delta([american])).changed[Self.start] ?? [:]
        #expect(
            changed.mapValues(\.rows) == [
                GroupKey(version: "1", segment: .all): 3,
                GroupKey(version: "1", segment: Segment([.init("country", "US")])): 1,
            ])
    }

    @Test func `the end of input closes the window that has only begun`() {
        let settings = WindowFixture.settings()
        let closed = Self.run([[Self.row(Self.start + .minutes(3)), Self.row(Self.start + .minutes(62))]], settings)
        #expect(closed.map(\.range.start) == [Self.start, Self.start + .hours(1)])
        #expect(closed.map(\.rows) == [1, 1])
        #expect(Self.run([], settings).isEmpty)
    }

    @Test(arguments: ["1h/1h", "1h/5m"])
    func `a gap of years is passed over after five hundred empty windows`(shape: String) {
        let lengths = shape.split(separator: "/").map(String.init)
        let settings = WindowFixture.settings(size: lengths[0], every: lengths[1])
        let far = Self.start + .days(20_000)
        for finishing in [true, false] {
            let rows = [Self.row(Self.start), Self.row(far)] + (finishing ? [] : [Self.row(far + .hours(5))])
            let closed = Self.run(rows.map { [$0] }, settings, finish: finishing)
            #expect(closed.count < 600)
            let empty = closed.split(omittingEmptySubsequences: true) { $0.rows > 0 }.map(\.count)
            // Windows that are still open when the gap is passed over are not: they come in their turn.
            #expect((500...502).contains(empty.first ?? 0))
            // Every window that holds the row after the gap is there, as if the gap had been short.
            let holding = closed.filter { $0.range.contains(far) && $0.rows > 0 }
            let expected = finishing && shape == "1h/5m" ? 1...12 : (shape == "1h/5m" ? 12...12 : 1...1)
            #expect(expected.contains(holding.count))
            #expect(holding.first?.range.start == far + settings.every - settings.size)
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func `the end of input after eight thousand years does not count them hour by hour`() throws {
        let calendar = try #require(WindowCalendar(timezone: "Europe/Berlin"))
        let settings = WindowFixture.settings(every: "5m", calendar: calendar)
        var worker = WindowFixture.Worker(settings)
        var windows = WindowFixture.windows(settings)
        _ = windows.apply(worker.delta([Self.row(Self.start), Self.row(Fixture.time("9999-12-01T00:00:00Z"))]))
        var last: TimeRange?
        var count = 0
        _ = windows.finish {
            last = $0.range
            count += 1
        }
        #expect(count < 600 && last?.contains(Fixture.time("9999-12-01T00:00:00Z")) == true)
    }

    @Test func `a restart anywhere closes the same windows`() throws {
        var random = SeededGenerator(seed: 301)
        for round in 0..<12 {
            let settings = WindowFixture.settings(every: round % 2 == 0 ? "1h" : "10m", lateness: "10m")
            var rows = WindowFixture.rows(240, from: Self.start, over: .hours(5), &random)
            for i in rows.indices where Int.random(in: 0..<10, using: &random) == 0 {
                rows[i].time = rows[i].time - .minutes(Int64.random(in: 0...30, using: &random))
            }
            let pieces = stride(from: 0, to: 240, by: 12).map { Array(rows[$0..<$0 + 12]) }
            let whole = Self.run(pieces, settings).map(\.encoded)
            for split in [0, 1, Int.random(in: 2..<19, using: &random), 19, 20] {
                #expect(
                    try Self.runWithRestart(pieces, split, settings).map(\.encoded) == whole,
                    "seed \(random.seed) round \(round) split \(split)")
            }
        }
    }

    /// As `run`, but after `split` pieces only what the ledger keeps is left: the state as JSON, the changed panes as
    /// bytes, the clocks.
    private static func runWithRestart(
        _ pieces: [[WindowFixture.Row]], _ split: Int, _ settings: WindowSettings
    ) throws -> [ModelWindows.Closed] {
        var worker = WindowFixture.Worker(settings)
        var windows = WindowFixture.windows(settings)
        var stored: [Timestamp: [GroupKey: [UInt8]]] = [:]
        var closed: [ModelWindows.Closed] = []
        for (i, piece) in (pieces + [[]]).enumerated() {
            if i == split {
                let data = try JSONEncoder().encode(windows.state)
                let state = try JSONDecoder().decode(ModelWindows.State.self, from: data)
                #expect(state == windows.state)
                let panes = try stored.mapValues {
                    try $0.mapValues { try PackedProfile(checking: $0, layout: WindowFixture.layout) }
                }
                windows = ModelWindows(
                    plans: WindowFixture.plans, settings: settings, shapes: windows.shapes, state: state, panes: panes
                )
                worker = WindowFixture.Worker(settings)
                for (source, clock) in state.clocks { worker.accumulator.setClock(source, clock) }
            }
            for (start, counts) in windows.apply(worker.delta(piece)).changed {
                stored[start, default: [:]].merge(counts.mapValues(\.bytes)) { $1 }
            }
            if let watermark = windows.watermark(active: windows.state.clocks.keys, idle: .zero) {
                for dropped in windows.close(through: watermark, { closed.append($0) }) { stored[dropped] = nil }
            }
        }
        _ = windows.finish { closed.append($0) }
        return closed
    }
}
