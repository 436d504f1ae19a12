import Sketches
import Values

/// The panes of one model that some window still needs.
struct PaneStore {
    private let plans: GroupPlans
    private let maximumGroups: Int
    private let maximumCombinations: Int
    private var panes: [Timestamp: PaneCounts] = [:]
    /// Groups of all panes that are of several dimensions.
    private var combinations = 0

    init(plans: GroupPlans, maximumCombinations: Int = SegmentLimit.combinationsMaximum) {
        self.plans = plans
        self.maximumCombinations = maximumCombinations
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
        let isTight =
            existing.count + counts.count > maximumGroups || combinations + counts.count > maximumCombinations
        for (key, packed) in isTight ? counts.sorted(by: { $0.key < $1.key }) : Array(counts) {
            let isCross = key.segment.parts.count > 1
            let isNew = existing[key] == nil
            let hasPlace =
                !isNew || SegmentLimit.isFolded(key.segment)
                || existing.count < maximumGroups && !(isCross && combinations >= maximumCombinations)
            if isNew, hasPlace, isCross { combinations += 1 }
            let place = hasPlace ? key : Self.folded(key) { existing[$0] != nil }
            let fitting = place == key ? packed : recounted(packed, from: key, as: place)
            if existing[place]?.merge(fitting) == nil { existing[place] = fitting }
            changed[place] = existing[place]
        }
        panes[start] = existing
        return changed
    }

    /// Where the rows of a group go that has no room.
    static func folded(_ key: GroupKey, _ exists: (GroupKey) -> Bool) -> GroupKey {
        let isKnown = exists(GroupKey(version: key.version, segment: .all))
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
    mutating func restore(_ counts: PaneCounts, at start: Timestamp) {
        remove(start)
        panes[start] = counts
        combinations += Self.combinations(counts)
    }

    subscript(start: Timestamp) -> PaneCounts? { panes[start] }

    mutating func remove(_ start: Timestamp) {
        guard let gone = panes.removeValue(forKey: start) else { return }
        combinations -= Self.combinations(gone)
    }

    private static func combinations(_ counts: PaneCounts) -> Int {
        counts.keys.count { $0.segment.parts.count > 1 }
    }

    /// The sum of the panes that start within a range.
    /// - Parameter place: where a group's rows are told, where not under its own name.
    func sum(_ range: TimeRange, _ place: ((GroupKey) -> GroupKey)? = nil) -> (counts: WindowCounts, foldedRows: UInt64)
    {
        var packed: PaneCounts = [:]
        for start in panes.keys where range.contains(start) {
            packed.merge(panes[start] ?? [:]) { a, b in
                var sum = a
                sum.merge(b)
                return sum
            }
        }
        return WindowRoom(plans).fit(packed, place)
    }
}
