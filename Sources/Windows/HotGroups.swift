import CCounting
import Events
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

    private var runs: UnsafeMutablePointer<hf_run>

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

    /// Counts rows of a batch in the groups that `members` names.
    func count(_ batch: EventBatch, from first: Int, rows: Int, _ encoder: RowEncoder) {
        gather(rows)
        encoder.count(batch, from: first, rows: rows, in: runs, touchedCount)
        for i in 0..<touchedCount {
            let group = groups + Int(touched[i])
            group.pointee.rows &+= Int(group.pointee.batchRows)
            group.pointee.batchRows = 0
        }
        touchedCount = 0
    }

    /// Lists the batch's rows group by group.
    private func gather(_ rows: Int) {
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
            runs[i] = hf_run(
                rows: list + Int(group.listEnd &- group.batchRows), count: Int64(group.batchRows), ranks: group.ranks,
                bases: group.bases, counts: group.counts, sums: group.hasMoments ? group.moments : nil)
        }
    }

    /// Empties a group whose counters are nearly full.
    private func fold(_ group: Int) {
        var profile = folded[group] ?? Profile(plans[group].layout)
        folded[group] = nil
        groups[group].empty(into: &profile, plans[group].layout)
        folded[group] = profile
    }

    /// Everything a group has counted.
    /// - Parameter more: by numeric column, sums to add; replaced by the sums packed.
    func packed(_ group: Int, adding more: inout [Moments]) -> PackedProfile {
        guard folded[group] != nil else { return groups[group].packed(plans[group].layout, adding: &more) }
        fold(group)
        var profile = folded[group] ?? Profile(plans[group].layout)
        folded[group] = nil
        for m in more.indices { profile.moments[m].merge(more[m]) }
        more = profile.moments
        return PackedProfile(profile)
    }
}
