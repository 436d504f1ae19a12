/// Texts and values that producers put where something else belongs.
enum Texts {
    private static let letters = Array(
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 _-.:".unicodeScalars)
    private static let strange = Array(
        "éßü日本語😀🏳️‍🌈\u{301}\u{200b}\u{2028}\u{2029}\u{feff}\u{fffd}\u{ffff}\u{10ffff}\u{7f}\"\\/\u{8}\u{c}\n\r\t\u{0}\u{1f}\u{80}\u{7ff}\u{800}"
            .unicodeScalars)

    static func any(_ dice: inout Dice) -> String {
        var length = dice.below(12)
        if dice.chance(30) { length = dice.below(300) }
        if dice.chance(1) { length = dice.below(20_000) }
        let strangeness = dice.chance(300) ? 300 : 0
        var text = String.UnicodeScalarView()
        for _ in 0..<length { text.append(dice.chance(strangeness) ? dice.pick(strange) : dice.pick(letters)) }
        return String(text)
    }

    /// Sound JSON of a type that the place does not expect, or of a meaning of its own.
    static func odd(_ dice: inout Dice) -> String { dice.pick(oddValues) }

    private static let oddValues = [
        "true", "false", "null", "[]", "[1, 2]", "{}", #"{"a":1}"#, #""text""#, #""1.5""#, #""NaN""#, #""nan""#,
        #""-Infinity""#,
        #""INF""#, #""+inf""#, #""N\u0061N""#, #""infinit""#, #""+Infinity""#, #""infinity ""#, #""""#, "1e999",
        "-1e999", "-0", "1.0",
        "1e0", "0.1E1", "10e-1", "9007199254740993", "12345678901234567", "0.5", "5e-1", "1000000000000000", "1e15",
        "1e22", "1e16",
        "18014398509481984", "9007199254740992", "-9007199254740993", "1e-5", "0.0001", "0.00012345", "-1", "-1.0",
        "100e-2",
        #"[{"a":[null,true,{"b":"]}"}]},1.5]"#, #"{"score":0.5,"features":{"amount":1}}"#, #""true""#, #""null""#,
        #""*""#,
        #""(other)""#, #""\ud800""#, #""x\udc00""#, #""\ud83d\ud83d\ude00""#, #""\ud83d\u0041""#, #""\ude00\ud83d""#,
        #""Sa\u0303o Paulo""#, "\"Sa\u{303}o Paulo\"", "\"S\u{e3}o Paulo\"", #""Am\u00e9lie""#, "\"Ame\u{301}lie\"",
        #""\u0042R""#,
        #""\/""#, #""\uFFFF""#, #""\u0000""#, "\"\u{212b}\"", #""\u006eaN""#, #""i\u006EF""#, #"[[[[[[[[[[]]]]]]]]]]"#,
        #""\u006e\u0061\u006e""#, #""-\u0069nfinity""#,
    ]

    /// What looks like a value and is none.
    static func broken(_ dice: inout Dice) -> Bytes { dice.pick(brokenValues) }

    private static let brokenValues: [Bytes] =
        [
            "NaN", "Infinity", "-Infinity", "-NaN", "nan", "inf", "01", "-01", "00", "-00.5", "1.", "-1.", "1.e5", ".5",
            "-.5", "+1",
            "1e", "1e+", "1E-", "1e1.5", "1.5.5", "-", "--1", "- 1", "0x1", "1_0", "1 0", "1f", "tru", "truE", "True",
            "fals", "nul",
            "nulL", "null0", "nulltrue", "truefalse", "'a'", "\"a\nb\"", "\"a\tb\"", "\"a\u{0}b\"", "\"a\u{1f}b\"",
            #""\x""#, #""\U0041""#,
            #""\u12""#, #""\u12G4""#, #""\u 123""#, #""\u+123""#, #""\"#, #""\u"#, #""abc"#, #"""""#, "[1,]", "[,1]",
            "[,]", "[1,,2]", "[1 2]",
            "[1:2]", "[1", "[", "]", "}", "{", #"{"a"}"#, #"{"a":}"#, #"{"a":1,}"#, #"{,"a":1}"#, #"{a:1}"#,
            #"{"a" 1}"#, #"{"a":1 "b":2}"#,
            #"{1:1}"#, #"{"a"::1}"#, #"{"a":1"#, #"{"a":[}"#, "[}", "", ",", ":", "1,", ",1", "1}", "1]", "// c",
            "/* c */ 1", "#", "\u{feff}1",
            "\u{a0}1", "\u{c}1", "\u{b}1", "1\u{0}", "\u{0}", "undefined", "1e5e5", "１", "“a”", "1e٣", "0e", "0.",
            "0.e1", "[0123]",
        ].map { Array($0.utf8) } + notUTF8.map { [0x22, 0x61] + $0 + [0x22] } + notUTF8

    static let notUTF8: [Bytes] = [
        [0x80], [0xbf], [0xff], [0xfe], [0xc0, 0x80], [0xc1, 0xbf], [0xc3], [0xc3, 0x28], [0xe0, 0x80, 0x80],
        [0xe0, 0x9f, 0xbf],
        [0xe2, 0x82], [0xe2, 0x28, 0xa1], [0xed, 0xa0, 0x80], [0xed, 0xbf, 0xbf], [0xf0, 0x80, 0x80, 0x80],
        [0xf0, 0x8f, 0xbf, 0xbf],
        [0xf0, 0x9f, 0x98], [0xf0, 0x28, 0x8c, 0xbc], [0xf4, 0x90, 0x80, 0x80], [0xf5, 0x80, 0x80, 0x80], [0xe9],
        [0xf0],
    ]

    /// Nested beyond and just below what is read, 128 levels.
    static func deep(_ dice: inout Dice) -> Bytes {
        let depth = dice.chance(100) ? dice.below(2_000) : dice.between(118, 132)
        var text = Bytes()
        var closing = Bytes()
        for _ in 0..<depth {
            let isObject = dice.chance(500)
            text.add(isObject ? "{\"k\":" : "[")
            closing.append(isObject ? 0x7d : 0x5d)
        }
        text.add(dice.pick(["", "1", "{}", "[]", "\"s\"", "null", "[1]"]))
        if text.last == 0x3a { text.append(0x30) }
        return text + closing.reversed()
    }
}
