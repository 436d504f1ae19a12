import Events
import Statistics
import Values

/// The reference's distribution beside the window's, as shares of each.
struct Histogram: Sendable, Hashable {
    struct Bin: Sendable, Hashable {
        let label: String
        let reference: Double
        let current: Double
    }

    let bins: [Bin]
    let isNumeric: Bool
    /// What stands under the ends of a numeric axis.
    let ends: (first: String, last: String)?

    /// Categories beyond this many are drawn as one.
    static let categoriesMaximum = 8

    static func == (a: Histogram, b: Histogram) -> Bool { a.bins == b.bins && a.isNumeric == b.isNumeric }
    func hash(into hasher: inout Hasher) { hasher.combine(bins) }

    init?(_ comparison: Comparison) {
        self.init(
            edges: comparison.edges, categories: comparison.categories,
            reference: comparison.reference.map { Double($0) }, current: comparison.current.map { Double($0) })
    }

    /// From an alert's `context.comparison`, in counts or in shares. Missing values are a bin of their own where there are any to speak
    /// of: they may be all that the alert is about.
    init?(_ json: JSON) {
        func numbers(_ key: String) -> [Double] { json[key]?.arrayValue?.compactMap(\.numberValue) ?? [] }
        let nulls = numbers("null")
        self.init(
            edges: numbers("edges"), categories: json["categories"]?.arrayValue?.compactMap(\.stringValue) ?? [],
            reference: numbers("reference"), current: numbers("current"),
            missing: nulls.count == 2 && nulls.allSatisfy { (0...1).contains($0) } && nulls.contains { $0 > 0.005 }
                ? (nulls[0], nulls[1]) : nil)
    }

    /// - Parameter missing: shares of all rows on both sides.
    private init?(
        edges: [Double], categories: [String], reference: [Double], current: [Double],
        missing: (reference: Double, current: Double)? = nil
    ) {
        guard !reference.isEmpty, reference.count == current.count,
            (reference + current).allSatisfy({ $0.isFinite && $0 >= 0 })
        else { return nil }
        let p = Self.shares(reference).map { $0 * (1 - (missing?.reference ?? 0)) }
        let q = Self.shares(current).map { $0 * (1 - (missing?.current ?? 0)) }
        let rest = missing.map { [Bin(label: "missing", reference: $0.reference, current: $0.current)] } ?? []
        if categories.count == p.count {
            isNumeric = false
            ends = nil
            bins =
                Self.largest(zip(categories, zip(p, q)).map { Bin(label: $0, reference: $1.0, current: $1.1) }) + rest
        } else if categories.isEmpty, edges.count + 1 == p.count {
            isNumeric = true
            let names = edges.map { Format.number($0) }
            ends =
                names.isEmpty ? nil : ("≤ \(names[0])", "> \(names[names.count - 1])\(rest.isEmpty ? "" : ", missing")")
            bins = p.indices.map { Bin(label: Self.label($0, names), reference: p[$0], current: q[$0]) } + rest
        } else {
            return nil
        }
    }

    /// What `init(reliability:)` draws.
    static let reliabilityTitle = "share of positives by score"

    /// Bins of fewer rows on either side show chance and are left out.
    private static let reliableRows = 10.0

    /// How often rows with a score of each tenth were positive, from an alert's `context.comparison.reliability`.
    init?(reliability json: JSON) {
        func numbers(_ key: String) -> [Double] { json[key]?.arrayValue?.map { $0.numberValue ?? 0 } ?? [] }
        let (p, q) = (numbers("reference"), numbers("current"))
        let (before, now) = (numbers("reference_rows"), numbers("rows"))
        guard !p.isEmpty, Set([p.count, q.count, before.count, now.count]).count == 1,
            (p + q).allSatisfy({ (0...1).contains($0) })
        else { return nil }
        let shown = p.indices.filter { min(before[$0], now[$0]) >= Self.reliableRows }
        guard shown.count > 1 else { return nil }
        isNumeric = true
        let count = Double(p.count)
        let names = shown.map { "\(Format.number(Double($0) / count)) to \(Format.number(Double($0 + 1) / count))" }
        ends = ("score \(names[0])", names[names.count - 1])
        bins = zip(shown, names).map { Bin(label: $1, reference: p[$0], current: q[$0]) }
    }

    private static func shares(_ counts: [Double]) -> [Double] {
        let total = counts.reduce(0, +)
        return total > 0 ? counts.map { $0 / total } : counts
    }

    private static func label(_ bin: Int, _ edges: [String]) -> String {
        if edges.isEmpty { return "all values" }
        if bin == 0 { return "up to \(edges[0])" }
        if bin == edges.count { return "above \(edges[bin - 1])" }
        return "\(edges[bin - 1]) to \(edges[bin])"
    }

    /// The categories that matter on either side, the largest first, and the rest together. Those that nobody has
    /// are left out.
    private static func largest(_ bins: [Bin]) -> [Bin] {
        let sorted = bins.filter { $0.reference > 0 || $0.current > 0 }.enumerated().sorted { a, b in
            let (x, y) = (max(a.element.reference, a.element.current), max(b.element.reference, b.element.current))
            return x != y ? x > y : a.offset < b.offset
        }.map(\.element)
        // One more instead of an "other" that stands for a single category.
        guard sorted.count > categoriesMaximum + 1 else { return sorted }
        let rest = sorted[categoriesMaximum...]
        return sorted[..<categoriesMaximum] + [
            Bin(
                label: "\(rest.count) others", reference: rest.reduce(0) { $0 + $1.reference },
                current: rest.reduce(0) { $0 + $1.current })
        ]
    }
}
