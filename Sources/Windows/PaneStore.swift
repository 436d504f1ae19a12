import Sketches
import Values

/// The panes of one model that some window still needs.
struct PaneStore {
    private let plans: GroupPlans
    private let maximumGroups: Int
    private var panes: [Timestamp: PaneCounts] = [:]

    init(plans: GroupPlans) {
        self.plans = plans
        maximumGroups = SegmentLimit.groups(plans.all.layout)
    }

    var starts: [Timestamp] { panes.keys.sorted() }
    var isEmpty: Bool { panes.isEmpty }

    /// Adds counts and returns the new totals of the keys they changed. Past the limit of groups a pane's new segments share one,
    /// `(other)`, so that a hostile stream stays within its memory.
    mutating func merge(_ counts: PaneCounts, into start: Timestamp) -> PaneCounts {
        var existing = panes[start] ?? [:]
        panes[start] = nil
        var changed: PaneCounts = [:]
        // In an order of their own where not all have room, so that it is the same ones every time.
        let isTight = existing.count + counts.count > maximumGroups
        for (key, packed) in isTight ? counts.sorted(by: { $0.key < $1.key }) : Array(counts) {
            let hasPlace = existing[key] != nil || existing.count < maximumGroups || SegmentLimit.isFolded(key.segment)
            let place = hasPlace ? key : Self.folded(key, existing)
            let fitting = place == key ? packed : recounted(packed, from: key, as: place)
            if existing[place]?.merge(fitting) == nil { existing[place] = fitting }
            changed[place] = existing[place]
        }
        panes[start] = existing
        return changed
    }

    private static func folded(_ key: GroupKey, _ existing: PaneCounts) -> GroupKey {
        let isKnown = existing[GroupKey(version: key.version, segment: .all)] != nil
        return GroupKey(version: isKnown ? key.version : SegmentLimit.other, segment: SegmentLimit.folded(key.segment))
    }

    private func recounted(_ packed: PackedProfile, from key: GroupKey, as place: GroupKey) -> PackedProfile {
        let plan = plans.plan(for: key.segment)
        let other = plans.plan(for: place.segment)
        guard plan !== other else { return packed }
        var folded = PackedProfile(plan.recounted(packed.profile(plan.layout), as: other))
        folded.fields = packed.fields
        return folded
    }

    /// Puts back what was stored, all of it: what shares a segment was made to before.
    mutating func restore(_ counts: PaneCounts, at start: Timestamp) { panes[start] = counts }

    subscript(start: Timestamp) -> PaneCounts? { panes[start] }

    mutating func remove(_ start: Timestamp) { panes[start] = nil }

    /// The sum of the panes that start within a range.
    func sum(_ range: TimeRange) -> WindowCounts {
        var packed: PaneCounts = [:]
        for start in panes.keys where range.contains(start) {
            packed.merge(panes[start] ?? [:]) { a, b in
                var sum = a
                sum.merge(b)
                return sum
            }
        }
        return Dictionary(
            uniqueKeysWithValues: packed.map { ($0, $1.profile(plans.plan(for: $0.segment).layout)) })
    }
}
