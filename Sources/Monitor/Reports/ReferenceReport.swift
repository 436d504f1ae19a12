package import Sketches
import Statistics
package import Values

/// `holdfast reference show`: what a reference knows of its columns, for people and for programs.
package struct ReferenceReport: Sendable {
    /// Why there is nothing to show, and what there is.
    package struct Failure: Error, CustomStringConvertible {
        package let description: String
    }

    private struct Row: Sendable {
        let column: Layout.Column
        let profile: ColumnProfile
        let metrics: MetricValues
        let chart: ReferenceChart
    }

    private let reference: Reference
    private let group: Reference.Group
    private let rows: [Row]

    /// - Parameters:
    ///   - segment: as `country=BR` or `country=BR,device=web`; all traffic where absent.
    ///   - column: one column only.
    package init(_ reference: Reference, segment: String? = nil, column: String? = nil) throws(Failure) {
        self.reference = reference
        group = try segment.map { text throws(Failure) in try Self.group(text, reference) } ?? reference.all
        let group = group
        if let column, reference.layout.index(of: column) == nil {
            let known = reference.layout.columns.map(\.name).joined(separator: ", ")
            throw Failure(description: "the reference has no column '\(column)'; it has: \(known)")
        }
        rows = reference.layout.columns.filter { column == nil || $0.name == column }.map { column in
            let profile = group.profile.column(column)
            let metrics = columnDescription(column: column, profile: profile)
            return Row(
                column: column, profile: profile, metrics: metrics,
                chart: ReferenceChart(column, profile, metrics))
        }
    }

    private static func group(_ text: String, _ reference: Reference) throws(Failure) -> Reference.Group {
        var wanted: Set<Segment.Part> = []
        for part in text.split(separator: ",") {
            let pieces = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard pieces.count == 2 else {
                throw Failure(description: "'\(text)' names no segment: write dimension=value, such as country=BR")
            }
            wanted.insert(.init(String(pieces[0]), String(pieces[1])))
        }
        // A value may hold a comma itself: then the text is one part.
        let whole = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        let single: Set<Segment.Part> = whole.count == 2 ? [.init(String(whole[0]), String(whole[1]))] : []
        if let found = reference.groups.first(where: {
            !$0.segment.isAll && (Set($0.segment.parts) == wanted || Set($0.segment.parts) == single)
        }) {
            return found
        }
        let names = reference.groups.filter { !$0.segment.isAll }.map(\.segment.description)
        let shown = names.prefix(20).joined(separator: "; ")
        throw Failure(
            description: names.isEmpty
                ? "the reference has no segments"
                : "the reference has no segment '\(text)'; it has: \(shown)\(names.count > 20 ? "; and \(names.count - 20) more" : "")"
        )
    }
}

extension ReferenceReport {
    /// The JSON form on one line.
    package var jsonText: String { json.text + "\n" }

    package var json: JSON {
        .members(
            ("model", .string(reference.model)), ("version", reference.version.map { .string($0) } ?? .null),
            ("rows", .integer(Int64(clamping: reference.all.profile.rows))),
            (
                "period",
                reference.period.map { .members(("start", .time($0.start)), ("end", .time($0.end))) } ?? .null
            ),
            ("bins", .int(reference.bins)),
            ("segmentations", .array(reference.segmentations.map { .array($0.map { .string($0) }) })),
            ("segments", .int(reference.groups.count - 1)),
            ("segment", group.segment.json), ("segment_rows", .integer(Int64(clamping: group.profile.rows))),
            ("columns", .array(rows.map(json))))
    }

    private func json(_ row: Row) -> JSON {
        let metrics = JSON.object(row.metrics.present.map { JSON.Member($0.metric.name, .number($0.value)) })
        let histogram: JSON
        switch row.column.bins {
        case .numeric(let bins, _):
            let index = reference.layout.index(of: row.column.name) ?? 0
            let cuts = group.cuts[index]
            let coarse = Comparison(column: row.column, cuts: cuts, reference: row.profile, current: row.profile)
            histogram = .members(
                ("edges", .numbers(cuts.map { bins.edges[$0] })),
                ("counts", .array(coarse.reference.map { .integer(Int64(clamping: $0)) })))
        case .categorical(let bins):
            let used = row.profile.bins.indices.filter { row.profile.bins[$0] > 0 }
            histogram = .members(
                ("categories", .array(used.map { .string(bins.name(of: $0)) })),
                ("counts", .array(used.map { .integer(Int64(clamping: row.profile.bins[$0])) })))
        }
        return .members(
            ("column", .string(row.column.name)), ("kind", .string(row.column.bins.kindName)),
            ("n", .integer(Int64(clamping: row.profile.rows))), ("null", .integer(Int64(clamping: row.profile.nulls))),
            ("invalid", .integer(Int64(clamping: row.profile.invalids))), ("metrics", metrics),
            ("histogram", histogram))
    }

