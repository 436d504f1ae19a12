/// A message while it is being written.
typealias Bytes = [UInt8]

extension Bytes {
    mutating func add(_ text: StaticString) {
        append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    mutating func add(_ text: String) { append(contentsOf: text.utf8) }

    /// A number in decimal, with leading zeros up to `width` digits.
    mutating func add(_ number: Int, width: Int = 1) {
        var rest = number.magnitude
        if number < 0 { append(0x2d) }
        let start = count
        repeat {
            append(0x30 + UInt8(rest % 10))
            rest /= 10
        } while rest > 0
        while count - start < width { append(0x30) }
        self[start...].reverse()
    }
}

/// How strings are written.
enum Escapes: Int, CaseIterable {
    /// Only what RFC 8259 demands.
    case needed
    /// As Python does by default: everything beyond ASCII as `\u`.
    case ascii
    /// Any character may be escaped, in either case of hexadecimal digits.
    case some
}

extension Bytes {
    mutating func addString(_ text: String, _ escapes: Escapes, _ dice: inout Dice) {
        append(0x22)
        var copy = text
        let plain = copy.withUTF8 { $0.allSatisfy { $0 < 0x80 && $0 >= 0x20 && $0 != 0x22 && $0 != 0x5c } }
        if plain && escapes != .some {
            add(text)
        } else {
            for scalar in text.unicodeScalars { addScalar(scalar, escapes, &dice) }
        }
        append(0x22)
    }

    private mutating func addScalar(_ scalar: Unicode.Scalar, _ escapes: Escapes, _ dice: inout Dice) {
        let wanted = escapes == .some ? dice.chance(300) : escapes == .ascii && scalar.value >= 0x7f
        switch scalar {
        case "\"", "\\":
            if wanted { return addUnits(scalar, &dice) }
            append(0x5c)
            append(UInt8(scalar.value))
        case "\u{8}", "\u{c}", "\n", "\r", "\t":
            if wanted { return addUnits(scalar, &dice) }
            append(0x5c)
            append(
                scalar == "\u{8}"
                    ? 0x62 : scalar == "\u{c}" ? 0x66 : scalar == "\n" ? 0x6e : scalar == "\r" ? 0x72 : 0x74)
        case "/":
            if wanted { append(0x5c) }
            append(0x2f)
        default:
            if wanted || scalar.value < 0x20 { return addUnits(scalar, &dice) }
            for byte in UTF8.encode(scalar)! { append(byte) }
        }
    }

    private mutating func addUnits(_ scalar: Unicode.Scalar, _ dice: inout Dice) {
        for unit in UTF16.encode(scalar)! { addUnit(unit, &dice) }
    }

    /// One `\uXXXX`.
    mutating func addUnit(_ unit: UInt16, _ dice: inout Dice) {
        add("\\u")
        let letters: UInt8 = dice.chance(500) ? 0x37 : 0x57
        for shift in [12, 8, 4, 0] {
            let digit = UInt8(truncatingIfNeeded: unit >> UInt16(shift)) & 0xf
            append(digit < 10 ? 0x30 + digit : letters + digit)
        }
    }
}
