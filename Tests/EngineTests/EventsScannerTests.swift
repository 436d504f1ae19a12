import Events
import TestSupport
import Testing
import Values

/// The JSON grammar of RFC 8259, case by case: what must be read, what must be refused, what the standard leaves open.
struct EventsScannerTests {
    private static func accepts(_ bytes: [UInt8]) -> Bool { (try? JSON(parsing: bytes)) != nil }

    @Test(arguments: [
        "[]", "{}", " [ ] ", "\t{\r\n}\n", "null", "true", "false", "0", "-0", "-1", "1.5", "\"\"", "\"a\"",
        "[1]", "[1,2]", "[ 1 , 2 ]", "[[]]", "[[],{}]", "[null,1,\"1\",{}]", "[\"a\"]", "[2] ", " 1 ", "[false]",
        "[123]", "[123.456789]", "[1E22]", "[1e0]", "[1e+2]", "[1E-2]", "[0e1]", "[0e+1]", "[1.5E+2]", "[-0.1]",
        "[20e1]", "[0.4e-05]", "[-123123123123123123123123123123]", "[0.00000000000000000000000000000000000001]",
        #"["\"\\\/\b\f\n\r\t"]"#, #"["\u0000\u001F\uabCD"]"#, #"["\uD834\uDd1e"]"#, #"["\\u0000"]"#, #"["\"]"]"#,
        "[\"\u{7f}\"]", "[\"é€😀\"]", "[\"\u{10FFFF}\"]", "[\"\u{2028}\u{2029}\u{FEFF}\"]", "[\"a/*b*/c\"]",
        #"{"a":1}"#, #"{"a":1,"b":2}"#, #"{"a":1,"a":2}"#, #"{"":0}"#, #"{"a":[]}"#, #"{"a":{"b":{"c":null}}}"#,
        #"{"foo\u0000bar":42}"#, "{ \"a\" : 1 , \"b\" : [ ] }", "{\n\"a\":1\n}",
    ])
    func `what is JSON is read`(text: String) {
        #expect(Self.accepts(Array(text.utf8)), "\(text)")
    }

    @Test(arguments: [
        // Nothing, or not enough.
        "", " ", "[", "{", "\"", "[1", "[1,", "[\"a", "{\"a\"", "{\"a\":", "{\"a\":1", "{\"a\":1,", "[{", "[[",
        "{\"a\":\"b",
        "nul", "tru", "fals", "n", "[true", "-", "[-]", "\"\\\"", "[\"\\", "[\"\\u", "[\"\\u12", "{\"a\":{}",
        // Too much.
        "[]]", "{}}", "[1]x", "1 2", "[][]", "{}{}", "truefalse", "\"a\"\"b\"", "null,", "[1],", "{\"a\":1}#", "]", "}",
        ",",
        ":", "[1]/**/", "//x\n1",
        // Commas and colons.
        "[1,]", "[,1]", "[,]", "[1,,2]", "[1 2]", "[1:2]", "[\"a\" \"b\"]", "{\"a\":1,}", "{,\"a\":1}",
        "{\"a\":1,,\"b\":2}", "{\"a\" 1}", "{\"a\",1}", "{\"a\"::1}", "{\"a\":}", "{:1}", "{\"a\":1 \"b\":2}", "[}",
        "{]",
        "[1}", "{\"a\":1]", "[1;2]",
        // Keys that are no strings.
        "{a:1}", "{1:1}", "{'a':1}", "{null:1}", "{[]:1}", "{\"a\"b:1}",
        // Literals in other spellings.
        "True", "NULL", "nullx", "[nul]", "[truth]", "undefined", "NaN", "[NaN]", "Infinity", "-Infinity", "[inf]",
        // Numbers.
        "+1", "[+1]", "01", "[012]", "-01", "[-012]", ".5", "[.5]", "-.5", "1.", "[1.]", "[1.e2]", "[0.e1]", "1e",
        "[1e]", "1e+", "[1E-]",
        "[1e1.5]", "[1ee2]", "[1.2.3]", "[1.2a]", "0x10", "[0x1]", "1_000", "[1 000]", "--1", "[-a]", "[- 1]", "[1e 2]",
        "[１]",
        "[-Infinity]", "[0e]", "[0.3e+]", "[9.e+]", "[1+2]", "[$1]", "[1f]",
        // Strings.
        "'a'", "['a']", "[\"a\nb\"]", "[\"a\tb\"]", "[\"\u{0}\"]", "[\"\u{1f}\"]", #"["\x00"]"#, #"["\a"]"#, #"["\'"]"#,
        #"["\u00"]"#, #"["\u00G0"]"#, #"["\uD83D\u"]"#, #"["\U0041"]"#, #"["\ "]"#, #"["\é"]"#, "[\\n]", "a", "[a]",
        "“a”",
        // White space that RFC 8259 does not know.
        "\u{FEFF}[]", "[\u{a0}1]", "[\u{c}1]", "\u{b}1", "[\u{2060}]", "\u{0}", "[1]\u{0}", "[\u{0}1]",
        "<a>", "*", "[*]", "<null>",
    ])
    func `what is not JSON is refused`(text: String) {
        #expect(!Self.accepts(Array(text.utf8)), "\(text)")
    }

