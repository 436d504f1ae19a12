/// Count, sum, sum of squares, minimum and maximum of finite values, exactly associative.
///
/// Floating-point sums depend on the order of addition, and a window must have the same bytes whoever merged it. So a
/// value is first rounded to a whole multiple of the column's quantum 2^−`exponent` (a pure function of the value) and
/// the multiples are summed in 128-bit integers, which is exact in any order. The quantum is chosen from the reference
/// (`exponent(forMagnitude:)`) so that the reference's largest value has at least 41 significant bits; beyond 16,384 times
/// that value a value is clamped in the sums (minimum and maximum stay exact). The sum of squares saturates, which is
/// associative too because squares are not negative.
package struct Moments: Sendable, Hashable {
    package var count: UInt64 = 0
    package var sum: Int128 = 0
    package var sumOfSquares: Int128 = 0
    package var minimum: Double = .infinity
    package var maximum: Double = -.infinity

    package init() {}

    /// Largest multiple kept: 2^55. Sums of 2^72 such values fit 128 bits.
    private static let limit = 36_028_797_018_963_968.0

    /// Exponents whose power of two and its inverse are ordinary doubles. They suit every magnitude from 2^−960 up.
    package static let exponents = -1_000...1_000

    /// The exponent whose quantum suits values up to `magnitude` (the largest absolute value of the reference).
    package static func exponent(forMagnitude magnitude: Double) -> Int {
        let m = magnitude.isFinite && magnitude > 0 ? magnitude : 1
        return min(max(41 - Int(m.exponent) - 1, exponents.lowerBound), exponents.upperBound)
    }

    /// 2^exponent, the factor `add` takes.
    package static func scale(exponent: Int) -> Double { Double(sign: .plus, exponent: exponent, significand: 1) }

    /// A finite value as the nearest multiple of the column's quantum, the even one of two, and NaN as 0; `scale` is 2^exponent of the
    /// column.
    @inline(__always)
    package static func quantum(_ value: Double, scale: Double) -> Int64 {
        let scaled = value * scale
        // Below 2^51 adding 3·2^51 leaves the nearest whole number in the low bits: no call, no checks.
        if abs(scaled) < 0x1p51 {
            return Int64(bitPattern: (scaled + 0x1.8p52).bitPattern) &- 0x4338_0000_0000_0000
        }
        guard !scaled.isNaN else { return 0 }
        return Int64(min(max(scaled.rounded(.toNearestOrEven), -0x1p55), 0x1p55))
    }

    /// Adds one finite value with its quantum.
    @inline(__always)
    package mutating func add(quantum q: Int64, value: Double) {
        let square = q.multipliedFullWidth(by: q)
        count &+= 1
        sum &+= Int128(q)
        sumOfSquares = Self.saturating(sumOfSquares, Int128(square.high) << 64 | Int128(square.low))
        if value < minimum { minimum = value }
        if value > maximum { maximum = value }
    }

    @inline(__always)
    static func saturating(_ a: Int128, _ b: Int128) -> Int128 {
        let (sum, overflow) = a.addingReportingOverflow(b)
        return overflow ? .max : sum
    }

    package mutating func merge(_ other: Moments) {
        count &+= other.count
        sum &+= other.sum
        sumOfSquares = Self.saturating(sumOfSquares, other.sumOfSquares)
        if other.minimum < minimum { minimum = other.minimum }
        if other.maximum > maximum { maximum = other.maximum }
    }

    /// Some value was too large for the sums, which then say nothing.
    private func isClamped(_ exponent: Int) -> Bool {
        max(abs(minimum), abs(maximum)) * Self.scale(exponent: exponent) > Self.limit
    }

    /// The arithmetic mean, `nil` without values or where one was too large for the sums.
    package func mean(exponent: Int) -> Double? {
        guard count > 0, !isClamped(exponent) else { return nil }
        // The quantum's rounding must not put it outside the values.
        return min(max(Double(sum) / Double(count) / Self.scale(exponent: exponent), minimum), maximum)
    }

    /// The sample standard deviation (divisor n − 1), 0 for one value, `nil` without values or where one was too large for the sums.
    package func standardDeviation(exponent: Int) -> Double? {
        guard count > 0, !isClamped(exponent) else { return nil }
        guard count > 1, minimum < maximum else { return 0 }
        // n·Σq² − (Σq)² is exact while it fits 128 bits; past that the rounding of doubles is far below sampling error.
        let (nSquares, overflow) = sumOfSquares.multipliedReportingOverflow(by: Int128(count))
        let (square, overflow2) = sum.multipliedReportingOverflow(by: sum)
        let scale = Self.scale(exponent: exponent)
        let n = Double(count)
        let numerator: Double
        if !overflow && !overflow2 {
            numerator = Double(nSquares - square) / n
        } else {
            numerator = Double(sumOfSquares) - Double(sum) * (Double(sum) / n)
        }
        return (max(0, numerator) / (n - 1)).squareRoot() / scale
    }
}
