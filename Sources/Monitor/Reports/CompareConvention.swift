import Foundation
import Statistics

/// Other tools' formulas, for people who switch and want the numbers they know.
///
/// Names stay ours, so `js_distance` is a Jensen–Shannon distance and `kl_reversed` is KL(reference ‖ current) in every
/// convention; a tool's number stands under the name of what it is. What a tool does not compute is absent, and the
/// verdict (`drifted`) is always ours. All leave out nulls and non-finite values first.
///
/// - `evidently` (0.7.23, `evidently.legacy.calculations.stattests`): numeric columns with more than 20 distinct
///   reference values have numpy's Sturges bins of both sides together, others a bin for each value. `psi` and
///   `kl_reversed` (its `kl_div`) put 0.0001 in place of an empty bin's share, or a millionth of the smallest share where
///   that is no larger than 0.0001. `js_distance` is the root of the divergence in nats, so at most 0.833.
///   `wasserstein_normed` (its `wasserstein`) divides by the reference's population deviation, at least 0.001.
///   `hellinger` takes Sturges bins of the distinct values. `ks_p` is scipy's. `chi2` is the test of fit to the
///   reference's shares (its `chisquare` gives `chi2_p`; a category the reference never had makes that 0). Its TVD and
///   energy tests give p-values of random permutations, which nothing can reproduce.
/// - `nannyml` (0.13.1, `nannyml.drift.univariate`): numeric `js_distance` (base 2) and `hellinger` have Doane's bins of the
///   reference, and one more for current values outside them. `ks` and `wasserstein` are exact for references under
///   10,000 values and of 10,000 equal bins from there on. Categorical `js_distance` and `hellinger` have one bin for
///   all categories the reference never had, `l_infinity` and `chi2` one for each; `chi2` is Yates-corrected where there
///   are two categories.
/// - `tfdv` (1.16.1): categorical `l_infinity` and `js` (base-2 divergence) with a bin for every category. Numeric columns
///   have nothing here: TFDV makes their histograms of an approximate quantile sketch, and its numbers depend on how
///   its rows were split among workers. With `--counts` the histograms are given and `js` is TFDV's.
package enum CompareConvention: String, CaseIterable, Sendable {
    case evidently, nannyml, tfdv

    func distances(numeric reference: CompareSamples, _ current: CompareSamples) -> [CompareMetric] {
        switch self {
        case .evidently: Self.evidently(numeric: reference, current)
        case .nannyml: Self.nannyml(numeric: reference, current)
        case .tfdv: []
        }
    }

    func distances(categorical reference: [String: UInt64], _ current: [String: UInt64]) -> [CompareMetric] {
        let known = reference.keys.sorted()
        let fresh = current.keys.filter { reference[$0] == nil }.sorted()
        let union = known + fresh
        let p = union.map { reference[$0] ?? 0 }
        let q = union.map { current[$0] ?? 0 }
        switch self {
        case .evidently: return Self.evidently(p, q, isNumeric: false)
        case .nannyml:
            let unseen = fresh.reduce(UInt64(0)) { $0 + (current[$1] ?? 0) }
            let inKnown = Array(q.prefix(known.count)) + [unseen]
            return Self.nannyml(p, q, leftOver: (Array(p.prefix(known.count)) + [0], inKnown), isNumeric: false)
        case .tfdv: return Self.tfdv(p, q, isNumeric: false)
        }
    }

    /// The distances that need no more than two histograms over the same bins.
    func distances(bins reference: [UInt64], _ current: [UInt64], isNumeric: Bool) -> [CompareMetric] {
        switch self {
        case .evidently: Self.evidently(reference, current, isNumeric: isNumeric)
        case .nannyml: Self.nannyml(reference, current, leftOver: (reference, current), isNumeric: isNumeric)
        case .tfdv: Self.tfdv(reference, current, isNumeric: isNumeric)
        }
    }

    private static func tfdv(_ p: [UInt64], _ q: [UInt64], isNumeric: Bool) -> [CompareMetric] {
        let js = CompareMetric("js", Distances.js(p, q))
        return isNumeric ? [js] : [js, CompareMetric("l_infinity", Distances.lInfinity(p, q))]
    }
}

