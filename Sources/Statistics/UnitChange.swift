#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

/// A column whose values are a·x + b of what they were, for all rows or for some of them, with a factor people know.
///
/// Two ways to find it, because bins know little of values outside the reference's range. Where at least five of the nine quantiles stay inside
/// it, they are regressed on the reference's (positive ones by the ratio of their logarithms): R² over 0.999 and the factor within 1% (or two standard errors) of a known one. For factors of
/// ten and more the exact moments decide: if a share s of the rows is multiplied by a, the mean becomes 1 + s·(a − 1) and the mean square
/// 1 + s·(a² − 1) times what it was. Either way the histogram that follows must be the one that is seen, but for `misfit`.
package struct UnitChange: Sendable, Hashable {
    package let factor: Double
    package let offset: Double
    /// Share of rows that changed, 1 for all.
    package let share: Double
    /// `100 times`: value = what `words` says of the reference's.
    package let words: String
    /// Total variation distance between the histogram the change would give and the one seen.
    package let misfit: Double
    /// Of the quantiles, where they decided.
    package let rSquared: Double?

    private struct Known {
        let factor: Double
        var offset = 0.0
        let words: String
    }

    private static let known: [Known] = [
        .init(factor: 100, words: "100 times"), .init(factor: 0.01, words: "a hundredth of"),
        .init(factor: 1000, words: "1000 times"), .init(factor: 0.001, words: "a thousandth of"),
        .init(factor: 10, words: "10 times"), .init(factor: 0.1, words: "a tenth of"),
        .init(factor: 60, words: "60 times"), .init(factor: 1 / 60.0, words: "a sixtieth of"),
        .init(factor: 3600, words: "3600 times"), .init(factor: 1 / 3600.0, words: "a 3600th of"),
        .init(factor: 1e6, words: "a million times"), .init(factor: 1e-6, words: "a millionth of"),
        .init(factor: 1.609344, words: "1.609 times (miles to kilometres)"),
        .init(factor: 1 / 1.609344, words: "0.621 times (kilometres to miles)"),
        .init(factor: 0.45359237, words: "0.4536 times (pounds to kilograms)"),
        .init(factor: 1 / 0.45359237, words: "2.205 times (kilograms to pounds)"),
        .init(factor: 0.3048, words: "0.3048 times (feet to metres)"),
        .init(factor: 1 / 0.3048, words: "3.281 times (metres to feet)"),
        .init(factor: 1.8, offset: 32, words: "1.8 times plus 32 of (Celsius to Fahrenheit)"),
        .init(factor: 5 / 9.0, offset: -160 / 9.0, words: "5/9 less 17.8 of (Fahrenheit to Celsius)"),
    ]

    private static let minimumRows = 30.0
    /// How much worse than the best, as a difference of −ln likelihoods, another factor must fit not to be named beside it.
    private static let plainly = 1.5

    /// The same change, with another factor that it may as well be.
    private func or(_ other: UnitChange) -> UnitChange {
        UnitChange(
            factor: factor, offset: offset, share: share, words: "\(words) or \(other.words)", misfit: misfit,
            rSquared: rSquared)
    }

    /// The change that explains a numeric row, `nil` where none of the known ones does.
    package static func find(in row: SnapshotRow) -> UnitChange? {
        guard row.kind == "numeric", let before = Side(row.referenceMetrics, row.comparison.reference),
            let now = Side(row.metrics, row.comparison.current), min(before.n, now.n) >= minimumRows, before.sd > 0
        else { return nil }
        let pair = Pair(before: before, now: now, bins: row.comparison)
        return pair.byQuantiles(known.filter { !isLarge($0) || $0.offset != 0 })
            ?? pair.byMoments(known.filter(isLarge))
    }

    private static func isLarge(_ known: Known) -> Bool { abs(log10(known.factor)) > 0.99 }

    /// What a row says of one side.
    fileprivate struct Side {
        static let probabilities = [0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99]

        let n: Double
        let mean: Double
        let sd: Double
        let least: Double
        let most: Double
        let quantiles: [Double]

        init?(_ metrics: MetricValues, _ counts: [UInt64]) {
            let quantiles = [Metric.p01, .p05, .p10, .p25, .p50, .p75, .p90, .p95, .p99].compactMap { metrics[$0] }
            guard quantiles.count == Self.probabilities.count, let mean = metrics[.mean], let sd = metrics[.sd],
                let least = metrics[.min], let most = metrics[.max]
            else { return nil }
            (self.mean, self.sd, self.least, self.most, self.quantiles) = (mean, sd, least, most, quantiles)
            n = counts.total
        }

        var meanSquare: Double { sd * sd + mean * mean }
    }

    private struct Pair {
        let before: Side
        let now: Side
        let bins: Comparison

        func byQuantiles(_ known: [Known]) -> UnitChange? {
            // Beyond the outer percents the bins are wide.
            let range = before.quantiles[0]...max(before.quantiles[0], before.quantiles[8])
            let inside = now.quantiles.indices.filter { range.contains(now.quantiles[$0]) }
            guard inside.count >= 5 else { return nil }
            let x = inside.map { before.quantiles[$0] }
            let y = inside.map { now.quantiles[$0] }
            return known.compactMap { unit -> UnitChange? in
                let ratios = unit.offset == 0 && min(x[0], y[0]) > 0
                guard let line = ratios ? Line(ratiosOf: x, y) : Line(x, y) else { return nil }
                let error = ratios ? logError : before.sd / max(abs(before.mean), before.sd) * rowError
                guard line.rSquared > 0.999, error < 0.02,
                    abs(log(line.slope / unit.factor)) < max(0.01, 2 * error),
                    abs(line.offset - unit.offset) < 0.05 * now.sd
                else { return nil }
                return fitting(unit, share: 1, line.rSquared)
            }.min { $0.misfit < $1.misfit }
        }

        private var rowError: Double { (1 / before.n + 1 / now.n).squareRoot() }

        /// What the logarithm of the ratio of two medians may be off by: 1.25·σ·√(1/n + 1/m), with σ of the logarithms from the
        /// reference's quartiles; 0 where they are not positive.
        private var logError: Double {
            guard before.quantiles[3] > 0 else { return 0 }
            return 1.25 * log(before.quantiles[5] / before.quantiles[3]) / 1.349 * rowError
        }

        func byMoments(_ known: [Known]) -> UnitChange? {
            guard before.mean != 0, abs(before.mean) > 0.1 * before.sd else { return nil }
            let r1 = now.mean / before.mean
            let r2 = now.meanSquare / before.meanSquare
            let variation = before.sd / abs(before.mean)
            let error = 0.03 + variation * (1 / before.n + 1 / now.n).squareRoot()
            let candidates = known.compactMap { unit -> (change: UnitChange, badness: Double)? in
                let a = unit.factor
                let solved = (r1 - 1) / (a - 1)
                // All rows where the mean allows it, otherwise the share it asks for.
                let isWhole = r1 > 0 && abs(log(r1 / a)) < 3 * error && isMedianNear(a)
                let share = isWhole ? 1 : min(1, solved)
                guard share >= 0.05, solved < 1 + 3 * error else { return nil }
                let square = 1 + share * (a * a - 1)
                // The mean square of few rows with a long tail is a rough number.
                let off = abs(log(r2 / square)) / (0.1 + 2.5 * error)
                // Some rows times a known factor must explain more than all rows times an odd one.
                let odd = Known(factor: r1, words: "")
                guard off < 3, share == 1 || r1 > 0 && distance(from: unit, share) < distance(from: odd, 1),
                    let change = fitting(unit, share: share, nil), reaches(unit, share)
                else { return nil }
                // Hundreds, thousands and tens are changed daily, sixties seldom: where both fit, the first are meant.
                let rare = abs(log10(a) - log10(a).rounded()) > 0.01 ? 1.0 : 0
                // How far the mean is from all rows times this: −ln of a normal density. A share is solved from the mean itself.
                let missed = isWhole ? log(r1 / a) / error : 0
                return (change, off + missed * missed / 2 + change.misfit / 0.05 + rare + (isWhole ? 0 : 1))
            }.sorted { $0.badness < $1.badness }
            guard let best = candidates.first else { return nil }
            // Few rows with a long tail cannot tell sixty from a hundred.
            let second = candidates.dropFirst().first { $0.badness < best.badness + UnitChange.plainly }
            return second.map { best.change.or($0.change) } ?? best.change
        }

        /// Whether the median moved by this factor too; where it left the bins there is no telling.
        private func isMedianNear(_ factor: Double) -> Bool {
            let median = now.quantiles[4]
            guard before.quantiles[3] > 0, median > 0, median >= before.quantiles[0], median <= before.quantiles[8]
            else { return true }
            return abs(log(median / before.quantiles[4] / factor)) < 0.03 + 3 * logError
        }

        /// Whether the extremes are where the change would put them.
        private func reaches(_ unit: Known, _ share: Double) -> Bool {
            let size = (max(abs(before.least), abs(before.most)), max(abs(now.least), abs(now.most)))
            guard unit.factor > 1 else {
                return share < 1 ? now.least <= before.quantiles[0] : size.1 <= size.0 * unit.factor * 3
            }
            return size.1 <= size.0 * unit.factor * 3 && size.1 >= size.0 * unit.factor / 30
        }

        private func fitting(_ unit: Known, share: Double, _ rSquared: Double?) -> UnitChange? {
            let misfit = distance(from: unit, share)
            // What the bins of these many rows may differ by without any fault: the mean of a total variation distance.
            let cells = Double(bins.current.count)
            let noise = 0.4 * (cells * (1 / now.n + 1 / before.n)).squareRoot()
            guard misfit < 0.03 + 1.35 * noise, misfit < 0.5 * distance(from: unit, 0) else { return nil }
            return UnitChange(
                factor: unit.factor, offset: unit.offset, share: share, words: unit.words, misfit: misfit,
                rSquared: rSquared)
        }

        /// Total variation distance between the current histogram and that of a reference whose `share` changed.
        private func distance(from unit: Known, _ share: Double) -> Double {
            var distance = 0.0
            var expectedBelow = 0.0
            for bin in bins.current.indices {
                let upTo = bin < bins.edges.count ? expected(upTo: bins.edges[bin], bin, share, unit) : 1
                let now = bins.current.total > 0 ? Double(bins.current[bin]) / bins.current.total : 0
                distance += abs(now - (upTo - expectedBelow))
                expectedBelow = upTo
            }
            return distance / 2
        }

        private func expected(upTo edge: Double, _ bin: Int, _ share: Double, _ unit: Known) -> Double {
            let total = bins.reference.total
            let same = total > 0 ? bins.reference[...bin].reduce(0) { $0 + Double($1) } / total : 0
            return (1 - share) * same + share * before.distribution((edge - unit.offset) / unit.factor, bins)
        }
    }
}

