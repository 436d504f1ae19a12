import Sketches

/// The moments of one numeric column of one group while it is being counted: exact sums of at most 65,535 values, so nothing can overflow
/// (65,535 · 2^110 < 2^126). How many values there are the counters know.
struct HotMoments: BitwiseCopyable {
    var sum: Int128 = 0
    var sumOfSquares: Int128 = 0
    var minimum = Double.infinity
    var maximum = -Double.infinity

    /// A value with its multiple of the quantum; NaN with multiple 0 changes nothing.
    @inline(__always)
    mutating func add(_ quantum: RowEncoder.Quantum) {
        let square = quantum.multiple.multipliedFullWidth(by: quantum.multiple)
        sum &+= Int128(quantum.multiple)
        sumOfSquares &+= Int128(square.high) << 64 | Int128(square.low)
        if quantum.value < minimum { minimum = quantum.value }
        if quantum.value > maximum { maximum = quantum.value }
    }
}

/// The counters of one group of rows while they are hot: 16 bits each, emptied into a profile before any can overflow.
struct HotGroup: BitwiseCopyable {
    /// Which segmentation (−1 for all traffic) and which combination of values.
    let segmentation: Int
    let key: UInt64
    /// The plan's, which the block keeps alive.
    let codes: UnsafePointer<UInt16>
    let bases: UnsafePointer<UInt32>
    let width: Int
    let numbers: Int
    let counts: UnsafeMutablePointer<UInt16>
    let moments: UnsafeMutablePointer<HotMoments>
    /// Rows in `counts`.
    var rows = 0

    /// No counter can pass 16 bits before this many rows.
    static let maximumRows = Int(UInt16.max)

    /// One allocation holds moments and counters.
    static func bytes(_ plan: GroupPlan) -> Int {
        plan.layout.momentsCount * MemoryLayout<HotMoments>.stride + plan.width * MemoryLayout<UInt16>.stride
    }

    init(_ plan: GroupPlan, segmentation: Int, key: UInt64) {
        self.segmentation = segmentation
        self.key = key
        codes = plan.codes
        bases = plan.bases
        width = plan.width
        numbers = plan.layout.momentsCount
        let memory = UnsafeMutableRawPointer.allocate(byteCount: Self.bytes(plan), alignment: 16)
        moments = memory.bindMemory(to: HotMoments.self, capacity: numbers)
        counts = (memory + numbers * MemoryLayout<HotMoments>.stride).bindMemory(to: UInt16.self, capacity: width)
        clear()
    }

    private func clear() {
        moments.update(repeating: HotMoments(), count: numbers)
        counts.update(repeating: 0, count: width)
    }

    func deallocate() { UnsafeMutableRawPointer(moments).deallocate() }

    /// Counts one row: its shared codes, one a column, and its quanta, one a numeric column.
    @inline(__always)
    mutating func add(
        _ row: UnsafePointer<UInt32>, columns: Int, _ quanta: UnsafePointer<RowEncoder.Quantum>
    ) {
        rows &+= 1
        for c in 0..<columns {
            counts[Int(bases[c] &+ UInt32(codes[Int(row[c])]))] &+= 1
        }
        for m in 0..<numbers { moments[m].add(quanta[m]) }
    }

    /// Moves what is counted into a profile of the plan's layout and starts from nothing.
    mutating func empty(into profile: inout Profile, _ layout: Layout) {
        profile.rows &+= UInt64(rows)
        for (c, column) in layout.columns.enumerated() {
            var valid: UInt64 = 0
            let first = Int(bases[c])
            for code in 0..<column.codeCount {
                let count = UInt64(counts[first + code])
                profile.counts[column.offset + code] &+= count
                if code < column.bins.count { valid &+= count }
            }
            guard let m = column.momentsIndex, valid > 0 else { continue }
            var sums = Moments()
            sums.count = valid
            sums.sum = moments[m].sum
            sums.sumOfSquares = moments[m].sumOfSquares
            sums.minimum = moments[m].minimum
            sums.maximum = moments[m].maximum
            profile.moments[m].merge(sums)
        }
        clear()
        rows = 0
    }
}