/// evidently's.
extension CompareConvention {
    private static let fewValues = 20

    fileprivate static func evidently(
        _ p: [UInt64], _ q: [UInt64], isNumeric: Bool
    ) -> [CompareMetric] {
        let bins = (filled(p), filled(q))
        var metrics = [
            CompareMetric("psi", both(bins) { a, b in psi(a, b) }),
            CompareMetric("kl_reversed", both(bins) { a, b in entropy(a, b) }),
            CompareMetric("js_distance", Distances.jsDivergence(p, q).map { $0.squareRoot() }),
            CompareMetric("hellinger", Distances.hellinger(p, q)),
        ]
        if !isNumeric {
            let chi2 = fit(p, q)
            metrics += [CompareMetric("chi2", chi2.statistic), CompareMetric("chi2_p", chi2.p)]
        }
        return metrics
    }

    fileprivate static func evidently(
        numeric reference: CompareSamples, _ current: CompareSamples
    ) -> [CompareMetric] {
        let x = reference.values
        let y = current.values
        guard !x.isEmpty, !y.isEmpty else {
            return ["psi", "kl_reversed", "js_distance", "hellinger", "wasserstein_normed", "ks_p"].map {
                CompareMetric($0, nil)
            }
        }
        let all = (x + y).sorted()
        let distinct = NumpyBins.distinct(all)
        // A whole-number column without nulls is an integer column to pandas, and numpy then makes no bin narrower
        // than 1.
        let isInteger = reference.nulls + current.nulls == 0 && distinct.allSatisfy { $0 == $0.rounded() }
        var p: [UInt64]
        var q: [UInt64]
        if NumpyBins.distinct(x).count > fewValues {
            let bins = NumpyBins.sturges(all, isInteger: isInteger)
            p = bins.histogram(x)
            q = bins.histogram(y)
        } else {
            // A bin ends with each value.
            p = reference.histogram(distinct)
            q = current.histogram(distinct)
            p.removeLast()
            q.removeLast()
        }
        var metrics = evidently(p, q, isNumeric: true).filter { $0.name != "hellinger" }
        let bins = NumpyBins.sturges(distinct, isInteger: isInteger)
        let deviation = max(reference.standardDeviation(freedom: 0) ?? 0, 0.001)
        metrics += [
            CompareMetric("hellinger", Distances.hellinger(bins.histogram(x), bins.histogram(y))),
            CompareMetric("wasserstein_normed", Samples.wasserstein(x, y).map { $0 / deviation }),
            CompareMetric("ks_p", CompareSamples.ks(reference, current, exactDespiteTies: true)?.p),
        ]
        return metrics
    }

    /// Shares with the fill in place of zeros, not made to add up to 1 again.
    private static func filled(_ counts: [UInt64]) -> [Double]? {
        guard let shares = Smoothing.none.proportions(counts), let least = shares.filter({ $0 > 0 }).min() else {
            return nil
        }
        let fill = least <= 0.0001 ? least / 1e6 : 0.0001
        return shares.map { $0 == 0 ? fill : $0 }
    }

    private static func both(_ bins: ([Double]?, [Double]?), _ body: ([Double], [Double]) -> Double) -> Double? {
        guard let p = bins.0, let q = bins.1 else { return nil }
        return body(p, q)
    }

    private static func psi(_ p: [Double], _ q: [Double]) -> Double {
        zip(p, q).reduce(0) { $0 + ($1.0 - $1.1) * log($1.0 / $1.1) }
    }

