package import Sketches
package import Values

/// A reference as counts: what each segment is compared with, in the bins the segment counts in.
package struct ReferenceCounts: Sendable {
    let plans: GroupPlans
    let profiles: [Segment: Profile]

    /// The past of every segment that has one, by column.
    package var own: [Segment: [ColumnProfile]] {
        profiles.reduce(into: [:]) { all, entry in
            all[entry.key] = plans.plan(for: entry.key).layout.columns.map { entry.value.column($0) }
        }
    }

    var isEmpty: Bool { profiles[.all].map { $0.rows == 0 } ?? true }

    /// What a segment is compared with, by column: its own past, or where that has fewer than `Reference.minimumRows` rows that of the
    /// first parent that has enough, counted as the segment is.
    package func columns(for segment: Segment) -> (compared: Segment, columns: [ColumnProfile]) {
        let plan = plans.plan(for: segment)
        let compared = comparisonSegment(for: segment)
        var profile = profiles[compared] ?? Profile(plans.plan(for: compared).layout)
        let own = plans.plan(for: compared)
        if own !== plan { profile = own.recounted(profile, as: plan) }
        return (compared, plan.layout.columns.map { profile.column($0) })
    }

    private func comparisonSegment(for segment: Segment) -> Segment {
        func isEnough(_ segment: Segment) -> Bool {
            profiles[segment].map { $0.rows >= Reference.minimumRows } ?? false
        }
        if segment.isAll || isEnough(segment) { return segment }
        if segment.parts.count > 1 {
            for drop in segment.parts.indices.reversed() {
                var parts = segment.parts
                parts.remove(at: drop)
                if isEnough(Segment(parts)) { return Segment(parts) }
            }
        }
        return .all
    }
}
