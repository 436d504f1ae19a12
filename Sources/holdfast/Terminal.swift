import Foundation

/// What is printed for people: to standard error, with colour only on a terminal that wants it.
enum Terminal {
    static let isInteractive = isatty(2) == 1
    static let hasColour =
        isInteractive && ProcessInfo.processInfo.environment["NO_COLOR"]?.isEmpty ?? true
        && ProcessInfo.processInfo.environment["TERM"] != "dumb"

    static func line(_ text: String) { FileHandle.standardError.write(Data((text + "\n").utf8)) }

    static func error(_ text: String) { line(text) }

    /// Text that others chose, as it may be printed: what would move the cursor, change colours or turn the direction of
    /// reading is written as the number of its character.
    static func plain(_ text: String) -> String {
        var out = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\u{0}"..."\u{1f}", "\u{7f}"..."\u{9f}", "\u{200e}", "\u{200f}", "\u{2028}"..."\u{202e}",
                "\u{2066}"..."\u{2069}":
                out += "\\u{\(String(scalar.value, radix: 16))}".unicodeScalars
            default: out.append(scalar)
            }
        }
        return String(out)
    }

    static func bold(_ text: String) -> String { hasColour ? "\u{1b}[1m\(text)\u{1b}[0m" : text }
    static func red(_ text: String) -> String { hasColour ? "\u{1b}[31m\(text)\u{1b}[0m" : text }
    static func green(_ text: String) -> String { hasColour ? "\u{1b}[32m\(text)\u{1b}[0m" : text }
    static func dim(_ text: String) -> String { hasColour ? "\u{1b}[2m\(text)\u{1b}[0m" : text }

    /// A bar that is drawn over itself; nothing where nobody watches. Without a share only the text.
    static func progress(_ share: Double?, _ label: String) {
        guard isInteractive else { return }
        let clear = "\r\u{1b}[K"
        guard let share else {
            FileHandle.standardError.write(Data((clear + label).utf8))
            return
        }
        let width = 30
        let filled = Int((min(max(share, 0), 1) * Double(width)).rounded())
        let bar = String(repeating: "█", count: filled) + String(repeating: "·", count: width - filled)
        FileHandle.standardError.write(Data("\(clear)\(bar) \(Int(share * 100))% \(label)".utf8))
    }

    static func endProgress() {
        guard isInteractive else { return }
        FileHandle.standardError.write(Data("\r\u{1b}[K".utf8))
    }
}
