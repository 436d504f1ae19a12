/// Powers of ten to 128 bits, for `Decimal`, computed exactly when first asked for.
///
/// For an exponent q ≥ 0 the entry is 5^q, shifted so that its highest bit is bit 127 and truncated; for q < 0 it is the
/// reciprocal of 5^−q, shifted likewise, rounded up for q ≥ −27 and truncated below (Lemire, "Number parsing at a gigabyte per
/// second", 2021, section 5, and the table of its `fast_float`).
struct PowersOfTen: Sendable {
    /// Below the first no 19 digits reach the least positive double; above the last any digit exceeds the greatest.
    static let exponents = -342...308

    /// The one table. It is never freed and never written after this.
    static let shared = PowersOfTen()

    /// Two words by exponent, the upper one first; the first entry is for `exponents.lowerBound`.
    nonisolated(unsafe) let words: UnsafePointer<UInt64>
    /// 10^0 … 10^22, the powers that a double holds exactly.
    nonisolated(unsafe) let exact: UnsafePointer<Double>
    /// 10^0 … 10^19, the powers that a word holds.
    nonisolated(unsafe) let whole: UnsafePointer<UInt64>

    private init() {
        let words = UnsafeMutablePointer<UInt64>.allocate(capacity: Self.exponents.count * 2)
        for (i, exponent) in Self.exponents.enumerated() {
            let (high, low) = exponent < 0 ? Self.reciprocal(-exponent) : Self.power(exponent)
            (words + 2 * i).initialize(to: high)
            (words + 2 * i + 1).initialize(to: low)
        }
        self.words = UnsafePointer(words)
        let exact = UnsafeMutablePointer<Double>.allocate(capacity: 23)
        let whole = UnsafeMutablePointer<UInt64>.allocate(capacity: 20)
        var power = 1.0
        for i in 0..<23 {
            (exact + i).initialize(to: power)
            power *= 10
        }
        var integer: UInt64 = 1
        for i in 0..<20 {
            (whole + i).initialize(to: integer)
            integer &*= 10
        }
        self.exact = UnsafePointer(exact)
        self.whole = UnsafePointer(whole)
    }

    /// 5^exponent, normalised and truncated.
    private static func power(_ exponent: Int) -> (UInt64, UInt64) {
        var number: [UInt64] = [1]
        for _ in 0..<exponent {
            var carry: UInt64 = 0
            for i in number.indices {
                let product = number[i].multipliedFullWidth(by: 5)
                let (sum, overflow) = product.low.addingReportingOverflow(carry)
                number[i] = sum
                carry = product.high + (overflow ? 1 : 0)
            }
            if carry > 0 { number.append(carry) }
        }
        return upperBits(number)
    }

    /// 2^b / 5^exponent for a b that leaves over 128 bits, normalised, plus one unit in the last place where 5^exponent fits in a word.
    private static func reciprocal(_ exponent: Int) -> (UInt64, UInt64) {
        // 5^exponent has fewer than 7/3 · exponent + 1 bits, as log2 5 = 2.32…
        let bits = exponent * 7 / 3 + 1 + 192
        var number = [UInt64](repeating: 0, count: bits / 64 + 1)
        number[bits / 64] = 1 << UInt64(bits % 64)
        // Dividing by five again and again gives the same quotient as dividing by the power once; 5^27 is the greatest in a word.
        var left = exponent
        while left > 0 {
            let step = min(left, 27)
            var divisor: UInt64 = 1
            for _ in 0..<step { divisor *= 5 }
            var rest: UInt64 = 0
            for i in number.indices.reversed() {
                (number[i], rest) = divisor.dividingFullWidth((rest, number[i]))
            }
            left -= step
        }
        while number.last == 0 { number.removeLast() }
        let (high, low) = upperBits(number)
        guard exponent <= 27 else { return (high, low) }
        let (next, carry) = low.addingReportingOverflow(1)
        return (high + (carry ? 1 : 0), next)
    }

    /// The 128 bits from the highest set one downwards.
    private static func upperBits(_ number: [UInt64]) -> (UInt64, UInt64) {
        func word(_ i: Int) -> UInt64 { number.indices.contains(i) ? number[i] : 0 }
        let top = number.count - 1
        let shift = UInt64(number[top].leadingZeroBitCount)
        func shifted(_ i: Int) -> UInt64 { word(i) << shift | (shift == 0 ? 0 : word(i - 1) >> (64 - shift)) }
        return (shifted(top), shifted(top - 1))
    }
}
