#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

/// Sums and products of e-values as logarithms, which neither overflow nor lose the small ones.
package enum LogEvidence {
    /// ln(1 + e^x).
    package static func logOnePlusExp(_ x: Double) -> Double { x > 36 ? x : log1p(exp(x)) }

    /// One step of the e-detector (Shin, Ramdas and Rinaldo 2023): R ← (1 + R)·e, in logarithms. Begin with −∞.
    package static func step(_ logR: Double, _ logE: Double) -> Double { logOnePlusExp(logR) + logE }

    /// What ln R must reach: ln(streams · windows / budget), so that all streams together give at most `budget` false
    /// alarms in expectation in `windows` windows, whatever their dependence (the average run length of each is at
    /// least streams · windows / budget).
    package static func limit(streams: Int, windows: Double, budget: Double) -> Double {
        log(max(Double(max(streams, 1)) * max(windows, 1) / max(budget, 1e-9), 20))
    }

    /// ln(1/α) of the mirrored detector that ends an alarm: 1 in 100 windows ends too early.
    package static let resolveLimit = 4.605170185988092
    /// The same of a shift, which may last for many windows: 1 in 2000.
    static let lastingLimit = 7.600902459542082
}
