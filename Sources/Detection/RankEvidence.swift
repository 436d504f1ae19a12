#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

/// Evidence for small moves of an ordered column in one direction, which PSI is slow to see.
///
/// U = P(current > reference) + ½·P(equal) − ½, Mann and Whitney's statistic over the bins, about normal with the
/// tie-corrected variance. One running R for each size and sign of move beats mixing them inside each window.
package struct RankEvidence: Sendable, Hashable, Codable {
    /// Moves looked for, in U; each in both directions.
    package static let moves = [0.07, 0.12, 0.20, 0.40]
    /// A move that is nothing to report.
    package static let quiet = 0.03

    private var logRs: [Double]

    package init() { logRs = [Double](repeating: -1e300, count: Self.moves.count * 2) }

    /// U and the variances that sampling gives it, of the window and of the reference, ties counted.
    package static func shift(
        _ reference: [Double], _ current: [Double]
    ) -> (u: Double, variance: Double, ofReference: Double)? {
        let m = reference.reduce(0, +)
        let n = current.reduce(0, +)
        guard m > 0, n > 0 else { return nil }
        var u = -0.5
        var below = 0.0
        var ties = 0.0
        for (a, b) in zip(reference, current) {
            u += b / n * (below + a / 2) / m
            below += a
            let share = (a + b) / (m + n)
            ties += share * share * share
        }
        guard ties < 1 else { return nil }
        return (u, (1 - ties) / (12 * n), (1 - ties) / (12 * m))
    }

    /// Takes a window in; returns the largest ln R less the price of having had eight tries, and the same direction's
    /// ln e of this window alone.
    ///
    /// What the reference is off by is the same in every window, so it widens what is nothing to report (p = 0.01) and is no variance.
    ///
    /// - Parameters:
    ///   - wobble: τ² of PSI. A small move U has PSI 12·U², so U wobbles by τ²·k/12 where all of it is one move.
    ///   - ofReference: the same of the reference as a whole.
    package mutating func observe(
        _ shift: (u: Double, variance: Double, ofReference: Double), wobble: Double, ofReference: Double = 0,
        weight: Double = 1
    ) -> (logR: Double, logE: Double) {
        let v = shift.variance + wobble / 12
        let off = 2.326 * (shift.ofReference + ofReference / 12).squareRoot()
        var best = (logR: -1e300, logE: 0.0)
        for (i, move) in Self.moves.enumerated() {
            for (s, sign) in [1.0, -1.0].enumerated() {
                let e = weight * Self.logE(sign * shift.u, off, move, v)
                let r = max(-1e300, LogEvidence.step(logRs[2 * i + s], e))
                logRs[2 * i + s] = r
                if r > best.logR { best = (r, e) }
            }
        }
        return (best.logR - Self.price, best.logE)
    }

    /// ln R of the strongest move, less the price of several tries.
    package var logR: Double { (logRs.max() ?? -1e300) - Self.price }

    private static let price = log(Double(2 * moves.count))

    private static func logE(_ u: Double, _ off: Double, _ move: Double, _ v: Double) -> Double {
        let quiet = quiet + off
        let move = move + off
        return ((move - quiet) * u - (move * move - quiet * quiet) / 2) / v
    }
}
