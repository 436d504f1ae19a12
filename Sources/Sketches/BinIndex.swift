/// Finds the bin of a value in a few instructions, however the edges lie: a table of cells says how many edges lie below the value's cell,
/// and a short branch-free search looks at those within it.
///
/// A cell is a monotone function of the value, either of the value itself (edges spread evenly) or of its bits read as an integer
/// (edges over many magnitudes); which of the two needs the shorter search is tried when the index is built. Because the function is
/// monotone the result is exactly `NumericBins.index(of:)` for every finite value. Values without a cell, beyond the bulk of the edges
/// where the tails lie far apart, are searched for among all edges: they are rare by construction.
package struct BinIndex: Sendable {
    private enum Cells: Sendable {
        /// `(value − low) · scale`.
        case linear(low: Double, scale: Double)
        /// `(halfKey(value) − halfKey(low)) >> shift`.
        case bits(origin: Int64, shift: UInt64)
    }

    private static let cellCount = 4_096
    /// Edges outside the data's own range at each end.
    private static let tails = 5

    private let bins: NumericBins
    private let cells: Cells
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
        var best: (cells: Cells, below: [UInt16], most: Int)?
        for cells in [Self.linear(low, high), Self.bits(low, high)].compactMap(\.self) {
            var counts = [Int](repeating: 0, count: Self.cellCount)
            var sum = 0
            for edge in edges {
                let cell = Self.cell(cells, edge)
                if cell < UInt64(Self.cellCount) { counts[Int(cell)] += 1 } else if edge < low { sum += 1 }
            }
            let most = counts.max() ?? 0
            if let best, best.most.leadingZeroBitCount >= most.leadingZeroBitCount { continue }
            best = (
                cells,
                counts.map { count in
                    defer { sum += count }
                    return UInt16(sum)
                }, most
            )
        }
        let chosen = best ?? (Self.bits(low, high), [UInt16](repeating: 0, count: Self.cellCount), edges.count)
        cells = chosen.cells
        below = chosen.below
        let needed = chosen.most == 0 ? 0 : 1 << (Int.bitWidth - 1 - chosen.most.leadingZeroBitCount)
        stride = max(needed, Self.usualStride)
        self.edges = edges + [Double](repeating: .infinity, count: 2 * stride + 1)
    }

    /// `nil` where the range is empty or too wide to subtract.
    private static func linear(_ low: Double, _ high: Double) -> Cells? {
        let scale = Double(cellCount - 1) / (high - low)
        return scale.isNormal && (high - low).isFinite ? .linear(low: low, scale: scale) : nil
    }

    private static func bits(_ low: Double, _ high: Double) -> Cells {
        let span = UInt64(bitPattern: halfKey(high) &- halfKey(low))
        var shift: UInt64 = 0
        while span >> shift >= UInt64(cellCount) { shift += 1 }
        return .bits(origin: halfKey(low), shift: shift)
    }

    /// Orders like the value among finite values, halved so that the difference of any two fits 64 bits with its sign.
    @inline(__always)
    private static func halfKey(_ value: Double) -> Int64 {
        // −0 has the bits of a negative value.
        let bits = Int64(bitPattern: (value + 0).bitPattern)
        return (bits ^ Int64(bitPattern: UInt64(bitPattern: bits >> 63) >> 1)) >> 1
    }

    /// Adding 2^52 leaves the nearest whole number in the low bits, without the checks of a conversion. Of NaN, and far outside, not a
    /// number of a cell.
    @inline(__always)
    private static func linearCell(_ value: Double, _ low: Double, _ scale: Double) -> UInt64 {
        ((value - low) * scale + 0x1p52).bitPattern &- 0x4330_0000_0000_0000
    }

    /// Below the origin the difference is negative, and its upper bits no number of a cell. Of NaN it may be one.
    @inline(__always)
    private static func bitsCell(_ value: Double, _ origin: Int64, _ shift: UInt64) -> UInt64 {
        UInt64(bitPattern: halfKey(value) &- origin) &>> shift
    }

    /// At least `cellCount` where a finite value has no cell.
    private static func cell(_ cells: Cells, _ value: Double) -> UInt64 {
        switch cells {
        case .linear(let low, let scale): linearCell(value, low, scale)
        case .bits(let origin, let shift): bitsCell(value, origin, shift)
        }
    }

    /// The bin of a finite value.
    package func index(of value: Double) -> Int {
        let cell = Self.cell(cells, value)
        guard cell < UInt64(Self.cellCount) else { return bins.index(of: value) }
        return edges.withUnsafeBufferPointer { edges in
            guard let edges = edges.baseAddress else { return 0 }
            return Self.search(value, from: Int(below[Int(cell)]), edges, stride)
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

    /// Writes the bins of a column of values that lie `stride` apart; `special` says what to write for a NaN.
    package func encode(
        _ values: UnsafePointer<Double>, stride: Int, count: Int, into codes: UnsafeMutablePointer<UInt32>,
        special: (Double) -> UInt32
    ) {
        edges.withUnsafeBufferPointer { edges in
            below.withUnsafeBufferPointer { below in
                guard let edges = edges.baseAddress, let below = below.baseAddress else { return }
                var next = values
                // One loop for each kind of cell and for the usual stride, with nothing to decide in it but whether the value has a cell.
                switch (cells, self.stride == Self.usualStride) {
                case (.linear(let low, let scale), true):
                    for i in 0..<count {
                        let value = next.pointee
                        next += stride
                        let cell = Self.linearCell(value, low, scale)
                        guard cell < UInt64(Self.cellCount) else {
                            codes[i] = outside(value, special)
                            continue
                        }
                        codes[i] = Self.usual(value, below[Int(truncatingIfNeeded: cell)], edges)
                    }
                case (.bits(let origin, let shift), true):
                    for i in 0..<count {
                        let value = next.pointee
                        next += stride
                        let cell = Self.bitsCell(value, origin, shift)
                        guard cell < UInt64(Self.cellCount), !value.isNaN else {
                            codes[i] = outside(value, special)
                            continue
                        }
                        codes[i] = Self.usual(value, below[Int(truncatingIfNeeded: cell)], edges)
                    }
                default:
                    for i in 0..<count {
                        let value = next.pointee
                        next += stride
                        codes[i] = value.isNaN ? special(value) : UInt32(truncatingIfNeeded: index(of: value))
                    }
                }
            }
        }
    }

    @inline(never)
    private func outside(_ value: Double, _ special: (Double) -> UInt32) -> UInt32 {
        value.isNaN ? special(value) : UInt32(truncatingIfNeeded: bins.index(of: value))
    }

    /// The search of the usual stride as straight code.
    @inline(__always)
    private static func usual(_ value: Double, _ base: UInt16, _ edges: UnsafePointer<Double>) -> UInt32 {
        var index = step(value, Int(base), edges, 4)
        index = step(value, index, edges, 2)
        index = step(value, index, edges, 1)
        return UInt32(truncatingIfNeeded: index)
    }
}
