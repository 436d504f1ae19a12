import Foundation

/// Numbers, bars and cells as people read them on a terminal.
package enum CompareText {
    private static let blocks = Array("▁▂▃▄▅▆▇█")

    /// A bar for each share, the largest (`top`) at full height. A share that is not zero is never drawn as none.
    static func bars(_ shares: [Double], top: Double) -> String {
        String(
            shares.map { share -> Character in
                guard share > 0, top > 0 else { return " " }
                return blocks[min(blocks.count - 1, Int(share / top * Double(blocks.count - 1) + 0.5))]
            })
    }

    /// Four digits, without a tail of zeros; thousands as whole numbers, huge and tiny ones with an exponent.
    static func number(_ value: Double?) -> String {
        guard let value else { return "–" }
        guard abs(value) >= 1_000, abs(value) < 1e9 else { return String(format: "%.4g", value) }
        return (value < 0 ? "-" : "") + count(UInt64(abs(value).rounded()))
    }

    /// A distance: three decimals, so that columns of them line up.
    static func distance(_ value: Double?) -> String {
        guard let value else { return "–" }
        return value > 0 && value < 0.0005 ? "<0.001" : String(format: "%.3f", value)
    }

    /// A part of a distance, which may be negative: four decimals, so that columns of them line up.
    static func signed(_ value: Double?) -> String { value.map { String(format: "%.4f", $0) } ?? "–" }

    /// A probability: what is far below any threshold needs no digits.
    static func probability(_ value: Double?) -> String {
        guard let value else { return "–" }
        return value < 1e-9 ? "<1e-9" : value < 0.001 ? String(format: "%.0e", value) : String(format: "%.3f", value)
    }

    static func percent(_ value: Double?) -> String {
        guard let value else { return "–" }
        let percent = value * 100
        if percent > 0 && percent < 0.1 { return "<0.1%" }
        return percent == percent.rounded() ? "\(Int(percent))%" : String(format: "%.1f%%", percent)
    }

    /// A count with thousands apart.
    static func count(_ value: UInt64) -> String {
        var digits = Array(String(value))
        var at = digits.count - 3
        while at > 0 {
            digits.insert(",", at: at)
            at -= 3
        }
        return String(digits)
    }

    /// Text of unknown origin in one cell: nothing that moves the cursor or colours the terminal, and cut to `width`.
    static func cell(_ text: String, width: Int) -> String {
        let clean = plain(text)
        let cut = clean.count > width ? clean.prefix(max(0, width - 1)) + "…" : clean[...]
        return cut + String(repeating: " ", count: max(0, width - cut.count))
    }

    /// The text without control and direction characters, which a data file must not send to a terminal.
    static func plain(_ text: String) -> String {
        String(
            String.UnicodeScalarView(
                text.unicodeScalars.map { scalar in
                    switch scalar.properties.generalCategory {
                    case .control, .format, .lineSeparator, .paragraphSeparator: "\u{fffd}"
                    default: scalar
                    }
                }))
    }

    static func right(_ text: String, width: Int) -> String {
        String(repeating: " ", count: max(0, width - text.count)) + text
    }
}

/// How a result is written for people: as wide as the terminal, with colour where it is wanted.
package struct CompareStyle: Sendable {
    package let width: Int
    package let hasColour: Bool

    package init(width: Int, hasColour: Bool) {
        self.width = max(60, width)
        self.hasColour = hasColour
    }

    func bold(_ text: String) -> String { wrap(text, 1) }
    func dim(_ text: String) -> String { wrap(text, 2) }
    func red(_ text: String) -> String { wrap(text, 31) }
    func green(_ text: String) -> String { wrap(text, 32) }
    func cyan(_ text: String) -> String { wrap(text, 36) }
    func yellow(_ text: String) -> String { wrap(text, 33) }

    private func wrap(_ text: String, _ code: Int) -> String {
        hasColour ? "\u{1b}[\(code)m\(text)\u{1b}[0m" : text
    }
}
