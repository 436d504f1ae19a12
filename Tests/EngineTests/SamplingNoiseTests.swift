import Statistics
import TestSupport
import Testing
import Values

/// Intervals are held against simulation: they must contain the truth as often as they say.
@Suite struct SamplingNoiseTests {
    private func draw(_ n: Int, _ shares: [Double], _ random: inout SeededGenerator) -> [UInt64] {
        var counts = [UInt64](repeating: 0, count: shares.count)
        for _ in 0..<n {
            var u = Double.random(in: 0..<1, using: &random)
            var bin = 0
            while bin < shares.count - 1, u >= shares[bin] {
                u -= shares[bin]
                bin += 1
            }
            counts[bin] += 1
        }
        return counts
    }

    private func row(_ reference: [UInt64], _ current: [UInt64], _ metric: Metric, _ value: Double?) -> SnapshotRow {
        var metrics = MetricValues()
        metrics[metric] = value
        let comparison = Comparison(
            edges: (1..<reference.count).map(Double.init), categories: [], reference: reference, current: current,
            referenceNulls: 0, currentNulls: 0)
        return SnapshotRow(
            version: "*", segment: .all, column: "x", kind: "numeric", n: current.reduce(0, +), null: 0,
            referenceN: reference.reduce(0, +), referenceSegment: .all, metrics: metrics,
            referenceMetrics: MetricValues(), comparison: comparison, common: comparison)
    }

    private static func distance(_ metric: Metric, _ p: [UInt64], _ q: [UInt64]) -> Double? {
        switch metric {
        case .psi: Distances.psi(p, q, smoothing: .jeffreys)
        case .kl: Distances.kl(p, q, smoothing: .jeffreys)
        case .js: Distances.js(p, q)
        case .js_divergence: Distances.jsDivergence(p, q)
        case .js_distance: Distances.js(p, q)?.squareRoot()
        case .hellinger: Distances.hellinger(p, q)
        case .tvd: Distances.tvd(p, q)
        default: nil
        }
    }

    private static let even = [Double](repeating: 0.1, count: 10)
    private static let tilted = [0.05, 0.06, 0.07, 0.08, 0.09, 0.11, 0.12, 0.13, 0.14, 0.15]
    private static let broken = [0.3, 0.2, 0.1, 0.1, 0.05, 0.05, 0.05, 0.05, 0.05, 0.05]

    private static let smooth: [Metric] = [.psi, .kl, .js, .js_divergence, .js_distance, .hellinger]

    @Test func `the interval contains the true distance in 95 of 100 windows`() async throws {
        try await blocking {
            var random = SeededGenerator(seed: 7)
            for (shares, n) in [(Self.tilted, 300), (Self.tilted, 1500), (Self.broken, 300), (Self.broken, 1500)] {
                let exact = { (s: [Double]) in s.map { UInt64(($0 * 1e9).rounded()) } }
                var inside: [Metric: Int] = [:]
                for _ in 0..<200 {
                    let p = self.draw(2000, Self.even, &random)
                    let q = self.draw(n, shares, &random)
                    for metric in Self.smooth {
                        let truth = try #require(Self.distance(metric, exact(Self.even), exact(shares)))
                        let noise = SamplingNoise(metric, in: self.row(p, q, metric, Self.distance(metric, p, q)))
                        if noise.interval?.contains(truth) == true { inside[metric, default: 0] += 1 }
                    }
                }
                // 190 expected, with a standard deviation of 3.
                for metric in Self.smooth {
                    #expect(
                        (180...199).contains(inside[metric] ?? 0),
                        "\(metric) at \(n) rows: \(inside[metric] ?? 0) of 200")
                }
            }
        }
    }

    @Test func `by chance is what windows without drift show`() async throws {
        try await blocking {
            var random = SeededGenerator(seed: 11)
            let metrics = Self.smooth + [.tvd]
            for n in [200, 1500] {
                var (sums, over): ([Metric: Double], [Metric: Int]) = ([:], [:])
                var noise: [Metric: SamplingNoise] = [:]
                for _ in 0..<400 {
                    let p = self.draw(2000, Self.even, &random)
                    let q = self.draw(n, Self.even, &random)
                    for metric in metrics {
                        let value = try #require(Self.distance(metric, p, q))
                        let own = SamplingNoise(metric, in: self.row(p, q, metric, value))
                        noise[metric] = own
                        sums[metric, default: 0] += value
                        if value > (own.upper ?? 0) { over[metric, default: 0] += 1 }
                    }
                }
                for metric in metrics {
                    let mean = (sums[metric] ?? 0) / 400
                    let expected = try #require(noise[metric]?.expected)
                    #expect(abs(mean / expected - 1) < 0.08, "\(metric) at \(n): \(mean), expected \(expected)")
                    #expect(
                        (8...36).contains(over[metric] ?? 0),
                        "\(metric) at \(n): \(over[metric] ?? 0) of 400 over the 95% point")
                }
            }
        }
    }

    @Test func `rates have Wilson's interval`() throws {
        // Wilson (1927), equation 6, computed apart in Python
        let interval = try #require(SamplingNoise.wilson(63, of: 100))
        #expect(abs(interval.lowerBound - 0.5322053) < 1e-6 && abs(interval.upperBound - 0.7181764) < 1e-6)
        let none = try #require(SamplingNoise.wilson(0, of: 50))
        #expect(none.lowerBound == 0 && abs(none.upperBound - 0.0713476) < 1e-6)
        #expect(SamplingNoise.wilson(1, of: 0) == nil)
    }

    @Test func `metrics without a known law say nothing`() {
        #expect(SamplingNoise(.p50, in: row([5, 5], [5, 5], .p50, 1)) == .none)
        #expect(SamplingNoise(.psi, in: row([5, 5], [5, 5], .psi, nil)) == .none)
        #expect(SamplingNoise(.psi, in: row([0, 0], [5, 5], .psi, 0.3)).interval == nil)
    }
}
