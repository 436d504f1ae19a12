/// Texts of numbers, from the common ones to those that are hard to round.
enum NumberStyle: Int, CaseIterable {
    case decimals, whole, shortest, seventeen, grammar, halfway, extreme, mixed
}

extension Bytes {
    mutating func addNumber(_ style: NumberStyle, _ dice: inout Dice) {
        switch style {
        case .decimals:
            if dice.chance(100) { append(0x2d) }
            add(dice.below(dice.chance(500) ? 1_000 : 10_000_000))
            append(0x2e)
            let width = dice.between(1, 6)
            add(dice.below([10, 100, 1_000, 10_000, 100_000, 1_000_000][width - 1]), width: width)
        case .whole:
            add(dice.chance(800) ? dice.between(-9, 999) : Int(truncatingIfNeeded: dice.next()) >> dice.below(63))
        case .shortest: addShortest(&dice)
        case .seventeen:
            if dice.chance(300) { append(0x2d) }
            add(dice.between(1, 9))
            append(0x2e)
            add(dice.below(10_000_000_000_000_000), width: 16)
            if dice.chance(700) { addExponent(dice.between(-320, 310), &dice) }
        case .grammar: addGrammar(&dice)
        case .halfway: addHalfway(&dice)
        case .extreme: add(dice.pick(Self.extremes))
        case .mixed: addNumber(NumberStyle(rawValue: dice.below(NumberStyle.allCases.count - 1)) ?? .whole, &dice)
        }
    }

    private static let extremes = [
        "0", "-0", "-0.0", "0.0", "0e0", "-0E-0", "0e5", "-0e+9", "0e99999999999999999999", "1E+5", "1e-5", "1e400",
        "-1e400",
        "1E309", "1e-400", "-1e-400", "1e-99999999999999999999", "123e99999999999999999999", "5e-324",
        "4.9406564584124654e-324",
        "2.4703282292062327e-324", "2.4703282292062328e-324", "2.2250738585072011e-308", "2.2250738585072012e-308",
        "2.2250738585072014e-308", "1.7976931348623157e308", "1.7976931348623158e308", "1.7976931348623159e308",
        "17976931348623157e292", "9007199254740991", "9007199254740992", "9007199254740993", "9007199254740994",
        "9223372036854775807", "9223372036854775808", "-9223372036854775809", "18446744073709551615",
        "18446744073709551616",
        "9999999999999999999", "99999999999999999999", "1e15", "1e16", "1e21", "1e22", "1e23", "9007199254740992e22",
        "1e-22",
        "1e-23", "0.1", "0.2", "0.3", "1000000000000000", "999999999999999",
        "100000000000000000000000000000000000000000", "1e0",
        "10e-1", "0.000000000000000000000000000000000000000000000000000001",
        "3.14159265358979323846264338327950288419716939937",
        "0.1e400", "1.00000000000000011102230246251565404236316680908203125",
        "1.00000000000000011102230246251565404236316680908203126", "179769313486231580793728971405301e276",
        "0.00000000000000000000000000000000000000000000000000000000000000000000e1", "6.02214076e23", "8.5e22",
        "1e00000000000022",
        "1.0e-0000000000000000000000000000022",
        "0.0000000000000000000000000000000000000000000000000000000000000000001e67",
    ]

    private mutating func addShortest(_ dice: inout Dice) {
        var value = Double(bitPattern: dice.next())
        if dice.chance(300) { value = Double(bitPattern: dice.next() >> UInt64(dice.between(12, 63))) }
        if dice.chance(500) || !value.isFinite { value = Double(Int(truncatingIfNeeded: dice.next()) >> 20) / 1e4 }
        add(value.description)
    }

    mutating func addExponent(_ exponent: Int, _ dice: inout Dice) {
        append(dice.chance(700) ? 0x65 : 0x45)
        if exponent >= 0 && dice.chance(300) { append(0x2b) }
        if exponent < 0 { append(0x2d) }
        add(Int(exponent.magnitude), width: dice.chance(900) ? 1 : dice.between(1, 25))
    }

    private mutating func addDigits(_ count: Int, _ dice: inout Dice) {
        for _ in 0..<count { append(0x30 + UInt8(dice.below(10))) }
    }

    private mutating func addGrammar(_ dice: inout Dice) {
        if dice.chance(400) { append(0x2d) }
        let long = dice.chance(100) ? 60 : 20
        let whole = dice.below(long)
        if whole == 0 {
            append(0x30)
        } else {
            append(0x31 + UInt8(dice.below(9)))
            addDigits(whole - 1, &dice)
        }
        if dice.chance(600) {
            append(0x2e)
            if dice.chance(150) { add("00000000") }
            addDigits(dice.between(1, long), &dice)
        }
        if dice.chance(350) { addExponent(dice.chance(700) ? dice.between(-30, 30) : dice.between(-350, 350), &dice) }
    }

    /// The decimal exactly between two neighbouring doubles, m × 2^k for an odd m of 54 bits, or just beside it: where a parser that
    /// rounds twice shows.
    private mutating func addHalfway(_ dice: inout Dice) {
        let odd = UInt128(dice.next() >> 11 | 1 << 53 | 1)
        let shift = dice.between(-30, 20)
        // m / 2^j = m × 5^j / 10^j: the digits of a whole number with the point j places from their end.
        var digits = odd
        for _ in 0..<Swift.max(0, -shift) { digits *= 5 }
        if shift > 0 { digits <<= UInt128(shift) }
        let nudge = dice.below(3)
        if nudge == 1 { digits -= 1 }
        var text = Array(digits.description.utf8)
        if shift < 0 {
            while text.count <= -shift { text.insert(0x30, at: 0) }
            text.insert(0x2e, at: text.count + shift)
            if nudge == 2 { text += Array("00000000000000000001".utf8.suffix(dice.between(1, 20))) }
        } else if nudge == 2 {
            text += Array(".0000000000000001".utf8)
        }
        if dice.chance(500) { append(0x2d) }
        append(contentsOf: text)
        if dice.chance(100) { addExponent(dice.between(-40, 40), &dice) }
    }
}
