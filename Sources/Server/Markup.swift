import Mustache

/// Text made safe for HTML and SVG, in elements and in quoted attributes.
///
/// Works on unicode scalars. Swift's characters would not do: a quote followed by a combining accent is one character
/// that is not a quote, and yet a browser ends the attribute there. (swift-mustache's own escaping has that gap.)
enum Markup {
    static func escape(_ text: String) -> String {
        var out = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            switch scalar {
            case "<": out += "&lt;".unicodeScalars
            case ">": out += "&gt;".unicodeScalars
            case "&": out += "&amp;".unicodeScalars
            case "\"": out += "&quot;".unicodeScalars
            case "'": out += "&#39;".unicodeScalars
            case "\n", "\t": out.append(scalar)
            // Control characters mean nothing in a page, and directional overrides could make a name read as another.
            case "\u{0}"..."\u{1f}", "\u{7f}"..."\u{9f}", "\u{202a}"..."\u{202e}", "\u{2066}"..."\u{2069}":
                out.append("\u{fffd}")
            default: out.append(scalar)
            }
        }
        return String(out)
    }

    /// A link that a page may offer: other schemes could run scripts.
    static func link(_ text: String?) -> String? {
        guard let text, ["http://", "https://"].contains(where: { text.lowercased().hasPrefix($0) }) else { return nil }
        return text
    }

    /// Parses one of our templates, whose variables are escaped as above; `{{{x}}}` is for markup made here.
    static func template(_ text: String) -> MustacheTemplate {
        MustacheContentTypes.register(Escaping(), named: "MARKUP")
        // The templates are constants of this module, and every test of a page parses them.
        return try! MustacheTemplate(string: "{{% CONTENT_TYPE:MARKUP}}" + text)
    }

    private struct Escaping: MustacheContentType {
        func escapeText(_ text: String) -> String { Markup.escape(text) }
    }
}
