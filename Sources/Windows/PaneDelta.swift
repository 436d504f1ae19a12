package import Sketches
package import Values

/// Which counts within a pane: a model version and a segment.
package struct GroupKey: Hashable, Sendable, Comparable {
    package let version: String
    package let segment: Segment

    package init(version: String, segment: Segment) {
        self.version = version
        self.segment = segment
    }

    package static func < (a: GroupKey, b: GroupKey) -> Bool {
        a.version != b.version ? a.version < b.version : a.segment < b.segment
    }
}

/// The counts of a window.
package typealias WindowCounts = [GroupKey: Profile]

/// The counts of one pane, packed: a pane waits far longer than it is looked at.
package typealias PaneCounts = [GroupKey: PackedProfile]

/// What some events add to the panes of their model: counts only. Deltas merge in any order to the same bytes, so it does not
/// matter who made them.
package struct PaneDelta: Sendable {
    /// By the start of the pane.
    package var panes: [Timestamp: PaneCounts] = [:]
    /// Rows that came later than the lateness allows, by pane: not in `panes`.
    package var lateRows: [Timestamp: UInt64] = [:]
    /// For each source, the newest event time seen of this model.
    package var clocks: [String: Timestamp] = [:]
    package var rows: UInt64 = 0
    /// Memory of the panes that `add` was given, at most.
    private(set) var packedBytes = 0
    /// Rows that went to a segment `(other)` for want of room.
    package var overflowRows: UInt64 = 0
    /// Rows whose version had to share the name `(other)`.
    package var otherVersionRows: UInt64 = 0
    /// The generation of `NamePlaces` in which names were told apart.
    package var generation = 0

    package init() {}

    package mutating func merge(_ other: PaneDelta) {
        for (start, counts) in other.panes {
            panes[start, default: [:]].merge(counts) { a, b in
                var sum = a
                sum.merge(b)
                return sum
            }
        }
        lateRows.merge(other.lateRows, uniquingKeysWith: &+)
        clocks.merge(other.clocks, uniquingKeysWith: max)
        rows &+= other.rows
        overflowRows &+= other.overflowRows
        otherVersionRows &+= other.otherVersionRows
        generation = min(generation, other.generation)
    }

    /// Adds to what is there: two spellings of one name, composed and decomposed, are one key.
    mutating func add(_ packed: PackedProfile, to key: GroupKey, pane: Timestamp) {
        packedBytes += packed.bytes.count + packed.fields.fields.count * 64
        if panes[pane]?[key]?.merge(packed) == nil { panes[pane, default: [:]][key] = packed }
    }

    package var isEmpty: Bool { panes.isEmpty && lateRows.isEmpty && clocks.isEmpty }
}
