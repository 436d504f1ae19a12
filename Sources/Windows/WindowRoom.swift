import Sketches
import Values

/// Makes a window's groups fit what may close at once: a hostile stream of combinations would fill the memory with the snapshot of one
/// window, and hold up everything for minutes.
///
/// The groups with the most rows keep their names, whatever order they came in; the rest, nearly all of them with too few rows for any
/// rule, are told together as `(other)`.
struct WindowRoom {
    private let plans: GroupPlans
    private let maximumGroups: Int

    init(_ plans: GroupPlans, maximumGroups: Int? = nil) {
        self.plans = plans
        self.maximumGroups = maximumGroups ?? SegmentLimit.windowGroups(plans.all.layout)
    }

    /// - Parameter place: where a group's rows are told, where not under its own name.
    /// - Returns: the groups, unpacked, and how many rows lost their group for want of room.
    func fit(_ packed: PaneCounts, _ place: ((GroupKey) -> GroupKey)?) -> (counts: WindowCounts, foldedRows: UInt64) {
        let names = kept(packed)
        var counts: WindowCounts = [:]
        counts.reserveCapacity(min(packed.count, maximumGroups + 16))
        var foldedRows: UInt64 = 0
        for (key, group) in packed {
            var own = place?(key) ?? key
            if let names, !names.contains(key) {
                own = PaneStore.folded(own) { names.contains($0) }
                foldedRows &+= group.rows
            }
            let plan = plans.plan(for: key.segment)
            var profile = group.profile(plan.layout)
            let other = plans.plan(for: own.segment)
            if plan !== other {
                let fields = profile.fields
                profile = plan.recounted(profile, as: other)
                profile.fields = fields
            }
            if counts[own]?.merge(profile) == nil { counts[own] = profile }
        }
        return (counts, foldedRows)
    }

    /// The groups that keep their names; `nil` where all do.
    private func kept(_ packed: PaneCounts) -> Set<GroupKey>? {
        guard packed.count > maximumGroups else { return nil }
        let order = packed.map { (key: $0.key, rows: $0.value.rows, isShared: SegmentLimit.isFolded($0.key.segment)) }
            .sorted { a, b in
                if a.isShared != b.isShared { return a.isShared }
                if a.rows != b.rows { return a.rows > b.rows }
                return a.key < b.key
            }
        return Set(order.prefix(maximumGroups).map(\.key))
    }
}
