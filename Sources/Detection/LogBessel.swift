import Statistics

#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

/// The natural logarithm of the modified Bessel function of the first kind, what the noncentral χ² density is made of.
package enum LogBessel {
    /// ln I_ν(z) for ν ≥ −½ and z ≥ 0, to 1e−12 relative of scipy's `ive` with the factor e^z put back. −∞ where I is 0.
    ///
    /// Far out Hankel's expansion (Abramowitz & Stegun 9.7.1) converges before it diverges; elsewhere the power series
    /// (9.6.10), whose terms are all positive, is summed outwards from its largest term: about 10·√z steps.
    package static func logI(_ order: Double, _ z: Double) -> Double {
        guard z > 0 else { return order == 0 ? 0 : order > 0 ? -.infinity : .infinity }
        return z >= 100 && z >= 4 * order * order ? far(order, z) : series(order, z)
    }

    private static func far(_ order: Double, _ z: Double) -> Double {
        let mu = 4 * order * order
        var term = 1.0
        var sum = 1.0
        for k in 1...40 {
            let odd = Double(2 * k - 1)
            let next = -term * (mu - odd * odd) / (Double(k) * 8 * z)
            if abs(next) >= abs(term) || abs(next) < 1e-18 { break }
            term = next
            sum += term
        }
        return z - 0.5 * log(2 * Double.pi * z) + log(sum)
    }

    private static func series(_ order: Double, _ z: Double) -> Double {
        let quarter = z * z / 4
        let peak = max(0, ((order * order + z * z).squareRoot() - order) / 2).rounded(.down)
        var sum = 1.0
        var term = 1.0
        var j = peak
        while term > sum * 1e-18 {
            j += 1
            term *= quarter / (j * (j + order))
            sum += term
        }
        term = 1
        j = peak
        while j > 0, term > sum * 1e-18 {
            term *= j * (j + order) / quarter
            sum += term
            j -= 1
        }
        return (2 * peak + order) * log(z / 2) - SpecialFunctions.logGamma(peak + 1)
            - SpecialFunctions.logGamma(peak + order + 1) + log(sum)
    }
}
