import Foundation

/// The shape of a column on both sides, to be drawn: shares by bin, in bins of equal width (numeric) or by category.
package struct CompareChart: Sendable, Hashable {
    /// What each bar stands for, in words.
    package let labels: [String]
    package let reference: [Double]
    package let current: [Double]

    static let bars = 24
    static let categories = 12

    init(labels: [String], reference: [UInt64], current: [UInt64]) {
        func shares(_ counts: [UInt64]) -> [Double] {
            let total = counts.reduce(0.0) { $0 + Double($1) }
            return counts.map { total > 0 ? Double($0) / total : 0 }
        }
        self.labels = labels
        self.reference = shares(reference)
        self.current = shares(current)
    }

    /// Equal widths between the first and last percent of both sides; the rest is in the outer bars, so that one far
    /// value does not squeeze all others into one bar.
    init(numeric reference: CompareSamples, _ current: CompareSamples) {
        // Few distinct values: a bar for each.
        if let values = Self.fewValues(reference.values, current.values) {
            let edges = Array(values.dropLast())
            self.init(
                labels: values.map { CompareText.number($0) }, reference: reference.histogram(edges),
                current: current.histogram(edges))
            return
        }
        let lows = [reference.quantile(0.01), current.quantile(0.01)].compactMap(\.self)
        let highs = [reference.quantile(0.99), current.quantile(0.99)].compactMap(\.self)
        guard let low = lows.min(), let high = highs.max() else {
            self.init(labels: [], reference: [], current: [])
            return
        }
        let width = high / Double(Self.bars) - low / Double(Self.bars)
        guard high > low, width > 0, width.isFinite else {
            // Nearly all rows hold one value.
            let edges = [low.nextDown, low]
            self.init(
                labels: ["below", CompareText.number(low), "above"], reference: reference.histogram(edges),
                current: current.histogram(edges))
            return
        }
        let edges = (1..<Self.bars).map { low + Double($0) * width }
        let labels = (0..<Self.bars).map { bar in
            bar == 0
                ? "up to \(CompareText.number(edges[0]))"
                : bar == edges.count
                    ? "above \(CompareText.number(edges[bar - 1]))"
                    : "\(CompareText.number(edges[bar - 1])) to \(CompareText.number(edges[bar]))"
        }
        self.init(labels: labels, reference: reference.histogram(edges), current: current.histogram(edges))
    }

    /// All distinct values, `nil` where there are more than bars (or none).
    private static func fewValues(_ x: [Double], _ y: [Double]) -> [Double]? {
        var distinct: Set<Double> = []
        for value in x + y {
            distinct.insert(value)
            if distinct.count > bars { return nil }
        }
        return distinct.isEmpty ? nil : distinct.sorted()
    }

    /// The bins as given, where there are few, and otherwise the greatest and the rest together.
    init(categories names: [String], reference: [UInt64], current: [UInt64]) {
        guard names.count > Self.categories else {
            self.init(labels: names, reference: reference, current: current)
            return
        }
        // The last bin is that of unseen values, which must not drown among the rest.
        let kept = Self.categories - 2
        func rest(_ counts: [UInt64]) -> UInt64 { counts[kept..<counts.count - 1].reduce(0, &+) }
        func fold(_ counts: [UInt64]) -> [UInt64] {
            Array(counts[..<kept]) + [rest(counts)] + [counts[counts.count - 1]]
        }
        self.init(
            labels: Array(names[..<kept]) + ["\(names.count - kept - 1) more"] + [names[names.count - 1]],
            reference: fold(reference), current: fold(current))
    }

    /// Bars of one side for a terminal, at most `width` of them: neighbours are added together. Both sides have one
    /// scale, so that heights compare.
    package func bars(current isCurrent: Bool, width: Int) -> String {
        let group = max(1, (labels.count + width - 1) / max(1, width))
        func grouped(_ shares: [Double]) -> [Double] {
            stride(from: 0, to: shares.count, by: group).map { start in
                shares[start..<min(shares.count, start + group)].reduce(0, +)
            }
        }
        let top = max(grouped(reference).max() ?? 0, grouped(current).max() ?? 0)
        return CompareText.bars(grouped(isCurrent ? current : reference), top: top)
    }
}
