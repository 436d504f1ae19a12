/// Avro's decimals (specification, "Decimal"): an integer in two's complement, big-endian, divided by a power of ten.
enum AvroDecimal {
    /// 2^1024 has 129 bytes; longer integers are taken for no number.
    static let maximumBytes = 130

    private static let exactPowers: [Double] = [
        1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19,
        1e20, 1e21, 1e22,
    ]

    /// The nearest double; NaN for integers of more than `maximumBytes`.
    static func double(_ bytes: UnsafeRawBufferPointer, scale: Int) -> Double {
        if bytes.count <= 8 {
            var whole: Int64 = bytes.first.map { $0 >= 0x80 } == true ? -1 : 0
            for byte in bytes { whole = whole &<< 8 | Int64(byte) }
            if whole == 0 { return 0 }
            // Clinger 1990: both are exact, so the one division rounds correctly.
            if whole.magnitude <= 1 << 53, scale < exactPowers.count { return Double(whole) / exactPowers[scale] }
            return Double("\(whole)e-\(scale)") ?? .nan
        }
        guard bytes.count <= maximumBytes else { return .nan }
        return Double("\(digits(bytes))e-\(scale)") ?? .nan
    }

    /// The integer in decimal.
    private static func digits(_ bytes: UnsafeRawBufferPointer) -> String {
        let isNegative = bytes.first.map { $0 >= 0x80 } == true
        var magnitude = Array(bytes)
        if isNegative {
            var carry: UInt16 = 1
            for i in magnitude.indices.reversed() {
                carry += UInt16(~magnitude[i])
                magnitude[i] = UInt8(truncatingIfNeeded: carry)
                carry >>= 8
            }
        }
        var text: [UInt8] = []
        while magnitude.contains(where: { $0 != 0 }) {
            var rest = 0
            for i in magnitude.indices {
                let part = rest << 8 | Int(magnitude[i])
                magnitude[i] = UInt8(part / 10)
                rest = part % 10
            }
            text.append(UInt8(0x30 + rest))
        }
        return (isNegative ? "-" : "") + (text.isEmpty ? "0" : String(decoding: text.reversed(), as: UTF8.self))
    }
}