    package func text(style: CompareStyle) -> String {
        let version = reference.version.map { " version \(CompareText.plain($0))" } ?? ""
        var lines = [style.bold(CompareText.plain(reference.model)) + version]
        func fact(_ name: String, _ value: String) {
            lines.append("\(style.dim(CompareText.cell(name, width: 10)))\(value)")
        }
        fact("rows", CompareText.count(reference.all.profile.rows))
        if let period = reference.period { fact("period", "\(period.start.rfc3339) to \(period.end.rfc3339)") }
        let segmentations = reference.segmentations.map { names in
            let count = reference.groups.count { !$0.segment.isAll && $0.segment.dimensions == names }
            return "\(CompareText.plain(names.joined(separator: " × "))) (\(count))"
        }
        if !segmentations.isEmpty { fact("segments", segmentations.joined(separator: ", ")) }
        if !group.segment.isAll {
            fact(
                "shown",
                "\(CompareText.plain(group.segment.description)), \(CompareText.count(group.profile.rows)) rows")
        }
        for (title, numeric) in [("numeric", true), ("categorical", false)] {
            let part = rows.filter { $0.column.bins.isNumeric == numeric }
            if part.isEmpty { continue }
            lines.append("")
            lines += numeric ? numericTable(part, style, title) : categoricalTable(part, style, title)
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private func nameWidth(_ style: CompareStyle) -> Int {
        min(max(11, rows.map(\.column.name.count).max() ?? 0), max(16, style.width / 4))
    }

    private static func nulls(_ row: Row) -> String { CompareText.percent(row.metrics[.null_rate]) }

    private func numericTable(_ rows: [Row], _ style: CompareStyle, _ title: String) -> [String] {
        let width = nameWidth(style)
        // The median and the extremes give way first on narrow terminals.
        let all: [(String, Metric)] = [("mean", .mean), ("sd", .sd), ("min", .min), ("p50", .p50), ("max", .max)]
        let room = (style.width - width - 2 - 18 - 11 - 8) / 11
        let shown = all.prefix(max(2, min(all.count, room)))
        func line(_ name: String, _ chart: String, _ n: String, _ nulls: String, _ values: [String]) -> [String] {
            [
                CompareText.cell(name, width: width), chart, CompareText.right(n, width: 9),
                CompareText.right(nulls, width: 6),
            ]
                + values.map { CompareText.right($0, width: 9) }
        }
        let heading = line(title, CompareText.cell("shape", width: 16), "n", "null", shown.map(\.0))
        return [style.dim(heading.joined(separator: "  "))]
            + rows.map { row in
                let chart = CompareText.cell(row.chart.bars, width: 16)
                return line(
                    row.column.name, style.cyan(chart), CompareText.count(row.profile.rows), Self.nulls(row),
                    shown.map { CompareText.number(row.metrics[$0.1]) }
                ).joined(separator: "  ")
            }
    }

    private func categoricalTable(_ rows: [Row], _ style: CompareStyle, _ title: String) -> [String] {
        let width = nameWidth(style)
        let room = max(12, style.width - width - 2 - 18 - 11 - 8 - 8)
        let heading = [
            CompareText.cell(title, width: width), CompareText.cell("shape", width: 16),
            CompareText.right("n", width: 9),
            CompareText.right("null", width: 6), CompareText.right("kinds", width: 6), "most frequent",
        ]
        return [style.dim(heading.joined(separator: "  "))]
            + rows.map { row in
                var top = ""
                for (name, share) in row.chart.shares {
                    let next = "\(CompareText.plain(name)) \(CompareText.percent(share))"
                    let joined = top.isEmpty ? next : "\(top), \(next)"
                    if joined.count > room { break }
                    top = joined
                }
                return [
                    CompareText.cell(row.column.name, width: width),
                    style.cyan(CompareText.cell(row.chart.bars, width: 16)),
                    CompareText.right(CompareText.count(row.profile.rows), width: 9),
                    CompareText.right(Self.nulls(row), width: 6),
                    CompareText.right(CompareText.number(row.metrics[.cardinality]), width: 6), top,
                ].joined(separator: "  ")
            }
    }
}
