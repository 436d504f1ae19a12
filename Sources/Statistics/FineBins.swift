import Sketches

/// What can be said of the values behind the counters of one numeric column: order statistics, quantiles, and where in
/// a bin its mass can lie.
///
/// A bin that holds a single representable value is exact. In others values are taken as spread evenly over the part
/// of the bin between the column's own minimum and maximum.
struct FineBins {
    let bins: NumericBins
    let counts: [UInt64]
    let total: Double
    let minimum: Double
    let maximum: Double

    /// `nil` without values.
    init?(_ bins: NumericBins, _ profile: ColumnProfile) {
        precondition(profile.bins.count == bins.count, "profile has different bins")
        total = profile.bins.total
        guard total > 0 else { return nil }
        self.bins = bins
        counts = profile.bins
        if let moments = profile.moments, moments.count > 0 {
            minimum = moments.minimum
            maximum = moments.maximum
        } else {
            // Without moments the open ends are taken as the outermost edges.
            minimum = bins.edges.first ?? 0
            maximum = bins.edges.last ?? 0
        }
    }

    /// Whether the bin holds one representable value only, so that nothing is hidden inside.
    static func isSingleValue(_ bin: Int, of bins: NumericBins) -> Bool {
        let (lower, upper) = bins.bounds(of: bin)
        return lower.nextUp == upper
    }

    /// The interval a bin's values lie in: its bounds, cut to the minimum and maximum. Finite, lower ≤ upper.
    func support(of bin: Int) -> (lower: Double, upper: Double) {
        let (lower, upper) = bins.bounds(of: bin)
        if Self.isSingleValue(bin, of: bins) { return (upper, upper) }
        let a = Swift.max(lower, minimum)
        let b = Swift.min(upper, maximum)
        guard a > b else { return (a, b) }
        // Counters and extremes disagree, which damaged input alone can cause; any point of the bin will do.
        let point = upper < .infinity ? upper : lower > -.infinity ? lower : minimum
        return (point, point)
    }

    /// Quantiles of ascending `probabilities` with the rule of numpy's `linear`: position p·(n − 1) between order
    /// statistics. Exact where the bins are single values. One pass over the bins.
    func quantiles(_ probabilities: [Double]) -> [Double] {
        var bin = 0
        var below = 0.0
        var result: [Double] = []
        for probability in probabilities {
            let position = probability * (total - 1)
            let rank = position.rounded(.down)
            while bin < counts.count - 1, below + Double(counts[bin]) <= rank {
                below += Double(counts[bin])
                bin += 1
            }
            let lower = value(rank: rank, bin: bin, below: below)
            var upper = lower
            if position > rank {
                var next = bin
                var belowNext = below
                while next < counts.count - 1, belowNext + Double(counts[next]) <= rank + 1 {
                    belowNext += Double(counts[next])
                    next += 1
                }
                upper = value(rank: rank + 1, bin: next, below: belowNext)
            }
            // Interpolation rounds: a quantile must not pass its neighbours or the extremes by the last bit.
            let value = Samples.interpolate(lower, upper, position - rank)
            result.append(Swift.min(Swift.max(value, lower, result.last ?? minimum), Swift.max(upper, lower), maximum))
        }
        return result
    }

    /// The order statistic of a rank (from 0) that lies in `bin`, with `below` values in lower bins.
    private func value(rank: Double, bin: Int, below: Double) -> Double {
        if rank <= 0 { return minimum }
        if rank >= total - 1 { return maximum }
        let (lower, upper) = support(of: bin)
        let t = Swift.min(1, Swift.max(0, (rank - below + 0.5) / Double(counts[bin])))
        return lower * (1 - t) + upper * t
    }
}

extension FineBins {
    /// sup |F − G| over the edges, and how much more the samples themselves can differ inside the bins.
    ///
    /// Inside a bin F − G is at most F at its upper end less G at its lower one, and the other way round. So
    /// `error` ≤ the largest reference mass of a bin with several values, and is 0 where none holds mass of both.
    static func ks(
        _ bins: NumericBins, _ reference: [UInt64], _ current: [UInt64]
    ) -> (distance: Double, error: Double)? {
        let m = reference.total
        let n = current.total
        guard m > 0, n > 0 else { return nil }
        var distance = 0.0
        var bound = 0.0
        var referenceBelow = 0.0
        var currentBelow = 0.0
        for bin in reference.indices {
            let f0 = referenceBelow / m
            let g0 = currentBelow / n
            referenceBelow += Double(reference[bin])
            currentBelow += Double(current[bin])
            let f1 = referenceBelow / m
            let g1 = currentBelow / n
            distance = Swift.max(distance, abs(f1 - g1))
            if reference[bin] > 0, current[bin] > 0, !isSingleValue(bin, of: bins) {
                bound = Swift.max(bound, f1 - g0, g1 - f0)
            }
        }
        return (distance, Swift.max(0, Swift.min(1, bound) - distance))
    }

