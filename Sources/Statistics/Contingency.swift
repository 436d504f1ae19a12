#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

/// Two histograms as a 2 × k table, for the tests whose null laws need well filled bins.
///
/// Bins that both leave empty are dropped. Where asked, bins whose smaller expected count is under
/// `minimumExpected` are merged into one, which may itself stay below it (Cochran 1954).
package struct Contingency: Sendable {
    package static let minimumExpected = 5.0

    package let reference: [UInt64]
    package let current: [UInt64]
    private let m: Double
    private let n: Double
    /// Merging took away the only differences a test could see: nothing can be said.
    private let isTooSmall: Bool

    /// `nil` where either histogram is empty.
    package init?(_ reference: [UInt64], _ current: [UInt64], merging: Bool) {
        precondition(reference.count == current.count, "histograms have different bins")
        m = reference.total
        n = current.total
        guard m > 0, n > 0 else { return nil }
        var kept: [(UInt64, UInt64)] = []
        var rest: (UInt64, UInt64) = (0, 0)
        var filled = 0
        for (a, b) in zip(reference, current) where a > 0 || b > 0 {
            filled += 1
            let expected = (Double(a) + Double(b)) * (min(m, n) / (m + n))
            if merging && expected < Self.minimumExpected {
                rest = (rest.0 + a, rest.1 + b)
            } else {
                kept.append((a, b))
            }
        }
        if rest.0 > 0 || rest.1 > 0 { kept.append(rest) }
        self.reference = kept.map(\.0)
        self.current = kept.map(\.1)
        isTooSmall = kept.count == 1 && filled > 1
    }

    private var degrees: Double { Double(reference.count - 1) }

    /// Pearson's χ² of homogeneity without correction; for two rows it is nm Σ (a/n − b/m)² / (a + b).
    package var chi2: Double? {
        if isTooSmall { return nil }
        return zip(reference, current).reduce(0) { sum, bin in
            let a = Double(bin.0)
            let b = Double(bin.1)
            let d = a / m - b / n
            return sum + m * n * (d * d / (a + b))
        }
    }

    package var chi2P: Double? { chi2.map { SpecialFunctions.chiSquareSurvival($0, degrees: degrees) } }

    /// Cramér's V with Bergsma's correction for bias (J. Korean Stat. Society 42 (2013)).
    package var cramersV: Double? {
        guard let chi2 else { return nil }
        let total = n + m
        let k = Double(reference.count)
        guard k > 1, total > 1 else { return 0 }
        let phi2 = max(0, chi2 / total - (k - 1) / (total - 1))
        let columns = k - (k - 1) * (k - 1) / (total - 1)
        let rows = 2 - 1 / (total - 1)
        let least = min(columns, rows) - 1
        return least > 0 ? min(1, (phi2 / least).squareRoot()) : 0
    }

    /// The probability of a PSI this large without drift: PSI / (1/n + 1/m) is χ² with bins − 1 degrees of freedom
    /// (Yurdakul 2018), Jeffreys-smoothed in these bins.
    package var psiP: Double? {
        guard !isTooSmall, let psi = Distances.psi(reference, current, smoothing: .jeffreys) else { return nil }
        return SpecialFunctions.chiSquareSurvival(psi / (1 / n + 1 / m), degrees: degrees)
    }
}
