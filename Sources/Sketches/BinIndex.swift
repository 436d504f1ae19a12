/// Finds the bin of a value in a few instructions, however the edges lie: a table of cells says how many edges lie below the value's cell,
/// and a short branch-free search looks at those within it.
///
/// A cell is a monotone function of the value, either of the value itself (edges spread evenly) or of its bits read as an integer
/// (edges over many magnitudes); which of the two needs the shorter search is tried when the index is built. Because the function is
/// monotone the result is exactly `NumericBins.index(of:)` for every finite value. Values beyond the bulk of the edges, where the
/// tails lie far apart, are searched for among all edges: they are rare by construction.
package struct BinIndex: Sendable {
    private enum Cells: Sendable {
        /// `(value − low) · scale`.
        case linear(scale: Double)
        /// `(key(value) − key(low)) >> shift`.
        case bits(origin: Int64, shift: UInt64)
    }

    private static let cellCount = 4_096
    /// Edges outside the data's own range at each end.
    private static let tails = 5

    private let bins: NumericBins
    private let cells: Cells
    /// Values from `low` up to and including `high` have a cell.
    private let low: Double
    private let high: Double
    /// By cell: the number of edges in lower cells.
    private let below: [UInt16]
    /// The edges, then as many infinities as the search may look past the end.
    private let edges: [Double]
    /// The first stride of the search within a cell, a power of two.
    private let stride: Int

    package init(_ bins: NumericBins) {
        // An edge of −0 equals 0 but its bits lie below.
        let edges = bins.edges.map { $0 == 0 ? 0 : $0 }
        self.bins = NumericBins(edges: edges)
        let skipped = edges.count > 4 * Self.tails ? Self.tails : 0
        let bulk = edges.dropFirst(skipped).dropLast(skipped)
        let low = bulk.first ?? 0
        let high = bulk.last ?? 0
        self.low = low
        self.high = high
        var best: (cells: Cells, below: [UInt16], most: Int)?
        for cells in [Self.linear(low, high), Self.bits(low, high)].compactMap(\.self) {
            var counts = [Int](repeating: 0, count: Self.cellCount)
            for edge in bulk { counts[Self.cell(cells, edge, low)] += 1 }
            let most = counts.max() ?? 0
            if let best, best.most.leadingZeroBitCount >= most.leadingZeroBitCount { continue }
            var sum = bulk.startIndex
            best = (
                cells,
                counts.map { count in
                    defer { sum += count }
                    return UInt16(sum)
                }, most
            )
        }
        let chosen = best ?? (.bits(origin: 0, shift: 63), [UInt16](repeating: 0, count: Self.cellCount), 0)
        cells = chosen.cells
        below = chosen.below
        let needed = chosen.most == 0 ? 0 : 1 << (Int.bitWidth - 1 - chosen.most.leadingZeroBitCount)
        stride = max(needed, Self.usualStride)
        self.edges = edges + [Double](repeating: .infinity, count: 2 * stride + 1)
    }

    /// `nil` where the range is empty or too wide to subtract.
    private static func linear(_ low: Double, _ high: Double) -> Cells? {
        let scale = Double(cellCount - 1) / (high - low)
        return scale.isNormal && (high - low).isFinite ? .linear(scale: scale) : nil
    }

    private static func bits(_ low: Double, _ high: Double) -> Cells {
        let span = UInt64(bitPattern: key(high) &- key(low))
        var shift: UInt64 = 0
        while span >> shift >= UInt64(cellCount) { shift += 1 }
        return .bits(origin: key(low), shift: shift)
    }

    /// Orders like the value among finite values.
    @inline(__always)
    private static func key(_ value: Double) -> Int64 {
        let bits = Int64(bitPattern: value.bitPattern)
        return bits ^ Int64(bitPattern: UInt64(bitPattern: bits >> 63) >> 1)
    }

    /// Adding 2^52 leaves the nearest whole number in the low bits, without the checks of a conversion.
    @inline(__always)
    private static func linearCell(_ value: Double, _ low: Double, _ scale: Double) -> Int {
        Int(truncatingIfNeeded: ((value - low) * scale + 0x1p52).bitPattern & 0xfff)
    }

    @inline(__always)
    private static func bitsCell(_ value: Double, _ origin: Int64, _ shift: UInt64) -> Int {
        // Both lie within ±2^63 and the value is not below, so the difference fits 64 bits without a sign.
        Int(truncatingIfNeeded: UInt64(bitPattern: key(value) &- origin) &>> shift)
    }

    private static func cell(_ cells: Cells, _ value: Double, _ low: Double) -> Int {
        switch cells {
        case .linear(let scale): linearCell(value, low, scale)
        case .bits(let origin, let shift): bitsCell(value, origin, shift)
        }
    }

    /// The bin of a finite value.
    package func index(of value: Double) -> Int {
        // −0 has the bits of a negative value.
        guard value >= low, value <= high else { return bins.index(of: value) }
        return edges.withUnsafeBufferPointer { edges in
            guard let edges = edges.baseAddress else { return 0 }
            return Self.search(value, from: Int(below[Self.cell(cells, value + 0, low)]), edges, stride)
        }
    }

    /// Counts on from `base` the edges below the value. Looking past the cell's own edges does no harm: none of those is below.
    @inline(__always)
    private static func search(
        _ value: Double, from base: Int, _ edges: UnsafePointer<Double>, _ stride: Int
    ) -> Int {
        var index = base
        var step = stride
        while step > 0 {
            index = Self.step(value, index, edges, step)
            step &>>= 1
        }
        return index
    }

    /// Goes past `step` edges if the last of them is below the value: by the sign of the difference, because a comparison becomes a branch
    /// that cannot be foretold.
    @inline(__always)
    private static func step(_ value: Double, _ index: Int, _ edges: UnsafePointer<Double>, _ step: Int) -> Int {
        let sign = Int(truncatingIfNeeded: (edges[index &+ step &- 1] - value).bitPattern &>> 63)
        return index &+ sign &* step
    }

    /// Cells of up to seven edges, nearly all columns: the search as straight code.
    private static let usualStride = 4

    /// Writes the bins of a column of values; `special` says what to write for a NaN.
    package func encode(
        _ values: UnsafePointer<Double>, count: Int, into codes: UnsafeMutablePointer<UInt16>,
        special: (Double) -> UInt16
    ) {
        edges.withUnsafeBufferPointer { edges in
            below.withUnsafeBufferPointer { below in
                guard let edges = edges.baseAddress, let below = below.baseAddress else { return }
                let (low, high, stride) = (low, high, stride)
                // One loop for each kind of cell and for the usual stride, with nothing to decide in it but whether the value is in range.
                switch (cells, stride == Self.usualStride) {
                case (.linear(let scale), true):
                    for i in 0..<count {
                        let value = values[i]
                        guard value >= low, value <= high else {
                            codes[i] = outside(value, special)
                            continue
                        }
                        codes[i] = Self.usual(value, Int(below[Self.linearCell(value, low, scale)]), edges)
                    }
                case (.bits(let origin, let shift), true):
                    for i in 0..<count {
                        let value = values[i]
                        guard value >= low, value <= high else {
                            codes[i] = outside(value, special)
                            continue
                        }
                        codes[i] = Self.usual(value, Int(below[Self.bitsCell(value + 0, origin, shift)]), edges)
                    }
                default:
                    for i in 0..<count {
                        let value = values[i]
                        codes[i] = value.isNaN ? special(value) : UInt16(truncatingIfNeeded: index(of: value))
                    }
                }
            }
        }
    }

    @inline(never)
    private func outside(_ value: Double, _ special: (Double) -> UInt16) -> UInt16 {
        value.isNaN ? special(value) : UInt16(truncatingIfNeeded: bins.index(of: value))
    }

    /// The search of the usual stride as straight code.
    @inline(__always)
    private static func usual(_ value: Double, _ base: Int, _ edges: UnsafePointer<Double>) -> UInt16 {
        var index = step(value, base, edges, 4)
        index = step(value, index, edges, 2)
        index = step(value, index, edges, 1)
        return UInt16(truncatingIfNeeded: index)
    }
}
