import Sketches
import Statistics
import TestSupport
import Testing

/// What must hold for any input, however odd.
@Suite struct StatisticsPropertyTests {
    private static let symmetric: [Metric] = [
        .psi, .psi_with_nulls, .psi_p, .js, .js_divergence, .js_distance, .hellinger, .tvd, .l_infinity, .chi2, .chi2_p,
        .cramers_v, .ks, .ks_p, .ks_error, .wasserstein,
    ]
    private static let smoothings: [Smoothing] = [.jeffreys, .laplace, .floor(1e-4), .none]

    /// A numeric column with tails, single-value bins and ordinary bins.
    static let numeric: Layout.Column = {
        var edges: [Double] = [-10]
        for value in stride(from: -3.0, through: 3, by: 0.5) { edges += [value.nextDown, value] }
        edges += [4, 8, 100]
        return Layout(columns: [("x", .numeric(NumericBins(edges: edges), exponent: 20))]).columns[0]
    }()
    static let cuts = [2, 6, 10, 14, 18, 24]

    static func profile(_ values: [Double], nulls: UInt64 = 0) -> ColumnProfile {
        guard case .numeric(let bins, let exponent) = numeric.bins else { preconditionFailure("numeric") }
        var profile = ColumnProfile(
            bins: [UInt64](repeating: 0, count: bins.count), null: nulls, moments: Moments())
        for value in values {
            profile.bins[bins.index(of: value)] += 1
            profile.moments?.add(value, scale: Moments.scale(exponent: exponent))
        }
        return profile
    }

    private static func values(_ random: inout SeededGenerator) -> [Double] {
        let count = [0, 1, 2, 5, 40, 300].randomElement(using: &random) ?? 0
        let shape = Int.random(in: 0..<5, using: &random)
        return (0..<count).map { _ in
            switch shape {
            case 0: Double.random(in: -4...4, using: &random)
            case 1: Double(Int.random(in: -2...2, using: &random))
            case 2: 1.5
            case 3: [-1e308, 1e308, Double.leastNonzeroMagnitude, -0.0, 0].randomElement(using: &random) ?? 0
            default: 50 + Double.random(in: 0...1000, using: &random)
            }
        }
    }

