import Statistics
import Values

/// What the alerts of one window share: rows by column, and attribution and clues that are computed once for each column however many alerts
/// ask. Making it is O(rows); an attribution is O(segments × bins).
struct EvidenceBook {
    /// Segments named as drivers at most.
    static let maximumDrivers = 5

    private struct Key: Hashable {
        let version: String
        let column: String
    }

    private struct ReportKey: Hashable {
        let key: Key
        let measure: Attribution.Measure
    }

    let snapshot: Snapshot
    private var byColumn: [Key: [Int]] = [:]
    private var reports: [ReportKey: AttributionReport] = [:]
    private var clues: [Int: [Clue]] = [:]

    init(_ snapshot: Snapshot) {
        self.snapshot = snapshot
        for (index, row) in snapshot.rows.enumerated() {
            byColumn[Key(version: row.version, column: row.column), default: []].append(index)
        }
    }

    /// Rows of the whole window: the most any column of all traffic has.
    static func windowRows(_ snapshot: Snapshot) -> UInt64 {
        snapshot.rows.indices.reduce(0) { most, i in
            snapshot.rows[i].version == SnapshotRow.allVersions && snapshot.rows[i].segment.isAll
                ? max(most, snapshot.rows[i].n) : most
        }
    }

    var windowRows: UInt64 { Self.windowRows(snapshot) }

    /// What is divided among segments for an alert about this metric.
    static func measure(_ metric: Metric?) -> Attribution.Measure {
        switch metric {
        case .null_rate, .missing_rate, .psi_with_nulls: .nulls
        case .new_category_rate: .unseen
        default: .values
        }
    }

    /// Who drives the shift of a row's column, over all segments of its version.
    mutating func report(_ row: SnapshotRow, _ metric: Metric?) -> AttributionReport {
        let key = ReportKey(key: Key(version: row.version, column: row.column), measure: Self.measure(metric))
        if let known = reports[key] { return known }
        let rows = byColumn[key.key, default: []].map { snapshot.rows[$0] }
        let report = Attribution.drivers(among: rows, of: key.measure, limit: Self.maximumDrivers)
        reports[key] = report
        return report
    }

    mutating func clues(ofRow index: Int) -> [Clue] {
        if let known = clues[index] { return known }
        let row = snapshot.rows[index]
        let isPerformance = row.column == SnapshotRow.performanceColumn
        let found = isPerformance ? PerformanceClues(row: row).all : ColumnClues(row: row).all
        clues[index] = found
        return found
    }

    func index(version: String, column: String, segment: Segment) -> Int? {
        byColumn[Key(version: version, column: column)]?.first { snapshot.rows[$0].segment == segment }
    }

    /// A row's column, or field, in one segment, a row for each version (not all versions together).
    func versions(of row: SnapshotRow, in segment: Segment) -> [SnapshotRow] {
        snapshot.versions.compactMap { version in
            byColumn[Key(version: version, column: row.column)]?.lazy.map { snapshot.rows[$0] }
                .first { $0.segment == segment && $0.field?.name == row.field?.name }
        }
    }

    /// One column in one segment, a row for each version (not all versions together).
    func versions(column: String, segment: Segment) -> [SnapshotRow] {
        snapshot.versions.compactMap { version in
            index(version: version, column: column, segment: segment).map { snapshot.rows[$0] }
        }
    }
}
