import Sketches

/// The moments of one numeric column of one group while it is being counted: exact sums of at most 65,535 values, so nothing can overflow
/// (65,535 · 2^110 < 2^126). How many values there are the counters know.
struct HotMoments: BitwiseCopyable {
    var sum: Int128 = 0
    var sumOfSquares: Int128 = 0
    var minimum = Double.infinity
    var maximum = -Double.infinity

    /// Adds the values of some rows, with their multiples of the quantum and these squared; NaN with multiple 0 changes nothing.
    @inline(__always)
    mutating func add(
        _ rows: UnsafePointer<UInt16>, _ count: Int, multiples: UnsafePointer<Int64>, squares: UnsafePointer<Int128>,
        values: UnsafePointer<Double>
    ) {
        // Locals, because a sum in memory costs four times one in registers.
        var allSquares = sumOfSquares
        var range = (least: minimum, most: maximum)
        var done = 0
        while done < count {
            let end = min(count, done &+ Moments.safeCount)
            var sum: Int64 = 0
            while done < end {
                let row = Int(rows[done])
                sum &+= multiples[row]
                allSquares &+= squares[row]
                let value = values[row]
                if value < range.least || value > range.most { range = Self.widened(range.least, range.most, value) }
                done &+= 1
            }
            self.sum &+= Int128(sum)
        }
        sumOfSquares = allSquares
        minimum = range.least
        maximum = range.most
    }

    /// Apart, because it is rare: computed without a branch, minimum and maximum would cost more than the sums.
    @inline(never)
    private static func widened(_ least: Double, _ most: Double, _ value: Double) -> (least: Double, most: Double) {
        (value < least ? value : least, value > most ? value : most)
    }
}

/// The counters of one group of rows while they are hot: 16 bits each, emptied into a profile before any can overflow.
struct HotGroup: BitwiseCopyable {
    /// Which segmentation (−1 for all traffic) and which combination of values.
    let segmentation: Int32
    /// Rows of the batch being counted that belong here, and where their numbers stand in the batch's list.
    var batchRows: Int32 = 0
    var listEnd: Int32 = 0
    let key: UInt64
    /// The plan's, which `HotGroups` keeps alive.
    let codes: UnsafePointer<UInt16>
    let bases: UnsafePointer<UInt32>
    let counts: UnsafeMutablePointer<UInt16>
    let moments: UnsafeMutablePointer<HotMoments>
    let width: Int32
    let numbers: Int32
    /// Rows in `counts`.
    var rows = 0

    /// No counter can pass 16 bits before this many rows.
    static let maximumRows = Int(UInt16.max)

    /// One allocation holds moments and counters.
    static func bytes(_ plan: GroupPlan) -> Int {
        plan.layout.momentsCount * MemoryLayout<HotMoments>.stride + plan.width * MemoryLayout<UInt16>.stride
    }

    init(_ plan: GroupPlan, segmentation: Int, key: UInt64) {
        self.segmentation = Int32(segmentation)
        self.key = key
        codes = plan.codes
        bases = plan.bases
        width = Int32(plan.width)
        numbers = Int32(plan.layout.momentsCount)
        let memory = UnsafeMutableRawPointer.allocate(byteCount: Self.bytes(plan), alignment: 16)
        moments = memory.bindMemory(to: HotMoments.self, capacity: Int(numbers))
        counts = (memory + Int(numbers) * MemoryLayout<HotMoments>.stride)
            .bindMemory(to: UInt16.self, capacity: Int(width))
        clear()
    }

    private func clear() {
        moments.update(repeating: HotMoments(), count: Int(numbers))
        counts.update(repeating: 0, count: Int(width))
    }

    func deallocate() { UnsafeMutableRawPointer(moments).deallocate() }

    /// Counts the column of some rows.
    ///
    /// - Parameters:
    ///   - rows: numbers of the rows.
    ///   - codes: the column's shared codes, by row; `offset` is where the plan keeps its own for them.
    @inline(__always)
    func count(
        _ rows: UnsafePointer<UInt16>, _ rowCount: Int, column: Int, codes: UnsafePointer<UInt16>, offset: Int
    ) {
        let own = self.codes + offset
        let counts = counts + Int(bases[column])
        for i in 0..<rowCount { counts[Int(own[Int(codes[Int(rows[i])])])] &+= 1 }
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
