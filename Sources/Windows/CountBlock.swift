import Sketches
import Values

/// The counters of one (pane, version): group 0 is all traffic, the others are segments in order of appearance.
final class CountBlock {
    let start: Timestamp
    let version: UInt16
    private(set) var groups: UnsafeMutablePointer<HotGroup>
    private(set) var count = 0
    private var capacity = 16
    /// For each segmentation, from the combination of values to the group.
    let places: UnsafeMutablePointer<PlaceTable>
    private let segmentations: Int
    /// By group; what was counted before the counters were last emptied.
    private(set) var folded: [Profile?] = []
    private(set) var plans: [GroupPlan] = []

    /// - Parameter crosses: for each segmentation, whether it is of several dimensions.
    init(start: Timestamp, version: UInt16, crosses: [Bool], all: GroupPlan) {
        self.start = start
        self.version = version
        segmentations = crosses.count
        groups = .allocate(capacity: capacity)
        places = .allocate(capacity: max(1, crosses.count))
        for (i, isCross) in crosses.enumerated() { (places + i).initialize(to: PlaceTable(isCross: isCross)) }
        _ = append(all, segmentation: -1, key: 0)
    }

    deinit {
        for i in 0..<count { groups[i].deallocate() }
        for i in 0..<segmentations { places[i].deallocate() }
        groups.deallocate()
        places.deallocate()
    }

    /// Opens a group and returns its number.
    func append(_ plan: GroupPlan, segmentation: Int, key: UInt64) -> Int {
        if count == capacity {
            let larger = UnsafeMutablePointer<HotGroup>.allocate(capacity: capacity * 2)
            larger.update(from: groups, count: count)
            groups.deallocate()
            groups = larger
            capacity *= 2
        }
        (groups + count).initialize(to: HotGroup(plan, segmentation: segmentation, key: key))
        if segmentation >= 0 { places[segmentation].set(key, group: count) }
        plans.append(plan)
        folded.append(nil)
        count += 1
        return count - 1
    }

    /// Counts a row in a group.
    @inline(__always)
    func add(
        _ row: UnsafePointer<UInt32>, _ columns: Int, _ quanta: UnsafePointer<RowEncoder.Quantum>, group: Int
    ) {
        if groups[group].rows == HotGroup.maximumRows { fold(group) }
        groups[group].add(row, columns: columns, quanta)
    }

    /// Empties a group whose counters are nearly full.
    func fold(_ group: Int) {
        var profile = folded[group] ?? Profile(plans[group].layout)
        folded[group] = nil
        groups[group].empty(into: &profile, plans[group].layout)
        folded[group] = profile
    }

    /// Everything a group has counted.
    func profile(_ group: Int) -> Profile {
        fold(group)
        return folded[group] ?? Profile(plans[group].layout)
    }
}
