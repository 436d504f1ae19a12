import Statistics
import Testing

@Suite struct StatisticsGoldenTests {
    let golden: StatisticsGolden

    init() throws { golden = try StatisticsGolden.load() }

    @Test func `distances over histograms agree with scipy`() {
        #expect(golden.histograms.count > 150)
        for (index, item) in golden.histograms.enumerated() {
            let p = item.reference
            let q = item.current
            func check(_ name: String, _ ours: Double?, absolute: Double = 1e-15) {
                guard let theirs = item.metrics[name] else {
                    Issue.record("no golden \(name)")
                    return
                }
                #expect(agree(ours, theirs, absolute: absolute), "case \(index) \(name) \(p) \(q)")
            }
            for smoothing in [Smoothing.jeffreys, .laplace, .floor(1e-4), .none] {
                let name = smoothing == .floor(1e-4) ? "floor(1e-4)" : smoothing.description
                check("psi " + name, Distances.psi(p, q, smoothing: smoothing))
                check("kl " + name, Distances.kl(p, q, smoothing: smoothing))
                check("kl_reversed " + name, Distances.kl(q, p, smoothing: smoothing))
            }
            check("js", Distances.js(p, q))
            check("js_divergence", Distances.jsDivergence(p, q))
            // The square root makes 1e-9 of what is 1e-17 before it.
            check("js_distance", Distances.js(p, q).map { $0.squareRoot() }, absolute: 1e-8)
            check("hellinger", Distances.hellinger(p, q))
            check("tvd", Distances.tvd(p, q))
            check("l_infinity", Distances.lInfinity(p, q))
            for merging in [false, true] {
                let table = Contingency(p, q, merging: merging)
                let suffix = merging ? " merged" : ""
                check("chi2" + suffix, table?.chi2, absolute: 1e-12)
                check("chi2_p" + suffix, table?.chi2P)
                check("cramers_v" + suffix, table?.cramersV, absolute: 1e-9)
                check("psi_p" + suffix, table?.psiP)
            }
        }
    }

    @Test func `statistics of raw samples agree with scipy`() {
        for (index, item) in golden.samples.enumerated() {
            let ks = Samples.ks(item.x, item.y)
            func check(_ name: String, _ ours: Double?, relative: Double = 1e-9) {
                guard let theirs = item.metrics[name] else {
                    Issue.record("no golden \(name)")
                    return
                }
                #expect(agree(ours, theirs, relative: relative), "case \(index) \(name)")
            }
            check("ks", ks?.statistic)
            check("ks_p", ks?.p, relative: 1e-6)
            check(
                "ks_p asymptotic",
                ks.flatMap { Samples.asymptoticP($0.statistic, Double(item.x.count), Double(item.y.count)) },
                relative: 1e-6)
            check("wasserstein", Samples.wasserstein(item.x, item.y))
            check("energy", Samples.energyDistance(item.x, item.y))
            if item.x.count > 1, item.y.count > 1 {
                check("cramer_von_mises", Samples.cramerVonMises(item.x, item.y))
            }
            check("anderson_darling", Samples.andersonDarling(item.x, item.y))
        }
    }

    @Test func `quantiles are numpy's bit for bit`() {
        for item in golden.quantiles {
            for (probability, value) in zip(item.at, item.values) {
                #expect(Samples.quantile(sorted: item.x, probability) == value, "\(item.x) at \(probability)")
            }
        }
    }

    @Test func `edges of equal mass have no duplicates`() {
        #expect(Samples.quantileEdges(sorted: (0...10).map(Double.init), bins: 10) == (1...9).map(Double.init))
        #expect(Samples.quantileEdges(sorted: [0, 0, 0, 0, 1], bins: 4) == [0])
        #expect(Samples.quantileEdges(sorted: [7], bins: 10) == [7])
        #expect(Samples.quantileEdges(sorted: [], bins: 10) == [])
    }

    @Test func `distributions agree with scipy`() {
        func check(_ name: String, relative: Double, _ ours: ([Double]) -> Double) {
            let rows = golden.functions[name] ?? []
            #expect(!rows.isEmpty)
            for row in rows {
                let value = ours(row)
                #expect(agree(value, row.last, relative: relative, absolute: 1e-300), "\(name) \(row): \(value)")
            }
        }
        check("chi2_sf", relative: 1e-11) { SpecialFunctions.chiSquareSurvival($0[0], degrees: $0[1]) }
        check("chi2_isf", relative: 1e-11) { SpecialFunctions.chiSquareUpperQuantile($0[0], degrees: $0[1]) }
        check("normal_cdf", relative: 1e-12) { SpecialFunctions.normalCDF($0[0]) }
        check("normal_quantile", relative: 1e-12) { SpecialFunctions.normalQuantile($0[0]) }
        check("kolmogorov", relative: 1e-12) { Kolmogorov.survival($0[0]) }
        check("kstwo", relative: 1e-6) { Kolmogorov.survival($0[0], n: UInt64($0[1])) }
    }
}