    /// scipy's `entropy(p, q)`: KL(p ‖ q), both made to add up to 1 first.
    private static func entropy(_ p: [Double], _ q: [Double]) -> Double {
        let m = p.reduce(0, +)
        let n = q.reduce(0, +)
        return max(0, zip(p, q).reduce(0) { $0 + $1.0 / m * log(($1.0 / m) / ($1.1 / n)) })
    }

    /// The test of fit of the current counts to the reference's shares.
    private static func fit(_ p: [UInt64], _ q: [UInt64]) -> (statistic: Double?, p: Double?) {
        let m = p.reduce(0.0) { $0 + Double($1) }
        let n = q.reduce(0.0) { $0 + Double($1) }
        guard m > 0, n > 0 else { return (nil, nil) }
        var sum = 0.0
        for (a, b) in zip(p, q) where a > 0 || b > 0 {
            guard a > 0 else { return (nil, 0) }
            let expected = Double(a) * (n / m)
            sum += (Double(b) - expected) * (Double(b) - expected) / expected
        }
        let filled = zip(p, q).count { $0 > 0 || $1 > 0 }
        return (sum, SpecialFunctions.chiSquareSurvival(sum, degrees: Double(filled - 1)))
    }
}

/// nannyml's.
extension CompareConvention {
    /// References from this size on are binned.
    private static let estimatedFrom = 10_000

    fileprivate static func nannyml(
        _ p: [UInt64], _ q: [UInt64], leftOver: ([UInt64], [UInt64]), isNumeric: Bool
    ) -> [CompareMetric] {
        var metrics = [
            CompareMetric("js_distance", Distances.js(leftOver.0, leftOver.1).map { $0.squareRoot() }),
            CompareMetric("hellinger", Distances.hellinger(leftOver.0, leftOver.1)),
        ]
        if !isNumeric {
            let chi2 = yates(p, q)
            metrics += [
                CompareMetric("l_infinity", Distances.lInfinity(p, q)), CompareMetric("chi2", chi2?.statistic),
                CompareMetric("chi2_p", chi2?.p),
            ]
        }
        return metrics
    }

    fileprivate static func nannyml(
        numeric reference: CompareSamples, _ current: CompareSamples
    ) -> [CompareMetric] {
        let x = reference.values
        let y = current.values
        guard !x.isEmpty, !y.isEmpty else {
            return ["js_distance", "hellinger", "ks", "wasserstein"].map { CompareMetric($0, nil) }
        }
        let bins = NumpyBins.doane(x)
        let inside = bins.histogram(y)
        let outside = UInt64(y.count) - inside.reduce(0, &+)
        let p = bins.histogram(x) + [0]
        var metrics = nannyml(p, inside + [outside], leftOver: (p, inside + [outside]), isNumeric: true)
        if x.count < estimatedFrom {
            metrics += [
                CompareMetric("ks", CompareSamples.ks(reference, current)?.distance),
                CompareMetric("wasserstein", Samples.wasserstein(x, y)),
            ]
        } else {
            let estimated = NannymlEstimate(x, y)
            metrics += [CompareMetric("ks", estimated.ks), CompareMetric("wasserstein", estimated.wasserstein)]
        }
        return metrics
    }

    /// scipy's `chi2_contingency` as it comes: with Yates' correction for two categories.
    private static func yates(_ p: [UInt64], _ q: [UInt64]) -> (statistic: Double, p: Double)? {
        let m = p.reduce(0.0) { $0 + Double($1) }
        let n = q.reduce(0.0) { $0 + Double($1) }
        guard m > 0, n > 0 else { return nil }
        let table = zip(p, q).filter { $0 > 0 || $1 > 0 }
        var sum = 0.0
        for (a, b) in table {
            let both = Double(a) + Double(b)
            for (count, total) in [(Double(a), m), (Double(b), n)] {
                let expected = both * (total / (m + n))
                var d = abs(count - expected)
                if table.count == 2 { d -= min(0.5, d) }
                sum += d * d / expected
            }
        }
        return (sum, SpecialFunctions.chiSquareSurvival(sum, degrees: Double(table.count - 1)))
    }
}
