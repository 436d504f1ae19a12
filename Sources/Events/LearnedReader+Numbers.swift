extension LearnedReader {
    /// A number of up to nineteen digits with or without an exponent, left in `state.number`; infinite where it is too large.
    /// - Returns: where it ends, `nil` where it is longer, or no number of the grammar of RFC 8259.
    @inline(__always)
    func longNumber(_ p: Place) -> Place? {
        let isNegative = WordScan.byte(p) == 0x2d
        let start = isNegative ? p + 1 : p
        let word = WordScan.load(start) ^ WordScan.zeros
        var whole = WordScan.digits(word)
        guard whole > 0, word & 0xff != 0 || whole == 1 else { return nil }
        var mantissa = WordScan.number(word, whole)
        if whole == 8 { whole &+= digits(start + 8, &mantissa) }
        var end = start + whole
        var exponent = 0
        if WordScan.byte(end) == 0x2e {
            let places = digits(end + 1, &mantissa)
            guard places > 0 else { return nil }
            whole &+= places
            end += places + 1
            exponent = 0 &- places
        }
        guard whole <= 19 else { return nil }
        if WordScan.byte(end) | 0x20 == 0x65 {
            guard let behind = addExponent(end, &exponent) else { return nil }
            end = behind
        }
        guard let value = Decimal.double(mantissa, exponent: exponent, powers) else { return nil }
        state.pointee.number = isNegative ? 0 - value : value
        return end
    }

    @inline(never)
    private func addExponent(_ start: Place, _ exponent: inout Int) -> Place? {
        let sign = WordScan.byte(start, 1)
        let p = start + (sign == 0x2b || sign == 0x2d ? 2 : 1)
        let digits = WordScan.load(p) ^ WordScan.zeros
        let count = WordScan.digits(digits)
        guard count >= 1, count <= 4 else { return nil }
        let value = Int(truncatingIfNeeded: WordScan.number(digits, count))
        exponent &+= sign == 0x2d ? 0 &- value : value
        return p + count
    }

    /// Appends the digits at `start` to a number and returns how many there are, 24 at most: what is longer fails by its length.
    @inline(__always)
    private func digits(_ start: Place, _ number: inout UInt64) -> Int {
        var count = 0
        while count < 24 {
            let word = WordScan.load(start, count) ^ WordScan.zeros
            let next = WordScan.digits(word)
            guard next == 8 else {
                if next > 0 { number = number &* powers.whole[next] &+ WordScan.number(word, next) }
                return count &+ next
            }
            number = number &* 100_000_000 &+ WordScan.number(word)
            count &+= 8
        }
        return count
    }
}
