import Detection
import Statistics

#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

/// What a distance is of the counts a detector merged over the windows of a change, less what chance explains.
enum DriftMeasure {
    /// `psi` itself is known without its noise; the other distances grow with it, divergences in proportion and distances
    /// with its root, so they are reduced alike. `nil` for what merged bins cannot tell.
    static func value(of metric: Metric, _ counts: Watch.Counts, debiasedPSI: Double) -> Double? {
        if metric == .psi { return debiasedPSI }
        let reference = counts.reference.map { UInt64(max(0, $0).rounded()) }
        let current = counts.current.map { UInt64(max(0, $0).rounded()) }
        let psi = ShiftEvidence.psi(counts.reference, counts.current)
        let left = psi > 0 ? min(1, debiasedPSI / psi) : 0
        switch metric {
        case .kl: return Distances.kl(reference, current, smoothing: .jeffreys).map { $0 * left }
        case .kl_reversed: return Distances.kl(current, reference, smoothing: .jeffreys).map { $0 * left }
        case .js_divergence: return Distances.jsDivergence(reference, current).map { $0 * left }
        case .js: return Distances.js(reference, current).map { $0 * left }
        case .js_distance: return Distances.js(reference, current).map { ($0 * left).squareRoot() }
        case .hellinger: return Distances.hellinger(reference, current).map { $0 * left.squareRoot() }
        case .tvd: return Distances.tvd(reference, current).map { $0 * left.squareRoot() }
        case .l_infinity: return Distances.lInfinity(reference, current).map { $0 * left.squareRoot() }
        default: return nil
        }
    }
}
