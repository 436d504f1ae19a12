import Statistics
import TestSupport
import Testing
import Values

#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

struct PerformanceEstimateTests {
    /// Rows whose chance of being positive is their score to a power: a model that is badly calibrated in a known way.
    private static func rows(_ n: Int, power: Double, _ random: inout SeededGenerator) -> [(Double, Bool)] {
        (0..<n).map { _ in
            let chance = Double.random(in: 0..<1, using: &random)
            let score = chance.squareRoot()
            return (power == 1 ? score : score * score, Double.random(in: 0..<1, using: &random) < chance)
        }
    }

    private static func reference(_ rows: [(Double, Bool)]) -> PerformanceReference {
        PerformanceReference(task: .binary, groups: [.all: PerformanceFixture.binary(rows)], errors: nil)
    }

    @Test func `estimates hold the truth in nineteen windows of twenty while scores mean what they meant`() async throws
    {
        try await blocking {
            var random = SeededGenerator(seed: 71)
            let reference = Self.reference(Self.rows(8_000, power: 1, &random))
            var inside: [Metric: Int] = [:]
            let windows = 200
            let pairs: [(Metric, Metric)] = [
                (.estimated_auroc, .auroc), (.estimated_accuracy, .accuracy), (.estimated_precision, .precision),
                (.estimated_recall, .recall), (.estimated_f1, .f1), (.estimated_brier, .brier),
            ]
            for _ in 0..<windows {
                let window = PerformanceFixture.binary(Self.rows(600, power: 1, &random))
                let truth = window.metrics
                for estimate in reference.estimates(window, segment: .all, threshold: 0.5) {
                    guard let pair = pairs.first(where: { $0.0 == estimate.metric }),
                        let value = truth[pair.1]
                    else { continue }
                    inside[pair.0, default: 0] += estimate.low <= value && value <= estimate.high ? 1 : 0
                }
            }
            for (metric, _) in pairs {
                let share = Double(inside[metric] ?? 0) / Double(windows)
                #expect(share >= 0.9, "\(metric): \(share), seed \(random.seed)")
            }
        }
    }

