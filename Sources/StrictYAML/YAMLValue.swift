/// A node of a YAML file with its place. Scalars keep the text they were written with: `no`, `off` and `010` become
/// booleans or numbers only where somebody asks for one.
package struct YAMLValue: Sendable {
    package struct Entry: Sendable {
        package let key: String
        package let keyPlace: Place
        package let value: YAMLValue
    }

    package struct Scalar: Sendable {
        package let text: String
        /// Written without quotes: may be a number, a boolean or nothing.
        package let isPlain: Bool
        /// Came from `${…}`: must not be shown.
        package let isSecret: Bool
        let style: Style
    }

    enum Style: Sendable {
        case plain, singleQuoted, doubleQuoted, block
    }

    package enum Content: Sendable {
        case scalar(Scalar)
        case list([YAMLValue])
        case mapping([Entry])
    }

    package let content: Content
    package let place: Place
    let source: SourceText

    /// `key:` with nothing after it, `~` or `null`.
    package var isNull: Bool {
        guard case .scalar(let scalar) = content, scalar.isPlain else { return false }
        return ["", "~", "null", "Null", "NULL"].contains(scalar.text)
    }

    /// What the node is, in words, for messages. Never its text where that may be a secret.
    package var kindInWords: String {
        switch content {
        case .list: return "a list"
        case .mapping: return "a mapping"
        case .scalar(let scalar):
            if isNull { return "nothing" }
            if scalar.isSecret { return "the value of a variable" }
            let shown = scalar.text.count > 40 ? scalar.text.prefix(39) + "…" : scalar.text[...]
            return "`\(shown.replacing("\n", with: " "))`"
        }
    }

    /// The place in the file of the character at `offset` (in Unicode scalars) of a scalar's text; the value's own
    /// place for other nodes.
    package func place(ofCharacter offset: Int) -> Place {
        guard case .scalar(let scalar) = content, !scalar.isSecret else { return place }
        return source.place(ofCharacter: offset, in: scalar, startingAt: place)
    }
}

/// The lines of a file, to find out where a character of a scalar stands.
final class SourceText: Sendable {
    private let lines: [[Unicode.Scalar]]

    init(_ text: String) {
        lines = text.split(separator: "\n", omittingEmptySubsequences: false).map { Array($0.unicodeScalars) }
    }

    /// Walks source and scalar side by side: line breaks and indentation differ between the two, the other characters
    /// come in the same order. Escapes of quoted scalars count as one character.
    func place(ofCharacter offset: Int, in scalar: YAMLValue.Scalar, startingAt start: Place) -> Place {
        var line = start.line - 1
        var column = start.column - 1
        switch scalar.style {
        case .plain: break
        case .singleQuoted, .doubleQuoted: column += 1
        case .block:
            line += 1
            column = 0
        }
        let wanted = scalar.text.unicodeScalars.prefix(offset).count { !$0.properties.isWhitespace }
        let target = scalar.text.unicodeScalars.dropFirst(offset).first
        let isAtSpace = target.map(\.properties.isWhitespace) ?? true
        var seen = 0
        var last = Place(file: start.file, line: line + 1, column: column + 1)
        while line < lines.count {
            let characters = lines[line]
            while column < characters.count {
                let c = characters[column]
                if !c.properties.isWhitespace {
                    if seen == wanted, !isAtSpace { return place(start, line, column) }
                    let isEscape =
                        (scalar.style == .doubleQuoted && c == "\\") || (scalar.style == .singleQuoted && c == "'")
                    if isEscape { column += 1 }
                    seen += 1
                    last = place(start, line, column + 1)
                    if seen == wanted, isAtSpace { return last }
                }
                column += 1
            }
            line += 1
            column = 0
        }
        return last
    }

    private func place(_ start: Place, _ line: Int, _ column: Int) -> Place {
        Place(file: start.file, line: line + 1, column: column + 1)
    }
}
