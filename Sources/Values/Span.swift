/// A length of time in microseconds, written as Prometheus writes durations: `90s`, `5m`, `1h30m`, `7d`.
package struct Span: Hashable, Comparable, Sendable, Codable {
    package var microseconds: Int64

    package init(microseconds: Int64) { self.microseconds = microseconds }
    package static func milliseconds(_ n: Int64) -> Span { Span(microseconds: n * 1_000) }
    package static func seconds(_ n: Int64) -> Span { Span(microseconds: n * 1_000_000) }
    package static func minutes(_ n: Int64) -> Span { .seconds(n * 60) }
    package static func hours(_ n: Int64) -> Span { .minutes(n * 60) }
    package static func days(_ n: Int64) -> Span { .hours(n * 24) }
    package static let zero = Span(microseconds: 0)

    package static func < (a: Span, b: Span) -> Bool { a.microseconds < b.microseconds }
    package static func + (a: Span, b: Span) -> Span { Span(microseconds: a.microseconds &+ b.microseconds) }
    package static func * (a: Span, n: Int64) -> Span { Span(microseconds: a.microseconds &* n) }

    package var seconds: Double { Double(microseconds) / 1e6 }

    /// Units in the only order Prometheus accepts them, largest first.
    private static let units: [(name: String, microseconds: Int64)] = [
        ("y", 365 * 86_400_000_000), ("w", 7 * 86_400_000_000), ("d", 86_400_000_000), ("h", 3_600_000_000),
        ("m", 60_000_000), ("s", 1_000_000), ("ms", 1_000),
    ]

    /// Prometheus counts nanoseconds in 64 bits: a longer duration is out of range there, so it is here.
    private static let longestParsed = Int64.max / 1_000

    /// Reads a Prometheus duration; `nil` where the text is not one (an unknown unit, a unit twice or out of
    /// order, a sign, or a value over 292 years).
    package init?(parsing text: some StringProtocol) {
        var rest = Substring(text)
        if rest == "0" {
            self.init(microseconds: 0)
            return
        }
        guard !rest.isEmpty else { return nil }
        var total: Int64 = 0
        var nextUnit = 0
        while !rest.isEmpty {
            let digits = rest.prefix { ("0"..."9").contains($0) }
            guard !digits.isEmpty, let count = Int64(digits) else { return nil }
            rest = rest.dropFirst(digits.count)
            let unitName = rest.prefix { ("a"..."z").contains($0) }
            guard let index = Self.units.firstIndex(where: { $0.name == unitName }), index >= nextUnit else {
                return nil
            }
            let (product, overflow) = count.multipliedReportingOverflow(by: Self.units[index].microseconds)
            let (sum, overflow2) = total.addingReportingOverflow(product)
            guard !overflow, !overflow2, sum <= Self.longestParsed else { return nil }
            total = sum
            nextUnit = index + 1
            rest = rest.dropFirst(unitName.count)
        }
        self.init(microseconds: total)
    }

    package init(from decoder: any Decoder) throws {
        microseconds = try decoder.singleValueContainer().decode(Int64.self)
    }
    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(microseconds)
    }
}

extension Span: CustomStringConvertible {
    /// The shortest Prometheus form, `1h30m` for ninety minutes; weeks and years are written as days.
    package var description: String {
        guard microseconds > 0 else { return "0s" }
        var rest = microseconds
        var text = ""
        for unit in Self.units where unit.name != "y" && unit.name != "w" {
            let count = rest / unit.microseconds
            if count > 0 {
                text += "\(count)\(unit.name)"
                rest -= count * unit.microseconds
            }
        }
        return text.isEmpty ? "0s" : text
    }
}