    @Test func `a change of what scores mean is not seen by estimates, and that is what labels are for`() throws {
        var random = SeededGenerator(seed: 72)
        let reference = Self.reference(Self.rows(5_000, power: 1, &random))
        let turned = PerformanceFixture.binary(Self.rows(2_000, power: 1, &random).map { ($0.0, !$0.1) })
        let estimate = try #require(
            reference.estimates(turned, segment: .all, threshold: 0.5).first { $0.metric == .estimated_auroc })
        let truth = try #require(turned.metrics[.auroc])
        #expect(estimate.low > truth + 0.3)
    }

    @Test func `a calibration never falls as the score rises, and gives the reference's own rates`() throws {
        var random = SeededGenerator(seed: 73)
        let rows = Self.rows(3_000, power: 1, &random)
        let sketch = PerformanceFixture.binary(rows)
        let calibration = try #require(Calibration(sketch.scores))
        let chances = stride(from: 0.0, through: 1, by: 0.001).map { calibration.chance($0) }
        #expect(zip(chances, chances.dropFirst()).allSatisfy { $0 <= $1 })
        let expected = rows.reduce(0) { $0 + calibration.chance($1.0) }
        #expect(abs(expected - Double(sketch.positives)) < 1e-6 * expected)
    }

    @Test func `without both classes in the reference nothing is estimated`() {
        let reference = Self.reference((0..<100).map { (Double($0) / 100, false) })
        let window = PerformanceFixture.binary([(0.4, false), (0.6, true)])
        #expect(reference.estimates(window, segment: .all, threshold: 0.5).isEmpty)
    }

    /// Rows of three classes whose scores are surer than they may be.
    /// - Parameter tilt: how much more often than chance the first class is likely.
    private static func classes(
        _ n: Int, tilt: Double = 0, _ random: inout SeededGenerator
    ) -> PerformanceSketch {
        let names = ["cat", "dog", "owl"]
        var sketch = PerformanceSketch(.multiclass)
        for _ in 0..<n {
            var chances = names.indices.map { _ in -log(Double.random(in: 0.001..<1, using: &random)) }
            chances[0] += tilt
            let sum = chances.reduce(0, +)
            chances = chances.map { $0 / sum }
            let sharp = chances.map { $0 * $0 }
            let scores = sharp.map { $0 / sharp.reduce(0, +) }
            let draw = Double.random(in: 0..<1, using: &random)
            let label = draw < chances[0] ? "cat" : draw < chances[0] + chances[1] ? "dog" : "owl"
            let predicted = names[scores.indices.max { scores[$0] < scores[$1] } ?? 0]
            sketch.add(prediction: nil)
            sketch.add(PerformancePair(.classes(predicted: predicted, label: label), delay: .zero))
            sketch.classScores.add(Array(zip(names, scores)), chosen: predicted, label: label)
        }
        return sketch
    }

    private static let classPairs: [(estimate: Metric, truth: Metric)] = [
        (.estimated_accuracy, .accuracy), (.estimated_precision, .precision), (.estimated_recall, .recall),
        (.estimated_f1, .f1),
    ]

    @Test func `for many classes each class is calibrated against the others, and estimates hold the truth`()
        async throws
    {
        try await blocking {
            var random = SeededGenerator(seed: 75)
            let reference = PerformanceReference(
                task: .multiclass, groups: [.all: Self.classes(10_000, &random)], errors: nil)
            var inside: [Metric: Int] = [:]
            for _ in 0..<200 {
                let window = Self.classes(500, &random)
                let truth = window.metrics
                for found in reference.estimates(window, segment: .all, threshold: 0.5) {
                    guard let pair = Self.classPairs.first(where: { $0.estimate == found.metric }),
                        let value = truth[pair.truth]
                    else { continue }
                    inside[found.metric, default: 0] += found.low <= value && value <= found.high ? 1 : 0
                }
            }
            for (metric, _) in Self.classPairs {
                #expect(inside[metric] ?? 0 >= 180, "\(metric): \(inside[metric] ?? 0) of 200, seed \(random.seed)")
            }
        }
    }

    @Test func `an easier mix of classes is seen by the estimates before any label comes`() throws {
        var random = SeededGenerator(seed: 76)
        let reference = PerformanceReference(
            task: .multiclass, groups: [.all: Self.classes(10_000, &random)], errors: nil)
        let before = try #require(reference.metrics(of: .all)[.accuracy])
        let window = Self.classes(5_000, tilt: 6, &random)
        let truth = try #require(window.metrics[.accuracy])
        let found = try #require(
            reference.estimates(window, segment: .all, threshold: 0.5).first { $0.metric == .estimated_accuracy })
        #expect(truth > before + 0.1 && abs(found.value - truth) < 0.04, "\(before) \(truth) \(found.value)")
    }

    @Test func `a class without labelled rows in the reference leaves nothing to estimate with`() {
        var rows = PerformanceSketch(.multiclass)
        for i in 0..<100 {
            let label = i % 2 == 0 ? "cat" : "dog"
            rows.add(PerformancePair(.classes(predicted: label, label: label), delay: .zero))
            rows.classScores.add([("cat", 0.4), ("dog", 0.4), ("owl", 0.2)], chosen: label, label: label)
        }
        let reference = PerformanceReference(task: .multiclass, groups: [.all: rows], errors: nil)
        #expect(reference.estimates(rows, segment: .all, threshold: 0.5).isEmpty)
    }

    @Test func `a regression model's mean error is estimated from the values it predicts`() throws {
        var random = SeededGenerator(seed: 74)
        func pair() -> (value: Double, label: Double) {
            let value = Double.random(in: 0..<100, using: &random)
            // The error grows with the value.
            return (value, value + Double.random(in: -1...1, using: &random) * value / 10)
        }
        let curve = try #require(ErrorCurve((0..<4_000).map { _ in pair() }))
        var inside = 0
        for _ in 0..<100 {
            var window = ScoreCounts()
            var truth = 0.0
            for _ in 0..<300 {
                var drawn = pair()
                while drawn.value < 60 { drawn = pair() }
                window.add(drawn.value, predictions: 1)
                truth += abs(drawn.value - drawn.label) / 300
            }
            let estimate = try #require(curve.estimates(window).first)
            inside += estimate.low <= truth && truth <= estimate.high ? 1 : 0
        }
        #expect(inside >= 88, "\(inside) of 100, seed \(random.seed)")
    }
}
