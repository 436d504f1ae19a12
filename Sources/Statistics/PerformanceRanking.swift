#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

/// Metrics of the order that scores give: of rows with some weight of each class, grouped by equal score, lowest first.
///
/// Weights are counts where labels are known and expected counts where they are estimated.
package struct Ranking: Sendable {
    /// Rows of one score.
    package struct Group: Sendable {
        package let negatives: Double
        package let positives: Double
        /// Whether different scores may be among them.
        let isMixed: Bool

        package init(negatives: Double, positives: Double, isMixed: Bool = false) {
            self.negatives = negatives
            self.positives = positives
            self.isMixed = isMixed
        }
    }

    package let negatives: Double
    package let positives: Double
    private let groups: [Group]

    package init(_ groups: [Group]) {
        self.groups = groups
        negatives = groups.reduce(0) { $0 + $1.negatives }
        positives = groups.reduce(0) { $0 + $1.positives }
    }

    /// Of labelled rows.
    package init(_ counts: ScoreCounts) {
        var counts = counts
        counts.settle()
        self.init(
            counts.entries.map {
                Group(negatives: Double($0.negatives), positives: Double($0.positives), isMixed: $0.isShared)
            })
    }

    private var hasBoth: Bool { negatives > 0 && positives > 0 }

    /// The chance that a positive scores above a negative, ties half (Mann and Whitney 1947), with the most that keys shared by
    /// different scores can hide: within one, no pair can be off by more than one half. `nil` with one class only.
    package var auroc: (value: Double, error: Double)? {
        guard hasBoth else { return nil }
        var below = 0.0
        var twice = 0.0
        var hidden = 0.0
        for group in groups {
            twice += group.positives * (2 * below + group.negatives)
            if group.isMixed { hidden += group.positives * group.negatives }
            below += group.negatives
        }
        let pairs = positives * negatives
        return (min(twice / (2 * pairs), 1), hidden / (2 * pairs))
    }

    /// Average precision: Σ (R_n − R_{n−1})·P_n over the different scores, from the highest down, with the most that keys shared by
    /// different scores can hide. `nil` with one class only.
    package var aupr: (value: Double, error: Double)? {
        guard hasBoth else { return nil }
        var hits = 0.0
        var misses = 0.0
        var area = 0.0
        var above = 0.0
        var under = 0.0
        for group in groups.reversed() {
            let before = (hits, misses)
            hits += group.positives
            misses += group.negatives
            guard group.positives > 0 else { continue }
            let part = group.positives * hits / (hits + misses)
            area += part
            // Positives alone hide an order too: each different score is a step of its own.
            guard group.isMixed, group.positives + group.negatives > 1 else { continue }
            above += Self.steps(before.0, group.positives, misses: before.1) - part
            under += part - Self.steps(before.0, group.positives, misses: misses)
        }
        return (min(area / positives, 1), max(above, under) / positives)
    }

    /// Σ (hits + i)/(hits + i + misses) for i in 1…count.
    private static func steps(_ hits: Double, _ count: Double, misses: Double) -> Double {
        if count <= 64 {
            return (1...max(1, Int(count))).reduce(0) { sum, i in
                let found = hits + Double(i)
                return sum + found / (found + misses)
            }
        }
        // The sum of 1/(c + i) by the midpoint rule, which is off by less than 1/(24·c²).
        return count - misses * log((hits + count + misses + 0.5) / (hits + misses + 0.5))
    }

    /// The share of positives among the highest-scored tenth of the rows, over their share among all. Rows tied at the border count in
    /// part. `nil` without positives.
    package func lift(share: Double = 0.1) -> Double? {
        guard positives > 0 else { return nil }
        let rows = negatives + positives
        let wanted = rows * share
        var taken = 0.0
        var hits = 0.0
        for group in groups.reversed() {
            let size = group.negatives + group.positives
            guard size > 0 else { continue }
            let part = min(1, (wanted - taken) / size)
            hits += group.positives * part
            taken += size * part
            if part < 1 || taken >= wanted { break }
        }
        return hits / wanted / (positives / rows)
    }

    /// The standard error of `auroc`.
    package var aurocStandardError: Double? {
        auroc.map { Self.standardError(auroc: $0.value, positives: positives, negatives: negatives) }
    }

    /// The standard error of an area under the curve (Hanley and McNeil 1982, their negative exponential model).
    package static func standardError(auroc area: Double, positives: Double, negatives: Double) -> Double {
        let q1 = area / (2 - area)
        let q2 = 2 * area * area / (1 + area)
        let variance =
            (area * (1 - area) + (positives - 1) * (q1 - area * area) + (negatives - 1) * (q2 - area * area))
            / (positives * negatives)
        return max(0, variance).squareRoot()
    }
}
