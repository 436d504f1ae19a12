import Detection
import TestSupport
import Testing
import Values

/// What an alarm says of its change: which segment, since when, and whether it was there before.
struct CauseSearchTests {
    private static let limit = LogEvidence.limit(streams: 600, windows: 120, budget: 1)
    private static let monday = Timestamp(microseconds: 1_772_409_600_000_000)  // 2026-03-02T00:00:00Z

    private static func segment(_ parts: String...) -> Segment {
        Segment(parts.map { Segment.Part($0 == "ch" || $0 == "at" ? "land" : "store", $0) })
    }

    @Test(arguments: [4.0, 7, 12])
    func `a part too thin to say anything by itself is named where it has all the hits of its whole`(_ rows: Double) {
        var detector = TargetDetector(watch: .rate(isRise: true))
        func window(_ segment: Segment, _ n: Double, _ hits: Double) -> StreamWindow {
            StreamWindow(
                segment: segment, counts: .init(reference: [n * 100, 0], current: [n - hits, hits]),
                gate: { _, effect in effect > 0.02 })
        }
        var opened: [Segment] = []
        for day in 0..<8 as Range<Int64> {
            let hits = day >= 5 ? rows : 0
            let windows = [
                window(.all, 300, hits), window(Self.segment("ch"), 25, hits), window(Self.segment("at"), 275, 0),
                window(Self.segment("wien"), 90, hits), window(Self.segment("graz"), 210, 0),
                window(Self.segment("ch", "wien"), rows, hits), window(Self.segment("ch", "graz"), 25 - rows, 0),
                window(Self.segment("at", "wien"), 90 - rows, 0), window(Self.segment("at", "graz"), 185 + rows, 0),
            ]
            let verdicts = detector.observe(start: Self.monday + .days(day), windows, limit: Self.limit)
            opened += zip(windows, verdicts).filter { $1.isNew }.map { $0.0.segment }
        }
        #expect(opened == [Self.segment("ch", "wien")])
    }

    @Test func `a change of the whole is not said to be that of a thin part of it`() {
        var detector = TargetDetector(watch: .rate(isRise: true))
        var opened: [Segment] = []
        for day in 0..<8 as Range<Int64> {
            let windows = [(Segment.all, 200.0), (Self.segment("ch"), 190), (Self.segment("at"), 10)].map {
                segment, n in
                let hits = day >= 5 ? (n * 0.2).rounded() : 0
                return StreamWindow(
                    segment: segment, counts: .init(reference: [n * 100, 0], current: [n - hits, hits]),
                    gate: { _, effect in effect > 0.02 })
            }
            let verdicts = detector.observe(start: Self.monday + .days(day), windows, limit: Self.limit)
            opened += zip(windows, verdicts).filter { $1.isNew }.map { $0.0.segment }
        }
        #expect(opened == [.all])
    }

    @Test func `a part that showed a change first is told as its whole, once the rest moves as it does`() {
        var detector = TargetDetector(watch: .shift(isOrdered: true))
        func window(_ segment: Segment, _ n: Double, _ moved: Double) -> StreamWindow {
            // Rows that leave the lower bins for the upper one.
            let counts = (0..<10).map { bin in n / 10 * (1 - moved) + (bin == 9 ? n * moved : 0) }
            return StreamWindow(
                segment: segment, counts: .init(reference: [Double](repeating: 2000, count: 10), current: counts),
                gate: { _, effect in effect > 0.1 })
        }
        var told: [[Segment]] = []
        for (day, moved) in [(0, 0), (0, 0), (0, 0), (0.6, 0), (0.6, 0.6), (0.6, 0.6), (0, 0), (0, 0)].enumerated() {
            let windows = [
                window(Self.segment("ch"), 450, (moved.0 + 2 * moved.1) / 3),
                window(Self.segment("ch", "wien"), 150, moved.0), window(Self.segment("ch", "graz"), 150, moved.1),
                window(Self.segment("ch", "linz"), 150, moved.1),
            ]
            let verdicts = detector.observe(start: Self.monday + .days(Int64(day)), windows, limit: Self.limit)
            told.append(zip(windows, verdicts).filter { $1.isOpen }.map { $0.0.segment })
        }
        #expect(told[..<3].joined().isEmpty)
        #expect(told[3] == [Self.segment("ch", "wien")])
        #expect(told[4] == [Self.segment("ch")] && told[5] == told[4], "\(told)")
        #expect(told[6...].joined().isEmpty)
    }

    /// One window of ten equal bins, or of other shares.
    private static func window(_ rows: Int, _ shares: [Double]?, _ random: inout SeededGenerator) -> StreamWindow {
        let law = shares ?? [Double](repeating: 0.1, count: 10)
        var counts = [Double](repeating: 0, count: 10)
        for _ in 0..<rows {
            var u = Double.random(in: 0..<1, using: &random)
            var bin = 0
            while bin < 9, u >= law[bin] {
                u -= law[bin]
                bin += 1
            }
            counts[bin] += 1
        }
        return StreamWindow(
            segment: .all, counts: .init(reference: [Double](repeating: 56, count: 10), current: counts),
            gate: { _, effect in effect > 0.1 })
    }

    /// PSI 0.8, in no direction.
    private static let jagged = [0.17, 0.03, 0.17, 0.03, 0.17, 0.03, 0.17, 0.03, 0.17, 0.03]

    @Test func `a change in windows of twenty rows is said to begin where it does, not with the block it was seen in`()
        async throws
    {
        try await blocking {
            var off: [Int64] = []
            for seed in 0..<40 as Range<UInt64> {
                var random = SeededGenerator(seed: seed)
                var detector = TargetDetector(watch: .shift(isOrdered: true))
                for day in 0..<40 as Range<Int64> {
                    let verdict = detector.observe(
                        start: Timestamp(microseconds: day), [Self.window(20, day < 12 ? nil : Self.jagged, &random)],
                        limit: Self.limit)[0]
                    guard verdict.isNew else { continue }
                    off.append((verdict.changeStart?.microseconds ?? 0) - 12)
                    break
                }
            }
            #expect(off.count >= 38)
            let near = off.count { abs($0) <= 2 }
            #expect(Double(near) >= 0.8 * Double(off.count), "\(off.sorted())")
        }
    }

    @Test func `three changes of one column in three directions are three, and each ends by itself`() throws {
        var detector = TargetDetector(watch: .shift(isOrdered: true))
        let flat = [Double](repeating: 40, count: 10)
        let laws: [[Double]] = [
            [4, 4, 3, 2, 1, 1, 1, 1, 1, 2], [1, 1, 1, 1, 2, 2, 1, 2, 4, 5], [1, 1, 1, 5, 4, 4, 1, 1, 1, 1],
        ].map { $0.map { $0 * 20 } }
        var (day, opened) = (Int64(0), 0)
        func observe(_ counts: [Double]) -> Bool {
            day += 1
            let verdict = detector.observe(
                start: Self.monday + .days(day),
                [
                    StreamWindow(
                        segment: .all, counts: .init(reference: flat.map { $0 * 28 }, current: counts),
                        gate: { _, effect in effect > 0.1 })
                ], limit: Self.limit)[0]
            if verdict.isNew { opened += 1 }
            return verdict.isOpen
        }
        for _ in 0..<8 { #expect(!observe(flat)) }
        for law in laws {
            for _ in 0..<3 { _ = observe(law) }
            let after = (0..<3).map { _ in observe(flat) }
            #expect(after[2] == false)
        }
        #expect(opened == 3)
    }
}