    @Test func `no metric is ever NaN or infinite, and shares stay within bounds`() {
        var random = SeededGenerator(seed: 1)
        for round in 0..<2_000 {
            let reference = Self.profile(Self.values(&random), nulls: UInt64.random(in: 0...3, using: &random))
            let current = Self.profile(Self.values(&random), nulls: UInt64.random(in: 0...3, using: &random))
            for smoothing in Self.smoothings {
                let result = columnMetrics(
                    column: Self.numeric, cuts: Self.cuts, reference: reference, current: current, smoothing: smoothing)
                for (metric, value) in result.metrics.present {
                    #expect(value.isFinite, "seed \(random.seed) round \(round) \(metric)")
                    if metric.isDistance { #expect(value >= 0, "seed \(random.seed) round \(round) \(metric)") }
                    switch metric {
                    case .ks, .ks_p, .ks_error, .js, .js_distance, .hellinger, .tvd, .l_infinity, .chi2_p, .psi_p,
                        .cramers_v, .null_rate, .out_of_range_rate:
                        #expect((0...1).contains(value), "seed \(random.seed) round \(round) \(metric) \(value)")
                    default: break
                    }
                }
                if reference.valid == 0 || current.valid == 0 { #expect(result.metrics[.ks] == nil) }
            }
        }
    }

    @Test func `swapping window and reference leaves the symmetric metrics bit for bit the same`() {
        var random = SeededGenerator(seed: 2)
        for round in 0..<1_000 {
            let a = Self.profile(Self.values(&random), nulls: 1)
            let b = Self.profile(Self.values(&random), nulls: 2)
            for smoothing in Self.smoothings {
                let one = columnMetrics(
                    column: Self.numeric, cuts: Self.cuts, reference: a, current: b, smoothing: smoothing
                ).metrics
                let other = columnMetrics(
                    column: Self.numeric, cuts: Self.cuts, reference: b, current: a, smoothing: smoothing
                ).metrics
                for metric in Self.symmetric {
                    #expect(one[metric] == other[metric], "seed \(random.seed) round \(round) \(metric)")
                }
                #expect(one[.kl] == other[.kl_reversed])
            }
        }
    }

    @Test func `identical samples are at distance zero exactly`() {
        var random = SeededGenerator(seed: 3)
        for _ in 0..<500 {
            let profile = Self.profile(Self.values(&random), nulls: 1)
            guard profile.valid > 0 else { continue }
            for smoothing in Self.smoothings {
                let metrics = columnMetrics(
                    column: Self.numeric, cuts: Self.cuts, reference: profile, current: profile, smoothing: smoothing
                ).metrics
                for metric in Metric.allCases where metric.isDistance && metric != .chi2 && metric != .cramers_v {
                    #expect(metrics[metric] == 0, "seed \(random.seed) \(metric)")
                }
                #expect(metrics[.chi2] == 0)
                #expect(metrics[.ks_p] == 1)
            }
        }
    }

    @Test func `samples that do not overlap are at distance one exactly`() throws {
        let metrics = columnMetrics(
            column: Self.numeric, cuts: Self.cuts, reference: Self.profile((0..<77).map { -3 + Double($0) / 100 }),
            current: Self.profile((0..<31).map { 2.6 + Double($0) / 100 }), smoothing: .jeffreys
        ).metrics
        for metric in [Metric.ks, .tvd, .hellinger, .js, .js_distance] { #expect(metrics[metric] == 1) }
        #expect(metrics[.ks_error] == 0)
    }

    @Test func `what binning hides from ks is within ks_error`() throws {
        var random = SeededGenerator(seed: 4)
        for round in 0..<500 {
            let a = Self.values(&random)
            let b = Self.values(&random)
            guard let exact = Samples.ks(a, b)?.statistic else { continue }
            let metrics = columnMetrics(
                column: Self.numeric, cuts: Self.cuts, reference: Self.profile(a), current: Self.profile(b),
                smoothing: .jeffreys
            ).metrics
            let binned = try #require(metrics[.ks])
            let error = try #require(metrics[.ks_error])
            #expect(binned <= exact + 1e-12, "seed \(random.seed) round \(round)")
            #expect(exact <= binned + error + 1e-12, "seed \(random.seed) round \(round)")
        }
    }

    @Test func `values with bins of their own lose nothing`() throws {
        var random = SeededGenerator(seed: 5)
        func draw() -> [Double] {
            (0..<Int.random(in: 1...200, using: &random)).map { _ in Double(Int.random(in: -6...6, using: &random)) / 2
            }
        }
        let probabilities: [(Metric, Double)] = [(.p01, 0.01), (.p25, 0.25), (.p50, 0.5), (.p90, 0.9), (.p99, 0.99)]
        for _ in 0..<300 {
            let a = draw()
            let b = draw()
            let metrics = columnMetrics(
                column: Self.numeric, cuts: Self.cuts, reference: Self.profile(a), current: Self.profile(b),
                smoothing: .jeffreys
            ).metrics
            #expect(agree(metrics[.ks], Samples.ks(a, b)?.statistic))
            #expect(metrics[.ks_error] == 0)
            #expect(agree(metrics[.wasserstein], Samples.wasserstein(a, b), absolute: 1e-12))
            for (metric, probability) in probabilities {
                #expect(agree(metrics[metric], Samples.quantile(sorted: b.sorted(), probability)))
            }
        }
    }

    @Test(arguments: [(-3.0, 3.0), (-2.0, 120.0), (20.0, 21.0), (5.0, 1e6), (-9.0, -3.0), (-1e7, -1e3)])
    func `wasserstein is close where values spread evenly over wide bins and tails`(from: Double, to: Double) throws {
        let a = (0..<600).map { -3 + Double($0) / 100 }
        let b = (0..<997).map { from + (to - from) * Double($0) / 996 }
        let metrics = columnMetrics(
            column: Self.numeric, cuts: Self.cuts, reference: Self.profile(a), current: Self.profile(b),
            smoothing: .jeffreys
        ).metrics
        let exact = try #require(Samples.wasserstein(a, b))
        #expect(agree(metrics[.wasserstein], exact, relative: 0.01, absolute: 0.01))
        #expect(try #require(metrics[.wasserstein_normed]) > 0)
    }

    @Test func `absent metrics are equal to absent metrics`() {
        var a = MetricValues()
        var b = MetricValues()
        a[.psi] = -0.0
        b[.psi] = 0
        #expect(a == b)
        #expect(a.hashValue == b.hashValue)
        b[.kl] = .infinity
        #expect(a == b)
        b[.kl] = 1
        #expect(a != b)
    }

    @Test func `the order of merging changes no metric`() {
        var random = SeededGenerator(seed: 7)
        let layout = Layout(columns: [("x", Self.numeric.bins)])
        let reference = Self.profile((0..<500).map { _ in Double.random(in: -3...3, using: &random) })
        let panes = (0..<12).map { _ in
            var pane = Profile(layout)
            let column = Self.profile((0..<30).map { _ in Double.random(in: -4...9, using: &random) })
            pane.rows = 30
            for (i, count) in column.bins.enumerated() { pane.counts[i] = count }
            if let moments = column.moments { pane.moments[0] = moments }
            return pane
        }
        var seen: Set<MetricValues> = []
        for _ in 0..<20 {
            var window = Profile(layout)
            for pane in panes.shuffled(using: &random) { window.merge(pane) }
            let current = window.column(layout.columns[0])
            seen.insert(
                columnMetrics(
                    column: layout.columns[0], cuts: Self.cuts, reference: reference, current: current,
                    smoothing: .jeffreys
                ).metrics)
        }
        #expect(seen.count == 1)
    }

    @Test func `distributions are monotone and bounded`() {
        for n in [UInt64(1), 2, 3, 10, 139, 140, 141, 1_000, 2_000, 2_001, 5_000, 5_001, 100_000, 1 << 40] {
            var last = 1.0
            for i in 0...400 {
                let d = Double(i) / 400 * min(1, 8 / Double(n).squareRoot())
                let p = Kolmogorov.survival(d, n: n)
                #expect((0...1).contains(p))
                #expect(p <= last + 1e-6, "n \(n) d \(d)")
                last = p
            }
        }
        for degrees in [1.0, 7, 9, 120, 5_000] {
            for p in [1e-300, 1e-30, 1e-9, 0.05, 0.5, 0.95, 0.999_999] {
                let x = SpecialFunctions.chiSquareUpperQuantile(p, degrees: degrees)
                #expect(agree(SpecialFunctions.chiSquareSurvival(x, degrees: degrees), p, relative: 1e-9))
                let y = SpecialFunctions.chiSquareQuantile(p, degrees: degrees)
                #expect(agree(SpecialFunctions.chiSquareCDF(y, degrees: degrees), p, relative: 1e-9))
            }
        }
    }

    @Test func `huge counts neither trap nor overflow`() throws {
        let a: [UInt64] = [.max, .max, .max - 7]
        let b: [UInt64] = [.max, 3, .max / 2]
        for smoothing in Self.smoothings { #expect(try #require(Distances.psi(a, b, smoothing: smoothing)) > 0) }
        #expect(try #require(Contingency(a, b, merging: true)?.chi2P) == 0)
        #expect(try #require(Samples.asymptoticP(0.5, 1e19, 1e19)) == 0)
    }
}
