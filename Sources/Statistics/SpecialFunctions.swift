#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

/// The distributions tests need: gamma, chi-square and normal. Relative accuracy about 1e−13, in the tails too.
///
/// Probabilities are computed from Loader's deviances rather than from differences of large logarithms, so that they
/// stay accurate for millions of rows (Loader, "Fast and Accurate Computation of Binomial Probabilities", 2000).
package enum SpecialFunctions {
    /// The error of Stirling's formula, ln Γ(z+1) − (z+½)·ln z + z − ½·ln 2π, for z > 0 (Abramowitz & Stegun 6.1.41;
    /// small arguments are first raised with the recurrence of Γ).
    package static func stirlingError(_ z: Double) -> Double {
        var raised = z
        var sum = 0.0
        while raised < 16 {
            sum += (raised + 0.5) * log1p(1 / raised) - 1
            raised += 1
        }
        let r = 1 / (raised * raised)
        let series =
            1.0 / 12 - r * (1.0 / 360 - r * (1.0 / 1260 - r * (1.0 / 1680 - r * (1.0 / 1188 - r * 691.0 / 360_360))))
        return sum + series / raised
    }

    /// Loader's deviance x·ln(x/m) + m − x, without cancellation where x is near m. Both must be positive.
    package static func deviance(_ x: Double, _ m: Double) -> Double {
        guard abs(x - m) < 0.1 * (x + m) else { return x * log(x / m) + m - x }
        let v = (x - m) / (x + m)
        var sum = (x - m) * v
        var term = 2 * x * v
        var divisor = 1.0
        while true {
            term *= v * v
            divisor += 2
            let next = sum + term / divisor
            if next == sum { return sum }
            sum = next
        }
    }

    /// ln Γ(z) for z > 0.
    package static func logGamma(_ z: Double) -> Double {
        (z - 0.5) * log(z) - z + 0.5 * log(2 * Double.pi) + stirlingError(z)
    }

    /// x^a·e^−x / Γ(a+1), the Poisson weight at a real count `a`.
    private static func poissonWeight(_ a: Double, _ x: Double) -> Double {
        exp(-stirlingError(a) - deviance(a, x)) / (2 * Double.pi * a).squareRoot()
    }

    /// The regularised lower incomplete gamma function P(a, x), a > 0.
    package static func gammaP(_ a: Double, _ x: Double) -> Double {
        guard x > 0 else { return 0 }
        return x < a + 1 ? lowerSeries(a, x) : max(0, 1 - upperFraction(a, x))
    }

    /// The regularised upper incomplete gamma function Q(a, x) = 1 − P(a, x), accurate where it is tiny.
    package static func gammaQ(_ a: Double, _ x: Double) -> Double {
        guard x > 0 else { return 1 }
        return x < a + 1 ? max(0, 1 - lowerSeries(a, x)) : upperFraction(a, x)
    }

    /// P by its power series (Abramowitz & Stegun 6.5.29).
    private static func lowerSeries(_ a: Double, _ x: Double) -> Double {
        var term = 1.0
        var sum = 1.0
        var k = a
        while term > sum * 1e-17 {
            k += 1
            term *= x / k
            sum += term
        }
        return min(1, sum * poissonWeight(a, x))
    }

    /// Q by its continued fraction (Abramowitz & Stegun 6.5.31) in the form of Lentz (1976).
    private static func upperFraction(_ a: Double, _ x: Double) -> Double {
        guard x < .infinity else { return 0 }
        let tiny = 1e-300
        var b = x + 1 - a
        var c = 1 / tiny
        var d = 1 / (b == 0 ? tiny : b)
        var h = d
        // Convergence takes about √a steps near x = a; the limit only bounds the loop.
        for i in 1...1_000_000 {
            let an = -Double(i) * (Double(i) - a)
            b += 2
            d = an * d + b
            if abs(d) < tiny { d = tiny }
            c = b + an / c
            if abs(c) < tiny { c = tiny }
            d = 1 / d
            let delta = d * c
            h *= delta
            if abs(delta - 1) < 1e-16 { break }
        }
        return min(1, a * poissonWeight(a, x) * h)
    }

    /// P(χ² > x) with `degrees` degrees of freedom. With none the distribution is the constant 0.
    package static func chiSquareSurvival(_ x: Double, degrees: Double) -> Double {
        degrees > 0 ? gammaQ(degrees / 2, x / 2) : x > 0 ? 0 : 1
    }

    package static func chiSquareCDF(_ x: Double, degrees: Double) -> Double {
        degrees > 0 ? gammaP(degrees / 2, x / 2) : x >= 0 ? 1 : 0
    }

    /// The x with P(χ² ≤ x) = `probability`.
    package static func chiSquareQuantile(_ probability: Double, degrees: Double) -> Double {
        guard degrees > 0, probability > 0 else { return 0 }
        guard probability < 1 else { return .infinity }
        return probability > 0.5
            ? chiSquareUpperQuantile(1 - probability, degrees: degrees)
            : solve(degrees: degrees, startingAt: normalQuantile(probability)) {
                probability - chiSquareCDF($0, degrees: degrees)
            }
    }

    /// The x with P(χ² > x) = `probability`: exact where the probability is far below what 1 − p can hold.
    package static func chiSquareUpperQuantile(_ probability: Double, degrees: Double) -> Double {
        guard degrees > 0, probability < 1 else { return 0 }
        guard probability > 0 else { return .infinity }
        return solve(degrees: degrees, startingAt: -normalQuantile(probability)) {
            chiSquareSurvival($0, degrees: degrees) - probability
        }
    }

    /// Newton's method on a falling function of a chi-square value, kept inside a bracket, from the start of Wilson
    /// and Hilferty (1931).
    private static func solve(
        degrees: Double, startingAt z: Double, _ excess: (Double) -> Double
    ) -> Double {
        let spread = 2 / (9 * degrees)
        let cube = 1 - spread + z * spread.squareRoot()
        var x = max(degrees * cube * cube * cube, 1e-3)
        var lower = 0.0
        var upper = Double.infinity
        for _ in 0..<200 {
            let f = excess(x)
            if f == 0 { return x }
            if f > 0 { lower = x } else { upper = x }
            // The density of χ² at x is half the Poisson weight of degrees/2 − 1, written with Γ(degrees/2 + 1).
            let density = poissonWeight(degrees / 2, x / 2) * degrees / 2 / x
            var next = x + f / density
            if !(next > lower && next < upper) { next = upper == .infinity ? 2 * x + 1 : (lower + upper) / 2 }
            if abs(next - x) <= 4e-16 * x { return next }
            x = next
        }
        return x
    }

    /// P(F > x) of Fisher's F with these degrees of freedom, by the cube root that is about normal (Paulson 1942): good to a tenth of
    /// itself down to 1e−6 for 5 degrees and more.
    package static func fisherSurvival(_ x: Double, _ a: Double, _ b: Double) -> Double {
        guard x > 0 else { return 1 }
        let root = cbrt(x)
        let (u, v) = (2 / (9 * a), 2 / (9 * b))
        return normalSurvival(((1 - v) * root - (1 - u)) / (v * root * root + u).squareRoot())
    }

    package static func normalCDF(_ z: Double) -> Double { 0.5 * erfc(-z / 2.0.squareRoot()) }
    package static func normalSurvival(_ z: Double) -> Double { 0.5 * erfc(z / 2.0.squareRoot()) }

    /// The z with Φ(z) = `probability`: Acklam's rational approximation (2003) and two steps of Halley.
    package static func normalQuantile(_ probability: Double) -> Double {
        guard probability > 0 else { return -.infinity }
        guard probability < 1 else { return .infinity }
        // 1 − p is exact here, and the lower tail is where Φ keeps its relative accuracy.
        guard probability <= 0.5 else { return -normalQuantile(1 - probability) }
        var z: Double
        if probability < 0.02425 {
            let q = (-2 * log(probability)).squareRoot()
            z =
                polynomial(
                    q, -7.784894002430293e-03, -3.223964580411365e-01, -2.400758277161838e+00,
                    -2.549732539343734e+00, 4.374664141464968e+00, 2.938163982698783e+00)
                / polynomial(
                    q, 7.784695709041462e-03, 3.224671290700398e-01, 2.445134137142996e+00, 3.754408661907416e+00, 1)
        } else {
            let q = probability - 0.5
            let r = q * q
            z =
                q
                * polynomial(
                    r, -3.969683028665376e+01, 2.209460984245205e+02, -2.759285104469687e+02,
                    1.383577518672690e+02, -3.066479806614716e+01, 2.506628277459239e+00)
                / polynomial(
                    r, -5.447609879822406e+01, 1.615858368580409e+02, -1.556989798598866e+02,
                    6.680131188771972e+01, -1.328068155288572e+01, 1)
        }
        for _ in 0..<2 {
            let error = normalCDF(z) / probability - 1
            let step = error * probability * (2 * Double.pi).squareRoot() * exp(z * z / 2)
            guard step.isFinite else { break }
            z -= step / (1 + z * step / 2)
        }
        return z
    }

    /// Horner's rule, highest power first.
    private static func polynomial(_ x: Double, _ coefficients: Double...) -> Double {
        coefficients.reduce(0) { $0 * x + $1 }
    }
}
