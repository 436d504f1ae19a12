import Sketches
import Statistics
import Values

/// The snapshots a test's series describe, as the engine would have made them.
struct RuleTestSnapshots {
    private let test: RuleTest
    private let rows: [(row: RuleTest.Row, counts: RuleTest.Counts?, values: [RuleTest.Values])]

    init(_ test: RuleTest) {
        self.test = test
        var counts: [RuleTest.Row: RuleTest.Counts] = [:]
        var values: [RuleTest.Row: [RuleTest.Values]] = [:]
        for series in test.series {
            switch series.content {
            case .counts(let content): counts[series.row] = content
            case .values(let content): values[series.row, default: []].append(content)
            }
        }
        rows = Set(test.series.map(\.row)).sorted().map { ($0, counts[$0], values[$0] ?? []) }
    }

    /// The window that ends `index` steps after the test's start, made of the last `steps` of the series.
    func snapshot(_ index: Int, steps: Int) -> Snapshot {
        let end = test.start + test.every * Int64(index)
        let rows = rows.compactMap { row($0.row, $0.counts, $0.values, index, steps) }
        let versions = Set(rows.map(\.version)).subtracting([SnapshotRow.allVersions]).sorted()
        return Snapshot(
            model: test.model, window: TimeRange(start: end - test.every * Int64(steps), end: end), revision: 1,
            versions: versions, referenceName: "\(test.model) reference", rows: rows)
    }

    /// `nil` where no series has anything to say: no data.
    private func row(
        _ row: RuleTest.Row, _ counts: RuleTest.Counts?, _ values: [RuleTest.Values], _ index: Int, _ steps: Int
    ) -> SnapshotRow? {
        let profile = counts.flatMap { Self.sum($0, index, steps) }
        let stated = values.compactMap { series -> (metric: Metric, value: Double)? in
            guard series.windows.indices.contains(index), let value = series.windows[index] else { return nil }
            return (series.metric, value)
        }
        guard profile != nil || !stated.isEmpty else { return nil }
        var metrics = MetricValues()
        var reference = MetricValues()
        var comparison = Comparison(
            edges: [], categories: [], reference: [], current: [], referenceNulls: 0, currentNulls: 0)
        var common = comparison
        var n: UInt64 = values.map(\.rows).max() ?? 0
        if let counts, let profile {
            let layout = Layout(columns: [(row.column, counts.column.bins)])
            let before =
                counts.reference ?? counts.column.profile([UInt64](repeating: 0, count: counts.column.width), nulls: 0)
            (metrics, comparison) = columnMetrics(
                column: layout.columns[0], cuts: counts.column.cuts, reference: before, current: profile,
                smoothing: test.smoothing)
            common = Comparison.common(
                column: layout.columns[0], cuts: counts.column.cuts, reference: before, current: profile)
            if before.rows > 0 { reference = columnDescription(column: layout.columns[0], profile: before) }
            n = profile.rows
        } else {
            // A distance that is stated is meant: whoever wants it to be noise states its test too.
            for test in [Metric.psi_p, .ks_p, .chi2_p] { metrics[test] = 0 }
        }
        for (metric, value) in stated {
            metrics[metric] = value
            if metric == .count, profile == nil { n = UInt64(max(0, min(value, 1e15))) }
        }
        if profile == nil { metrics[.count] = Double(n) }
        for series in values { reference[series.metric] = series.reference ?? reference[series.metric] }
        var made = SnapshotRow(
            version: row.version, segment: row.segment, column: row.column, kind: kind(row.column, counts, values),
            n: n, null: profile?.nulls ?? 0, referenceN: counts?.reference?.rows ?? 0, referenceSegment: row.segment,
            metrics: metrics, referenceMetrics: reference, comparison: comparison, common: common)
        made.missing = profile?.missing ?? 0
        made.wrongType = profile?.wrongType ?? 0
        made.field = row.field.map { UnlistedField(name: $0, types: []) }
        if let counts, let profile, metrics[.stuck_rate] ?? 0 > 0 {
            made.stuck = StuckValue.find(
                column: Layout(columns: [(row.column, counts.column.bins)]).columns[0],
                reference: counts.reference ?? profile, current: profile)
        }
        return made
    }

    private static func sum(_ counts: RuleTest.Counts, _ index: Int, _ steps: Int) -> ColumnProfile? {
        var total: ColumnProfile?
        for i in max(0, index - steps + 1)...index where counts.windows.indices.contains(i) {
            guard let window = counts.windows[i] else { continue }
            guard var sum = total else {
                total = window
                continue
            }
            for bin in sum.bins.indices { sum.bins[bin] += window.bins[bin] }
            sum.null += window.null
            total = sum
        }
        return total
    }

    private func kind(_ column: String, _ counts: RuleTest.Counts?, _ values: [RuleTest.Values]) -> String {
        if let counts { return counts.column.bins.kindName }
        if let kind = test.kinds[column] { return kind }
        if ["performance", "volume", "schema"].contains(column) { return column }
        return values.contains { $0.metric == .new_category_rate } ? "categorical" : "numeric"
    }
}
