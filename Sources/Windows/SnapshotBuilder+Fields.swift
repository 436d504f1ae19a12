import Sketches
import Statistics
import Values

/// Rows about the fields of a window's events that the model does not list, for the schema watch.
extension SnapshotBuilder {
    /// Fields whose share in each segment and version is told; of the others, that of all traffic.
    private static let maximumDetailed = 16

    /// A row for each field in all traffic, and for the most frequent ones in every segment and version, also where it is none:
    /// where a field does not occur says as much.
    func unlisted(
        _ together: [Segment: Profile], _ counts: WindowCounts, _ versions: [String]
    ) -> [SnapshotRow] {
        guard let all = together[.all], !all.fields.isEmpty else { return [] }
        let fields = all.fields.fields.sorted { ($1.rows, $0.name) < ($0.rows, $1.name) }
        let segments = together.sorted { $0.key < $1.key }
        return fields.enumerated().flatMap { place, field -> [SnapshotRow] in
            guard place < Self.maximumDetailed, field.name != FieldCounts.otherName else {
                return [row(field, SnapshotRow.allVersions, .all, all)]
            }
            return segments.map { row(field, SnapshotRow.allVersions, $0.key, $0.value) }
                + versions.compactMap { version in
                    counts[GroupKey(version: version, segment: .all)].map { row(field, version, .all, $0) }
                }
        }
    }

    private func row(
        _ field: FieldCounts.Field, _ version: String, _ segment: Segment, _ profile: Profile
    ) -> SnapshotRow {
        let hits = min(profile.fields.fields.first { $0.name == field.name }?.rows ?? 0, profile.rows)
        let compared = reference.comparisonGroup(for: segment)
        var metrics = MetricValues()
        metrics[.added_rate] = profile.rows > 0 ? Double(hits) / Double(profile.rows) : nil
        var before = MetricValues()
        before[.added_rate] = 0
        let counts = Comparison(
            edges: [], categories: ["without", "with"], reference: [compared.profile.rows, 0],
            current: [profile.rows - hits, hits], referenceNulls: 0, currentNulls: 0)
        var row = SnapshotRow(
            version: version, segment: segment, column: SnapshotRow.schemaColumn, kind: SnapshotRow.schemaColumn,
            n: profile.rows, null: 0, referenceN: compared.profile.rows, referenceSegment: compared.segment,
            metrics: metrics, referenceMetrics: before, comparison: counts, common: counts)
        row.field = UnlistedField(name: field.name, types: JSONKind.names(field.kinds))
        return row
    }
}
