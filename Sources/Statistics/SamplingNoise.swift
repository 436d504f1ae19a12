#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

/// How far a metric can be trusted at these row counts: an interval for what it estimates, and what it would be by chance.
///
/// - Divergences (`psi`, `kl`, `js` and their kin): without drift D / (c·h) is χ² with k = filled bins − 1 degrees of freedom, h = 1/n + 1/m,
///   c = 1 for `psi`, ½ for `kl`, ⅛ for `js` in nats and for the square of `hellinger`; with drift it is noncentral χ². The interval is that of
///   the shift itself, D − c·k·h ± 1.96·sd with the variance c²·2k·h² of the null and, for the rest, the delta method's
///   (Serfling 1980, 3.3): where the shift is small the two add up to the variance of the noncentral χ². Cut at 0. The value itself lies above
///   the middle of its interval by `expected`, which sampling adds.
/// - `tvd`: the delta method; by chance ½ Σ |N(0, p·(1 − p)·h)|. `ks`: its two binomial errors at the largest gap; by chance Kolmogorov's
///   limit law, mean 0.8687·√h and 95% point 1.3581·√h.
/// - Rates: Wilson's interval (1927); by chance the reference's rate and its 95% point under the errors of both sides.
/// - `mean`: ± 1.96·sd/√n.
package struct SamplingNoise: Sendable, Hashable {
    /// Where the true value lies in 95 of 100 such samples.
    package let interval: ClosedRange<Double>?
    /// The value to be expected without drift.
    package let expected: Double?
    /// What 95 of 100 windows without drift stay below.
    package let upper: Double?

    package static let none = SamplingNoise(interval: nil, expected: nil, upper: nil)

    static let z = 1.959963984540054
    private static let zOneSided = 1.6448536269514722

    package init(interval: ClosedRange<Double>?, expected: Double?, upper: Double?) {
        self.interval = interval
        self.expected = expected
        self.upper = upper
    }

    /// `none` for metrics whose law is not known here (quantiles, counts, p-values).
    package init(_ metric: Metric, in row: SnapshotRow) {
        guard let value = row.metrics[metric] else {
            self = .none
            return
        }
        let bins = row.comparison
        switch metric {
        case .psi_with_nulls:
            self = Self.divergence(
                metric, value, bins.reference + [bins.referenceNulls], bins.current + [bins.currentNulls])
        case .psi, .kl, .kl_reversed, .js, .js_divergence, .js_distance, .hellinger:
            self = Self.divergence(metric, value, bins.reference, bins.current)
        case .tvd: self = Self.variation(value, bins.reference, bins.current)
        case .ks: self = Self.kolmogorov(value, bins.reference, bins.current)
        case .null_rate, .invalid_rate:
            self = Self.rate(value, row.referenceMetrics[metric], Double(row.n), Double(row.referenceN))
        case .out_of_range_rate, .new_category_rate:
            self = Self.rate(value, row.referenceMetrics[metric], bins.current.total, bins.reference.total)
        case .mean: self = Self.mean(value, row)
        default: self = .none
        }
    }

    /// Wilson's score interval of `count` in `n`, at 95%.
    package static func wilson(_ count: Double, of n: Double) -> ClosedRange<Double>? {
        guard n > 0, count >= 0, count <= n else { return nil }
        let p = count / n
        let z2 = z * z / n
        let centre = (p + z2 / 2) / (1 + z2)
        let half = z / (1 + z2) * (p * (1 - p) / n + z2 / (4 * n)).squareRoot()
        return max(0, min(p, centre - half))...min(1, max(p, centre + half))
    }

    private static func rate(_ value: Double, _ before: Double?, _ n: Double, _ m: Double) -> SamplingNoise {
        guard n > 0 else { return .none }
        let interval = wilson((value * n).rounded(), of: n)
        guard let before, m > 0 else { return SamplingNoise(interval: interval, expected: nil, upper: nil) }
        // Half a row keeps a rate that was never seen from being taken as impossible.
        let p = (before * m + 0.5) / (m + 1)
        let error = (p * (1 - p) * (1 / n + 1 / m)).squareRoot()
        return SamplingNoise(interval: interval, expected: before, upper: min(1, p + zOneSided * error))
    }

    private static func mean(_ value: Double, _ row: SnapshotRow) -> SamplingNoise {
        let n = row.comparison.current.total
        guard n > 1, let sd = row.metrics[.sd] else { return .none }
        let half = z * sd / n.squareRoot()
        guard (value - half).isFinite, (value + half).isFinite else { return .none }
        return SamplingNoise(
            interval: value - half...value + half, expected: row.referenceMetrics[.mean], upper: nil)
    }

    private static func kolmogorov(_ value: Double, _ reference: [UInt64], _ current: [UInt64]) -> SamplingNoise {
        let (m, n) = (reference.total, current.total)
        guard m > 0, n > 0 else { return .none }
        var (f, g) = (0.0, 0.0)
        var worst = (gap: -1.0, f: 0.5, g: 0.5)
        for i in reference.indices {
            f += Double(reference[i]) / m
            g += Double(current[i]) / n
            if abs(f - g) > worst.gap { worst = (abs(f - g), f, g) }
        }
        let half = z * max(0, worst.f * (1 - worst.f) / m + worst.g * (1 - worst.g) / n).squareRoot()
        let scale = (1 / n + 1 / m).squareRoot()
        return SamplingNoise(
            interval: max(0, value - half)...min(1, value + half), expected: min(1, 0.8687 * scale),
            upper: min(1, 1.3581 * scale))
    }
}

