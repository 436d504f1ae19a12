#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

/// Exact two-sample statistics of raw values, for `compare` and for references kept with their rows.
///
/// Input is finite values in any order; every function is `nil` where it cannot be said. O(n log n) unless noted.
package enum Samples {
    /// numpy's linear interpolation, bit for bit: from the nearer end, so that t = 1 gives `b` exactly.
    package static func interpolate(_ a: Double, _ b: Double, _ t: Double) -> Double {
        if a == b { return a }
        let difference = b - a
        // Two finite values may lie further apart than a double can hold; their weighted mean does not.
        guard difference.isFinite else { return a * (1 - t) + b * t }
        return t >= 0.5 ? b - difference * (1 - t) : a + difference * t
    }

    /// The quantile of ascending values by numpy's `method="linear"`, bit for bit (Hyndman and Fan's type 7, 1996).
    package static func quantile(sorted values: [Double], _ probability: Double) -> Double? {
        guard let last = values.last, probability >= 0, probability <= 1 else { return nil }
        let position = Double(values.count - 1) * probability
        let index = Int(position)
        guard index < values.count - 1 else { return last }
        return interpolate(values[index], values[index + 1], position - Double(index))
    }

    /// The inner edges of `bins` bins of equal mass, duplicates removed: for 10 the deciles `psi` uses.
    package static func quantileEdges(sorted values: [Double], bins: Int) -> [Double] {
        var edges: [Double] = []
        for i in 1..<max(2, bins) {
            // 0.1, 0.2, … as written in decimal, which is how every other tool asks for them.
            guard let edge = quantile(sorted: values, Double(i) / Double(bins)) else { return [] }
            if edge != edges.last { edges.append(edge) }
        }
        return edges
    }

    /// A two-sample test: its statistic and probability under no difference.
    package struct Test: Sendable, Hashable {
        package let statistic: Double
        package let p: Double?
    }

    /// The largest sample the exact distribution is used for.
    package static let exactLimit = 10_000

    /// Two-sample Kolmogorov–Smirnov. The probability is exact for up to `exactLimit` untied values on each side, and
    /// otherwise asymptotic.
    package static func ks(_ reference: [Double], _ current: [Double]) -> Test? {
        let x = reference.sorted()
        let y = current.sorted()
        guard !x.isEmpty, !y.isEmpty else { return nil }
        let m = Double(x.count)
        let n = Double(y.count)
        var distance = 0.0
        var hasTies = false
        walk(x, y) { tie in
            distance = max(distance, abs(Double(tie.belowX + tie.inX) / m - Double(tie.belowY + tie.inY) / n))
            if tie.inX + tie.inY > 1 { hasTies = true }
        }
        let exact = !hasTies && max(x.count, y.count) <= exactLimit
        return Test(
            statistic: distance,
            p: exact ? exactP(distance, x.count, y.count) : asymptoticP(distance, m, n))
    }

    /// P(D ≥ d) from the one-sample distribution at the effective size nm/(n+m), as scipy's `asymp`.
    package static func asymptoticP(_ distance: Double, _ m: Double, _ n: Double) -> Double? {
        guard m > 0, n > 0 else { return nil }
        // Divided first: the product of two huge counts would lose digits.
        let size = (m * (n / (m + n))).rounded(.toNearestOrEven)
        return Kolmogorov.survival(distance, n: UInt64(max(1, min(size, 9e18))))
    }

    /// P(D ≥ d) exactly for untied samples: the share of lattice paths from (0, 0) to (m, n) that reach a point with
    /// |i/m − j/n| ≥ d (Hodges 1957). The last step to (i, j) came from (i − 1, j) with probability i/(i + j), so the
    /// shares themselves obey a recursion of positive terms. O(mn).
    package static func exactP(_ distance: Double, _ m: Int, _ n: Int) -> Double {
        var a = m
        var b = n
        while b > 0 { (a, b) = (b, a % b) }
        let stepX = n / a
        let stepY = m / a
        let limit = Int((distance * (Double(stepX) * Double(m))).rounded())
        if limit == 0 { return 1 }
        var row = [Double](repeating: 0, count: n + 1)
        for j in 0...n { row[j] = j * stepY >= limit ? 1 : 0 }
        for i in 1...m {
            for j in 0...n {
                if abs(i * stepX - j * stepY) >= limit {
                    row[j] = 1
                } else {
                    let total = Double(i + j)
                    row[j] = row[j] * (Double(i) / total) + (j > 0 ? row[j - 1] * (Double(j) / total) : 0)
                }
            }
        }
        return min(1, row[n])
    }

    /// W1 = ∫ |F − G| over the samples themselves.
    package static func wasserstein(_ reference: [Double], _ current: [Double]) -> Double? {
        integral(reference, current) { abs($0) }
    }

    /// √(2 ∫ (F − G)²), the energy distance of Székely (2003) as scipy returns it.
    package static func energyDistance(_ reference: [Double], _ current: [Double]) -> Double? {
        integral(reference, current) { $0 * $0 }.map { (2 * $0).squareRoot() }
    }

    private static func integral(
        _ reference: [Double], _ current: [Double], _ term: (Double) -> Double
    ) -> Double? {
        let x = reference.sorted()
        let y = current.sorted()
        guard !x.isEmpty, !y.isEmpty else { return nil }
        var sum = 0.0
        var last: (value: Double, difference: Double)?
        walk(x, y) { tie in
            if let last { sum += (tie.value - last.value) * term(last.difference) }
            let f = Double(tie.belowX + tie.inX) / Double(x.count)
            let g = Double(tie.belowY + tie.inY) / Double(y.count)
            last = (tie.value, f - g)
        }
        return sum.isFinite ? sum : nil
    }

    /// One distinct value of two sorted samples: how many of each lie below it and at it.
    struct Tie {
        var value: Double
        var belowX: Int
        var belowY: Int
        var inX: Int
        var inY: Int
    }

    /// Visits the distinct values of both in ascending order.
    static func walk(_ x: [Double], _ y: [Double], _ visit: (Tie) -> Void) {
        var i = 0
        var j = 0
        while i < x.count || j < y.count {
            let value = i == x.count ? y[j] : j == y.count ? x[i] : min(x[i], y[j])
            var tie = Tie(value: value, belowX: i, belowY: j, inX: 0, inY: 0)
            while i < x.count, x[i] == value { i += 1 }
            while j < y.count, y[j] == value { j += 1 }
            tie.inX = i - tie.belowX
            tie.inY = j - tie.belowY
            visit(tie)
        }
    }
}