    /// The areas between the distribution functions where the reference's is above and where it is below, in the
    /// column's unit. Their sum is the 1-Wasserstein distance ∫ |F − G|, their difference the shift of the mean.
    ///
    /// Both distributions rise evenly over the whole of a finite bin, cut only to the range of the two together: a
    /// reference and a sample of it then rise alike, where the sample's own maximum would steepen its last bin and
    /// show as a distance. Open tails end at each one's own minimum and maximum.
    static func areas(_ reference: FineBins, _ current: FineBins) -> (above: Double, below: Double) {
        let least = Swift.min(reference.minimum, current.minimum)
        let most = Swift.max(reference.maximum, current.maximum)
        var areas = (above: 0.0, below: 0.0)
        var referenceBelow = 0.0
        var currentBelow = 0.0
        for bin in reference.counts.indices {
            let (lower, upper) = reference.bins.bounds(of: bin)
            let f = Ramp(reference, bin, below: referenceBelow, range: least...most)
            let g = Ramp(current, bin, below: currentBelow, range: least...most)
            referenceBelow += Double(reference.counts[bin])
            currentBelow += Double(current.counts[bin])
            let from = Swift.max(lower, least)
            let to = Swift.min(upper, most)
            guard from < to else { continue }
            Ramp.add(f, g, from: from, to: to, into: &areas)
        }
        return areas
    }
}

/// A distribution function inside one bin: level, a straight rise from `start` to `end`, level again.
private struct Ramp {
    let start: Double
    let end: Double
    let low: Double
    let high: Double

    init(_ fine: FineBins, _ bin: Int, below: Double, range: ClosedRange<Double>) {
        let (lower, upper) = fine.bins.bounds(of: bin)
        if lower.isFinite, upper.isFinite, !FineBins.isSingleValue(bin, of: fine.bins) {
            start = min(max(lower, range.lowerBound), upper)
            end = max(min(upper, range.upperBound), start)
        } else {
            (start, end) = fine.support(of: bin)
        }
        low = below / fine.total
        high = (below + Double(fine.counts[bin])) / fine.total
    }

    /// The value just right of x.
    func right(of x: Double) -> Double { x >= end ? high : x <= start ? low : slope(x) }
    /// The value just left of x.
    func left(of x: Double) -> Double { x <= start ? low : x >= end ? high : slope(x) }
    private func slope(_ x: Double) -> Double { low + (high - low) * ((x - start) / (end - start)) }

    /// Adds the areas between f and g over one stretch of the bin.
    static func add(
        _ f: Ramp, _ g: Ramp, from: Double, to: Double, into areas: inout (above: Double, below: Double)
    ) {
        if f.low == f.high, g.low == g.high {
            areas.above += (to - from) * max(0, f.low - g.low)
            areas.below += (to - from) * max(0, g.low - f.low)
            return
        }
        var points = [from, to]
        for x in [f.start, f.end, g.start, g.end] where x > from && x < to { points.append(x) }
        points.sort()
        for i in 1..<points.count where points[i] > points[i - 1] {
            let d0 = f.right(of: points[i - 1]) - g.right(of: points[i - 1])
            let d1 = f.left(of: points[i]) - g.left(of: points[i])
            let width = points[i] - points[i - 1]
            if d0 * d1 >= 0 {
                let area = width * (abs(d0) + abs(d1)) / 2
                if d0 + d1 > 0 { areas.above += area } else { areas.below += area }
            } else {
                // Two triangles: the difference changes sign on the way.
                let rate = width / (2 * (abs(d0) + abs(d1)))
                areas.above += rate * (d0 > 0 ? d0 * d0 : d1 * d1)
                areas.below += rate * (d0 > 0 ? d1 * d1 : d0 * d0)
            }
        }
    }
}
