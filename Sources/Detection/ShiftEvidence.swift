import Statistics

#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

/// What a window's histogram says of a shift: PSI and its laws (detection.md, "E-detector").
package enum ShiftEvidence {
    /// The PSI that is nothing to report, and how much more the alternative has.
    package static let quietPSI = 0.05
    package static let shiftedPSI = 0.20

    /// PSI with Jeffreys' smoothing, in nats, of counts that need not be whole.
    package static func psi(_ reference: [Double], _ current: [Double]) -> Double {
        let half = Double(reference.count) / 2
        let m = reference.reduce(0, +) + half
        let n = current.reduce(0, +) + half
        guard m > 0, n > 0 else { return 0 }
        var sum = 0.0
        for (a, b) in zip(reference, current) {
            let p = (a + 0.5) / m
            let q = (b + 0.5) / n
            sum += (q - p) * log(q / p)
        }
        return max(0, sum)
    }

    /// What PSI is expected to be without a shift: k(1/n + 1/m + τ²).
    package static func noise(_ bins: TestBins, wobble: Double) -> Double {
        bins.degrees * (1 / bins.n + 1 / bins.m + wobble)
    }

    /// PSI less its expectation without a shift, at least 0.
    package static func debiased(_ bins: TestBins, wobble: Double) -> Double {
        max(0, psi(bins.reference, bins.current) - noise(bins, wobble: wobble))
    }

    /// −ln of the two-sample p-value of PSI, beyond where the p-value itself is still a number.
    package static func surprise(_ bins: TestBins, wobble: Double) -> Double {
        let scale = 1 / bins.n + 1 / bins.m + wobble
        return logSurvival(psi(bins.reference, bins.current) / scale, degrees: bins.degrees)
    }

    /// −ln P(χ²_k > x); past the range of a double by the first terms of its asymptotic expansion (A&S 26.4.12).
    static func logSurvival(_ x: Double, degrees: Double) -> Double {
        guard degrees > 0, x > 0 else { return 0 }
        let p = SpecialFunctions.chiSquareSurvival(x, degrees: degrees)
        if p > 1e-280 { return -log(p) }
        let a = degrees / 2
        return x / 2 - (a - 1) * log(x / 2) + SpecialFunctions.logGamma(a)
    }

    /// ln of the e-value of one window: the likelihood ratio of a noncentral χ² law at ψ1 against ψ0 of T = n_h·PSI,
    /// n_h = 1/(1/n + τ²).
    ///
    /// The reference's own sampling error does not average out over windows, so it widens the null, by the .99 quantile
    /// of what it adds, and does not enter n_h.
    ///
    /// - Parameter ofReference: τ² over the windows the reference is worth. Weather of a few weeks is not all weather.
    package static func logE(
        _ bins: TestBins, wobble: Double, ofReference: Double = 0, quiet: Double = quietPSI,
        shifted: Double = shiftedPSI
    ) -> Double {
        let k = bins.degrees
        let n = 1 / (1 / bins.n + wobble)
        let quiet = quiet + SpecialFunctions.chiSquareQuantile(0.99, degrees: k) * (1 / bins.m + ofReference)
        let l0 = n * quiet
        let l1 = n * (quiet + shifted - Self.quietPSI)
        let t = n * psi(bins.reference, bins.current)
        guard t > 0 else { return -(l1 - l0) / 2 }
        let order = k / 2 - 1
        return -(l1 - l0) / 2 + (k / 4 - 0.5) * log(l0 / l1)
            + LogBessel.logI(order, (l1 * t).squareRoot()) - LogBessel.logI(order, (l0 * t).squareRoot())
    }

    /// ln of the e-value that a change is over: the likelihood of a window's rows under its reference, by that under the change,
    /// which multiplies the share of each bin as it did in `changed`. It knows what the change looks like, so it needs far
    /// fewer rows than a distance does.
    ///
    /// Wobble between windows divides the evidence by the dispersion it gives them, 1 + n·τ² (quasi-likelihood).
    static func backLogE(_ counts: Watch.Counts, changed: Watch.Counts, wobble: Double) -> Double {
        guard counts.current.count == changed.current.count else { return 0 }
        let p = shares(counts.reference)
        let moved = zip(p, zip(shares(changed.current), shares(changed.reference))).map { $0 * $1.0 / $1.1 }
        let total = moved.reduce(0, +)
        return logLikelihoodRatio(counts, of: p, by: moved.map { $0 / total }, wobble: wobble)
    }

    /// ln of the likelihood of a window's rows under one law by that under another, over the dispersion of windows that wobble.
    static func logLikelihoodRatio(
        _ counts: Watch.Counts, of law: [Double], by other: [Double], wobble: Double
    ) -> Double {
        let ratio = zip(counts.current, zip(law, other)).reduce(0) { $0 + $1.0 * log($1.1.0 / $1.1.1) }
        return ratio / (1 + counts.rows * wobble)
    }

    /// Smoothed like PSI's.
    static func shares(_ counts: [Double]) -> [Double] {
        let sum = counts.reduce(0, +) + Double(counts.count) / 2
        return counts.map { ($0 + 0.5) / sum }
    }
}
