extension LearnedReader {
    /// A number of up to nineteen digits with or without an exponent, left in `state.number`; infinite where it is too large.
    /// - Returns: where it ends, `nil` where it is longer, or no number of the grammar of RFC 8259.
    func longNumber(_ start: Place) -> Place? {
        var p = start
        let isNegative = WordScan.byte(p) == 0x2d
        if isNegative { p += 1 }
        var mantissa: UInt64 = 0
        let whole = digits(p, &mantissa)
        guard whole > 0, whole == 1 || WordScan.byte(p) != 0x30 else { return nil }
        p += whole
        var places = 0
        if WordScan.byte(p) == 0x2e {
            places = digits(p + 1, &mantissa)
            guard places > 0 else { return nil }
            p += places + 1
        }
        guard whole &+ places <= 19 else { return nil }
        var exponent = 0
        if WordScan.byte(p) | 0x20 == 0x65 {
            let sign = WordScan.byte(p, 1)
            let hasSign = sign == 0x2b || sign == 0x2d
            p += hasSign ? 2 : 1
            let digits = WordScan.load(p) ^ WordScan.zeros
            let count = WordScan.digits(digits)
            guard count >= 1, count <= 4 else { return nil }
            exponent = Int(truncatingIfNeeded: WordScan.number(digits, count))
            if sign == 0x2d { exponent = 0 &- exponent }
            p += count
        }
        guard let value = Decimal.double(mantissa, exponent: exponent &- places, powers) else { return nil }
        state.pointee.number = isNegative ? 0 - value : value
        return p
    }

    /// Appends the digits at `start` to a number and returns how many there are, 24 at most: what is longer fails by its length.
    @inline(__always)
    private func digits(_ start: Place, _ number: inout UInt64) -> Int {
        var count = 0
        while count < 24 {
            let word = WordScan.load(start, count) ^ WordScan.zeros
            let next = WordScan.digits(word)
            if next > 0 { number = number &* powers.whole[next] &+ WordScan.number(word, next) }
            count &+= next
            if next < 8 { break }
        }
        return count
    }
}
