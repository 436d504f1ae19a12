#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

/// The distribution of the Kolmogorov–Smirnov statistic.
package enum Kolmogorov {
    /// P(√n·D > z) in the limit of large n (Kolmogorov 1933; the Jacobi form below 1).
    package static func survival(_ z: Double) -> Double {
        guard z > 0 else { return 1 }
        if z < 1 {
            let q = -Double.pi * Double.pi / (8 * z * z)
            var sum = 0.0
            for k in stride(from: 1.0, through: 9, by: 2) { sum += exp(q * k * k) }
            return 1 - sum * (2 * Double.pi).squareRoot() / z
        }
        var sum = 0.0
        var sign = 1.0
        for k in 1...8 {
            sum += sign * exp(-2 * Double(k * k) * z * z)
            sign = -sign
        }
        return min(1, 2 * sum)
    }

    /// P(D > d) for the one-sample, two-sided statistic of n values. Methods are chosen as Simard and L'Ecuyer,
    /// "Computing the Two-Sided Kolmogorov–Smirnov Distribution", J. Stat. Software 39 (2011) advise; O(1) for large n.
    package static func survival(_ d: Double, n count: UInt64) -> Double {
        let n = Double(count)
        guard count > 0, d > 0 else { return 1 }
        guard d < 1 else { return 0 }
        let t = n * d
        if t <= 0.5 { return 1 }
        if t <= 1 { return 1 - cdfBelowOneStep(2 * t - 1, n) }
        if t >= n - 1 { return min(1, 2 * pow(1 - d, n)) }
        if d >= 0.5 { return min(1, 2 * oneSided(d, n)) }
        let square = t * d
        if square >= 370 { return 0 }
        if count <= 140 {
            if square > 4 { return min(1, 2 * oneSided(d, n)) }
            return max(0, 1 - durbin(d, Int(count)))
        }
        if square >= 2.2 { return min(1, 2 * oneSided(d, n)) }
        // Past a few thousand values the region of Durbin's method has a CDF far below 1e-9, which Pelz–Good covers.
        if count <= 5_000, n * d * d.squareRoot() <= 1.4 { return max(0, 1 - durbin(d, Int(count))) }
        return min(1, max(0, 1 - pelzGood(d, n)))
    }

    /// P(D ≤ d) for 1/2n ≤ d ≤ 1/n: n!/nⁿ·(2nd − 1)ⁿ (Ruben and Gambino 1982).
    private static func cdfBelowOneStep(_ base: Double, _ n: Double) -> Double {
        guard base > 0 else { return 0 }
        let logFactorial = 0.5 * log(2 * Double.pi * n) - n + SpecialFunctions.stirlingError(n)
        return exp(logFactorial + n * log(base))
    }

    /// P(D⁺ > d), the one-sided statistic (Birnbaum and Tingey 1951): Σ_j (d/a)·binomial(j; n, a), a = d + j/n.
    ///
    /// Every term is positive. The terms vanish with all derivatives at both ends of the sum, so that for large n a sum
    /// over every s-th term times s is exact to rounding (the trapezoidal rule on a smooth periodic function).
    static func oneSided(_ d: Double, _ n: Double) -> Double {
        let last = (n * (1 - d)).rounded(.down)
        let step = n <= 2_000 ? 1 : (n / 1_000).rounded(.up)
        var sum = step == 1 ? exp(n * log1p(-d)) : 0
        var j = step
        while j <= last {
            let a = d + j / n
            let rest = n - j
            let expectedRest = n - j - n * d
            if rest == 0 {
                sum += d / a
            } else if expectedRest > 0 {
                let exponent =
                    SpecialFunctions.stirlingError(n) - SpecialFunctions.stirlingError(j)
                    - SpecialFunctions.stirlingError(rest) - SpecialFunctions.deviance(j, j + n * d)
                    - SpecialFunctions.deviance(rest, expectedRest)
                sum += d / a * exp(exponent) * (n / (2 * Double.pi * j * rest)).squareRoot()
            }
            j += step
        }
        return min(1, sum * step)
    }

    /// P(D ≤ d) by powers of Durbin's matrix (Marsaglia, Tsang and Wang, J. Stat. Software 8 (2003)).
    private static func durbin(_ d: Double, _ n: Int) -> Double {
        let nd = Double(n) * d
        let k = Int(nd.rounded(.up))
        let h = Double(k) - nd
        let m = 2 * k - 1
        var matrix = [Double](repeating: 0, count: m * m)
        for i in 0..<m {
            for j in 0..<m where i - j + 1 >= 0 { matrix[i * m + j] = 1 }
        }
        for i in 0..<m {
            matrix[i * m] -= pow(h, Double(i + 1))
            matrix[(m - 1) * m + i] -= pow(h, Double(m - i))
        }
        if 2 * h > 1 { matrix[(m - 1) * m] += pow(2 * h - 1, Double(m)) }
        for i in 0..<m {
            for j in 0..<m where i - j + 1 > 0 {
                for g in 1...(i - j + 1) { matrix[i * m + j] /= Double(g) }
            }
        }
        var (result, exponent) = power(matrix, m, n)
        var value = result[(k - 1) * m + k - 1]
        result = []
        for i in 1...n {
            value = value * Double(i) / Double(n)
            if value < 0x1p-400 {
                value *= 0x1p400
                exponent -= 400
            }
        }
        return min(1, max(0, Double(sign: .plus, exponent: exponent, significand: value)))
    }

    /// The n-th power of an m×m matrix by squaring, times 2^−exponent so that nothing overflows.
    private static func power(_ matrix: [Double], _ m: Int, _ n: Int) -> (matrix: [Double], exponent: Int) {
        var base = (matrix: matrix, exponent: 0)
        var result: (matrix: [Double], exponent: Int)?
        var rest = n
        while rest > 0 {
            if rest & 1 == 1 { result = result.map { product($0, base, m) } ?? base }
            rest >>= 1
            if rest > 0 { base = product(base, base, m) }
        }
        return result ?? base
    }

    private static func product(
        _ a: (matrix: [Double], exponent: Int), _ b: (matrix: [Double], exponent: Int), _ m: Int
    ) -> (matrix: [Double], exponent: Int) {
        var c = (matrix: multiply(a.matrix, b.matrix, m), exponent: a.exponent + b.exponent)
        if c.matrix[(m / 2) * m + m / 2] > 0x1p200 {
            for i in c.matrix.indices { c.matrix[i] *= 0x1p-200 }
            c.exponent += 200
        }
        return c
    }

    private static func multiply(_ a: [Double], _ b: [Double], _ m: Int) -> [Double] {
        var c = [Double](repeating: 0, count: m * m)
        for i in 0..<m {
            for k in 0..<m {
                let factor = a[i * m + k]
                if factor == 0 { continue }
                for j in 0..<m { c[i * m + j] += factor * b[k * m + j] }
            }
        }
        return c
    }

    /// P(D ≤ d) by the expansion of Pelz and Good (J. Royal Stat. Soc. B 38 (1976)), three terms past Kolmogorov's.
    private static func pelzGood(_ d: Double, _ n: Double) -> Double {
        let z = n.squareRoot() * d
        let pi2 = Double.pi * Double.pi
        let pi4 = pi2 * pi2
        let pi6 = pi4 * pi2
        let z2 = z * z
        let z4 = z2 * z2
        let z6 = z4 * z2
        guard -pi2 / 8 / z2 > -708 else { return 0 }
        var k0 = 0.0
        var k1 = 0.0
        var k2 = 0.0
        var k3 = 0.0
        let terms = Int((16 * z / Double.pi).rounded(.up))
        for k in 1...max(1, terms) {
            let m2 = Double((2 * k - 1) * (2 * k - 1))
            let weight = exp(-pi2 * m2 / 8 / z2)
            k0 += weight
            k1 += weight * (-z2 + pi2 / 4 * m2)
            k2 += weight * (6 * z6 + 2 * z4 + (2 * z4 - 5 * z2) * pi2 / 4 * m2 + pi4 * (1 - 2 * z2) / 16 * m2 * m2)
            let high = -30 * z6 - 90 * z4 * z4 + pi2 * (135 * z4 - 96 * z6) / 4 * m2
            k3 +=
                weight
                * (high + pi4 * (212 * z4 - 60 * z2) / 16 * m2 * m2 + pi6 * (5 - 30 * z2) / 64 * m2 * m2 * m2)
        }
        let root = (2 * Double.pi).squareRoot()
        k0 *= root / z
        k1 *= root / (6 * z4)
        k2 *= root / (72 * z6 * z)
        k3 *= root / (6480 * z6 * z4)
        for k in 1...max(1, terms) {
            let square = Double(k * k)
            let weight = exp(-pi2 * square / 2 / z2)
            k2 -= square * weight * pi2 * root / (36 * z2 * z)
            k3 += (3 * z2 - pi2 * square) * square * weight * pi2 * root / (216 * z6)
        }
        let sqrtN = n.squareRoot()
        return k0 + k1 / sqrtN + k2 / n + k3 / (n * sqrtN)
    }
}
