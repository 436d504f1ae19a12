import Statistics
import Values

/// What every rule asks of a window's rows, made once for all of them: labels, and which rows are one target.
struct WindowRows {
    /// All segments of one column of one version, or of one field: what a detector is about.
    struct Target {
        let name: String
        /// Places of its rows.
        var rows: [Int] = []
    }

    /// `column`, the segment's dimensions, and `field` of each row.
    let labels: [[String: String]]
    /// No two rows of all versions together have the same labels, so that a row's place says as much as they do.
    let areDistinct: Bool
    private(set) var targets: [Target] = []
    /// Each row's place in `targets`.
    private(set) var targetOfRow: [Int] = []

    private struct TargetKey: Hashable {
        let column: String
        let version: String
        let field: String?
    }

    init(_ snapshot: Snapshot) {
        var labels: [[String: String]] = []
        labels.reserveCapacity(snapshot.rows.count)
        var seen: Set<[String: String]> = []
        var areDistinct = true
        var places: [TargetKey: Int] = [:]
        for index in snapshot.rows.indices {
            let column = snapshot.rows[index].column
            let version = snapshot.rows[index].version
            let field = snapshot.rows[index].field?.name
            var own = ["column": column]
            for part in snapshot.rows[index].segment.parts {
                own[part.dimension] = part.value
                if VectorMatching.optional.contains(part.dimension) { areDistinct = false }
            }
            if let field { own["field"] = field }
            if version == SnapshotRow.allVersions, !seen.insert(own).inserted { areDistinct = false }
            labels.append(own)
            let key = TargetKey(column: column, version: version, field: field)
            let place = places[key] ?? targets.count
            if place == targets.count {
                places[key] = place
                let name = "\(column)\u{1}\(version)"
                targets.append(Target(name: field.map { "\(name)\u{1}\($0)" } ?? name))
            }
            targets[place].rows.append(index)
            targetOfRow.append(place)
        }
        self.labels = labels
        self.areDistinct = areDistinct
    }
}
