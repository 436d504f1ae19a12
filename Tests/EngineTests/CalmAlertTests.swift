import Detection
import Foundation
import TestSupport
import Testing
import Values

/// Alerts that are calm where nature is not: what comes and goes, what is little known, what is everywhere at once.
struct CalmAlertTests {
    private static let limit = LogEvidence.limit(streams: 300, windows: 30, budget: 1)
    private static let monday = Timestamp(microseconds: 1_772_409_600_000_000)  // 2026-03-02T00:00:00Z

    private static func segment(_ name: String) -> Segment { Segment([.init("airline", name)]) }

    private static func rate(
        _ segment: Segment = .all, hits: Double, of n: Double, reference: (hits: Double, rows: Double),
        wobble: Double = 0, windows: Double = 0
    ) -> StreamWindow {
        StreamWindow(
            segment: segment,
            counts: .init(reference: [reference.rows - reference.hits, reference.hits], current: [n - hits, hits]),
            wobble: wobble, referenceWindows: windows, gate: { _, effect in effect > 0.02 })
    }

    private static func hits(_ n: Int, _ rate: Double, _ random: inout SeededGenerator) -> Double {
        Double((0..<n).count { _ in Double.random(in: 0..<1, using: &random) < rate })
    }

    @Test func `what a small reference does not know is no change, however long it lasts`() {
        // 2 of 80 are 2.5%; they may as well be 6%.
        var random = SeededGenerator(seed: 31)
        var evidence = 0.0
        for _ in 0..<300 {
            let e = RateEvidence.logE(
                count: Self.hits(60, 0.06, &random), of: 60, reference: 2, of: 80)
            evidence = max(0, evidence + e)
        }
        #expect(evidence < Self.limit, "\(evidence)")
        #expect(RateEvidence.logE(count: 24, of: 60, reference: 2, of: 80) > Self.limit, "40% are plain at once")
    }

    @Test func `a reference of few days that differ knows less than its rows say`() {
        func e(_ windows: Double) -> Double {
            RateEvidence.logE(
                count: 60, of: 400, reference: 500, of: 10_000, correlation: 0.01,
                ofReference: windows > 0 ? 0.01 / windows : 0)
        }
        #expect(e(5) < e(50) && e(50) < e(0))
        let reference = [Double](repeating: 1000, count: 10)
        let current = (0..<10).map { 40 * exp(0.12 * (Double($0) - 4.5)) }
        guard let bins = TestBins(reference: reference, current: current, isOrdered: true) else {
            Issue.record("no bins")
            return
        }
        func shift(_ ofReference: Double) -> Double {
            ShiftEvidence.logE(bins, wobble: 0.02, ofReference: ofReference)
        }
        #expect(shift(0.02 / 4) < shift(0.02 / 40) && shift(0.02 / 40) < shift(0))
    }

    @Test func `one lucky window does not end a change in a small segment, some do, and in a large one the first`() {
        func windowsToEnd(_ n: Double, rate: Double) -> Int? {
            var detector = TargetDetector(watch: .rate(isRise: true))
            var day: Int64 = 0
            func observe(_ hits: Double) -> Bool {
                day += 1
                return detector.observe(
                    start: Self.monday + .days(day), [Self.rate(hits: hits, of: n, reference: (3, 1300))],
                    limit: Self.limit)[0].isOpen
            }
            for _ in 0..<10 { _ = observe(0) }
            for _ in 0..<15 where observe((n * rate).rounded()) {}
            guard observe((n * rate).rounded()) else { return nil }
            return (1...30).first { _ in !observe(0) }
        }
        let small = windowsToEnd(20, rate: 0.1)
        #expect((2...8).contains(small ?? 0), "\(String(describing: small))")
        #expect(windowsToEnd(150, rate: 0.3) == 1)
        #expect(windowsToEnd(400, rate: 0.1) == 1)
    }

    @Test func `windows too thin to say anything still end an alarm together`() {
        var detector = TargetDetector(watch: .rate(isRise: true))
        func observe(_ day: Int64, _ hits: Double, of n: Double) -> Bool {
            detector.observe(
                start: Self.monday + .days(day), [Self.rate(hits: hits, of: n, reference: (10, 1000))],
                limit: Self.limit)[0].isOpen
        }
        for day in 0..<5 as Range<Int64> { #expect(!observe(day, 0, of: 40)) }
        for day in 5..<9 as Range<Int64> { _ = observe(day, 20, of: 40) }
        #expect(observe(9, 20, of: 40))
        let closed = (10..<20 as Range<Int64>).first { !observe($0, 0, of: 6) }
        #expect(closed.map { $0 <= 14 } == true, "\(String(describing: closed))")
    }

    @Test func `what comes and goes is told a few times and then as one`() {
        var detector = TargetDetector(watch: .rate(isRise: true))
        var (opened, day) = (0, Int64(0))
        func observe(_ hits: Double) {
            day += 1
            let verdict = detector.observe(
                start: Self.monday + .days(day), [Self.rate(hits: hits, of: 400, reference: (2, 23_000))],
                limit: Self.limit)[0]
            if verdict.isNew { opened += 1 }
        }
        for _ in 0..<20 {
            for _ in 0..<2 { observe(200) }
            for _ in 0..<4 { observe(0) }
        }
        #expect((1...3).contains(opened), "\(opened)")
        // It ends all the same, and one that comes after that is told anew.
        for _ in 0..<40 { observe(0) }
        let before = opened
        for _ in 0..<2 { observe(200) }
        #expect(opened == before + 1)
    }

    @Test func `a change in many segments is one alarm of what they have in common, until the last is over`() {
        var detector = TargetDetector(watch: .rate(isRise: true))
        let names = ["a", "b", "c", "d", "e", "f"]
        func observe(_ day: Int64, _ broken: Set<String>) -> [Segment] {
            var windows = names.map {
                Self.rate(Self.segment($0), hits: broken.contains($0) ? 60 : 1, of: 100, reference: (100, 10_000))
            }
            // All traffic has much else besides, so that it shows nothing itself.
            windows.append(Self.rate(hits: 600, of: 60_000, reference: (60_000, 6_000_000)))
            let verdicts = detector.observe(start: Self.monday + .days(day), windows, limit: Self.limit)
            return zip(windows, verdicts).filter(\.1.isOpen).map(\.0.segment)
        }
        for day in 0..<5 as Range<Int64> { #expect(observe(day, []).isEmpty) }
        #expect(observe(5, ["a"]) == [Self.segment("a")])
        #expect(observe(6, ["a", "b"]) == ["a", "b"].map(Self.segment), "two are two")
        #expect(observe(7, ["a", "b", "c"]) == [.all])
        #expect(observe(8, ["a", "e"]) == [.all], "it does not come and go with each")
        #expect(observe(9, ["e"]) == [.all])
        #expect(observe(10, []).isEmpty && observe(11, []).isEmpty)
        #expect(observe(12, ["d"]) == [Self.segment("d")])
    }

    @Test func `what has stood still twice in a season does so by nature`() {
        var habits = StandingHabits()
        var told: [Int64] = []
        for day in 0..<60 as Range<Int64> {
            let stands = day >= 10 && day % 10 == 0
            let time = Self.monday + .days(day)
            let isTold = stands && habits.isUnusual(.all, at: time)
            if isTold { told.append(day) }
            habits.note(stands && !isTold ? [.all] : [], any: stands, at: time)
        }
        #expect(told == [10, 20])
    }
}