/// A straight line through quantiles of one sample against those of another.
private struct Line {
    let slope: Double
    let offset: Double
    let rSquared: Double

    /// Least squares; `nil` where either side does not vary.
    init?(_ x: [Double], _ y: [Double]) {
        let count = Double(x.count)
        let (mx, my) = (x.reduce(0, +) / count, y.reduce(0, +) / count)
        let sxx = x.reduce(0) { $0 + ($1 - mx) * ($1 - mx) }
        let syy = y.reduce(0) { $0 + ($1 - my) * ($1 - my) }
        let sxy = zip(x, y).reduce(0) { $0 + ($1.0 - mx) * ($1.1 - my) }
        guard sxx > 0, syy > 0, sxy > 0 else { return nil }
        slope = sxy / sxx
        offset = my - slope * mx
        rSquared = sxy * sxy / (sxx * syy)
    }

    /// Through 0, of positive values: the mean ratio of the logarithms, which the few largest values do not decide.
    init?(ratiosOf x: [Double], _ y: [Double]) {
        let (u, v) = (x.map { log($0) }, y.map { log($0) })
        let count = Double(x.count)
        let shift = zip(u, v).reduce(0) { $0 + $1.1 - $1.0 } / count
        let mean = v.reduce(0, +) / count
        let total = v.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        let rest = zip(u, v).reduce(0) { $0 + ($1.1 - $1.0 - shift) * ($1.1 - $1.0 - shift) }
        guard total > 0 else { return nil }
        slope = exp(shift)
        offset = 0
        rSquared = 1 - rest / total
    }
}

extension UnitChange.Side {
    /// The share of values up to x: exact at the extremes, the quantiles and the edges, straight between them (on a logarithmic scale
    /// where all values are positive, because what changes its unit usually has a long tail).
    fileprivate func distribution(_ x: Double, _ bins: Comparison) -> Double {
        if x < least { return 0 }
        if x >= most { return 1 }
        var points = [(least, 0.0), (most, 1.0)] + zip(quantiles, Self.probabilities)
        var below = 0.0
        for (edge, count) in zip(bins.edges, bins.reference) {
            below += Double(count)
            if edge > least, edge < most { points.append((edge, below / n)) }
        }
        points.sort { $0 < $1 }
        for i in 1..<points.count where x < points[i].0 {
            let (low, high) = (points[i - 1], points[i])
            guard high.0 > low.0 else { continue }
            let part = least > 0 ? log(x / low.0) / log(high.0 / low.0) : (x - low.0) / (high.0 - low.0)
            return low.1 + max(0, high.1 - low.1) * part
        }
        return 1
    }
}
