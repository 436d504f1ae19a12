import Statistics

/// Chooses the edges of a numeric column's fine bins from its reference values.
///
/// In order of importance, while there is room: the tails (just below the minimum, the maximum, and 0.1, 1, 10 and
/// 100 ranges beyond each); the quantiles `psi` uses, of all traffic, so that coarse bins are exact sums of fine
/// ones; every distinct value where there are few, with a bin of its own for each that holds 1/240 of the rows; the
/// 240-quantiles; further splits until no bin holds more than 1/240 of the rows of all traffic, which bounds what
/// binning can hide from `ks`; then the quantiles of the segments, largest first, and at last the same splits for
/// each of them. Segments come last because they may be many: what they take must not cost all traffic its
/// resolution.
package struct FineEdges {
    /// Bins at most, so that a column's counters stay small.
    static let maximumEdges = 2_000
    /// A bin may hold this share of the rows.
    static let resolution = 240
    /// Up to this many distinct values, each is an edge.
    static let fewDistinct = 480

    private var edges: Set<Double> = []

    /// - Parameters:
    ///   - all: sorted reference values of all traffic, at least one.
    ///   - groups: sorted values of each segment that has a reference of its own.
    ///   - bins: number of coarse bins.
    package static func choose(all: [Double], groups: [[Double]], bins: Int) -> [Double] {
        var chosen = FineEdges()
        chosen.addTails(minimum: all[0], maximum: all[all.count - 1])
        for q in Samples.quantileEdges(sorted: all, bins: bins) { chosen.edges.insert(q) }
        chosen.addCommonValues(all)
        chosen.addQuantiles(all)
        chosen.refine(all)
        let bySize = groups.filter { !$0.isEmpty }.sorted { $0.count > $1.count }
        for group in bySize {
            let cuts = Samples.quantileEdges(sorted: group, bins: bins).filter { !chosen.edges.contains($0) }
            guard chosen.edges.count + cuts.count <= maximumEdges else { continue }
            chosen.edges.formUnion(cuts)
        }
        for group in bySize { chosen.refine(group) }
        return chosen.edges.sorted()
    }

    private mutating func add(_ value: Double) {
        guard value.isFinite, edges.count < Self.maximumEdges else { return }
        edges.insert(value == 0 ? 0 : value)
    }

    private mutating func addTails(minimum: Double, maximum: Double) {
        let range = maximum > minimum ? maximum - minimum : max(abs(maximum), 1)
        add(minimum.nextDown)
        add(maximum)
        for factor in [0.1, 1, 10, 100] {
            add(minimum - factor * range)
            add(maximum + factor * range)
        }
    }

    /// Values that hold 1/240 of the rows get a bin `(v.nextDown, v]` of their own; where there are few distinct values, each of the
    /// others at least ends a bin.
    private mutating func addCommonValues(_ sorted: [Double]) {
        var distinct: [(value: Double, count: Int)] = []
        for value in sorted {
            if distinct.last?.value == value {
                distinct[distinct.count - 1].count += 1
            } else {
                distinct.append((value, 1))
            }
        }
        let threshold = (sorted.count + Self.resolution - 1) / Self.resolution
        for (value, _) in distinct.filter({ $0.count >= threshold }).sorted(by: { $0.count > $1.count }) {
            add(value)
            add(value.nextDown)
        }
        guard distinct.count <= Self.fewDistinct else { return }
        for (value, _) in distinct { add(value) }
    }

    private mutating func addQuantiles(_ sorted: [Double]) {
        for edge in Samples.quantileEdges(sorted: sorted, bins: Self.resolution) { add(edge) }
    }

    /// Splits every bin that holds more than 1/240 of these values, until each holds less or a single value.
    private mutating func refine(_ sorted: [Double]) {
        var ordered = edges.sorted()
        ordered.append(.infinity)
        var first = 0
        for edge in ordered {
            var past = first
            while past < sorted.count, sorted[past] <= edge { past += 1 }
            if isTooMany(past - first, of: sorted) { split(sorted[first..<past], of: sorted) }
            first = past
        }
    }

    private func isTooMany(_ count: Int, of sorted: [Double]) -> Bool { count * Self.resolution > sorted.count }

    private mutating func split(_ values: ArraySlice<Double>, of sorted: [Double]) {
        var held = 0
        var i = values.startIndex
        while i < values.endIndex {
            let value = values[i]
            var end = i
            while end < values.endIndex, values[end] == value { end += 1 }
            if held > 0, isTooMany(held + end - i, of: sorted) {
                add(values[i - 1])
                held = 0
            }
            if isTooMany(end - i, of: sorted) {
                // Too many of one value to share a bin with any other.
                add(value.nextDown)
                add(value)
            } else {
                held += end - i
            }
            i = end
        }
    }
}
