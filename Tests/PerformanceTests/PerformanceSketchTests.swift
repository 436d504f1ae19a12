import Sketches
import Statistics
import TestSupport
import Testing
import Values

struct PerformanceSketchTests {
    private static func rows(_ n: Int, _ random: inout SeededGenerator) -> [(Double, Bool)] {
        (0..<n).map { _ in
            let score = Double.random(in: 0..<1, using: &random)
            return (score * score, Double.random(in: 0..<1, using: &random) < score)
        }
    }

    @Test func `merging in any order and grouping gives the same bytes`() async throws {
        try await blocking {
            var random = SeededGenerator(seed: 51)
            let rows = Self.rows(30_000, &random)
            let whole = PerformanceFixture.binary(rows).encode()
            for _ in 0..<6 {
                var parts: [PerformanceSketch] = []
                var rest = rows.shuffled(using: &random)[...]
                while !rest.isEmpty {
                    let size = Int.random(in: 1...9_000, using: &random)
                    parts.append(PerformanceFixture.binary(Array(rest.prefix(size))))
                    rest = rest.dropFirst(size)
                }
                var sum = PerformanceSketch(.binary)
                for part in parts.shuffled(using: &random) { sum.merge(part) }
                #expect(sum.encode() == whole, "seed \(random.seed)")
            }
        }
    }

    @Test func `scores by class merge in any order to the same bytes`() {
        var random = SeededGenerator(seed: 55)
        let names = ["cat", "dog", "owl", "newt"]
        let parts = (0..<20).map { _ in
            var part = PerformanceSketch(.multiclass)
            for _ in 0..<50 {
                let scores = names.map { ($0, Double.random(in: 0...1, using: &random)) }
                part.classScores.add(scores, chosen: names.randomElement(using: &random) ?? "cat", label: "owl")
            }
            return part
        }
        func merged(_ parts: [PerformanceSketch]) -> [UInt8] {
            var sum = PerformanceSketch(.multiclass)
            for part in parts { sum.merge(part) }
            return sum.encode()
        }
        #expect(merged(parts) == merged(parts.shuffled(using: &random)))
    }

    @Test func `taking back what was added leaves what was there before`() {
        var random = SeededGenerator(seed: 52)
        let kept = Self.rows(300, &random)
        let passing = Self.rows(200, &random)
        var sketch = PerformanceFixture.binary(kept)
        for (score, label) in passing { PerformanceFixture.add(score, label, to: &sketch) }
        for (score, label) in passing { PerformanceFixture.add(score, label, to: &sketch, times: -1) }
        #expect(sketch == PerformanceFixture.binary(kept))
    }

    @Test func `keys of scores keep their order and are one for each score`() {
        var random = SeededGenerator(seed: 53)
        var scores: [Double] = [
            -.greatestFiniteMagnitude, -1e300, -3, -1e-300, 0, .leastNonzeroMagnitude, 1e-300, 0.25, 0.5.nextDown, 0.5,
            0.5.nextUp, 0.75,
            1 - 0x1p-53, 1, 1.0.nextUp, 3, 0x1p969, 0x1p970,
        ]
        scores += (0..<2_000).map { _ in Double.random(in: -2...3, using: &random) }
        scores.sort()
        for (a, b) in zip(scores, scores.dropFirst()) where a < b {
            #expect(ScoreCounts.key(of: a) < ScoreCounts.key(of: b), "\(a) \(b)")
        }
        #expect(ScoreCounts.key(of: -0.0) == ScoreCounts.key(of: 0.0))
        for score in scores { #expect(ScoreCounts.score(ofKey: ScoreCounts.key(of: score)) == score) }
    }

    @Test func `bytes come back as they were, and damaged ones are refused`() {
        var random = SeededGenerator(seed: 54)
        var classes = PerformanceSketch(.multiclass)
        classes.add(PerformancePair(.classes(predicted: "cat", label: "dög"), delay: .days(3)))
        var scored = classes
        scored.classScores.add([("cat", 0.7), ("dög", 0.3)], chosen: "cat", label: "dög")
        var values = PerformanceSketch(.regression, exponent: 20)
        values.add(prediction: 3.5)
        values.add(PerformancePair(.regression(value: 3.5, label: -2), delay: .seconds(5)))
        var ranked = PerformanceSketch(.ranking, cutoff: 5)
        for i in 0..<40 {
            let item = PerformancePair.Outcome.ranking(
                query: UInt64(i / 4), score: Double(i % 7), relevance: Double(i % 3))
            ranked.add(PerformancePair(item, delay: .hours(1)))
        }
        for sketch in [
            PerformanceFixture.binary(Self.rows(500, &random)), PerformanceFixture.binary([]), classes, scored, values,
            ranked,
        ] {
            let bytes = sketch.encode()
            #expect((try? PerformanceSketch(decoding: bytes)) == sketch)
            for cut in 0..<min(bytes.count, 200) {
                #expect(throws: CodecError.self) { try PerformanceSketch(decoding: Array(bytes.prefix(cut))) }
            }
            for _ in 0..<300 {
                var damaged = bytes
                damaged[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
                // It may be refused or read as another sketch; it must not trap, nor may what is made of it.
                _ = (try? PerformanceSketch(decoding: damaged))?.metrics
            }
        }
    }

    @Test func `a score outside 0 to 1 ranks, but is no probability`() {
        let metrics = PerformanceFixture.binary([(-2, false), (0.1, false), (3.5, true), (0.7, true)]).metrics
        #expect(metrics[.auroc] == 1)
        #expect(metrics[.accuracy] == 1)
        #expect(metrics[.brier] == nil && metrics[.log_loss] == nil && metrics[.ece] == nil)
    }

    @Test func `a label stays out of the delays it has not had the time to show`() throws {
        // Half the labels take an hour, half ten days; the youngest windows have only the quick ones.
        let quick = DelayCounts.bucket(.hours(1))
        let slow = DelayCounts.bucket(.days(10))
        let cohorts = (1...30).map { age in
            var delays = DelayCounts()
            delays.add(bucket: quick, times: 100)
            if age > 12 { delays.add(bucket: slow, times: 100) }
            return DelayProcess.Cohort(age: .days(Int64(age)), delays: delays)
        }
        let process = DelayProcess(cohorts)
        #expect(try #require(process.quantile(0.95)) > .days(9))
        #expect(try #require(process.quantile(0.4)) < .hours(2))
        let all = cohorts.reduce(into: DelayCounts()) { $0.merge($1.delays) }
        #expect(try #require(all.quantile(0.6)) < .hours(2), "which plain counts would call most of them")
        #expect(DelayProcess([]).quantile(0.5) == nil)
    }
}
