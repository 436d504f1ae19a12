import Foundation

/// Bins as `numpy.histogram_bin_edges` chooses them and `numpy.histogram` fills them: equal widths, `[a, b)`, the last one
/// closed. The edges are numpy's bit for bit, so that a value equal to one falls on the same side.
struct NumpyBins {
    let edges: [Double]

    /// `np.linspace(low, high, count + 1)`.
    init(_ low: Double, _ high: Double, count: Int) {
        var (first, last) = (low, high)
        if first == last {
            first -= 0.5
            last += 0.5
        }
        let step = (last - first) / Double(count)
        var edges = (0...count).map { Double($0) * step + first }
        edges[count] = last
        self.edges = edges
    }

    /// Limits what numpy itself would allocate for a column with one far value.
    private static let most = 1_000_000.0

    private init(_ values: [Double], width: Double) {
        let low = values.first ?? 0
        let high = values.last ?? 1
        let count = width > 0 ? ((high - low) / width).rounded(.up) : 1
        self.init(low, high, count: Int(min(max(1, count.isFinite ? count : 1), Self.most)))
    }

    /// Sturges' rule, over ascending values.
    static func sturges(_ values: [Double], isInteger: Bool) -> NumpyBins {
        let range = (values.last ?? 0) - (values.first ?? 0)
        let width = range / (log2(Double(values.count)) + 1)
        return NumpyBins(values, width: isInteger && width < 1 ? 1 : width)
    }

    /// Doane's rule, over ascending values.
    static func doane(_ values: [Double]) -> NumpyBins {
        let n = Double(values.count)
        guard values.count > 2 else { return NumpyBins(values, width: 0) }
        let mean = values.reduce(0, +) / n
        let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / n
        let deviation = variance.squareRoot()
        guard deviation > 0, let low = values.first, let high = values.last else { return NumpyBins(values, width: 0) }
        let skew = values.reduce(0) { $0 + pow(($1 - mean) / deviation, 3) } / n
        let skewDeviation = (6 * (n - 2) / ((n + 1) * (n + 3))).squareRoot()
        return NumpyBins(values, width: (high - low) / (1 + log2(n) + log2(1 + abs(skew) / skewDeviation)))
    }

    /// Counts of ascending values; those outside are in none.
    func histogram(_ values: [Double]) -> [UInt64] {
        var counts = [UInt64](repeating: 0, count: edges.count - 1)
        var bin = 0
        for value in values where value >= edges[0] && value <= edges[edges.count - 1] {
            while bin < counts.count - 1, edges[bin + 1] <= value { bin += 1 }
            counts[bin] += 1
        }
        return counts
    }

    static func distinct(_ sorted: [Double]) -> [Double] {
        var result: [Double] = []
        for value in sorted where value != result.last { result.append(value) }
        return result
    }
}

/// nannyml's KS and Wasserstein distances for large references: over 10,000 equal bins of the reference's range.
struct NannymlEstimate {
    let ks: Double
    let wasserstein: Double

    private static let bins = 10_000

    /// Both ascending, neither empty.
    init(_ reference: [Double], _ current: [Double]) {
        let bins = NumpyBins(reference[0], reference[reference.count - 1], count: Self.bins)
        let low = bins.edges[0]
        let high = bins.edges[Self.bins]
        let width = bins.edges[1] - bins.edges[0]
        let m = Double(reference.count)
        let n = Double(current.count)
        let smaller = current.filter { $0 < low }
        let larger = current.filter { $0 > high }
        // nannyml counts the border itself among the values beyond it.
        let below = smaller.isEmpty ? 0 : Double(smaller.count + 1) / n
        let above = larger.isEmpty ? 0 : Double(larger.count + 1) / n
        var f = 0.0
        var g = 0.0
        var ks = 0.0
        var area = 0.0
        for (a, b) in zip(bins.histogram(reference), bins.histogram(current)) {
            f += Double(a) / m
            g += Double(b) / n
            ks = max(ks, abs(f - (Double(smaller.count) / n + g)))
            area += abs(f - (g + below)) * width
        }
        self.ks = ks
        wasserstein =
            area + below * Self.tail(smaller + [low]) { $0 }
            + above * Self.tail([high] + larger) { 1 - $0 }
    }

    /// ∫ of a function of the distribution of some ascending values, from the first to the last.
    private static func tail(_ values: [Double], _ height: (Double) -> Double) -> Double {
        let n = Double(values.count)
        var sum = 0.0
        for i in 1..<max(1, values.count) { sum += height(Double(i) / n) * (values[i] - values[i - 1]) }
        return sum
    }
}
