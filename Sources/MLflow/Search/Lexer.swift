/// The words of a filter or an order, each with where it begins.
struct Token: Hashable, Sendable {
    enum Kind: Hashable, Sendable {
        /// A word, possibly with dots and with quoted parts after the first one: `metrics.loss`, ``tags.`a b` ``.
        case name(entity: String?, key: String)
        case text(String)
        case number(Double, String)
        /// `=`, `!=`, `<`, `<=`, `>`, `>=`.
        case comparator(String)
        case open, close, comma
    }

    let kind: Kind
    /// In characters from the beginning, counted from 1.
    let place: Int
}

/// Cuts text into tokens. Never traps, whatever the text; cost is linear in its length.
struct Lexer {
    private let characters: [Character]
    private var position = 0

    static func tokens(_ text: String) throws(MLflowError) -> [Token] {
        guard text.utf8.count <= Limit.filter else {
            throw .invalid("The expression is longer than \(Limit.filter) bytes: shorten it")
        }
        var lexer = Lexer(characters: Array(text))
        var tokens: [Token] = []
        while let token = try lexer.next() { tokens.append(token) }
        return tokens
    }

    private init(characters: [Character]) { self.characters = characters }

    private var peek: Character? { position < characters.count ? characters[position] : nil }

    private mutating func next() throws(MLflowError) -> Token? {
        while let c = peek, c.isWhitespace { position += 1 }
        guard let c = peek else { return nil }
        let place = position + 1
        switch c {
        case "(": return single(.open, place)
        case ")": return single(.close, place)
        case ",": return single(.comma, place)
        case "=", "!", "<", ">": return Token(kind: .comparator(try comparator(place)), place: place)
        case "'": return Token(kind: .text(try quoted("'", place)), place: place)
        case "\"", "`":
            let text = try quoted(c, place)
            // A quoted word before a comparison is a key; after one, a value. Only backquotes are always keys.
            return Token(kind: c == "`" ? .name(entity: nil, key: text) : .text(text), place: place)
        default: return try word(place)
        }
    }

    private mutating func single(_ kind: Token.Kind, _ place: Int) -> Token {
        position += 1
        return Token(kind: kind, place: place)
    }

    private mutating func comparator(_ place: Int) throws(MLflowError) -> String {
        var text = String(characters[position])
        position += 1
        if peek == "=" {
            text.append("=")
            position += 1
        }
        if text == "==" { text = "=" }
        guard ["=", "!=", "<", "<=", ">", ">="].contains(text) else {
            throw .invalid("Invalid comparator '\(text)' at character \(place)")
        }
        return text
    }

    /// A single quote is written doubled inside single quotes; after a backslash it does not end the text either.
    private mutating func quoted(_ mark: Character, _ place: Int) throws(MLflowError) -> String {
        position += 1
        var text = ""
        while let c = peek {
            position += 1
            if c == mark {
                guard mark == "'", peek == mark else { return text }
                position += 1
            } else if c == "\\", mark == "'", peek == mark {
                text.append(c)
                position += 1
                text.append(mark)
                continue
            }
            text.append(c)
        }
        throw .invalid("Invalid clause(s) in filter string: the quote at character \(place) does not end")
    }

    private mutating func word(_ place: Int) throws(MLflowError) -> Token {
        var text = ""
        while let c = peek, !c.isWhitespace, !"()=!<>,'".contains(c) {
            if c == "\"" || c == "`" {
                guard text.hasSuffix(".") else { break }
                return Token(kind: .name(entity: String(text.dropLast()), key: try quoted(c, place)), place: place)
            }
            text.append(c)
            position += 1
        }
        if let value = Double(text), value.isFinite, text.first.map({ $0.isNumber || "+-.".contains($0) }) == true {
            return Token(kind: .number(value, text), place: place)
        }
        guard let dot = text.firstIndex(of: ".") else {
            return Token(kind: .name(entity: nil, key: text), place: place)
        }
        return Token(
            kind: .name(entity: String(text[..<dot]), key: String(text[text.index(after: dot)...])), place: place)
    }
}
