#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

/// An interval for a mean that holds at every moment at once, so that one may look after each window.
package enum ConfidenceSequence {
    /// Half the width of the asymptotic confidence sequence (Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas 2024):
    /// sd·√(2(n·r² + 1)/(n²·r²)·ln(√(n·r² + 1)/α)), in the unit of `sd`. Infinite without rows.
    ///
    /// - Parameter r: where it is tightest, at about n = 1/r² · 10; 0.1 suits thousands of rows.
    package static func halfWidth(n: Double, standardDeviation: Double, alpha: Double = 0.05, r: Double = 0.1) -> Double
    {
        guard n > 0 else { return .infinity }
        let s = n * r * r
        return standardDeviation * (2 * (s + 1) / (n * s) * log((s + 1).squareRoot() / alpha)).squareRoot()
    }

    /// The interval of a rate of `count` in `n` rows, cut to 0…1.
    package static func rate(count: Double, of n: Double, alpha: Double = 0.05) -> ClosedRange<Double> {
        guard n > 0 else { return 0...1 }
        // Half an event on each side keeps the deviation of a rate of 0 or 1 from being 0.
        let p = (count + 0.5) / (n + 1)
        let half = halfWidth(n: n, standardDeviation: (p * (1 - p)).squareRoot(), alpha: alpha)
        return max(0, min(p - half, count / n))...min(1, max(p + half, count / n))
    }
}
