import Foundation
import Sketches
import TestSupport
import Testing
import Values
import Windows

/// References that are the model's own past.
struct MovingReferenceTests {
    /// A Monday.
    private static let start = Fixture.time("2026-03-02T00:00:00Z")
    private static let settings = WindowFixture.settings(size: "1h", every: "1h", lateness: "10m")
    private static let lookback = Span.days(28)

    private static func windows(
        _ state: ModelWindows.State = .init(), panes: [Timestamp: PaneCounts] = [:],
        history: [Timestamp: PaneCounts] = [:]
    ) -> ModelWindows {
        ModelWindows(
            plans: WindowFixture.plans, settings: settings,
            shapes: [.init(size: settings.size, every: settings.every)], state: state, panes: panes,
            lookback: lookback, history: history)
    }

    /// Rows over some days, a few an hour, all from one source and in order.
    private static func rows(days: Int64, _ random: inout SeededGenerator) -> [WindowFixture.Row] {
        WindowFixture.rows(Int(days) * 24 * 4, from: start, over: .days(days), &random).map { row in
            var row = row
            row.source = 0
            return row
        }
    }

    /// Feeds rows in pieces and asks for a reference at each window that closes.
    private static func references(
        _ kind: MovingReference, _ rows: [WindowFixture.Row], pieces: Int, retired: Set<String> = [],
        firing: (TimeRange) -> [String: Timestamp] = { _ in [:] }, newest: (TimeRange, String?) -> Void = { _, _ in }
    ) -> [Timestamp: ReferenceCounts] {
        var worker = WindowFixture.Worker(settings)
        var windows = Self.windows()
        var found: [Timestamp: ReferenceCounts] = [:]
        for from in stride(from: 0, to: rows.count, by: pieces) {
            _ = windows.apply(worker.delta(rows[from..<min(rows.count, from + pieces)]))
            guard let watermark = windows.watermark(active: windows.state.clocks.keys, idle: .zero) else { continue }
            var closed: [ModelWindows.Closed] = []
            _ = windows.close(through: watermark) { closed.append($0) }
            for window in closed {
                found[window.range.start] = windows.reference(kind, for: window.range, retired: retired)
                newest(window.range, windows.newestVersion(for: window.range, retired: retired))
                _ = windows.judged(window.range, firing: firing(window.range))
            }
        }
        return found
    }

    private static func recount(
        _ rows: [WindowFixture.Row], _ isIn: (WindowFixture.Row) -> Bool
    ) -> [Segment: [ColumnProfile]] {
        var sums: [Segment: Profile] = [:]
        for (key, profile) in WindowFixture.recount(rows.filter(isIn)) {
            if sums[key.segment]?.merge(profile) == nil { sums[key.segment] = profile }
        }
        return sums.mapValues { profile in WindowFixture.layout.columns.map { profile.column($0) } }
    }

    @Test func `a rolling reference is what recounting the time before the window gives, however the stream is cut`() {
        var random = SeededGenerator(seed: 41)
        let rows = Self.rows(days: 6, &random)
        let kind = MovingReference.rolling(.days(2))
        let small = Self.references(kind, rows, pieces: 7)
        let large = Self.references(kind, rows, pieces: 311)
        #expect(small.count > 120)
        for (start, reference) in small {
            let expected = Self.recount(rows) { $0.time >= start - .days(2) && $0.time < start }
            #expect(reference.own == expected, "\(start.rfc3339)")
            #expect(large[start].map { $0.own == reference.own } ?? true, "\(start.rfc3339)")
        }
    }

    @Test func `a column that fires stands still, and its time takes no part afterwards`() throws {
        var random = SeededGenerator(seed: 42)
        let rows = Self.rows(days: 5, &random)
        let from = Self.start + .days(2)
        let until = from + .hours(12)
        let found = Self.references(.rolling(.days(1)), rows, pieces: 12) { window in
            window.start >= from && window.start < until ? ["amount": from] : [:]
        }
        let during = try #require(found[from + .hours(6)])
        let still = Self.recount(rows) { $0.time >= from - .days(1) && $0.time < from }
        let moving = Self.recount(rows) { $0.time >= from - .hours(18) && $0.time < from + .hours(6) }
        #expect(during.own[.all]?[0] == still[.all]?[0], "amount stands where its alert began")
        #expect(during.own[.all]?[1] == moving[.all]?[1], "country moves on")
        let after = try #require(found[until + .hours(6)])
        // The window at `until` is the first that says the column is quiet again.
        let without = Self.recount(rows) {
            $0.time >= until - .hours(18) && $0.time < until + .hours(6)
                && !($0.time >= from && $0.time < until + .hours(1))
        }
        #expect(after.own[.all]?[0] == without[.all]?[0])
    }

