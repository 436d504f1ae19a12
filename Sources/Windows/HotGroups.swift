import Sketches
import Values

/// Every group that a worker is counting: one for each (pane, version, segment) since the counts were last handed over.
final class HotGroups {
    private(set) var groups: UnsafeMutablePointer<HotGroup>
    private(set) var count = 0
    private var capacity = 64
    private(set) var plans: [GroupPlan] = []
    /// By group; what was counted before the counters were last emptied.
    private var folded: [Profile?] = []
    /// Memory of all counters.
    private(set) var bytes = 0

    /// The rows of the batch being counted that belong to one group, and where they are counted.
    private struct Run: BitwiseCopyable {
        let rows: UnsafePointer<UInt16>
        let count: Int
        let codes: UnsafePointer<UInt16>
        let bases: UnsafePointer<UInt32>
        let counts: UnsafeMutablePointer<UInt16>
        let moments: UnsafeMutablePointer<HotMoments>?

        /// - Parameters:
        ///   - shared: the column's shared codes, by row.
        ///   - offset: where the plan keeps its own codes for them.
        @inline(__always)
        func count(column: Int, _ shared: UnsafePointer<UInt16>, _ offset: Int) {
            let own = codes + offset
            let counts = counts + Int(bases[column])
            var row = rows
            let end = rows + count
            while row + 4 <= end {
                counts[Int(own[Int(shared[Int(row[0])])])] &+= 1
                counts[Int(own[Int(shared[Int(row[1])])])] &+= 1
                counts[Int(own[Int(shared[Int(row[2])])])] &+= 1
                counts[Int(own[Int(shared[Int(row[3])])])] &+= 1
                row += 4
            }
            while row < end {
                counts[Int(own[Int(shared[Int(row[0])])])] &+= 1
                row += 1
            }
        }

        /// The same for a numeric column, with its sums.
        @inline(__always)
        func count(
            column: Int, _ shared: UnsafePointer<UInt16>, _ offset: Int, into moments: UnsafeMutablePointer<HotMoments>,
            _ multiples: UnsafePointer<Int64>, _ squares: UnsafePointer<Int128>, _ values: UnsafePointer<Double>
        ) {
            let own = codes + offset
            let counts = counts + Int(bases[column])
            // Locals, because a sum in memory costs four times one in registers.
            var allSquares = moments.pointee.sumOfSquares
            var least = moments.pointee.minimum
            var most = moments.pointee.maximum
            var next = rows
            let end = rows + count
            while next < end {
                let pause = min(end, next + RowEncoder.safeCount)
                var sum: Int64 = 0
                while next < pause {
                    let row = Int(next.pointee)
                    counts[Int(own[Int(shared[row])])] &+= 1
                    sum &+= multiples[row]
                    allSquares &+= squares[row]
                    let value = values[row]
                    if value < least || value > most { (least, most) = HotMoments.widened(least, most, value) }
                    next += 1
                }
                moments.pointee.sum &+= Int128(sum)
            }
            moments.pointee.sumOfSquares = allSquares
            moments.pointee.minimum = least
            moments.pointee.maximum = most
        }
    }

    private var runs: UnsafeMutablePointer<Run>

    /// The groups that the batch being counted touches, and the numbers of its rows group by group.
    private var touched: UnsafeMutablePointer<Int32>
    private var touchedCount = 0
    private let list: UnsafeMutablePointer<UInt16>
    /// `RowEncoder.maximumRows` × `states`: the groups of each row of the batch being counted, −1 for none.
    let members: UnsafeMutablePointer<Int32>
    private let states: Int

    /// - Parameter states: groups that one row counts in, at most.
    init(states: Int) {
        self.states = states
        members = .allocate(capacity: RowEncoder.maximumRows * states)
        groups = .allocate(capacity: capacity)
        touched = .allocate(capacity: capacity)
        runs = .allocate(capacity: capacity)
        list = .allocate(capacity: RowEncoder.maximumRows * states)
    }

    deinit {
        removeAll()
        groups.deallocate()
        touched.deallocate()
        runs.deallocate()
        list.deallocate()
        members.deallocate()
    }

