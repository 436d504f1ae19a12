import Statistics

#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

/// What a detector looks for in the counts of a window, and how counts speak for it.
///
/// Every kind works on counts that add up over segments, so "this segment without that one" is a subtraction:
/// a shift on histograms, a rate on `[others, hits]`, a volume on `[rows]` against `[expected rows]`.
package enum Watch: Sendable, Hashable, Codable {
    /// The histogram is another one. Ordered bins are also watched for small moves in one direction.
    case shift(isOrdered: Bool)
    /// The share of hits is larger, or smaller, than the reference's.
    case rate(isRise: Bool)
    /// Fewer rows than expected, or more.
    case volume(isDrop: Bool)

    /// The counts of one span of time, the reference's (or what was expected) first.
    package struct Counts: Sendable, Hashable, Codable {
        package var reference: [Double]
        package var current: [Double]
        package var rows: Double { current.reduce(0, +) }

        package init(reference: [Double], current: [Double]) {
            self.reference = reference
            self.current = current
        }
    }

    /// ln of the e-value of a window, `nil` where it is too small to say anything.
    ///
    /// - Parameter ofReference: what the wobble adds to the variance of the reference, which no time averages out.
    func logE(_ counts: Counts, wobble: Double, ofReference: Double = 0, dispersion: Double) -> Double? {
        switch self {
        case .shift(let isOrdered):
            TestBins(reference: counts.reference, current: counts.current, isOrdered: isOrdered).map {
                ShiftEvidence.logE($0, wobble: wobble, ofReference: ofReference)
            }
        case .rate(let isRise):
            Rate(counts).map {
                RateEvidence.logE(
                    count: $0.hits, of: $0.n, reference: $0.referenceHits, of: $0.m, correlation: wobble,
                    ofReference: ofReference, isRise: isRise)
            }
        case .volume(let isDrop):
            counts.reference[0] >= 5
                ? VolumeEvidence.logE(
                    rows: counts.current[0], expected: counts.reference[0], dispersion: dispersion, isDrop: isDrop)
                : nil
        }
    }

    /// ln of the e-value that the change of which `changed` has the windows is over. A volume knows no change but its own levels.
    func backLogE(_ counts: Counts, changed: Counts, wobble: Double) -> Double {
        switch self {
        case .rate(let isRise):
            RateEvidence.backLogE(counts, changed: changed, wobble: wobble, isRise: isRise)
        case .shift, .volume: ShiftEvidence.backLogE(counts, changed: changed, wobble: wobble)
        }
    }

    /// −ln p of a merged span: how sure it is that something moved. 0 where nothing can be said.
    func surprise(_ counts: Counts, wobble: Double, dispersion: Double) -> Double {
        switch self {
        case .shift(let isOrdered):
            return TestBins(reference: counts.reference, current: counts.current, isOrdered: isOrdered).map {
                ShiftEvidence.surprise($0, wobble: wobble)
            } ?? 0
        case .rate:
            guard let r = Rate(counts) else { return 0 }
            let psi = ShiftEvidence.psi(counts.reference, counts.current)
            return ShiftEvidence.logSurvival(psi / (1 / r.n + 1 / r.m + wobble), degrees: 1)
        case .volume:
            let (n, expected) = (counts.current[0], counts.reference[0])
            guard expected > 0 else { return 0 }
            let deviance = n > 0 ? SpecialFunctions.deviance(n, expected) : expected
            return ShiftEvidence.logSurvival(2 * deviance / max(1, dispersion), degrees: 1)
        }
    }

    /// How large the change is, less what chance explains: PSI in nats; a difference of rates, positive in the watched
    /// direction; the share of the expected rows that is missing or too many.
    func effect(_ counts: Counts, wobble: Double) -> Double {
        switch self {
        case .shift(let isOrdered):
            return TestBins(reference: counts.reference, current: counts.current, isOrdered: isOrdered).map {
                ShiftEvidence.debiased($0, wobble: wobble)
            } ?? 0
        case .rate(let isRise):
            guard let r = Rate(counts, leastRows: 1) else { return 0 }
            return (r.hits / r.n - r.referenceHits / r.m) * (isRise ? 1 : -1)
        case .volume(let isDrop):
            guard counts.reference[0] > 0 else { return 0 }
            return (counts.current[0] / counts.reference[0] - 1) * (isDrop ? -1 : 1)
        }
    }

    /// How large the change is at least: the effect less so many standard errors where the rows are a sample of a histogram.
    ///
    /// T = PSI/(1/n + 1/m + τ²) is a noncentral χ² with variance 2(k + 2λ). Without this, of a thousand streams that wander
    /// under a rule's number, the luckiest passes it.
    func leastEffect(_ counts: Counts, wobble: Double, errors: Double = 1) -> Double {
        let effect = effect(counts, wobble: wobble)
        guard case .shift(let isOrdered) = self,
            let bins = TestBins(reference: counts.reference, current: counts.current, isOrdered: isOrdered)
        else { return effect }
        let scale = 1 / bins.n + 1 / bins.m + wobble
        return max(0, effect - errors * scale * (2 * (bins.degrees + 2 * effect / scale)).squareRoot())
    }

    /// Whether the change is worth telling of at all, whatever a rule's number is.
    func isWorthTelling(_ counts: Counts) -> Bool {
        switch self {
        case .shift: return true
        case .rate(let isRise):
            guard let r = Rate(counts, leastRows: 1) else { return false }
            let (p, q) = (r.referenceHits / r.m, r.hits / r.n)
            let sign = isRise ? 1.0 : -1.0
            return sign * RateEvidence.effect(p, q) >= RateEvidence.leastEffect
                && sign * (q - p) >= RateEvidence.leastDifference
        case .volume(let isDrop):
            return isDrop
                ? counts.current[0] < 0.6 * counts.reference[0] : counts.current[0] > 1.67 * counts.reference[0]
        }
    }

    /// The change as a direction in the space of bins, for asking whether two segments move alike.
    func direction(_ counts: Counts) -> [Double] {
        if case .volume = self { return [counts.current[0] - counts.reference[0]] }
        let n = max(counts.rows, 1e-9)
        let m = max(counts.reference.reduce(0, +), 1e-9)
        return zip(counts.reference, counts.current).map { $1 / n - $0 / m }
    }

    /// 1 where two directions are one, −1 where they are opposite.
    static func cosine(_ a: [Double], _ b: [Double]) -> Double {
        func dot(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }
        let size = (dot(a, a) * dot(b, b)).squareRoot()
        return size > 0 ? dot(a, b) / size : 0
    }

    private struct Rate {
        let hits: Double
        let n: Double
        let referenceHits: Double
        let m: Double

        /// - Parameter leastRows: fewer say nothing of how sure a change is; how large it seems they say anyway.
        init?(_ counts: Counts, leastRows: Double = TestBins.minimumRows) {
            n = counts.rows
            m = counts.reference.reduce(0, +)
            guard counts.current.count == 2, n >= leastRows, m >= TestBins.minimumReference else {
                return nil
            }
            hits = counts.current[1]
            // A rate the reference never saw is not known to be 0.
            referenceHits = counts.reference[1]
        }
    }
}
