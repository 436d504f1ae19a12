import Foundation

/// Go's `printf`, as far as annotations use it: `%v %s %q %d %f %e %g %t %x %%` with flags, width and precision.
enum Printf {
    struct Verb {
        var flags = ""
        var width: Int?
        var precision: Int?
        var letter: Character
    }

    enum Piece {
        case text(String)
        case verb(Verb)
    }

    static let verbs = "vsqdfFegEGtx"

    /// Splits a format; throws where a verb is not known, so that a rule file's author hears of it when it is loaded.
    static func pieces(_ format: String) throws(TemplateFailure) -> [Piece] {
        var out: [Piece] = []
        var text = ""
        var rest = Substring(format)
        while let c = rest.popFirst() {
            guard c == "%" else {
                text.append(c)
                continue
            }
            if rest.first == "%" {
                rest = rest.dropFirst()
                text.append("%")
                continue
            }
            let flags = rest.prefix { "+-# 0".contains($0) }
            rest = rest.dropFirst(flags.count)
            let width = rest.prefix { $0.isASCII && $0.isNumber }
            rest = rest.dropFirst(width.count)
            var precision: Substring?
            if rest.first == "." {
                let digits = rest.dropFirst().prefix { $0.isASCII && $0.isNumber }
                rest = rest.dropFirst(digits.count + 1)
                precision = digits
            }
            guard let letter = rest.popFirst(), verbs.contains(letter) else {
                throw TemplateFailure(message: "printf knows %v %s %q %d %f %e %g %t %x and %%, not this: \(format)")
            }
            let verb = Verb(
                flags: String(flags), width: Int(width), precision: precision.map { $0.isEmpty ? 0 : Int($0) ?? 1_000 },
                letter: letter)
            guard (verb.width ?? 0) <= 100, (verb.precision ?? 0) <= 100 else {
                throw TemplateFailure(message: "printf width and precision end at 100: \(format)")
            }
            if !text.isEmpty { out.append(.text(text)) }
            text = ""
            out.append(.verb(verb))
        }
        if !text.isEmpty { out.append(.text(text)) }
        return out
    }

    static func format(_ pattern: String, _ arguments: [TemplateValue]) throws(TemplateFailure) -> String {
        var rest = arguments[...]
        var out = ""
        for piece in try pieces(pattern) {
            switch piece {
            case .text(let text): out += text
            case .verb(let verb):
                guard let value = rest.popFirst() else { throw TemplateFailure(message: "printf: too few arguments") }
                out += pad(try format(value, verb), verb)
            }
        }
        if !rest.isEmpty { throw TemplateFailure(message: "printf: too many arguments") }
        return out
    }

    private static func format(_ value: TemplateValue, _ verb: Verb) throws(TemplateFailure) -> String {
        if value.isAbsent { return TemplateValue.absentText }
        switch verb.letter {
        case "v", "s", "t":
            let text = value.text
            if verb.letter == "s", let precision = verb.precision { return String(text.prefix(precision)) }
            return text
        case "q": return quoted(value.text)
        case "d", "x":
            guard let number = value.number, abs(number) < 9e18 else {
                throw TemplateFailure(message: "printf %\(verb.letter) needs a number, got \"\(value.text)\"")
            }
            let whole = Int64(number)
            return signed(verb.letter == "x" ? String(whole, radix: 16) : String(whole), verb)
        default:
            guard let number = value.number else {
                throw TemplateFailure(message: "printf %\(verb.letter) needs a number, got \"\(value.text)\"")
            }
            guard number.isFinite else { return number.isNaN ? "NaN" : number < 0 ? "-Inf" : "+Inf" }
            if verb.letter == "g", verb.precision == nil { return signed(TemplateValue.shortest(number), verb) }
            return signed(String(format: "%.\(verb.precision ?? 6)\(verb.letter)", number), verb)
        }
    }

    private static func signed(_ text: String, _ verb: Verb) -> String {
        verb.flags.contains("+") && !text.hasPrefix("-") ? "+" + text : text
    }

    private static func pad(_ text: String, _ verb: Verb) -> String {
        guard let width = verb.width, text.count < width else { return text }
        let missing = width - text.count
        if verb.flags.contains("-") { return text + String(repeating: " ", count: missing) }
        guard verb.flags.contains("0"), !"vsqt".contains(verb.letter) else {
            return String(repeating: " ", count: missing) + text
        }
        let sign = text.prefix { $0 == "-" || $0 == "+" }
        return sign + String(repeating: "0", count: missing) + text.dropFirst(sign.count)
    }

    private static func quoted(_ text: String) -> String {
        var out = "\""
        for c in text.unicodeScalars {
            switch c {
            case "\"": out += "\\\""
            case "\\": out += "\\\\"
            case "\n": out += "\\n"
            case "\t": out += "\\t"
            case "\r": out += "\\r"
            default: out.unicodeScalars.append(c)
            }
        }
        return out + "\""
    }
}
