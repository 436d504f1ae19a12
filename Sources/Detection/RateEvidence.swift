import Statistics

#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

/// Evidence that the rate of something (a null, an unseen category, one value) is not the reference's.
package enum RateEvidence {
    /// The reference counts for at most this many rows: past it a rate wobbles more than a binomial with a known rate
    /// would.
    package static let knownRows = 4000.0
    /// Least effect worth telling of: Cohen's h = 2·asin√q − 2·asin√p, and the plain difference.
    package static let leastEffect = 0.2
    package static let leastDifference = 0.02

    /// ln e of `c` of `n` rows where the reference has `referenceCount` of `m`: uniform over all counts, 1/(n+1), against the
    /// beta-binomial law of the likeliest rate that is nothing to report.
    ///
    /// That is any rate up to what the reference may be off by (Wilson's bound, p = 0.01): its sampling error is the same in every
    /// window, so what averages a posterior window by window would in the end take every small reference for a change.
    ///
    /// - Parameters:
    ///   - correlation: ρ of the rate between windows, which then varies like that of a reference of 1/ρ − 1 rows, and whose rows
    ///     count for 1/(1 + (n − 1)ρ) of a row each (Kish's design effect). The lesser evidence of the two counts: the first knows
    ///     that a rate may be anything for a while, the second that this may last.
    ///   - ofReference: ρ over the windows the reference is worth: by so much its own rate varies beyond its rows.
    package static func logE(
        count c: Double, of n: Double, reference referenceCount: Double, of m: Double, correlation: Double = 0,
        ofReference: Double = 0, isRise: Bool = true
    ) -> Double {
        guard n > 0, m > 0 else { return 0 }
        let rows = m / (1 + max(0, m - 1) * ofReference)
        let bound = bound(referenceCount / m, rows: rows, isUpper: isRise)
        let rate = isRise ? min(bound, max(c / n, leastRate)) : max(bound, min(c / n, 1 - leastRate))
        // With less than two rows the law would expect all or nothing, and any share between to be a surprise.
        let known = correlation > 0 ? min(knownRows, max(2, 1 / correlation - 1)) : knownRows
        let e = logE(count: c, of: n, rate: rate, known: known)
        guard correlation > 0 else { return e }
        return min(e, logE(count: c, of: n, rate: rate, known: knownRows) / (1 + (n - 1) * correlation))
    }

    /// ln of the e-value that a change of a rate is over, as `ShiftEvidence.backLogE` of a histogram.
    ///
    /// A rise takes a share of the rows that were no hits, a fall one of those that were, whatever else is in the window: what
    /// multiplied the hits themselves would have nothing to say where the window's reference has none, as that of a value
    /// that is not stuck has.
    static func backLogE(_ counts: Watch.Counts, changed: Watch.Counts, wobble: Double, isRise: Bool) -> Double {
        guard counts.current.count == 2, changed.current.count == 2 else { return 0 }
        let p = ShiftEvidence.shares(counts.reference)
        let (before, after) = (ShiftEvidence.shares(changed.reference), ShiftEvidence.shares(changed.current))
        let shrinking = isRise ? 0 : 1
        var moved = p
        moved[shrinking] = p[shrinking] * min(1, after[shrinking] / before[shrinking])
        moved[1 - shrinking] = 1 - moved[shrinking]
        return ShiftEvidence.logLikelihoodRatio(counts, of: p, by: moved, wobble: wobble)
    }

    /// Half a row of all that a reference counts for: below it a law of beta has nothing to stand on.
    private static let leastRate = 0.5 / knownRows

    /// The rate that the reference may have at most, or at least (Wilson 1927).
    private static func bound(_ rate: Double, rows m: Double, isUpper: Bool) -> Double {
        let z = 2.326
        let half = z * (rate * (1 - rate) / m + z * z / (4 * m * m)).squareRoot()
        let middle = rate + z * z / (2 * m)
        let bound = (isUpper ? middle + half : middle - half) / (1 + z * z / m)
        return min(1 - leastRate, max(leastRate, bound))
    }

    private static func logE(count c: Double, of n: Double, rate: Double, known: Double) -> Double {
        let (a, b) = (rate * known, (1 - rate) * known)
        let law =
            logChoose(n, c) + logBeta(c + a, n - c + b) - logBeta(a, b)
        return -log(n + 1) - law
    }

    /// Cohen's h of two rates, positive where the current one is larger.
    package static func effect(_ p: Double, _ q: Double) -> Double {
        2 * asin(min(1, max(0, q)).squareRoot()) - 2 * asin(min(1, max(0, p)).squareRoot())
    }

    private static func logBeta(_ a: Double, _ b: Double) -> Double {
        SpecialFunctions.logGamma(a) + SpecialFunctions.logGamma(b) - SpecialFunctions.logGamma(a + b)
    }

    private static func logChoose(_ n: Double, _ k: Double) -> Double {
        SpecialFunctions.logGamma(n + 1) - SpecialFunctions.logGamma(k + 1) - SpecialFunctions.logGamma(n - k + 1)
    }
}

/// Evidence that fewer, or more, rows came than the season lets expect.
package enum VolumeEvidence {
    /// Shares of the expected volume looked for: below for a drop, above for a surge.
    package static let drops = (shifted: 0.4, quiet: 0.8)
    package static let surges = (shifted: 2.5, quiet: 1.25)

    /// ln e of `n` rows where `expected` are, a Poisson likelihood ratio divided by the dispersion φ ≥ 1 of past
    /// windows (quasi-likelihood; McCullagh and Nelder 1989, chapter 9).
    package static func logE(rows n: Double, expected: Double, dispersion: Double, isDrop: Bool) -> Double {
        guard expected > 0 else { return 0 }
        let (shifted, quiet) = isDrop ? drops : surges
        return (n * log(shifted / quiet) - expected * (shifted - quiet)) / max(1, dispersion)
    }
}