    func removeAll() {
        for i in 0..<count { groups[i].deallocate() }
        count = 0
        bytes = 0
        plans.removeAll(keepingCapacity: true)
        folded.removeAll(keepingCapacity: true)
    }

    /// Opens a group and returns its number.
    func append(_ plan: GroupPlan, segmentation: Int, key: UInt64) -> Int {
        if count == capacity {
            capacity *= 2
            let larger = UnsafeMutablePointer<HotGroup>.allocate(capacity: capacity)
            larger.update(from: groups, count: count)
            groups.deallocate()
            groups = larger
            let more = UnsafeMutablePointer<Int32>.allocate(capacity: capacity)
            more.update(from: touched, count: touchedCount)
            touched.deallocate()
            touched = more
            runs.deallocate()
            runs = .allocate(capacity: capacity)
        }
        // Where there are segments all traffic's sums are theirs.
        let hasMoments = segmentation != HotGroup.all || states == 1
        (groups + count).initialize(
            to: HotGroup(plan, segmentation: segmentation, key: key, hasMoments: hasMoments))
        plans.append(plan)
        folded.append(nil)
        bytes += HotGroup.bytes(plan) + MemoryLayout<HotGroup>.stride
        count += 1
        return count - 1
    }

    /// A row of the batch belongs to this group.
    @inline(__always)
    func touch(_ group: Int) {
        if groups[group].batchRows == 0 {
            touched[touchedCount] = Int32(truncatingIfNeeded: group)
            touchedCount &+= 1
        }
        groups[group].batchRows &+= 1
    }

    /// Counts the batch's rows in the groups that `members` names.
    func count(_ encoder: RowEncoder, rows: Int) {
        let groups = groups
        var end: Int32 = 0
        for i in 0..<touchedCount {
            let group = groups + Int(touched[i])
            if group.pointee.rows &+ Int(group.pointee.batchRows) > HotGroup.maximumRows { fold(Int(touched[i])) }
            group.pointee.listEnd = end
            end &+= group.pointee.batchRows
        }
        for row in 0..<rows {
            for state in 0..<states {
                let group = Int(members[row &* states &+ state])
                guard group >= 0 else { continue }
                list[Int(groups[group].listEnd)] = UInt16(truncatingIfNeeded: row)
                groups[group].listEnd &+= 1
            }
        }
        for i in 0..<touchedCount {
            let group = groups[Int(touched[i])]
            runs[i] = Run(
                rows: list + Int(group.listEnd &- group.batchRows), count: Int(group.batchRows), codes: group.codes,
                bases: group.bases, counts: group.counts, moments: group.hasMoments ? group.moments : nil)
        }
        for c in 0..<encoder.width {
            let codes = UnsafePointer(encoder.codes + c &* RowEncoder.maximumRows)
            let offset = encoder.sharedOffsets[c]
            let number = encoder.numberIndexes[c]
            guard number >= 0 else {
                for i in 0..<touchedCount { runs[i].count(column: c, codes, offset) }
                continue
            }
            let multiples = UnsafePointer(encoder.multiples + number &* RowEncoder.maximumRows)
            let values = UnsafePointer(encoder.values + number &* RowEncoder.maximumRows)
            let squares = UnsafePointer(encoder.squares + number &* RowEncoder.maximumRows)
            for i in 0..<touchedCount {
                if let moments = runs[i].moments {
                    runs[i].count(column: c, codes, offset, into: moments + number, multiples, squares, values)
                } else {
                    runs[i].count(column: c, codes, offset)
                }
            }
        }
        for i in 0..<touchedCount {
            let group = groups + Int(touched[i])
            group.pointee.rows &+= Int(group.pointee.batchRows)
            group.pointee.batchRows = 0
        }
        touchedCount = 0
    }

    /// Empties a group whose counters are nearly full.
    private func fold(_ group: Int) {
        var profile = folded[group] ?? Profile(plans[group].layout)
        folded[group] = nil
        groups[group].empty(into: &profile, plans[group].layout)
        folded[group] = profile
    }

    /// Everything a group has counted.
    func profile(_ group: Int) -> Profile {
        fold(group)
        defer { folded[group] = nil }
        return folded[group] ?? Profile(plans[group].layout)
    }
}
