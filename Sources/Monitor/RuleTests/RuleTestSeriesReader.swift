import Rules
import Sketches
import Statistics
import StrictYAML
import Values

/// Reads one series of a test: counts that go through the real statistics, or a metric as it is to be.
struct RuleTestSeriesReader {
    /// Rows of a row whose values are stated, unless it says otherwise: enough for any `min_rows` people write.
    private static let standardRows: UInt64 = 10_000

    let columns: RuleTestColumns

    func series(_ value: YAMLValue, _ problems: inout ProblemCollector) -> RuleTest.Series? {
        let keys = [
            "column", "metric", "segment", "version", "counts", "nulls", "values", "rows", "reference",
            "reference_nulls", "field",
        ]
        guard let mapping = value.mapping(allowed: keys, &problems) else { return nil }
        let name = mapping.required("column", &problems)?.nonEmptyString(&problems)
        let segment = mapping["segment"]?.anyMapping(&problems).map { map in
            Segment(
                map.entries.compactMap { entry in entry.value.nonEmptyString(&problems).map { .init(entry.key, $0) } })
        }
        let version = mapping["version"]?.nonEmptyString(&problems) ?? SnapshotRow.allVersions
        guard let name else { return nil }
        let field = mapping["field"]?.nonEmptyString(&problems)
        let row = RuleTest.Row(version: version, segment: segment ?? .all, column: name, field: field)
        let content: RuleTest.Series.Content?
        switch (mapping["counts"], mapping["values"]) {
        case (let counts?, nil):
            for key in ["metric", "rows"] where mapping[key] != nil {
                problems.add("`\(key)` belongs to `values`: counts give every metric", at: mapping.keyPlace(key))
            }
            content = self.counts(counts, name, mapping, &problems).map { .counts($0) }
        case (nil, let values?):
            for key in ["nulls", "reference_nulls"] where mapping[key] != nil {
                problems.add("`\(key)` belongs to `counts`: give the metric `null_rate`", at: mapping.keyPlace(key))
            }
            content = self.values(values, mapping, &problems).map { .values($0) }
        case (nil, nil):
            problems.add("expected `counts`, or `metric` with `values`", at: value.place)
            return nil
        default:
            problems.add("expected `counts` or `values`, found both", at: value.place)
            return nil
        }
        return content.map { RuleTest.Series(row: row, content: $0) }
    }

    private func values(
        _ value: YAMLValue, _ mapping: YAMLMapping, _ problems: inout ProblemCollector
    ) -> RuleTest.Values? {
        let rows = mapping["rows"]?.int(in: 0...Int.max, &problems)
        let reference = mapping["reference"]?.double(&problems)
        guard let name = mapping.required("metric", &problems), let text = name.nonEmptyString(&problems) else {
            return nil
        }
        guard let metric = Metric(name: text) else {
            let known = Metric.allCases.map(\.name)
            problems.add("unknown metric `\(text)`\(Nearest.hint(for: text, among: known))", at: name.place)
            return nil
        }
        guard let windows = Self.notation(value, isCounts: false, &problems) else { return nil }
        return RuleTest.Values(
            metric: metric, reference: reference, windows: windows.map { $0?.first },
            rows: rows.map { UInt64($0) } ?? Self.standardRows)
    }

    private func counts(
        _ value: YAMLValue, _ name: String, _ mapping: YAMLMapping, _ problems: inout ProblemCollector
    ) -> RuleTest.Counts? {
        guard let column = columns.byName[name] else {
            let known = columns.byName.keys.sorted()
            let hint = known.isEmpty ? "" : Nearest.hint(for: name, among: known)
            problems.add(
                "column `\(name)` has no bins: give `edges` or `categories` under `columns`\(hint)",
                at: mapping["column"]?.place ?? value.place)
            return nil
        }
        guard let windows = Self.notation(value, isCounts: true, &problems) else { return nil }
        let nulls = mapping["nulls"].flatMap { Self.notation($0, isCounts: false, &problems) } ?? []
        if nulls.contains(where: { !Self.isCount($0?.first ?? 0) }) {
            problems.add("expected whole numbers of rows without a value", at: mapping.keyPlace("nulls"))
            return nil
        }
        let widths = column.allowsUnseen ? [column.width, column.width + 1] : [column.width]
        for counts in windows where counts.map({ !widths.contains($0.count) }) ?? false {
            let more = column.allowsUnseen ? " or \(column.width + 1), the last one of unseen values" : ""
            problems.add(
                "found \(counts?.count ?? 0) counts, column `\(name)` has \(column.width) bins: expected \(column.width)\(more)",
                at: value.place)
            return nil
        }
        let reference = Self.reference(mapping, column, column.reference, &problems)
        return RuleTest.Counts(
            column: column, reference: reference,
            windows: windows.enumerated().map { index, counts in
                counts.map { counts in
                    let missing = nulls.indices.contains(index) ? nulls[index]?.first ?? 0 : 0
                    return column.profile(counts.map { UInt64($0) }, nulls: UInt64(missing))
                }
            })
    }

    private static func isCount(_ value: Double) -> Bool { value >= 0 && value == value.rounded() && value <= 1e15 }

    /// `reference: [500, 300, 200]` and `reference_nulls: 10`, or what the column has.
    static func reference(
        _ mapping: YAMLMapping, _ column: RuleTest.Column, _ standard: ColumnProfile?,
        _ problems: inout ProblemCollector
    ) -> ColumnProfile? {
        guard let value = mapping["reference"] else { return standard }
        guard let items = value.list(&problems) else { return nil }
        let counts = items.compactMap { $0.int(in: 0...1_000_000_000_000, &problems) }.map { UInt64($0) }
        let nulls = mapping["reference_nulls"]?.int(in: 0...1_000_000_000_000, &problems) ?? 0
        guard counts.count == items.count else { return nil }
        guard counts.count == column.width else {
            problems.add("found \(counts.count) counts, expected \(column.width), one for each bin", at: value.place)
            return nil
        }
        return column.profile(counts, nulls: UInt64(nulls))
    }

    private static func notation(
        _ value: YAMLValue, isCounts: Bool, _ problems: inout ProblemCollector
    ) -> [[Double]?]? {
        guard let text = value.nonEmptyString(&problems) else { return nil }
        do throws(SeriesNotation.Mistake) {
            return try SeriesNotation.values(text, isCounts: isCounts)
        } catch {
            problems.add(error.message, at: value.place(ofCharacter: error.offset))
            return nil
        }
    }
}
