package import Sketches
import Synchronization
package import Values

/// The plan of every group of a model's rows: which reference it is compared with, and so how it counts. Made when first asked for and
/// shared by all workers.
package final class GroupPlans: Sendable {
    /// The codes that rows are binned to before any plan: every column's fine bins, the special codes, and one for rows without the column.
    package let shared: Layout
    /// The numeric columns.
    let blocks: [NumericBlock]
    private let reference: Reference?
    /// By the segment whose reference is used.
    private let made = Mutex<[Segment: GroupPlan]>([:])

    package init(_ reference: Reference) {
        shared = reference.layout
        blocks = NumericBlock.blocks(reference.layout)
        self.reference = reference
    }

    /// Without a reference every group keeps every bin.
    package init(_ layout: Layout) {
        shared = layout
        blocks = NumericBlock.blocks(layout)
        reference = nil
    }

    package var all: GroupPlan { plan(for: .all) }

    package func plan(for segment: Segment) -> GroupPlan {
        let group = reference?.comparisonGroup(for: segment)
        let name = group?.segment ?? .all
        return made.withLock { made in
            if let known = made[name] { return known }
            let plan = GroupPlan(shared, group: group, all: reference?.all)
            made[name] = plan
            return plan
        }
    }

    /// A profile in the shared bins, in those the segment counts in.
    package func counted(_ profile: Profile, as segment: Segment) -> Profile {
        plan(for: segment).coarsened(profile, shared)
    }
}
