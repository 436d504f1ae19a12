import Values

/// Numbers and times as people read them on the page. Never for machines: those get JSON.
enum Format {
    /// `0.31`; an en dash where there is no number.
    static func fixed(_ value: Double?, digits: Int) -> String {
        guard let value, value.isFinite, abs(value) < 1e12 else { return "–" }
        var scale = 1.0
        for _ in 0..<digits { scale *= 10 }
        let scaled = Int64((abs(value) * scale).rounded())
        let whole = scaled / Int64(scale)
        let sign = value < 0 && scaled > 0 ? "−" : ""
        guard digits > 0 else { return "\(sign)\(whole)" }
        let rest = String(scaled % Int64(scale))
        return "\(sign)\(whole).\(String(repeating: "0", count: digits - rest.count))\(rest)"
    }

    /// Two decimals, and a third where two would read as nothing.
    static func psi(_ value: Double?) -> String { fixed(value, digits: (value ?? 1) < 0.0095 ? 3 : 2) }

    /// Three significant digits: `0.052`, `12.5`, `480`, `18.2k`, `3.1M`.
    static func number(_ value: Double?) -> String {
        guard let value, value.isFinite else { return "–" }
        let size = abs(value)
        for (unit, name) in [(1e9, "G"), (1e6, "M"), (1e4, "k")] where size >= unit && size < 1e15 {
            return trimmed(value / (name == "k" ? 1e3 : unit), digits: 1) + name
        }
        switch size {
        case 0: return "0"
        case 1_000..<1e15: return (value < 0 ? "−" : "") + count(UInt64(size.rounded()))
        case 100..<1_000: return trimmed(value, digits: 0)
        case 10..<100: return trimmed(value, digits: 1)
        case 1..<10: return trimmed(value, digits: 2)
        case 0.001..<1: return trimmed(value, digits: size < 0.01 ? 5 : size < 0.1 ? 4 : 3)
        default: return value.description
        }
    }

    private static func trimmed(_ value: Double, digits: Int) -> String {
        var text = fixed(value, digits: digits)
        guard text.contains(".") else { return text }
        while text.last == "0" { text.removeLast() }
        if text.last == "." { text.removeLast() }
        return text
    }

    static func percent(_ share: Double?) -> String {
        guard let share, share.isFinite else { return "–" }
        let value = abs(share * 100)
        if value == 0 { return "0%" }
        if value < 0.1 { return "<0.1%" }
        return fixed(share * 100, digits: value < 9.95 ? 1 : 0) + "%"
    }

    /// A probability: what is far below any level needs no digits.
    static func probability(_ value: Double?) -> String {
        guard let value, value.isFinite else { return "–" }
        return value < 1e-6 ? "under 1e-6" : value < 0.001 ? "under 0.001" : fixed(value, digits: 3)
    }

    /// `12,345`.
    static func count(_ value: UInt64) -> String {
        var text = ""
        for (i, digit) in String(value).reversed().enumerated() {
            if i > 0, i % 3 == 0 { text.append(",") }
            text.append(digit)
        }
        return String(text.reversed())
    }

    /// `2026-03-01 12:00 UTC`, to the second only where there are seconds.
    static func time(_ time: Timestamp) -> String { "\(day(time)) \(clock(time)) UTC" }

    /// `2026-03-01 12:00–13:00 UTC`.
    static func window(_ window: TimeRange) -> String {
        day(window.start) == day(window.end)
            ? "\(day(window.start)) \(clock(window.start))–\(clock(window.end)) UTC"
            : "\(day(window.start)) \(clock(window.start)) – \(day(window.end)) \(clock(window.end)) UTC"
    }

    /// `2 h 5 min`: the two largest units, for how long something lasts.
    static func duration(_ span: Span) -> String {
        var rest = max(0, span.microseconds / 1_000_000)
        var parts: [String] = []
        for (unit, name) in [(86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")] as [(Int64, String)] {
            if rest >= unit { parts.append("\(rest / unit) \(name)") }
            rest %= unit
        }
        return parts.isEmpty ? "0 s" : parts.prefix(2).joined(separator: " ")
    }

    private static func day(_ time: Timestamp) -> Substring { time.rfc3339.prefix(10) }

    private static func clock(_ time: Timestamp) -> Substring {
        let text = time.rfc3339.dropFirst(11).prefix(8)
        return text.hasSuffix(":00") ? text.dropLast(3) : text
    }
}
