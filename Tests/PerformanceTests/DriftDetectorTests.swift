import Detection
import Statistics
import TestSupport
import Testing
import Values

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
}
