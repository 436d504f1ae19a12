import Sketches
import Statistics

/// The shape of one column of a reference, small enough for a line of text.
struct ReferenceChart: Sendable {
    /// Bars on one scale: from the first to the last percent for numbers, or a bar for each value where they are few; by
    /// frequency for categories.
    let bars: String
    /// Categories with their shares, most frequent first. Empty for numeric columns.
    let shares: [(name: String, share: Double)]

    private static let width = 16

    init(_ column: Layout.Column, _ profile: ColumnProfile, _ metrics: MetricValues) {
        let total = profile.bins.reduce(0.0) { $0 + Double($1) }
        switch column.bins {
        case .categorical(let bins):
            shares = profile.bins.indices.filter { profile.bins[$0] > 0 }
                .map { (name: bins.name(of: $0), share: Double(profile.bins[$0]) / total) }
                .sorted { ($1.share, $0.name) < ($0.share, $1.name) }
            let first = shares.prefix(Self.width).map(\.share)
            bars = CompareText.bars(first, top: first.max() ?? 0)
        case .numeric(let bins, _):
            shares = []
            // Few distinct values have a bin each, and bars of equal width would hold now one of them and now two.
            let filled = profile.bins.filter { $0 > 0 }
            if filled.count <= 2 * Self.width {
                let group = max(1, (filled.count + Self.width - 1) / Self.width)
                let heights = stride(from: 0, to: filled.count, by: group).map { start in
                    filled[start..<min(filled.count, start + group)].reduce(0.0) { $0 + Double($1) }
                }
                bars = CompareText.bars(heights, top: heights.max() ?? 0)
                return
            }
            guard let low = metrics[.p01], let high = metrics[.p99], high > low, (high - low).isFinite else {
                // One value, or none.
                bars = total > 0 ? CompareText.bars([1], top: 1) : ""
                return
            }
            let heights = Self.heights(bins, profile, low, high)
            bars = CompareText.bars(heights, top: heights.max() ?? 0)
        }
    }

    /// Mass of the fine bins in bars of equal width, each bin's spread evenly over the part of it inside.
    private static func heights(
        _ bins: NumericBins, _ profile: ColumnProfile, _ low: Double, _ high: Double
    ) -> [Double] {
        var heights = [Double](repeating: 0, count: width)
        let step = (high - low) / Double(width)
        for (bin, count) in profile.bins.enumerated() where count > 0 {
            let (lower, upper) = bins.bounds(of: bin)
            let from = min(max(lower, low), high)
            let to = min(max(upper, low), high)
            let first = min(width - 1, max(0, Int((from - low) / step)))
            guard to > from else {
                // Wholly outside: with the nearest bar.
                heights[first] += Double(count)
                continue
            }
            let last = min(width - 1, max(first, Int((to - low) / step)))
            for bar in first...last {
                let left = max(from, low + Double(bar) * step)
                let right = bar == width - 1 ? to : min(to, low + Double(bar + 1) * step)
                if right > left { heights[bar] += Double(count) * (right - left) / (to - from) }
            }
        }
        return heights
    }
}
