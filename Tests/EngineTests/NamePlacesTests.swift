import Events
import Sketches
import TestSupport
import Testing
import Values
import Windows

/// Which names are told apart is one decision, whoever reads the events, and lasts over a restart.
struct NamePlacesTests {
    private static let base = Fixture.time("2026-03-01T00:00:00Z")

    private static func row(_ device: String, at minutes: Int64 = 0, version: String = "1") -> WindowFixture.Row {
        .init(
            time: base + .minutes(minutes), source: 0, version: version, amount: 5, country: nil, device: device)
    }

    private static func windows(
        _ places: NamePlaces, state: ModelWindows.State = .init(), panes: [Timestamp: PaneCounts] = [:]
    ) -> ModelWindows {
        let settings = WindowFixture.settings(pane: "1m", size: "2m", every: "1m", lateness: "5m")
        return ModelWindows(
            plans: WindowFixture.plans, settings: settings,
            shapes: [.init(size: settings.size, every: settings.every)], state: state, panes: panes, places: places)
    }

    private static func worker(_ places: NamePlaces) -> WindowFixture.Worker {
        WindowFixture.Worker(
            WindowFixture.settings(pane: "1m", size: "2m", every: "1m", lateness: "5m"), places: places)
    }

    private static func rows(_ closed: ModelWindows.Closed?, _ device: String, version: String = "1") -> UInt64? {
        closed?.counts[GroupKey(version: version, segment: Segment([.init("device", device)]))]?.rows
    }

    private static func devices(_ closed: ModelWindows.Closed) -> [String: UInt64] {
        closed.counts.reduce(into: [:]) { all, group in
            guard group.key.segment.dimensions == ["device"], let value = group.key.segment["device"] else { return }
            all[value, default: 0] += group.value.rows
        }
    }

