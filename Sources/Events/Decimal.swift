/// A decimal number of up to 19 digits to the nearest double.
enum Decimal {
    /// `mantissa` · 10^`exponent`, correctly rounded; `nil` in the rare cases that take more than 128 bits to tell, and where the
    /// result is smaller than a normal double.
    ///
    /// Clinger's fast path ("How to read floating point numbers accurately", 1990) where both parts are exact doubles, else the
    /// Eisel–Lemire algorithm (Lemire, "Number parsing at a gigabyte per second", 2021).
    @inline(__always)
    static func double(_ mantissa: UInt64, exponent: Int, _ powers: PowersOfTen) -> Double? {
        if mantissa <= 1 &<< 53, exponent >= -22, exponent <= 22 {
            // Of a word below 2^63 the conversion is one instruction.
            let exact = Double(Int64(bitPattern: mantissa))
            return exponent < 0 ? exact / powers.exact[0 &- exponent] : exact * powers.exact[exponent]
        }
        return eiselLemire(mantissa, exponent, powers)
    }

    private static let fractionBits: UInt64 = 52

    /// As in the paper's algorithm 1, with the names of `fast_float`.
    static func eiselLemire(_ mantissa: UInt64, _ exponent: Int, _ powers: PowersOfTen) -> Double? {
        if mantissa == 0 { return 0 }
        guard exponent >= PowersOfTen.exponents.lowerBound else { return nil }
        guard exponent <= PowersOfTen.exponents.upperBound else { return .infinity }
        let zeros = mantissa.leadingZeroBitCount
        let w = mantissa &<< UInt64(zeros)
        let entry = powers.words + 2 &* (exponent &- PowersOfTen.exponents.lowerBound)
        var (high, low) = w.multipliedFullWidth(by: entry[0])
        // Only where the bits below the result's are all ones can the lower half of the power matter.
        let precisionMask = UInt64.max &>> (fractionBits + 3)
        if high & precisionMask == precisionMask {
            let second = w.multipliedFullWidth(by: entry[1]).high
            let (sum, carry) = low.addingReportingOverflow(second)
            low = sum
            if carry { high &+= 1 }
            if low == .max, exponent < -27 || exponent > 55 { return nil }
        }
        let upper = high &>> 63
        let shift = upper &+ 64 &- fractionBits &- 3
        var bits = high &>> shift
        // 152,170 / 65,536 is log2 10, closely enough for every exponent of the table.
        let scale = ((152_170 &+ 65_536) &* exponent) &>> 16 &+ 63
        var power = scale &+ Int(upper) &- zeros &+ 1_023
        guard power > 0 else { return nil }
        // Exactly halfway between two doubles: the even one.
        if low <= 1, exponent >= -4, exponent <= 23, bits & 3 == 1, bits &<< shift == high { bits &= ~1 }
        bits &+= bits & 1
        bits &>>= 1
        if bits >= 2 &<< fractionBits {
            bits = 1 &<< fractionBits
            power &+= 1
        }
        guard power < 0x7ff else { return .infinity }
        return Double(bitPattern: bits & (1 &<< fractionBits &- 1) | UInt64(power) &<< fractionBits)
    }
}