    @Test(
        arguments: [
            [0x80], [0xff], [0xc0, 0x80], [0xc1, 0xbf], [0xe0, 0x80, 0x80], [0xe0, 0x9f, 0xbf], [0xed, 0xa0, 0x80],
            [0xed, 0xbf, 0xbf], [0xf0, 0x80, 0x80, 0x80], [0xf0, 0x8f, 0xbf, 0xbf], [0xf4, 0x90, 0x80, 0x80],
            [0xf5, 0x80, 0x80, 0x80], [0xc3], [0xe2, 0x82], [0xf0, 0x9f, 0x98], [0xc3, 0x28], [0xe2, 0x28, 0xa1],
            [0xf0, 0x28, 0x8c, 0xbc], [0xfe], [0xe9],
        ] as [[UInt8]])
    func `strings that are not UTF-8 are refused, at their end too`(bytes: [UInt8]) {
        #expect(!Self.accepts([0x22] + bytes + [0x22]))
        #expect(!Self.accepts([0x22] + bytes))
        #expect(!Self.accepts([0x7b, 0x22] + bytes + Array("\":1}".utf8)))
    }

    @Test(arguments: [
        (#""\uD800""#, "\u{FFFD}"), (#""\uDC00x""#, "\u{FFFD}x"), (#""\uD83Dx""#, "\u{FFFD}x"),
        (#""\uD83D\uD83D\uDE00""#, "\u{FFFD}😀"), (#""\uD83D\n""#, "\u{FFFD}\n"),
        (#""\uDE00\uD83D""#, "\u{FFFD}\u{FFFD}"),
        (#""\uD83D\u0041""#, "\u{FFFD}A"), (#""\u0041\u00e9\u20AC\ud83d\ude00""#, "Aé€😀"),
        (#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{c}\n\r\t"), (#""\u0000""#, "\u{0}"),
        (#""\uFFFF\uFFFE""#, "\u{FFFF}\u{FFFE}"),
    ])
    func `escapes stand for their characters, lone surrogates for U+FFFD`(text: String, value: String) throws {
        #expect(try Array(JSON(parsing: text.utf8).stringValue?.utf8 ?? "none".utf8) == Array(value.utf8))
    }

    @Test func `nesting is read to the limit and refused beyond, however deep`() {
        func nested(_ depth: Int) -> [UInt8] {
            [UInt8](repeating: 0x5b, count: depth) + [UInt8](repeating: 0x5d, count: depth)
        }
        #expect(Self.accepts(nested(JSONScanner.maximumDepth)))
        #expect(!Self.accepts(nested(JSONScanner.maximumDepth + 1)))
        #expect(!Self.accepts([UInt8](repeating: 0x5b, count: 1_000_000)))
        let objects = Array(String(repeating: #"{"a":"#, count: 100_000).utf8)
        #expect(!Self.accepts(objects))
    }

    @Test(arguments: [
        ("[1,]", "unexpected character", 3), ("{\"a\" 1}", "expected ':' after a key", 5),
        ("[1 2]", "expected ',' or ']'", 3), ("\"ab", "string without an end", 3),
        ("[1] x", "text after the document", 4),
        (#"["\q"]"#, "unknown escape", 2), ("1.", "expected a digit after the point", 2), ("", "expected a value", 0),
    ])
    func `an error says what and where`(text: String, reason: String, offset: Int) {
        do throws(JSONError) {
            _ = try JSON(parsing: text.utf8)
            Issue.record("\(text) was read")
        } catch {
            #expect(error.reason.description == reason && error.offset == offset)
        }
    }
}
