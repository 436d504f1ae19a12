package import Sketches
package import Statistics
package import Values

/// Turns the merged counts of a window into its snapshot.
package struct SnapshotBuilder: Sendable {
    private let reference: Reference
    private let smoothing: Smoothing
    /// What the reference says of each column, by segment: computed once.
    private let descriptions: [Segment: [MetricValues]]
    private let referenceColumns: [Segment: [ColumnProfile]]
    /// Of a segment the reference does not have.
    private let emptyColumns: [ColumnProfile]
    package let referenceName: String

    package init(reference: Reference, smoothing: Smoothing) {
        let empty = Profile(reference.layout)
        emptyColumns = reference.layout.columns.map { empty.column($0) }
        self.reference = reference
        self.smoothing = smoothing
        var descriptions: [Segment: [MetricValues]] = [:]
        var columns: [Segment: [ColumnProfile]] = [:]
        for group in reference.groups {
            let profiles = reference.layout.columns.map { group.profile.column($0) }
            columns[group.segment] = profiles
            descriptions[group.segment] = zip(reference.layout.columns, profiles).map {
                columnDescription(column: $0, profile: $1)
            }
        }
        self.descriptions = descriptions
        referenceColumns = columns
        referenceName = reference.model + (reference.version.map { " \($0)" } ?? "") + " reference"
    }

    package func snapshot(model: String, window: TimeRange, revision: Int, counts: PaneCounts) -> Snapshot {
        let versions = Set(counts.keys.map(\.version)).sorted()
        var together: [Segment: Profile] = [:]
        for (key, profile) in counts {
            if together[key.segment] == nil {
                together[key.segment] = profile
            } else {
                together[key.segment]?.merge(profile)
            }
        }
        if together[.all] == nil { together[.all] = Profile(reference.layout) }
        var rows = rows(version: SnapshotRow.allVersions, together)
        for version in versions {
            if versions.count == 1 {
                rows += rows.map { $0.relabelled(version: version) }
            } else {
                let own = counts.filter { $0.key.version == version }
                rows += self.rows(
                    version: version, Dictionary(uniqueKeysWithValues: own.map { ($0.key.segment, $0.value) }))
            }
        }
        return Snapshot(
            model: model, window: window, revision: revision, versions: versions, referenceName: referenceName,
            rows: rows)
    }

    private func rows(version: String, _ profiles: [Segment: Profile]) -> [SnapshotRow] {
        profiles.sorted { $0.key < $1.key }.flatMap { segment, profile in
            reference.layout.columns.indices.map { row(version: version, segment, $0, profile) }
        }
    }

    private func row(version: String, _ segment: Segment, _ index: Int, _ profile: Profile) -> SnapshotRow {
        let column = reference.layout.columns[index]
        let group = reference.comparisonGroup(for: segment)
        let current = profile.column(column)
        // A column that is itself a dimension has one value in its segment: a parent's reference would call that drift for ever.
        let isOwnDimension = group.segment != segment && segment[column.name] != nil
        let before =
            isOwnDimension ? emptyColumns[index] : referenceColumns[group.segment]?[index] ?? emptyColumns[index]
        // A group whose own quantiles found no room among the fine edges is cut like all traffic.
        let cuts = group.cuts[index].isEmpty ? reference.all.cuts[index] : group.cuts[index]
        let (metrics, comparison) = columnMetrics(
            column: column, cuts: cuts, reference: before, current: current, smoothing: smoothing)
        // Attribution adds segments up, so here a segment stands against its own reference even where that is small.
        let own = referenceColumns[segment]?[index] ?? emptyColumns[index]
        let common = Comparison.common(
            column: column, cuts: reference.all.cuts[index], reference: own, current: current)
        var row = SnapshotRow(
            version: version, segment: segment, column: column.name, kind: column.bins.kindName, n: current.rows,
            null: current.nulls, referenceN: before.rows, referenceSegment: group.segment, metrics: metrics,
            referenceMetrics: descriptions[group.segment]?[index] ?? MetricValues(), comparison: comparison,
            common: common)
        row.borrowsBins = column.bins.isNumeric && group.cuts[index].isEmpty
        return row
    }
}
