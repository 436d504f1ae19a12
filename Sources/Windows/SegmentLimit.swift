import Events
import Sketches
import Values

/// How many groups of counters may live side by side, and where the rows of the others go.
enum SegmentLimit {
    /// What the counters of one pane may take.
    private static let bytesMaximum = 512 << 20
    private static let groupsMinimum = 500
    /// What the rows of one window's snapshot may be in number, all versions together and each alone: about as many take a gigabyte.
    private static let snapshotRowsMaximum = 100_000
    /// Combinations of several dimensions' values in all panes of a model together.
    static let combinationsMaximum = 2_000_000
    static let other = NamePlaces.other

    static func groups(_ layout: Layout) -> Int {
        // A closing window unpacks them all.
        let each = layout.codeCount * MemoryLayout<UInt64>.stride + layout.momentsCount * MemoryLayout<Moments>.stride
        return max(groupsMinimum, bytesMaximum / each)
    }

    /// Groups of one window: a window that closes has a row for each column of each.
    static func windowGroups(_ layout: Layout) -> Int {
        max(groupsMinimum, snapshotRowsMaximum / (2 * max(1, layout.columns.count)))
    }

    /// All traffic and what others share always have a place.
    static func isFolded(_ segment: Segment) -> Bool { segment.parts.allSatisfy { $0.value == other } }

    /// The same dimensions, every value `(other)`.
    static func folded(_ segment: Segment) -> Segment {
        Segment(segment.parts.map { Segment.Part($0.dimension, other) })
    }
}
