#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

/// Distances between two histograms over the same bins, the reference first. Conventions are in docs (`statistics`).
///
/// All are `nil` where either histogram is empty, exactly 0 for equal proportions, and never NaN or infinite. The
/// symmetric ones (all but `kl`) are bit for bit the same when the two are swapped.
package enum Distances {
    /// Population stability index Σ (q − p)·ln(q/p) in nats (Kullback and Leibler's J, 1951).
    package static func psi(_ reference: [UInt64], _ current: [UInt64], smoothing: Smoothing) -> Double? {
        precondition(reference.count == current.count, "histograms have different bins")
        guard let p = smoothing.proportions(reference), let q = smoothing.proportions(current) else { return nil }
        var sum = 0.0
        for i in p.indices where p[i] != q[i] {
            // The larger over the smaller, so that swapping the two changes no bit.
            let low = min(p[i], q[i])
            let high = max(p[i], q[i])
            guard low > 0 else { return nil }
            sum += (high - low) * log(high / low)
        }
        return sum
    }

    /// KL(current ‖ reference) in nats. `kl_reversed` is the same with the arguments swapped.
    package static func kl(_ reference: [UInt64], _ current: [UInt64], smoothing: Smoothing) -> Double? {
        precondition(reference.count == current.count, "histograms have different bins")
        guard var p = smoothing.proportions(reference), var q = smoothing.proportions(current) else { return nil }
        if case .floor = smoothing {
            let pTotal = p.reduce(0, +)
            let qTotal = q.reduce(0, +)
            for i in p.indices {
                p[i] /= pTotal
                q[i] /= qTotal
            }
        }
        var sum = 0.0
        for i in p.indices where q[i] > 0 && p[i] != q[i] {
            guard p[i] > 0 else { return nil }
            sum += q[i] * log(q[i] / p[i])
        }
        return max(0, sum)
    }

    /// Jensen–Shannon divergence in nats (Lin 1991), 0…ln 2, unsmoothed.
    package static func jsDivergence(_ reference: [UInt64], _ current: [UInt64]) -> Double? {
        guard let (p, q) = raw(reference, current) else { return nil }
        if areDisjoint(reference, current) { return log(2) }
        var sum = 0.0
        for i in p.indices where p[i] != q[i] {
            let s = p[i] + q[i]
            let t = abs(p[i] - q[i]) / s
            if t < 0.05 {
                // (1+t)·ln(1+t) + (1−t)·ln(1−t) = Σ t^2k / (k(2k−1)): the logarithms would cancel.
                let u = t * t
                sum += s / 4 * u * (1 + u * (1.0 / 6 + u * (1.0 / 15 + u * (1.0 / 28 + u * (1.0 / 45 + u / 66)))))
            } else {
                sum += s / 4 * ((1 + t) * log1p(t) + (t < 1 ? (1 - t) * log1p(-t) : 0))
            }
        }
        return min(log(2), sum)
    }

    /// Jensen–Shannon divergence to base 2, 0…1, unsmoothed. Its square root is `js_distance`.
    package static func js(_ reference: [UInt64], _ current: [UInt64]) -> Double? {
        jsDivergence(reference, current).map { min(1, $0 / log(2)) }
    }

    /// √(1 − Σ √(pq)), computed as √(½ Σ (√p − √q)²), which has no cancellation.
    package static func hellinger(_ reference: [UInt64], _ current: [UInt64]) -> Double? {
        guard let (p, q) = raw(reference, current) else { return nil }
        if areDisjoint(reference, current) { return 1 }
        var sum = 0.0
        for i in p.indices {
            let d = p[i].squareRoot() - q[i].squareRoot()
            sum += d * d
        }
        return min(1, (sum / 2).squareRoot())
    }

    /// Total variation distance ½ Σ |p − q|.
    package static func tvd(_ reference: [UInt64], _ current: [UInt64]) -> Double? {
        guard let (p, q) = raw(reference, current) else { return nil }
        if areDisjoint(reference, current) { return 1 }
        return min(1, zip(p, q).reduce(0) { $0 + abs($1.0 - $1.1) } / 2)
    }

    /// max |p − q|.
    package static func lInfinity(_ reference: [UInt64], _ current: [UInt64]) -> Double? {
        raw(reference, current).map { p, q in zip(p, q).reduce(0) { max($0, abs($1.0 - $1.1)) } }
    }

    private static func raw(_ reference: [UInt64], _ current: [UInt64]) -> (p: [Double], q: [Double])? {
        precondition(reference.count == current.count, "histograms have different bins")
        guard let p = Smoothing.none.proportions(reference), let q = Smoothing.none.proportions(current) else {
            return nil
        }
        return (p, q)
    }

    /// Whether no bin holds rows of both. Distances then have their greatest value, which sums of rounded
    /// proportions would miss by an ulp.
    private static func areDisjoint(_ a: [UInt64], _ b: [UInt64]) -> Bool {
        !zip(a, b).contains { $0 > 0 && $1 > 0 }
    }
}
