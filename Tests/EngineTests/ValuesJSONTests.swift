import Events
import TestSupport
import Testing
import Values

/// JSON as it is written, and as it reads back.
struct ValuesJSONTests {
    @Test(arguments: [
        ("plain", #""plain""#), ("", #""""#), (#"say "hi""#, #""say \"hi\"""#), (#"a\b"#, #""a\\b""#),
        ("a/b", #""a/b""#), ("line\nfeed\r\t", #""line\nfeed\r\t""#), ("\u{0}\u{1f}\u{8}", #""\u0000\u001f\u0008""#),
        ("\u{7f}é€😀", "\"\u{7f}é€😀\""), ("\u{2028}", "\"\u{2028}\""),
    ])
    func `strings are escaped where RFC 8259 asks for it and nowhere else`(value: String, text: String) {
        #expect(JSON.string(value).text == text)
    }

    @Test(
        arguments: [
            (0, "0"), (-0.0, "0"), (1, "1"), (-17, "-17"), (0.1, "0.1"), (1.5e300, "1.5e+300"),
            (.leastNonzeroMagnitude, "5e-324"),
            (1e15, "1000000000000000"), (9_007_199_254_740_991, "9007199254740991"), (1e16, "1e+16"), (1e-7, "1e-07"),
            (.nan, "null"), (.infinity, "null"), (-.infinity, "null"),
            (.greatestFiniteMagnitude, "1.7976931348623157e+308"),
        ] as [(Double, String)])
    func `numbers are the shortest that read back, and never invalid JSON`(value: Double, text: String) {
        #expect(JSON.number(value).text == text)
    }

    @Test func `members keep their order, and absent ones are left out`() {
        #expect(JSON.members(("b", 1), ("a", nil), ("c", .null)).text == #"{"b":1,"c":null}"#)
        #expect(JSON.sorted(["b": "2", "a": "1"]).text == #"{"a":"1","b":"2"}"#)
        let nested: JSON = ["list": [1, 2.5, "three", true, nil, [:], []]]
        #expect(nested.text == #"{"list":[1,2.5,"three",true,null,{},[]]}"#)
        #expect(nested["list"] != nil && nested["other"] == nil && JSON.null["list"] == nil)
    }

    @Test func `any finite number survives being written and read`() throws {
        var random = SeededGenerator(seed: 77)
        for _ in 0..<5_000 {
            let value = Double(bitPattern: random.next())
            guard value.isFinite else { continue }
            let back = try JSON(parsing: JSON.number(value).bytes).numberValue
            #expect(back == value, "seed \(random.seed) \(value)")
        }
    }

    @Test func `any document survives being written and read`() throws {
        var random = SeededGenerator(seed: 78)
        for round in 0..<500 {
            let document = Self.document(&random, depth: 0)
            #expect(try JSON(parsing: document.bytes) == document, "seed \(random.seed) round \(round)")
        }
    }

    /// Only values whose text tells their type: a whole `.number` reads back as `.integer`.
    private static func document(_ random: inout SeededGenerator, depth: Int) -> JSON {
        let text = ["", "a", "\u{0}\"\\\n", "ключ", "😀", "\u{7f}/"].randomElement(using: &random) ?? ""
        switch Int.random(in: 0..<(depth > 4 ? 5 : 7), using: &random) {
        case 0: return .null
        case 1: return .bool(Bool.random(using: &random))
        case 2: return .integer(Int64.random(in: .min ... .max, using: &random))
        case 3: return .number(Double.random(in: -1...1, using: &random) * 1e-3)
        case 4: return .string(text)
        case 5:
            return .array(
                (0..<Int.random(in: 0..<4, using: &random)).map { _ in document(&random, depth: depth + 1) })
        default:
            return .object(
                (0..<Int.random(in: 0..<4, using: &random)).map { i in
                    JSON.Member("\(text)\(i)", document(&random, depth: depth + 1))
                })
        }
    }
}
