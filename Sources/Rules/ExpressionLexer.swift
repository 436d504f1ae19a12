/// What is wrong with an expression or a template, at an offset in Unicode scalars of its text.
struct TextError: Error {
    var message: String
    var offset: Int

    init(_ message: String, at offset: Int) {
        self.message = message
        self.offset = offset
    }
}

/// A word of an expression.
struct Token: Equatable {
    enum Kind: Equatable {
        case number(Double)
        case duration(String)
        case name(String)
        case string(String)
        case symbol(String)
        case end
    }

    var kind: Kind
    var offset: Int

    /// As shown after "found".
    var inWords: String {
        switch kind {
        case .number(let value): "the number \(value)"
        case .duration(let text): "the duration `\(text)`"
        case .name(let text), .symbol(let text): "`\(text)`"
        case .string: "a quoted text"
        case .end: "the end"
        }
    }
}

/// Splits an expression into words. PromQL's lexical rules for names, numbers, strings and comments.
struct ExpressionLexer {
    private let text: [Unicode.Scalar]
    private var position = 0

    private init(_ text: [Unicode.Scalar]) { self.text = text }

    static func tokens(of text: String) throws(TextError) -> [Token] {
        var lexer = ExpressionLexer(Array(text.unicodeScalars))
        var out: [Token] = []
        while true {
            let token = try lexer.next()
            out.append(token)
            if token.kind == .end { return out }
        }
    }

    private var current: Unicode.Scalar? { position < text.count ? text[position] : nil }

    private func isNameStart(_ c: Unicode.Scalar) -> Bool {
        c == "_" || ("a"..."z").contains(c) || ("A"..."Z").contains(c)
    }

    private func isDigit(_ c: Unicode.Scalar) -> Bool { ("0"..."9").contains(c) }

    private func slice(from start: Int) -> String { String(String.UnicodeScalarView(text[start..<position])) }

    private mutating func next() throws(TextError) -> Token {
        while let c = current, c.properties.isWhitespace || c == "#" {
            if c == "#" {
                while let d = current, d != "\n" { position += d == "\n" ? 0 : 1 }
            } else {
                position += 1
            }
        }
        let start = position
        guard let c = current else { return Token(kind: .end, offset: start) }
        if isNameStart(c) {
            while let d = current, isNameStart(d) || isDigit(d) { position += 1 }
            return Token(kind: .name(slice(from: start)), offset: start)
        }
        if isDigit(c) || (c == "." && position + 1 < text.count && isDigit(text[position + 1])) {
            return try number(start)
        }
        if c == "\"" || c == "'" || c == "`" { return try string(start, quote: c) }
        for symbol in ["==", "!=", ">=", "<=", "=~", "!~"] {
            let end = position + 2
            if end <= text.count, String(String.UnicodeScalarView(text[position..<end])) == symbol {
                position = end
                return Token(kind: .symbol(symbol), offset: start)
            }
        }
        guard "+-*/%^=<>(){}[],".unicodeScalars.contains(c) else {
            let hint =
                switch c {
                case "&": ": did you mean `and`?"
                case "|": ": did you mean `or`?"
                default:
                    c.properties.isAlphabetic || c == "." ? ": a label such as this stands in quotes, `by (\"…\")`" : ""
                }
            throw TextError("unexpected character `\(c)`\(hint)", at: start)
        }
        position += 1
        return Token(kind: .symbol(String(c)), offset: start)
    }

    private mutating func number(_ start: Int) throws(TextError) -> Token {
        while let c = current, isDigit(c) { position += 1 }
        if let c = current, isNameStart(c), c != "e", c != "E" {
            while let d = current, isNameStart(d) || isDigit(d) { position += 1 }
            return Token(kind: .duration(slice(from: start)), offset: start)
        }
        if current == "." {
            position += 1
            while let c = current, isDigit(c) { position += 1 }
        }
        if let c = current, c == "e" || c == "E" {
            position += 1
            if let sign = current, sign == "+" || sign == "-" { position += 1 }
            while let d = current, isDigit(d) { position += 1 }
        }
        if let c = current, isNameStart(c) || c == "." {
            throw TextError("a number cannot be followed by `\(c)`", at: position)
        }
        guard let value = Double(slice(from: start)), value.isFinite else {
            throw TextError("expected a number, found `\(slice(from: start))`", at: start)
        }
        return Token(kind: .number(value), offset: start)
    }

    private mutating func string(_ start: Int, quote: Unicode.Scalar) throws(TextError) -> Token {
        position += 1
        var out = String.UnicodeScalarView()
        while let c = current {
            position += 1
            if c == quote { return Token(kind: .string(String(out)), offset: start) }
            guard c == "\\", quote != "`" else {
                out.append(c)
                continue
            }
            guard let escaped = current else { break }
            position += 1
            switch escaped {
            case "n": out.append("\n")
            case "t": out.append("\t")
            case "r": out.append("\r")
            case "\\", "\"", "'": out.append(escaped)
            default:
                throw TextError(
                    "unknown escape `\\\(escaped)` in a quoted text: write `\\\\\(escaped)` for a backslash",
                    at: position - 2)
            }
        }
        throw TextError("the quoted text is never closed: expected `\(quote)`", at: start)
    }
}
