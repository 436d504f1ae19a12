/// Where to begin looking for the bin of a value, however the edges lie: a table of cells says how many edges lie below the value's cell,
/// and those within it are few.
///
/// A cell is a monotone function of the value: the bits of `value + offset` read as an integer, less those of the lowest, without the
/// last ones. Without an offset cells widen with the magnitude, as edges over many magnitudes do; with one that lifts all edges into
/// one power of two they are evenly wide; offsets between suit what is dense at its lower end. Which suits is tried when the index is
/// built. Because the function is monotone, the edges in lower cells are exactly those below the value and below its cell. Values
/// without a cell, beyond the bulk of the edges where the tails lie far apart, are searched for among all edges: they are rare by
/// construction.
package struct BinIndex: Sendable {
    /// The lowest and the highest value with a cell, both among the edges.
    package let low: Double
    package let high: Double
    /// Not −0, so that of a value −0 the sum is 0.
    package let offset: Double
    /// `key(low + offset)`.
    package let origin: Int64
    /// Bits of the key that do not tell cells apart.
    package let shift: UInt64
    /// By cell, as many as there are: the number of edges in lower cells, those below `low` among them.
    package let below: [UInt16]
    /// Ascending; 0 is never −0.
    package let edges: [Double]

    private static let maximumCells = 4_096
    /// Edges outside the data's own range at each end.
    private static let tails = 5
    /// Edges that are looked at together.
    private static let step = 4
    /// How many powers of two the finest of the offsets tried lies below the edges' range.
    private static let finestOffset = 10

    package init(_ bins: NumericBins) {
        // An edge of −0 equals 0 but its bits lie below.
        edges = bins.edges.map { $0 == 0 ? 0 : $0 }
        let skipped = edges.count > 4 * Self.tails ? Self.tails : 0
        let bulk = edges.dropFirst(skipped).dropLast(skipped)
        low = bulk.first ?? 0
        high = bulk.last ?? 0
        var best: (offset: Double, cells: [Int], cost: Int)?
        for offset in Self.offsets(low, high) {
            let cells = Self.counts(bulk, offset)
            // Values lie as the edges do: so many steps does a value take, times the edges.
            let cost = cells.reduce(0) { $0 + $1 * (1 + $1 / Self.step) }
            if best.map({ cost < $0.cost }) ?? true { best = (offset, cells, cost) }
        }
        offset = best?.offset ?? 0
        origin = Self.key(low + offset)
        shift = Self.shift(low, high, offset)
        var sum = UInt16(skipped)
        below = (best?.cells ?? [0]).map { count in
            defer { sum += UInt16(count) }
            return sum
        }
    }

    /// 0 and what lifts the lowest edge to each power of two that the range may need.
    private static func offsets(_ low: Double, _ high: Double) -> [Double] {
        let range = high - low
        guard range > 0, range.isFinite else { return [0] }
        let power = Double(sign: .plus, exponent: range.exponent + 1, significand: 1)
        let lifts = (0...finestOffset).map { power / Double(1 << $0) - low }
        return [0] + lifts.filter { $0.isFinite && (high + $0).isFinite && $0 != 0 }
    }

    private static func counts(_ edges: ArraySlice<Double>, _ offset: Double) -> [Int] {
        guard let low = edges.first, let high = edges.last else { return [0] }
        let origin = key(low + offset)
        let shift = shift(low, high, offset)
        var counts = [Int](repeating: 0, count: cell(high, offset, origin, shift) + 1)
        for edge in edges { counts[cell(edge, offset, origin, shift)] += 1 }
        return counts
    }

    private static func shift(_ low: Double, _ high: Double, _ offset: Double) -> UInt64 {
        let span = UInt64(bitPattern: key(high + offset) &- key(low + offset))
        var shift: UInt64 = 0
        while span >> shift >= UInt64(maximumCells) { shift += 1 }
        return shift
    }

    private static func cell(_ value: Double, _ offset: Double, _ origin: Int64, _ shift: UInt64) -> Int {
        Int(UInt64(bitPattern: key(value + offset) &- origin) >> shift)
    }

    /// Orders like the value among finite values other than −0.
    private static func key(_ value: Double) -> Int64 {
        let bits = Int64(bitPattern: value.bitPattern)
        return bits ^ Int64(bitPattern: UInt64(bitPattern: bits >> 63) >> 1)
    }
}
