#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Values of validated JSON text.
package enum JSONText {
    /// The double nearest to a number's text, correctly rounded; infinite where it is too large. Up to 19 digits go by `Decimal`,
    /// the rest by `strtod`.
    package static func double(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) -> Double {
        var i = range.lowerBound
        let negative = bytes[i] == 0x2d
        if negative { i &+= 1 }
        var mantissa: UInt64 = 0
        var digits = 0
        var exponent = 0
        var seenPoint = false
        while i < range.upperBound {
            let c = bytes[i]
            if c == 0x2e {
                seenPoint = true
            } else if c &- 0x30 < 10 {
                if digits < 19 {
                    mantissa = mantissa &* 10 &+ UInt64(c &- 0x30)
                    if mantissa > 0 { digits &+= 1 }
                    if seenPoint { exponent &-= 1 }
                } else {
                    return slowDouble(bytes, range)
                }
            } else {
                break
            }
            i &+= 1
        }
        if i < range.upperBound {
            i &+= 1
            var down = false
            if bytes[i] == 0x2d || bytes[i] == 0x2b {
                down = bytes[i] == 0x2d
                i &+= 1
            }
            var e = 0
            while i < range.upperBound {
                e = e &* 10 &+ Int(bytes[i] &- 0x30)
                if e > 9999 { return slowDouble(bytes, range) }
                i &+= 1
            }
            exponent &+= down ? -e : e
        }
        if mantissa == 0 { return 0 }
        guard let value = Decimal.double(mantissa, exponent: exponent, .shared) else { return slowDouble(bytes, range) }
        return negative ? -value : value
    }

    private static func slowDouble(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) -> Double {
        // strtod wants a terminated string and reads the locale's point; the program never sets a locale.
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: range.count + 1) { buffer in
            for (k, i) in range.enumerated() { buffer[k] = CChar(bitPattern: bytes[i]) }
            buffer[range.count] = 0
            guard let text = buffer.baseAddress else { return 0 }
            let value = strtod(text, nil)
            return value == 0 ? 0 : value
        }
    }

    /// A number as a category: `1`, `1.0` and `1e0` are the same one. Whole numbers are written without a fraction, others
    /// as the shortest decimal that reads back to the same double.
    package static func withCanonicalNumber<R>(
        _ bytes: UnsafeRawBufferPointer, _ range: Range<Int>, _ body: (UnsafeRawBufferPointer) -> R
    ) -> R {
        let digits = UnsafeRawBufferPointer(rebasing: bytes[range])
        if digits.count < 16, digits.allSatisfy({ $0 &- 0x30 < 10 }) { return body(digits) }
        var text = canonical(double(bytes, range))
        return text.withUTF8 { body(UnsafeRawBufferPointer($0)) }
    }

    package static func canonical(_ value: Double) -> String {
        value == value.rounded(.towardZero) && abs(value) < 9_007_199_254_740_992
            ? Int64(value).description : value.description
    }

    /// Calls `body` with the text's bytes after its escapes are resolved; a lone surrogate becomes U+FFFD.
    package static func withUnescaped<R>(
        _ bytes: UnsafeRawBufferPointer, _ text: JSONScanner.Text, _ body: (UnsafeRawBufferPointer) -> R
    ) -> R {
        guard text.escaped else { return body(UnsafeRawBufferPointer(rebasing: bytes[text.range])) }
        return withUnsafeTemporaryAllocation(byteCount: text.range.count, alignment: 1) { buffer in
            let length = unescape(bytes, text.range, into: buffer)
            return body(UnsafeRawBufferPointer(rebasing: buffer[0..<length]))
        }
    }

    package static func string(_ bytes: UnsafeRawBufferPointer, _ text: JSONScanner.Text) -> String {
        withUnescaped(bytes, text) { String(decoding: $0, as: UTF8.self) }
    }

    /// An escape is never shorter than what it stands for, so the output fits in as many bytes as the input.
    private static func unescape(
        _ bytes: UnsafeRawBufferPointer, _ range: Range<Int>, into out: UnsafeMutableRawBufferPointer
    ) -> Int {
        var i = range.lowerBound
        var n = 0
        func unit(at: Int) -> UInt32 {
            var v: UInt32 = 0
            for k in 0..<4 { v = v << 4 | (JSONScanner.hexValue(bytes[at + k]) ?? 0) }
            return v
        }
        while i < range.upperBound {
            let c = bytes[i]
            guard c == 0x5c else {
                out[n] = c
                n += 1
                i += 1
                continue
            }
            let kind = bytes[i + 1]
            i += 2
            switch kind {
            case 0x62: out[n] = 8
            case 0x66: out[n] = 12
            case 0x6e: out[n] = 10
            case 0x72: out[n] = 13
            case 0x74: out[n] = 9
            case 0x75:
                var scalar = unit(at: i)
                i += 4
                if (0xd800..<0xdc00).contains(scalar), i + 6 <= range.upperBound, bytes[i] == 0x5c, bytes[i + 1] == 0x75
                {
                    let low = unit(at: i + 2)
                    if (0xdc00..<0xe000).contains(low) {
                        scalar = 0x10000 + (scalar - 0xd800) << 10 + (low - 0xdc00)
                        i += 6
                    }
                }
                if (0xd800..<0xe000).contains(scalar) { scalar = 0xfffd }
                n += put(scalar, out, at: n) - 1
            default: out[n] = kind
            }
            n += 1
        }
        return n
    }

    private static func put(_ scalar: UInt32, _ out: UnsafeMutableRawBufferPointer, at n: Int) -> Int {
        func byte(_ v: UInt32) -> UInt8 { UInt8(truncatingIfNeeded: v) }
        switch scalar {
        case 0..<0x80:
            out[n] = byte(scalar)
            return 1
        case 0x80..<0x800:
            out[n] = byte(0xc0 | scalar >> 6)
            out[n + 1] = byte(0x80 | scalar & 0x3f)
            return 2
        case 0x800..<0x10000:
            out[n] = byte(0xe0 | scalar >> 12)
            out[n + 1] = byte(0x80 | scalar >> 6 & 0x3f)
            out[n + 2] = byte(0x80 | scalar & 0x3f)
            return 3
        default:
            out[n] = byte(0xf0 | scalar >> 18)
            out[n + 1] = byte(0x80 | scalar >> 12 & 0x3f)
            out[n + 2] = byte(0x80 | scalar >> 6 & 0x3f)
            out[n + 3] = byte(0x80 | scalar & 0x3f)
            return 4
        }
    }
}
