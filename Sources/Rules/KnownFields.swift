import Statistics
import Values

/// The fields that events bring beyond those the model lists, and since when: only new ones are news.
///
/// What was there in the first window a model was seen in is its own: a reference of fewer columns than the events have is no fault. What
/// came later is new for a week, whether it stays or goes, and is known from then on.
struct KnownFields: Codable, Sendable, Hashable {
    private struct Field: Codable, Sendable, Hashable {
        let name: String
        /// Start of the first window that had it; `nil` of the model's own.
        let since: Timestamp?
        var last: Timestamp
    }

    private var hasBegun = false
    /// Ordered by name.
    private var known: [Field] = []

    /// How long a field is new.
    private static let news = Span.days(7)
    /// How long after that its rows go on to say that it is none, so that whoever waits for it learns of it.
    private static let after = Span.days(1)
    /// A field that stays away so long would be new again.
    private static let patience = Span.days(30)
    private static let maximum = 512

    /// Takes a window's fields in, and leaves in its rows what is new of them: `added_rate` is 0 for what is known.
    mutating func complete(_ snapshot: inout Snapshot) {
        let window = snapshot.window
        let seen = Set(
            snapshot.rows.compactMap { row in
                row.version == SnapshotRow.allVersions && row.metrics[.added_rate] ?? 0 > 0 ? row.field?.name : nil
            })
        for name in seen.sorted() {
            if let i = known.firstIndex(where: { $0.name == name }) {
                known[i].last = window.end
            } else if known.count < Self.maximum {
                known.append(Field(name: name, since: hasBegun ? window.start : nil, last: window.end))
            }
        }
        hasBegun = hasBegun || snapshot.rows.contains { $0.n > 0 }
        known.removeAll { window.end - $0.last > Self.patience }
        known.sort { $0.name < $1.name }
        let ages = Dictionary(
            known.map { ($0.name, $0.since.map { window.end - $0 }) }, uniquingKeysWith: { first, _ in first })
        snapshot.rows.removeAll { row in
            guard let field = row.field, let age = ages[field.name] else { return false }
            let isOld = age.map { $0 > Self.news + max(Self.after, window.length * 3) } ?? true
            // One row of all traffic still says that the field is there.
            return isOld && !(row.version == SnapshotRow.allVersions && row.segment.isAll)
        }
        for i in snapshot.rows.indices {
            guard let field = snapshot.rows[i].field, let age = ages[field.name] else { continue }
            if age.map({ $0 > Self.news }) ?? true { snapshot.rows[i].metrics[.added_rate] = 0 }
        }
        addAbsent(&snapshot, seen)
    }

    /// A new field that no row has any more is gone, which only a row can say.
    private func addAbsent(_ snapshot: inout Snapshot, _ seen: Set<String>) {
        let window = snapshot.window
        let gone = known.filter { field in
            guard let since = field.since, !seen.contains(field.name) else { return false }
            return window.end - since <= Self.news + Self.after
                && !snapshot.rows.contains { $0.field?.name == field.name }
        }
        guard !gone.isEmpty else { return }
        var places: Set<Segment> = []
        let wholes = snapshot.rows.filter { row in
            row.version == SnapshotRow.allVersions && row.column != SnapshotRow.volumeColumn
                && row.column != SnapshotRow.schemaColumn && row.column != SnapshotRow.performanceColumn && row.n > 0
                && places.insert(row.segment).inserted
        }
        for field in gone {
            for whole in wholes {
                var metrics = MetricValues()
                metrics[.added_rate] = 0
                let counts = Comparison(
                    edges: [], categories: ["without", "with"], reference: [whole.referenceN, 0],
                    current: [whole.n, 0], referenceNulls: 0, currentNulls: 0)
                var row = SnapshotRow(
                    version: whole.version, segment: whole.segment, column: SnapshotRow.schemaColumn,
                    kind: SnapshotRow.schemaColumn, n: whole.n, null: 0, referenceN: whole.referenceN,
                    referenceSegment: whole.referenceSegment, metrics: metrics, referenceMetrics: metrics,
                    comparison: counts, common: counts)
                row.field = UnlistedField(name: field.name, types: [])
                snapshot.rows.append(row)
            }
        }
    }
}