    @Test func `a seasonal reference takes the same hours of earlier weeks, and of other days while those are thin`()
        throws
    {
        let hour = Self.start + .days(21) + .hours(9)
        func stream(perHour: Int64) -> [WindowFixture.Row] {
            (0..<(21 * 24 + 12) * perHour).map { i in
                let time = Self.start + Span(microseconds: Span.hours(1).microseconds / perHour * i)
                return WindowFixture.Row(
                    time: time, source: 0, version: "1", amount: Int(i % 60), country: "BR", device: nil)
            }
        }
        func sameHour(_ row: WindowFixture.Row) -> Bool {
            (row.time - Self.start).microseconds % Span.days(1).microseconds / Span.hours(1).microseconds == 9
                && row.time < hour
        }
        func day(_ row: WindowFixture.Row) -> Int64 { (row.time - Self.start).microseconds / Span.days(1).microseconds }
        let kind = MovingReference.seasonal(over: .days(28))
        let busy = stream(perHour: 80)
        let rich = try #require(Self.references(kind, busy, pieces: 997)[hour])
        #expect(rich.own[.all] == Self.recount(busy) { sameHour($0) && day($0) % 7 == 0 }[.all])
        let quiet = stream(perHour: 15)
        let thin = try #require(Self.references(kind, quiet, pieces: 997)[hour])
        #expect(thin.own[.all] == Self.recount(quiet) { sameHour($0) && day($0) % 7 < 5 }[.all])
    }

    @Test func `the previous version is the one seen before the newest`() throws {
        var random = SeededGenerator(seed: 43)
        var rows = Self.rows(days: 3, &random)
        for i in rows.indices { rows[i].version = rows[i].time < Self.start + .days(2) ? "b" : "a" }
        let found = Self.references(.previousVersion(over: .days(7)), rows, pieces: 9)
        #expect(found[Self.start + .days(1)] == nil, "one version has nothing before it")
        let later = try #require(found[Self.start + .days(2) + .hours(5)])
        #expect(later.own == Self.recount(rows) { $0.version == "b" })
    }

    @Test(arguments: [true, false])
    func `a version that is back is compared with what it was before, at once where the other is known to be retired`(
        isKnown: Bool
    ) throws {
        var random = SeededGenerator(seed: 47)
        var rows = Self.rows(days: 5, &random)
        let (out, back) = (Self.start + .days(2), Self.start + .days(2) + .hours(12))
        for i in rows.indices { rows[i].version = rows[i].time >= out && rows[i].time < back ? "2" : "1" }
        var newest: [Timestamp: String] = [:]
        let found = Self.references(
            .previousVersion(over: .days(7)), rows, pieces: 9, retired: isKnown ? ["2"] : [],
            newest: { newest[$0.start] = $1 })
        #expect(newest[out + .hours(6)] == "2")
        #expect(newest[back + .hours(1)] == (isKnown ? "1" : "2"))
        #expect(newest[back + .hours(26)] == "1", "who brings nothing for a day is withdrawn")
        let later = back + .hours(30)
        #expect(try #require(found[later]).own == Self.recount(rows) { $0.version == "1" && $0.time < later })
    }

    @Test func `of versions that begin in one hour the one of the later pane is the newer, at once the greater number`()
        throws
    {
        for (first, second, gap) in [("9", "10", 30), ("10", "9", 30), ("9", "10", 0)] as [(String, String, Int)] {
            var random = SeededGenerator(seed: 46)
            var rows = Self.rows(days: 3, &random)
            for i in rows.indices {
                let isFirst = rows[i].time < Self.start + .minutes(Int64(gap)) || i % 2 == 0
                rows[i].version = isFirst ? first : second
            }
            let found = Self.references(.previousVersion(over: .days(7)), rows, pieces: 9)
            let later = try #require(found[Self.start + .days(2) + .hours(5)])
            let own = Self.recount(rows) { $0.version == first && $0.time < Self.start + .days(2) + .hours(5) }
            #expect(later.own == own, "\(first), then \(second)")
        }
    }

    @Test func `a restart forgets nothing of the past`() throws {
        var random = SeededGenerator(seed: 44)
        let rows = Self.rows(days: 4, &random)
        let whole = Self.references(.rolling(.days(2)), rows, pieces: 24)
        var worker = WindowFixture.Worker(Self.settings)
        var windows = Self.windows()
        var panes: [Timestamp: PaneCounts] = [:]
        var pieces: [Timestamp: PaneCounts] = [:]
        for from in stride(from: 0, to: rows.count, by: 24) {
            for (start, counts) in windows.apply(worker.delta(rows[from..<min(rows.count, from + 24)])).changed {
                panes[start, default: [:]].merge(counts) { $1 }
            }
            guard let watermark = windows.watermark(active: windows.state.clocks.keys, idle: .zero) else { continue }
            var closed: [ModelWindows.Closed] = []
            for dropped in windows.close(through: watermark, { closed.append($0) }) { panes[dropped] = nil }
            for window in closed {
                let reference = windows.reference(.rolling(.days(2)), for: window.range)
                #expect(reference?.own == whole[window.range.start]?.own, "\(window.range.start.rfc3339)")
                for dropped in windows.judged(window.range, firing: [:]) { pieces[dropped] = nil }
            }
            for (start, counts) in windows.takeHistory() { pieces[start, default: [:]].merge(counts) { $1 } }
            let state = try JSONDecoder().decode(
                ModelWindows.State.self, from: try JSONEncoder().encode(windows.state))
            windows = Self.windows(state, panes: panes, history: pieces)
        }
    }
}
