package import Sketches

/// A value that took a column over: a sensor that froze, a default that fills in, a cache that is no longer refreshed.
///
/// Found in the counts alone, so it is told apart from what merely looks like it. A change of scale crowds values into few
/// bins too, but then the other rows do not look like the reference; a value that is common anyway grows and shrinks by itself, so
/// such a one, and any category, must leave next to nothing else.
package struct StuckValue: Sendable, Hashable {
    package enum Value: Sendable, Hashable {
        /// `isExact` is false where only a narrow bin around it is known.
        case number(Double, isExact: Bool)
        case category(String)
    }

    package let value: Value
    /// Valid rows that have it, and rows of the reference that may: those of its bin.
    package let count: UInt64
    package let referenceCount: UInt64
    /// The share of valid rows that stand at the value beyond those that the reference lets expect, 0…1.
    package let rate: Double

    /// Fewer valid rows tell nothing.
    package static let minimumRows: UInt64 = 15
    private static let minimumReference: UInt64 = 30
    /// Standard deviations of chance the value's rows must exceed: with hundreds of bins, segments and windows a year, six are never chance.
    private static let deviations = 6.0
    /// A value this common in the reference has to be nearly all there is.
    private static let common = 0.05
    private static let nearlyAll = 0.95
    /// A column that had one value already cannot stick.
    private static let constant = 0.9
    /// The widest bin whose rows count as one value, as a share of the span from the 5% to the 95% point of the reference.
    private static let narrow = 0.02
    /// Kolmogorov's distance up to which the other rows are like the reference's: this, or what chance explains (p = 0.001).
    private static let alike = 0.15
    private static let chance = 1.95

    /// The value that the column is stuck at, `nil` where it varies, or too few rows can say. O(bins).
    ///
    /// - Parameter wobble: τ² of the column's histogram between windows. Where the weather decides, all rows of a day are much alike;
    ///   to first order the share of a bin then varies by p(1 − p)·τ² beyond chance.
    package static func find(
        column: Layout.Column, reference: ColumnProfile, current: ColumnProfile, wobble: Double = 0
    ) -> StuckValue? {
        let n = current.valid
        guard n >= minimumRows, reference.valid >= minimumReference else { return nil }
        switch column.bins {
        case .numeric(let bins, _): return number(bins, reference, current, n, wobble)
        case .categorical(let bins): return category(bins, reference, current, n, wobble)
        }
    }

    private static func number(
        _ bins: NumericBins, _ reference: ColumnProfile, _ current: ColumnProfile, _ n: UInt64, _ wobble: Double
    ) -> StuckValue? {
        if let m = current.moments, m.count > 0, m.minimum == m.maximum {
            return judged(.number(m.minimum, isExact: true), bins.index(of: m.minimum), reference, current, n, wobble)
        }
        guard let bin = current.bins.indices.max(by: { current.bins[$0] < current.bins[$1] }),
            current.bins[bin] < n, let place = value(of: bin, bins, reference),
            let found = judged(.number(place.value, isExact: place.isExact), bin, reference, current, n, wobble)
        else { return nil }
        return isAlikeBeside(bin, reference, current) ? found : nil
    }

    private static func category(
        _ bins: CategoryBins, _ reference: ColumnProfile, _ current: ColumnProfile, _ n: UInt64, _ wobble: Double
    ) -> StuckValue? {
        // What is rare or unseen is many values.
        guard let bin = (0..<bins.rest).max(by: { current.bins[$0] < current.bins[$1] }),
            Double(current.bins[bin]) >= nearlyAll * Double(n)
        else { return nil }
        return judged(.category(bins.name(of: bin)), bin, reference, current, n, wobble)
    }

    private static func judged(
        _ value: Value, _ bin: Int, _ reference: ColumnProfile, _ current: ColumnProfile, _ n: UInt64,
        _ wobble: Double
    ) -> StuckValue? {
        let rows = Double(n)
        let count = Double(current.bins[bin])
        let p = (Double(reference.bins[bin]) + 0.5) / (Double(reference.valid) + 1)
        guard p < constant, p < common || count >= nearlyAll * rows,
            count - rows * p > deviations * (rows * p * (1 - p) * (1 + (rows - 1) * wobble)).squareRoot() + 3
        else { return nil }
        return StuckValue(
            value: value, count: current.bins[bin], referenceCount: reference.bins[bin],
            rate: (count / rows - p) / (1 - p))
    }

    /// What a bin's rows all have, if it is narrow enough to be one value.
    private static func value(
        of bin: Int, _ bins: NumericBins, _ reference: ColumnProfile
    ) -> (value: Double, isExact: Bool)? {
        let (lower, upper) = bins.bounds(of: bin)
        guard lower > -.infinity, upper < .infinity else { return nil }
        if FineBins.isSingleValue(bin, of: bins) { return (upper, true) }
        guard let span = FineBins(bins, reference)?.quantiles([0.05, 0.95]),
            upper - lower <= narrow * (span[1] - span[0])
        else { return nil }
        return (lower + (upper - lower) / 2, false)
    }

    /// Whether the rows outside a bin are distributed as those of the reference outside it.
    private static func isAlikeBeside(_ bin: Int, _ reference: ColumnProfile, _ current: ColumnProfile) -> Bool {
        let n = Double(current.valid - current.bins[bin])
        let m = Double(reference.valid - reference.bins[bin])
        // Too few to look at: then there must be next to none.
        guard n >= 10, m > 0 else { return Double(current.bins[bin]) >= nearlyAll * Double(current.valid) }
        var (f, g, distance) = (0.0, 0.0, 0.0)
        for i in current.bins.indices where i != bin {
            f += Double(reference.bins[i]) / m
            g += Double(current.bins[i]) / n
            distance = max(distance, abs(f - g))
        }
        return distance <= max(alike, chance * (1 / n + 1 / m).squareRoot())
    }
}
