import Events
import Foundation
import TestSupport
import Testing

/// Numbers are the doubles nearest to their text: a value must fall into its own bin.
struct EventsNumberTests {
    private static func double(_ text: String) -> Double {
        var copy = text
        return copy.withUTF8 { JSONText.double(UnsafeRawBufferPointer($0), 0..<$0.count) }
    }

    /// Bit patterns from CPython's `float`: halfway cases, the ends of the range, denormals, more digits than fit.
    @Test(
        arguments: [
            ("2.2250738585072011e-308", 0x000f_ffff_ffff_ffff),
            ("2.2250738585072012e-308", 0x0010_0000_0000_0000),
            ("2.2250738585072014e-308", 0x0010_0000_0000_0000),
            ("4.9406564584124654e-324", 0x0000_0000_0000_0001),
            ("2.4703282292062327e-324", 0x0000_0000_0000_0000),
            ("2.4703282292062328e-324", 0x0000_0000_0000_0001),
            ("1.7976931348623157e308", 0x7fef_ffff_ffff_ffff),
            ("1.7976931348623158e308", 0x7fef_ffff_ffff_ffff),
            ("1.7976931348623159e308", 0x7ff0_0000_0000_0000),
            ("9007199254740993", 0x4340_0000_0000_0000),
            ("9007199254740992.999999999999999999", 0x4340_0000_0000_0000),
            ("9007199254740993.00000000000000000001", 0x4340_0000_0000_0001),
            ("0.1", 0x3fb9_9999_9999_999a),
            ("0.3", 0x3fd3_3333_3333_3333),
            ("123456789012345678", 0x437b_69b4_ba63_0f35),
            ("1234567890123456789", 0x43b1_2210_f47d_e981),
            ("12345678901234567890", 0x43e5_6a95_319d_63e1),
            ("8.5e22", 0x44b1_ffdb_f6b2_b2eb),
            ("1e22", 0x4480_f0cf_064d_d592),
            ("1e23", 0x44b5_2d02_c7e1_4af6),
            ("9007199254740992e22", 0x47d0_f0cf_064d_d592),
            ("9007199254740991e-22", 0x3eae_3920_1017_5ee5),
            ("0.000000000000000000000000000001", 0x39b4_484b_feeb_c2a0),
            ("100000000000000000000000000000000000000000", 0x4872_5dfa_371a_19e7),
            ("3.14159265358979323846264338327950288", 0x4009_21fb_5444_2d18),
            ("6.02214076e23", 0x44df_e185_ca57_c517),
            ("1e-22", 0x3b5e_3920_1017_5ee6),
            ("1e-23", 0x3b28_2db3_4012_b251),
            ("5e-324", 0x0000_0000_0000_0001),
            ("0.5e-400", 0x0000_0000_0000_0000),
            ("7205759403792793.5", 0x4339_9999_9999_999a),
            ("7205759403792794.5", 0x4339_9999_9999_999a),
            ("4503599627370496.5", 0x4330_0000_0000_0000),
            ("4503599627370497.5", 0x4330_0000_0000_0002),
            ("1.00000000000000011102230246251565404236316680908203124", 0x3ff0_0000_0000_0000),
            ("1.00000000000000011102230246251565404236316680908203125", 0x3ff0_0000_0000_0000),
            ("1.00000000000000011102230246251565404236316680908203126", 0x3ff0_0000_0000_0001),
        ] as [(String, UInt64)])
    func `hard cases are rounded as Python rounds them`(text: String, bits: UInt64) {
        #expect(Self.double(text).bitPattern == bits)
        #expect(Self.double("-" + text).bitPattern == (bits == 0 ? 0 : bits | 1 << 63))
    }

    @Test(arguments: ["-0", "-0.0", "-0e5", "0e999999999999999999999", "-0.000", "1e-999", "-1e-99999999999999999999"])
    func `zero has no sign`(text: String) {
        #expect(Self.double(text).bitPattern == 0)
    }

    @Test(arguments: ["1e999", "1e309", "123e99999999999999999999", "0.1e400"])
    func `what is too large for a double is infinite`(text: String) {
        #expect(Self.double(text) == .infinity && Self.double("-" + text) == -.infinity)
    }

    @Test func `twenty thousand numbers are bit-identical with strtod`() {
        var random = SeededGenerator(seed: 2026)
        var wrong: [String] = []
        for _ in 0..<20_000 {
            let text = Self.number(&random)
            let expected = strtod(text, nil)
            if Self.double(text).bitPattern != (expected == 0 ? 0 : expected.bitPattern) { wrong.append(text) }
        }
        #expect(wrong.isEmpty, "seed \(random.seed)")
    }

    /// A number of the JSON grammar: digits before and after the point and exponents of every length.
    static func number(_ random: inout SeededGenerator) -> String {
        func digits(_ count: Int) -> String {
            String((0..<count).map { _ in Character(String(Int.random(in: 0...9, using: &random))) })
        }
        switch Int.random(in: 0..<6, using: &random) {
        case 0:
            let value = Double(bitPattern: random.next())
            if value.isFinite { return value.description }
            fallthrough
        case 1:
            return Double.random(in: -1e6...1e6, using: &random).description
        default:
            var text = Bool.random(using: &random) ? "-" : ""
            let whole = Int.random(in: 0...20, using: &random)
            text += whole == 0 ? "0" : String(Int.random(in: 1...9, using: &random)) + digits(whole - 1)
            if Bool.random(using: &random) { text += "." + digits(Int.random(in: 1...22, using: &random)) }
            if Int.random(in: 0..<3, using: &random) == 0 {
                text += ["e", "E", "e+", "e-", "E-"].randomElement(using: &random) ?? "e"
                text += String(Int.random(in: 0...40, using: &random) * (Bool.random(using: &random) ? 1 : 8))
            }
            return text
        }
    }

    @Test(arguments: [
        ("1", "1"), ("1.0", "1"), ("1e0", "1"), ("10E-1", "1"), ("-0", "0"), ("0.0", "0"), ("-1", "-1"), ("100", "100"),
        ("1e2", "100"), ("0.5", "0.5"), ("5e-1", "0.5"), ("0.50", "0.5"),
        ("12345678901234567", "1.2345678901234568e+16"),
        ("1e15", "1000000000000000"), ("999999999999999", "999999999999999"), ("1e22", "1e+22"),
    ])
    func `a number as a category has one spelling`(text: String, canonical: String) {
        var copy = text
        let found = copy.withUTF8 { bytes in
            JSONText.withCanonicalNumber(UnsafeRawBufferPointer(bytes), 0..<bytes.count) {
                String(decoding: $0, as: UTF8.self)
            }
        }
        #expect(found == canonical)
    }
}