extension SamplingNoise {
    private static func variation(_ value: Double, _ reference: [UInt64], _ current: [UInt64]) -> SamplingNoise {
        let (m, n) = (reference.total, current.total)
        guard m > 0, n > 0 else { return .none }
        var slope: [Double] = []
        var (mean, variance) = (0.0, 0.0)
        for i in reference.indices {
            let (p, q) = (Double(reference[i]) / m, Double(current[i]) / n)
            slope.append(q > p ? 0.5 : q < p ? -0.5 : 0)
            let pooled = Double(reference[i] + current[i]) / (m + n)
            let spread = pooled * (1 - pooled) * (1 / n + 1 / m)
            mean += 0.5 * (2 / Double.pi * spread).squareRoot()
            variance += 0.25 * spread * (1 - 2 / Double.pi)
        }
        let half = z * deltaVariance(reference, m, slope.map { -$0 }, current, n, slope).squareRoot()
        return SamplingNoise(
            interval: max(0, value - half)...min(1, value + half), expected: min(1, mean),
            upper: min(1, mean + zOneSided * variance.squareRoot()))
    }

    /// A divergence between two histograms, as twice differentiable functions of the proportions.
    private static func divergence(
        _ metric: Metric, _ value: Double, _ reference: [UInt64], _ current: [UInt64]
    ) -> SamplingNoise {
        let (m, n) = (reference.total, current.total)
        guard let p = Smoothing.jeffreys.proportions(reference), let q = Smoothing.jeffreys.proportions(current) else {
            return .none
        }
        let isRoot = metric == .js_distance || metric == .hellinger
        let c =
            switch metric {
            case .kl, .kl_reversed: 0.5
            case .js_divergence, .hellinger: 0.125
            case .js, .js_distance: 0.125 / log(2)
            default: 1.0
            }
        let k = Double(zip(reference, current).count { $0 > 0 || $1 > 0 } - 1)
        let h = 1 / n + 1 / m
        let shown = isRoot ? value * value : value
        let bias = c * k * h
        let shift = max(0, shown - bias)
        let slopes = zip(p, q).map { slope(metric, $0, $1) }
        let delta = deltaVariance(reference, m, slopes.map(\.p), current, n, slopes.map(\.q))
        // At the estimated shift the delta method counts the noise's own part too: only the rest is drift.
        let spread = (c * c * 2 * k * h * h + (shown > 0 ? delta * shift / shown : 0)).squareRoot()
        let most =
            metric == .psi || metric == .psi_with_nulls || metric == .kl || metric == .kl_reversed
            ? Double.infinity : metric == .js_divergence ? log(2) : 1
        func end(_ x: Double) -> Double {
            let cut = min(most, max(0, x))
            return isRoot ? cut.squareRoot() : cut
        }
        let upper = c * h * SpecialFunctions.chiSquareQuantile(0.95, degrees: k)
        // The mean of a root of χ²: √2·Γ((k+1)/2)/Γ(k/2).
        let rootMean =
            k > 0
            ? 2.0.squareRoot() * exp(SpecialFunctions.logGamma((k + 1) / 2) - SpecialFunctions.logGamma(k / 2)) : 0
        return SamplingNoise(
            interval: end(shown - bias - z * spread)...end(shown - bias + z * spread),
            expected: isRoot ? (c * h).squareRoot() * rootMean : bias, upper: end(upper))
    }

    /// ∂D/∂p and ∂D/∂q of one bin, of the square for the roots.
    private static func slope(_ metric: Metric, _ p: Double, _ q: Double) -> (p: Double, q: Double) {
        let ratio = log(q / p)
        let middle = (p + q) / 2
        switch metric {
        case .kl: return (-q / p, ratio + 1)
        case .kl_reversed: return (1 - ratio, -p / q)
        case .js_divergence: return (0.5 * log(p / middle), 0.5 * log(q / middle))
        case .js, .js_distance: return (0.5 * log2(p / middle), 0.5 * log2(q / middle))
        case .hellinger: return (-0.5 * (q / p).squareRoot(), -0.5 * (p / q).squareRoot())
        default: return (1 - ratio - q / p, 1 + ratio - p / q)
        }
    }

    /// Variance of a linear function of two multinomial proportions.
    private static func deltaVariance(
        _ reference: [UInt64], _ m: Double, _ a: [Double], _ current: [UInt64], _ n: Double, _ b: [Double]
    ) -> Double {
        func variance(_ counts: [UInt64], _ total: Double, _ slope: [Double]) -> Double {
            var (mean, square) = (0.0, 0.0)
            for (count, s) in zip(counts, slope) {
                let share = Double(count) / total
                mean += share * s
                square += share * s * s
            }
            return max(0, square - mean * mean) / total
        }
        return variance(reference, m, a) + variance(current, n, b)
    }
}
