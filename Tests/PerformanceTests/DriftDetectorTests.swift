import Detection
import Statistics
import TestSupport
import Testing
import Values

@testable import Windows

struct DriftDetectorTests {
    private static func errors(_ n: Int, rate: Double, _ random: inout SeededGenerator) -> Double {
        Double((0..<n).count { _ in Double.random(in: 0..<1, using: &random) < rate })
    }

    @Test func `ADWIN, Page-Hinkley and DDM find a doubled error rate within ten windows of 500 rows`() {
        var random = SeededGenerator(seed: 81)
        var (adwin, page, ddm) = (ADWIN(), PageHinkley(), DDM())
        var found = [-1, -1, -1]
        for window in 0..<60 {
            let count = Self.errors(500, rate: window < 30 ? 0.1 : 0.2, &random)
            for (i, says) in [
                adwin.add(errors: count, of: 500), page.add(errors: count, of: 500), ddm.add(errors: count, of: 500),
            ].enumerated() where says && found[i] < 0 {
                found[i] = window
            }
        }
        #expect(found.allSatisfy { (30...40).contains($0) }, "\(found), seed \(random.seed)")
        #expect(abs(adwin.mean - 0.2) < 0.02, "what it forgot is the old rate")
    }

    @Test func `a falling error rate is no alarm`() {
        var random = SeededGenerator(seed: 82)
        var (adwin, page, ddm) = (ADWIN(), PageHinkley(), DDM())
        for window in 0..<60 {
            let count = Self.errors(500, rate: window < 30 ? 0.2 : 0.05, &random)
            #expect(!adwin.add(errors: count, of: 500) && !page.add(errors: count, of: 500))
            #expect(!ddm.add(errors: count, of: 500) || window < 30)
        }
    }

    /// Daily windows of five segments; in one of them scores lose their meaning at some window.
    private static func watch(
        windows: Int, turnsAt: Int?, random: inout SeededGenerator
    ) -> [(window: Int, segment: Segment)] {
        func rows(_ n: Int, turned: Bool) -> [(Double, Bool)] {
            (0..<n).map { _ in
                let chance = Double.random(in: 0..<0.4, using: &random)
                let shown = turned ? 0.4 - chance : chance
                return (shown, Double.random(in: 0..<1, using: &random) < chance)
            }
        }
        let segments = [Segment.all] + ["a", "b", "c", "d"].map { Segment([.init("s", $0)]) }
        var groups: [Segment: PerformanceSketch] = [:]
        for segment in segments.dropFirst() { groups[segment] = PerformanceFixture.binary(rows(2_000, turned: false)) }
        groups[.all] = groups.values.reduce(into: PerformanceSketch(.binary)) { $0.merge($1) }
        let reference = PerformanceReference(task: .binary, groups: groups, errors: nil)
        var watch = ConceptWatch()
        var open: [(Int, Segment)] = []
        for window in 0..<windows {
            var sketches = segments.dropFirst().map { segment in
                let isTurned = turnsAt.map { window >= $0 } ?? false
                return (
                    segment: segment,
                    sketch: PerformanceFixture.binary(rows(150, turned: isTurned && segment["s"] == "b"))
                )
            }
            let all = sketches.reduce(into: PerformanceSketch(.binary)) { $0.merge($1.sketch) }
            sketches.insert((.all, all), at: 0)
            let start = Timestamp(microseconds: 0) + .days(Int64(window))
            let verdicts = watch.observe(
                TimeRange(start: start, end: start + .days(1)), sketches, reference: reference, windows: 30)
            for (segment, verdict) in verdicts where verdict.isOpen { open.append((window, segment)) }
        }
        return open
    }

