package import Sketches
package import Values

/// A reference as counts: what each segment is compared with, by column, in the bins the segment counts in.
package struct ReferenceCounts: Sendable {
    /// By segment and column.
    package let columns: [Segment: [ColumnProfile]]

    package init(columns: [Segment: [ColumnProfile]]) { self.columns = columns }

    package var isEmpty: Bool { rows(of: .all) == 0 }

    private func rows(of segment: Segment) -> UInt64 { columns[segment]?.map(\.rows).max() ?? 0 }

    /// The segment whose counts a segment is compared with: its own, or where that has fewer than `Reference.minimumRows` rows the first
    /// parent that has enough.
    package func comparisonSegment(for segment: Segment) -> Segment {
        if segment.isAll || rows(of: segment) >= Reference.minimumRows { return segment }
        if segment.parts.count > 1 {
            for drop in segment.parts.indices.reversed() {
                var parts = segment.parts
                parts.remove(at: drop)
                let parent = Segment(parts)
                if rows(of: parent) >= Reference.minimumRows { return parent }
            }
        }
        return .all
    }
}
