/// Finds the bin of a value in a few instructions, however the edges lie: a table of cells of equal width says how many edges lie below
/// the value's cell, and a short branch-free search looks at those within it.
///
/// A cell is a monotone function of the value, either of the value itself (edges spread evenly) or of its bits read as an integer
/// (edges over many magnitudes); which of the two needs the shorter search is tried when the index is built. Because the function is
/// monotone the result is exactly `NumericBins.index(of:)` for every finite value.
package struct BinIndex: Sendable {
    private enum Cells: Sendable {
        /// `(value − origin) · scale`, cut to the table.
        case linear(origin: Double, scale: Double)
        /// `(key(value) − origin) >> shift`, cut to the table.
        case bits(origin: Int64, shift: UInt64)
    }

    private static let cellCount = 2_048

    private let cells: Cells
    /// By cell: the number of edges in lower cells.
    private let below: [UInt16]
    /// The edges, then as many infinities as the search may look past the end.
    private let edges: [Double]
    /// The first stride of the search within a cell, a power of two; 0 where no cell holds an edge.
    private let stride: Int

    package init(_ bins: NumericBins) {
        // An edge of −0 equals 0 but its bits lie below.
        let edges = bins.edges.map { $0 == 0 ? 0 : $0 }
        let candidates = Self.linear(edges).map { [$0, Self.bits(edges)] } ?? [Self.bits(edges)]
        var best: (cells: Cells, below: [UInt16], most: Int)?
        for cells in candidates {
            var counts = [Int](repeating: 0, count: Self.cellCount)
            for edge in edges { counts[Self.cell(cells, edge)] += 1 }
            let most = counts.max() ?? 0
            if let best, best.most.leadingZeroBitCount >= most.leadingZeroBitCount { continue }
            var sum = 0
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
        stride = chosen.most == 0 ? 0 : 1 << (Int.bitWidth - 1 - chosen.most.leadingZeroBitCount)
        self.edges = edges + [Double](repeating: .infinity, count: 2 * stride + 1)
    }

    /// `nil` where differences of the edges are not finite.
    private static func linear(_ edges: [Double]) -> Cells? {
        // The tails lie up to a hundred ranges away: the bulk decides how fine the cells are.
        guard let low = edges.dropFirst(min(4, edges.count / 3)).first,
            let high = edges.dropLast(min(4, edges.count / 3)).last, high > low
        else { return nil }
        let scale = Double(cellCount) / (high - low)
        return scale.isNormal && (high - low).isFinite ? .linear(origin: low, scale: scale) : nil
    }

    private static func bits(_ edges: [Double]) -> Cells {
        guard let first = edges.first, let last = edges.last else { return .bits(origin: 0, shift: 63) }
        let origin = key(first)
        let span = UInt64(bitPattern: key(last) &- origin)
        var shift: UInt64 = 0
        while span >> shift >= UInt64(cellCount) { shift += 1 }
        return .bits(origin: origin, shift: shift)
    }

    /// Orders like the value among finite values.
    @inline(__always)
    private static func key(_ value: Double) -> Int64 {
        let bits = Int64(bitPattern: value.bitPattern)
        return bits ^ Int64(bitPattern: UInt64(bitPattern: bits >> 63) >> 1)
    }

    @inline(__always)
    private static func linearCell(_ value: Double, _ origin: Double, _ scale: Double) -> Int {
        let x = (value - origin) * scale
        let cut = x > 0 ? x : 0
        // Adding 2^52 leaves the nearest whole number in the low bits, without the checks of a conversion.
        return Int(truncatingIfNeeded: ((cut < 2_047 ? cut : 2_047) + 0x1p52).bitPattern & 0xfff)
    }

    @inline(__always)
    private static func bitsCell(_ value: Double, _ origin: Int64, _ shift: UInt64) -> Int {
        let key = key(value)
        guard key > origin else { return 0 }
        // Both lie within ±2^63, so the difference fits 64 bits without a sign.
        let cell = UInt64(bitPattern: key &- origin) &>> shift
        return Int(truncatingIfNeeded: cell < 2_047 ? cell : 2_047)
    }

    private static func cell(_ cells: Cells, _ value: Double) -> Int {
        switch cells {
        case .linear(let origin, let scale): linearCell(value, origin, scale)
        case .bits(let origin, let shift): bitsCell(value, origin, shift)
        }
    }

    /// The bin of a finite value.
    package func index(of value: Double) -> Int {
        edges.withUnsafeBufferPointer { edges in
            Self.search(value, from: Int(below[Self.cell(cells, value)]), edges, stride)
        }
    }

    /// Counts on from `base` the edges below the value. Looking past the cell's own edges does no harm: none of those is below.
    @inline(__always)
    private static func search(
        _ value: Double, from base: Int, _ edges: UnsafeBufferPointer<Double>, _ stride: Int
    ) -> Int {
        var index = base
        var step = stride
        while step > 0 {
            index &+= edges[index &+ step &- 1] < value ? step : 0
            step &>>= 1
        }
        return index
    }

    /// Writes the bins of a column of values, adding `offset` to each; `special` says what to write for a NaN.
    ///
    /// - Parameters:
    ///   - values: `count` values, `valueStride` apart.
    ///   - codes: where the first code goes; the others follow `codeStride` apart.
    @inline(__always)
    package func encode(
        _ values: UnsafePointer<Double>, stride valueStride: Int, count: Int, offset: UInt32,
        into codes: UnsafeMutablePointer<UInt32>, stride codeStride: Int, special: (Double) -> UInt32
    ) {
        edges.withUnsafeBufferPointer { edges in
            below.withUnsafeBufferPointer { below in
                let stride = stride
                switch cells {
                case .linear(let origin, let scale):
                    for i in 0..<count {
                        let value = values[i &* valueStride]
                        let cell = Self.linearCell(value, origin, scale)
                        let bin = Self.search(value, from: Int(below[cell]), edges, stride)
                        codes[i &* codeStride] =
                            value.isNaN ? special(value) : offset &+ UInt32(truncatingIfNeeded: bin)
                    }
                case .bits(let origin, let shift):
                    for i in 0..<count {
                        let value = values[i &* valueStride]
                        let cell = value.isNaN ? 0 : Self.bitsCell(value, origin, shift)
                        let bin = Self.search(value, from: Int(below[cell]), edges, stride)
                        codes[i &* codeStride] =
                            value.isNaN ? special(value) : offset &+ UInt32(truncatingIfNeeded: bin)
                    }
                }
            }
        }
    }
}