    @Test func `scores that lose their meaning in one segment are found there within four windows, and nowhere else`()
        async throws
    {
        try await blocking {
            for seed in UInt64(0)..<5 {
                var random = SeededGenerator(seed: 90 + seed)
                let open = Self.watch(windows: 40, turnsAt: 30, random: &random)
                #expect(
                    Set(open.map(\.segment)) == [Segment([.init("s", "b")])], "\(open.prefix(3)), seed \(random.seed)")
                #expect((30...33).contains(open.first?.window ?? -1), "\(open.prefix(3)), seed \(random.seed)")
            }
        }
    }

    @Test func `in two years without a change nothing is found`() async throws {
        try await blocking {
            var random = SeededGenerator(seed: 99)
            let open = Self.watch(windows: 360, turnsAt: nil, random: &random)
            #expect(open.isEmpty, "\(open.prefix(3)), seed \(random.seed)")
        }
    }

    @Test func `a better version is called better only when that is sure`() {
        var random = SeededGenerator(seed: 85)
        var comparison = VersionComparison()
        var last: [VersionComparison.Verdict] = []
        var wrongly = 0
        for _ in 0..<80 {
            last = comparison.observe([
                ("1", Self.errors(400, rate: 0.2, &random), 400), ("2", Self.errors(100, rate: 0.15, &random), 100),
                ("3", Self.errors(100, rate: 0.2, &random), 100),
            ])
            wrongly += last.count { $0.version == "3" && $0.conclusion != "undecided" }
        }
        #expect(last.map(\.version) == ["2", "3"] && last.allSatisfy { $0.against == "1" })
        #expect(last.first?.conclusion == "better", "\(last)")
        #expect(wrongly == 0, "seed \(random.seed)")
    }

    @Test func `an incumbent that misses some windows stays, one that is gone is replaced`() {
        var comparison = VersionComparison()
        let both: [(version: String, errors: Double, rows: Double)] = [("9", 10, 100), ("10", 20, 100)]
        _ = comparison.observe(both)
        for _ in 0..<3 { _ = comparison.observe(both) }
        #expect(comparison.observe(both).first?.rows == 400)
        for _ in 0..<6 { #expect(comparison.observe([("10", 20, 100)]).isEmpty) }
        let back = comparison.observe(both).first
        #expect(back?.against == "9" && back?.rows == 500)
        for _ in 0..<7 { _ = comparison.observe([("10", 20, 100)]) }
        #expect(comparison.observe(both).first?.against == "10")
    }

    @Test func `an alarm of a segment that is gone does not mute the others for ever`() {
        var random = SeededGenerator(seed: 87)
        func rows(_ n: Int, turned: Bool) -> PerformanceSketch {
            PerformanceFixture.binary(
                (0..<n).map { _ in
                    let chance = Double.random(in: 0..<0.4, using: &random)
                    return (turned ? 0.4 - chance : chance, Double.random(in: 0..<1, using: &random) < chance)
                })
        }
        let (gone, other) = (Segment([.init("s", "a")]), Segment([.init("s", "b")]))
        var groups = [gone: rows(3_000, turned: false), other: rows(3_000, turned: false)]
        groups[.all] = groups.values.reduce(into: PerformanceSketch(.binary)) { $0.merge($1) }
        let reference = PerformanceReference(task: .binary, groups: groups, errors: nil)
        var watch = ConceptWatch()
        let start = Timestamp(microseconds: 1_772_323_200_000_000)
        var all: [Int: ConceptVerdict] = [:]
        var open: Set<Segment> = []
        for day in 0..<60 {
            // `a` turns on day 5 and is switched off on day 15; everything else turns on day 30.
            let b = rows(1_000, turned: day >= 30)
            var segments = [(segment: other, sketch: b)]
            var whole = b
            if day < 15 {
                let a = rows(1_000, turned: day >= 5)
                segments.append((segment: gone, sketch: a))
                whole.merge(a)
            }
            segments.append((segment: .all, sketch: whole))
            let range = TimeRange(start: start + .days(Int64(day)), end: start + .days(Int64(day) + 1))
            let verdicts = watch.observe(range, segments, reference: reference, windows: 30)
            if day == 14 { open = Set(verdicts.filter(\.value.isOpen).keys) }
            all[day] = verdicts[.all]
        }
        #expect(open == [gone])
        #expect(all[20]?.explainedBy == gone && all[28]?.explainedBy == nil)
        #expect(all[59].map { $0.isOpen || $0.explainedBy == other } == true, "seed \(random.seed)")
    }

    @Test func `windows whose labels come after those of younger ones are told so`() throws {
        let start = Timestamp(microseconds: 1_772_323_200_000_000)
        let shape = ModelWindows.Shape(size: .days(1), every: .days(1))
        var settings = PerformanceSettings(task: .regression)
        settings.horizon = .days(30)
        var windows = WindowSettings.standard
        (windows.pane, windows.size, windows.every) = (.days(1), .days(1), .days(1))
        var clocks = LabelJoin.Clocks()
        clocks.hasLabels = true
        let join = LabelJoin(
            table: JoinTable(horizon: settings.horizon), horizon: settings.horizon,
            cells: [JoinCell(version: "1", values: [])], clocks: clocks)
        var performance = PerformanceWindows(
            settings,
            panes: PerformancePanes(settings, windows: windows, shapes: [shape], dimensions: [], segmentations: []),
            reference: nil)
        var told: [PerformanceWindows.Told] = []
        for day in 0..<Int64(30) {
            let range = TimeRange(start: start + .days(day), end: start + .days(day + 1))
            // Labels come after an hour, those of day 5 after ten days.
            let delay = day == 5 ? Span.days(10) : .hours(1)
            let changes = (0..<100).flatMap { i -> [JoinTable.Change] in
                var record = JoinRecord(id: UInt64(day) * 1_000 + UInt64(i) + 1)
                record.hasPrediction = true
                record.predictionTime = range.start + .minutes(Int64(i))
                record.score = 1
                let prediction = JoinTable.Change(kind: .prediction, record: record)
                record.hasLabel = true
                record.labelTime = record.predictionTime + delay
                record.label = 2
                return [prediction, JoinTable.Change(kind: .match, record: record)]
            }
            performance.apply(changes, join: join, inOrder: true)
            told += performance.close(shape, range, join: join).revisions
        }
        let mature = told.filter(\.matured)
        #expect(mature.count > 20)
        #expect(mature.filter(\.isPassedOver).map(\.range.start) == [start + .days(5)])
        let judged = mature.filter { !$0.isPassedOver }.map(\.range.start)
        #expect(judged == judged.sorted())
    }

    @Test func `performance is kept in pieces that every window of a rule is made of`() {
        var windows = WindowSettings.standard
        (windows.pane, windows.size, windows.every) = (.hours(1), .days(1), .days(1))
        let own = ModelWindows.Shape(size: .days(1), every: .days(1))
        #expect(windows.performancePane([own]) == .days(1))
        #expect(windows.performancePane([own, .init(size: .days(7), every: .days(1))]) == .days(1))
        #expect(windows.performancePane([own, .init(size: .hours(6), every: .hours(6))]) == .hours(1))
    }
}
