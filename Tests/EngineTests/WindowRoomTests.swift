import Sketches
import TestSupport
import Testing
import Values
import Windows

/// A window that closes stays within its memory and its time, and closes in pieces.
struct WindowRoomTests {
    @Test func `a window of countless combinations tells those with the most rows`() throws {
        // A hundred columns leave room for five hundred groups.
        let layout = Layout(columns: (0..<100).map { ("c\($0)", .numeric(NumericBins(edges: [0]), exponent: 30)) })
        func profile(_ rows: UInt64) -> PackedProfile {
            var profile = Profile(layout)
            profile.rows = rows
            return PackedProfile(profile)
        }
        let start = Fixture.time("2026-03-01T00:00:00Z")
        var delta = PaneDelta()
        var counts: PaneCounts = [GroupKey(version: "1", segment: .all): profile(40_000)]
        for i in 0..<2_000 {
            counts[GroupKey(version: "1", segment: Segment([.init("a", "a\(i)"), .init("b", "b\(i)")]))] = profile(
                i % 10 == 0 ? 100 : 3)
        }
        delta.panes = [start: counts]
        let settings = WindowFixture.settings()
        var windows = ModelWindows(
            plans: GroupPlans(layout), settings: settings, shapes: [.init(size: settings.size, every: settings.every)])
        _ = windows.apply(delta)
        let first = windows.closeNext(through: .distantFuture)
        let closed = try #require(first)
        let crosses = closed.counts.filter { $0.key.segment.parts.count == 2 }
        let other = Segment([.init("a", "(other)"), .init("b", "(other)")])
        #expect(closed.counts.count == 501)
        #expect(crosses.count { $0.value.rows == 100 } == 200)
        let shared = crosses[GroupKey(version: "1", segment: other)]?.rows
        #expect(shared == closed.foldedRows && closed.foldedRows == 3 * 1_501)
        #expect(crosses.reduce(0) { $0 + $1.value.rows } == 200 * 100 + 1_800 * 3)
        #expect(closed.counts[GroupKey(version: "1", segment: .all)]?.rows == 40_000)
    }

    @Test(arguments: [1, 2, 3, 7])
    func `windows closed in pieces are the windows closed at once`(_ piece: Int) throws {
        var random = SeededGenerator(seed: 5)
        let start = Fixture.time("2026-03-01T00:00:00Z")
        let settings = WindowFixture.settings(pane: "5m", size: "30m", every: "10m")
        let rows = WindowFixture.rows(300, from: start, over: .hours(4), &random)
        var worker = WindowFixture.Worker(settings)
        let delta = worker.delta(rows)
        let shapes: [ModelWindows.Shape] = [
            .init(size: .minutes(30), every: .minutes(10)), .init(size: .hours(1), every: .minutes(30)),
        ]
        func windows() -> ModelWindows { ModelWindows(plans: WindowFixture.plans, settings: settings, shapes: shapes) }
        let end = start + .hours(3)
        var whole = windows()
        var inPieces = windows()
        _ = whole.apply(delta)
        _ = inPieces.apply(delta)
        var expected: [ModelWindows.Closed.Encoded] = []
        let dropped = whole.close(through: end) { expected.append($0.encoded) }
        var found: [ModelWindows.Closed.Encoded] = []
        while let closed = inPieces.closeNext(through: end) {
            found.append(closed.encoded)
            if found.count % piece == 0 { inPieces.pauseClosing(after: closed.range) }
        }
        #expect(inPieces.endClosing(through: end) == dropped && found == expected && found.count > 10)
        #expect(inPieces.state == whole.state)
    }
}
