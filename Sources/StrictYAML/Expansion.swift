/// `${NAME}` and `${file:/path}` in the scalars of a file. What they stand for comes from outside, so nothing here
/// reads the environment or a disk.
///
/// Expanded text may be a secret: it is never shown in a problem.
package struct Expansion: Sendable {
    package enum Variable: Hashable, Sendable {
        case environment(String)
        case file(String)
    }

    /// What a variable stands for, `nil` where there is no such thing.
    package typealias Resolver = @Sendable (Variable) -> String?

    /// A brace that YAML does not take for a flow mapping: `{secret: ${NAME}}` must mean what it says. Private-use
    /// characters, one column each like the braces they stand for.
    private static let opening: Unicode.Scalar = "\u{F8E1}"
    private static let closing: Unicode.Scalar = "\u{F8E2}"

    /// Hides the braces of variables from the YAML parser; `unhide` brings them back.
    static func hide(_ text: String) -> String {
        guard text.contains("${") else { return text }
        let source = Array(text.unicodeScalars)
        var out = String.UnicodeScalarView()
        out.reserveCapacity(source.count)
        var i = 0
        while i < source.count {
            if source[i] == "$", let end = variableEnd(source, i) {
                out.append("$")
                out.append(opening)
                out.append(contentsOf: source[(i + 2)..<end])
                out.append(closing)
                i = end + 1
            } else {
                out.append(source[i])
                i += 1
            }
        }
        return String(out)
    }

    static func unhide(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: { $0 == opening || $0 == closing }) else { return text }
        var out = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            out.append(scalar == opening ? "{" : scalar == closing ? "}" : scalar)
        }
        return String(out)
    }

    /// The text with variables replaced, what could not be replaced, and whether anything was. `$${` is a literal `${`.
    static func expand(_ text: String, _ resolver: Resolver) -> (text: String, unknown: [Variable], changed: Bool) {
        guard text.contains("${") else { return (text, [], false) }
        let source = Array(text.unicodeScalars)
        var out = String.UnicodeScalarView()
        var unknown: [Variable] = []
        var changed = false
        var i = 0
        while i < source.count {
            if source[i] == "$", i + 2 < source.count, source[i + 1] == "$", source[i + 2] == "{" {
                out.append(contentsOf: "${".unicodeScalars)
                i += 3
            } else if source[i] == "$", let end = variableEnd(source, i) {
                let name = String(String.UnicodeScalarView(source[(i + 2)..<end]))
                let variable: Variable =
                    name.hasPrefix("file:") ? .file(String(name.dropFirst(5))) : .environment(name)
                if let value = resolver(variable) {
                    out.append(contentsOf: value.unicodeScalars)
                    changed = true
                } else {
                    unknown.append(variable)
                }
                i = end + 1
            } else {
                out.append(source[i])
                i += 1
            }
        }
        return (String(out), unknown, changed)
    }

    /// The index of the closing brace where a variable starts at `start`.
    private static func variableEnd(_ source: [Unicode.Scalar], _ start: Int) -> Int? {
        guard start + 3 < source.count, source[start + 1] == "{" else { return nil }
        var i = start + 2
        let isFile = source.count > i + 5 && String(String.UnicodeScalarView(source[i..<i + 5])) == "file:"
        let first = source[i]
        guard isFile || first == "_" || (first.isASCII && first.properties.isAlphabetic) else { return nil }
        while i < source.count {
            let c = source[i]
            if c == "}" { return i }
            let isNamePart = c == "_" || (c.isASCII && (c.properties.isAlphabetic || ("0"..."9").contains(c)))
            guard isFile ? c != "\n" && c != "{" : isNamePart else { return nil }
            i += 1
        }
        return nil
    }
}

extension Expansion.Variable: CustomStringConvertible {
    package var description: String {
        switch self {
        case .environment(let name): "environment variable `\(name)` is not set"
        case .file(let path): "file `\(path)` cannot be read"
        }
    }
}
