import Sketches

/// The moments of one numeric column of one group while it is being counted: exact sums of at most 65,535 values, so nothing can overflow
/// (65,535 · 2^110 < 2^126). How many values there are the counters know.
struct HotMoments: BitwiseCopyable {
    var sum: Int128 = 0
    var sumOfSquares: Int128 = 0
    var minimum = Double.infinity
    var maximum = -Double.infinity
}

/// The counters of one group of rows while they are hot: 16 bits each, emptied into a profile before any can overflow.
struct HotGroup: BitwiseCopyable {
    /// Instead of a segmentation's number: all traffic, and the rows that are in no group of the first segmentation. These are counted
    /// only because the sums of all traffic are those of the first segmentation's groups and theirs.
    static let all = -1
    static let remainder = -2

    /// Which segmentation and which combination of values.
    let segmentation: Int32
    /// Whether sums are kept.
    let hasMoments: Bool
    /// Rows of the batch being counted that belong here, and where their numbers stand in the batch's list.
    var batchRows: Int32 = 0
    var listEnd: Int32 = 0
    let key: UInt64
    /// The plan's, which `HotGroups` keeps alive.
    let ranks: UnsafePointer<UInt64>
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

    init(_ plan: GroupPlan, segmentation: Int, key: UInt64, hasMoments: Bool) {
        self.hasMoments = hasMoments
        self.segmentation = Int32(segmentation)
        self.key = key
        ranks = plan.ranks
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
            guard hasMoments, let m = column.momentsIndex, valid > 0 else { continue }
            profile.moments[m].merge(sums(m, valid))
        }
        clear()
        rows = 0
    }

    /// What `empty` moves, packed. Nothing is emptied.
    /// - Parameter more: by numeric column, sums to add; replaced by the sums packed.
    func packed(_ layout: Layout, adding more: inout [Moments]) -> PackedProfile {
        PackedProfile(rows: UInt64(rows), counts: counts, bases: bases, layout) { index, valid in
            if hasMoments, valid > 0 { more[index].merge(sums(index, valid)) }
            return more[index]
        }
    }

    private func sums(_ index: Int, _ valid: UInt64) -> Moments {
        var sums = Moments()
        sums.count = valid
        sums.sum = moments[index].sum
        sums.sumOfSquares = moments[index].sumOfSquares
        sums.minimum = moments[index].minimum
        sums.maximum = moments[index].maximum
        return sums
    }
}