    @Test func `two workers and a third that came after a kill agree on the thousand values`() throws {
        let places = NamePlaces(WindowFixture.schema())
        var windows = Self.windows(places)
        var first = Self.worker(places)
        var second = Self.worker(places)
        let names = (0..<1_500).map { "v\($0)" }
        // Batch by batch in turn, from the two ends.
        var stored: [Timestamp: PaneCounts] = [:]
        for part in 0..<15 {
            let forward = names[part * 100..<part * 100 + 100].map { Self.row($0) }
            let backward = names.reversed()[part * 100..<part * 100 + 100].map { Self.row($0) }
            for delta in [first.delta(forward), second.delta(backward)] {
                for (start, counts) in windows.apply(delta).changed {
                    stored[start, default: [:]].merge(counts) { _, new in new }
                }
            }
        }
        // Killed: what is left are the panes. Another process reads all of it once more, in an order of its own.
        let later = NamePlaces(WindowFixture.schema())
        var restored = Self.windows(later, state: windows.state, panes: stored)
        var third = Self.worker(later)
        _ = restored.apply(third.delta((names[700...] + names[..<700]).map { Self.row($0) }))
        for (closed, times) in [
            (windows.closeNext(through: .distantFuture), 2), (restored.closeNext(through: .distantFuture), 3),
        ] {
            var devices = Self.devices(try #require(closed))
            let other = devices.removeValue(forKey: "(other)")
            #expect(devices.count == 1_000 && devices.values.allSatisfy { $0 == UInt64(times) })
            #expect(other == UInt64(500 * times))
        }
    }

    @Test func `junk is forgotten with its panes, and no segment is told of which rows are missing`() throws {
        let places = NamePlaces(WindowFixture.schema())
        var windows = Self.windows(places)
        var worker = Self.worker(places)
        var all: [ModelWindows.Closed] = []
        func take(_ rows: [WindowFixture.Row], through minutes: Int64) {
            _ = windows.apply(worker.delta(rows))
            _ = windows.close(through: Self.base + .minutes(minutes)) { all.append($0) }
            // As an intake does: names are given out anew between two takes.
            if places.generation != worker.decoder.generation(model: 0) { worker.renew(places) }
        }
        take((0..<1_000).map { Self.row("junk\($0)") }, through: 0)
        // Refused, twice, in a pane that stays open while the junk's goes.
        take([Self.row("new", at: 4), Self.row("new", at: 4)], through: 0)
        take([], through: 4)
        #expect(places.generation == 1)
        // Now there is a place, but the pane's first two rows are not in it.
        take([Self.row("new", at: 4), Self.row("new", at: 6)], through: 4)
        take([Self.row("new", at: 7)], through: 12)
        func devices(_ start: Int64) throws -> [String: UInt64] {
            Self.devices(try #require(all.first { $0.range.start == Self.base + .minutes(start) }))
        }
        #expect(try devices(3) == ["(other)": 3])
        #expect(try devices(4) == ["(other)": 3])
        #expect(try devices(5) == ["new": 1])
        #expect(try devices(6) == ["new": 2])
    }

    @Test func `a late place is still a late one after a restart`() throws {
        let places = NamePlaces(WindowFixture.schema())
        var windows = Self.windows(places)
        var worker = Self.worker(places)
        _ = windows.apply(worker.delta((0..<1_000).map { Self.row("junk\($0)") }))
        _ = windows.apply(worker.delta([Self.row("new", at: 4)]))
        _ = windows.close(through: Self.base + .minutes(4)) { _ in }
        worker.renew(places)
        let stored = windows.apply(worker.delta([Self.row("new", at: 4)])).changed
        #expect(places.late?.contains { $0.contains("new") } == true)
        var panes = stored
        panes[Self.base + .minutes(4)]?[
            GroupKey(version: "1", segment: Segment([.init("device", "(other)")]))] = PackedProfile(
                try #require(WindowFixture.recount([Self.row("x")]).first { $0.key.segment["device"] == "x" }).value)
        var restored = Self.windows(NamePlaces(WindowFixture.schema()), state: windows.state, panes: panes)
        var closed: [ModelWindows.Closed] = []
        _ = restored.close(through: Self.base + .minutes(6)) { closed.append($0) }
        #expect(closed.allSatisfy { Self.devices($0) == ["(other)": 2] } && !closed.isEmpty)
    }

    @Test func `a thousand junk versions leave the registry's their place, and are counted`() throws {
        let places = NamePlaces(WindowFixture.schema())
        places.reserve(versions: ["15"])
        var worker = Self.worker(places)
        let delta = worker.delta(
            (0..<1_100).map { Self.row("web", version: "x\($0)") } + [Self.row("web", version: "15")]
                + [Self.row("web", version: "16")])
        let counts = try #require(delta.panes.values.first)
        #expect(counts[GroupKey(version: "15", segment: .all)]?.rows == 1)
        #expect(counts[GroupKey(version: "16", segment: .all)] == nil)
        #expect(counts[GroupKey(version: "(other)", segment: .all)]?.rows == 101 && delta.otherVersionRows == 101)
        // One that is registered later has its place from then on.
        places.reserve(versions: ["16"])
        worker.renew(places)
        let later = worker.delta([Self.row("web", version: "16")])
        #expect(later.panes.values.first?[GroupKey(version: "16", segment: .all)]?.rows == 1)
    }

    @Test func `two spellings of a name are one, whichever comes first`() throws {
        let (composed, decomposed) = ("\u{fc}ber", "u\u{308}ber")
        for spellings in [[composed, decomposed], [decomposed, composed]] {
            var worker = Self.worker(NamePlaces(WindowFixture.schema()))
            let delta = worker.delta(
                (0..<10).map { _ in Self.row(spellings[0], version: spellings[0]) }
                    + (0..<7).map { _ in Self.row(spellings[1], version: spellings[1]) })
            let keys = try #require(delta.panes.values.first).filter { $0.key.segment.dimensions == ["device"] }
            #expect(keys.count == 1 && keys.values.first?.rows == 17)
            let key = try #require(keys.keys.first)
            #expect(Array(key.version.utf8) == Array(composed.utf8))
            #expect(key.segment["device"].map { Array($0.utf8) } == Array(composed.utf8))
        }
    }

    @Test func `a spelling finds its name where no place is left`() throws {
        let places = NamePlaces(WindowFixture.schema())
        var worker = Self.worker(places)
        let rows = (0..<999).map { Self.row("v\($0)") } + [Self.row("\u{fc}"), Self.row("w"), Self.row("u\u{308}")]
        let counts = try #require(worker.delta(rows).panes.values.first)
        #expect(counts[GroupKey(version: "1", segment: Segment([.init("device", "\u{fc}")]))]?.rows == 2)
    }
}
