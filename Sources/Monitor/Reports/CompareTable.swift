import Values

/// The report for people, on a terminal: one line a column, most drifted first, with the shape of both sides.
package struct CompareTable {
    private let report: CompareReport
    private let style: CompareStyle

    package init(_ report: CompareReport, style: CompareStyle) {
        self.report = report
        self.style = style
    }

    package var text: String {
        var lines: [String] = []
        let names = [("reference", report.reference), ("current", report.current)]
        for (name, side) in names {
            lines.append(
                "\(style.dim(CompareText.cell(name, width: 10)))\(CompareText.plain(side.file))  "
                    + style.dim("\(CompareText.count(side.rows)) rows"))
        }
        if let convention = report.convention {
            lines.append(
                style.dim("distances as \(convention.rawValue) computes them; the verdict is by Holdfast's own PSI"))
        }
        for (segment, columns) in report.sections {
            lines.append("")
            if !segment.isAll {
                let parent = columns.contains { $0.referenceSegment != segment }
                lines.append(
                    style.bold(CompareText.plain(segment.description))
                        + style.dim(
                            "  \(CompareText.count(columns[0].n)) rows"
                                + (parent ? ", compared with all of the reference: too few rows of its own there" : ""))
                )
            }
            lines += table(columns)
        }
        lines.append("")
        lines.append(summary)
        return lines.map(Self.trimmed).joined(separator: "\n") + "\n"
    }

    /// Without the blanks that pad the last cell.
    private static func trimmed(_ line: String) -> Substring {
        var end = line.endIndex
        while end > line.startIndex, line[line.index(before: end)] == " " { end = line.index(before: end) }
        return line[..<end]
    }

    private var summary: String {
        let rule = style.dim(" (psi > \(CompareText.number(report.threshold)) and p < 0.001)")
        let total = report.columns.count
        let noun = report.sections.count > 1 ? "columns and segments" : total == 1 ? "column" : "columns"
        return report.drifted == 0
            ? style.green("no drift") + " in \(total) \(noun)" + rule
            : style.red("\(report.drifted) of \(total) \(noun) drifted") + rule
    }

    /// The columns of the table; those that do not fit are left out from the end of `optional`.
    private struct Field {
        let title: String
        let width: Int
        let isNumber: Bool
        let value: (CompareColumn) -> String
    }

    private func table(_ columns: [CompareColumn]) -> [String] {
        let nameWidth = min(max(6, columns.map(\.name.count).max() ?? 6), max(16, style.width / 4))
        let barWidth = style.width >= 100 ? 12 : 8
        var fields = [
            Field(title: "column", width: nameWidth, isNumber: false) { $0.name },
            Field(title: "reference", width: max(9, barWidth), isNumber: false) {
                $0.chart.bars(current: false, width: barWidth)
            },
            Field(title: "current", width: max(7, barWidth), isNumber: false) {
                $0.chart.bars(current: true, width: barWidth)
            },
            Field(title: "psi", width: 6, isNumber: true) { CompareText.distance($0["psi"] ?? $0.psi) },
            Field(title: "p", width: 6, isNumber: true) { CompareText.probability($0.psiP) },
        ]
        // Where room is short the later ones go first.
        let optional = [
            Field(title: "changed", width: 28, isNumber: false, value: Self.change),
            Field(title: "nulls", width: 13, isNumber: true) {
                let now = Self.share($0.null, $0.n)
                let before = Self.share($0.referenceNull, $0.referenceN)
                return now == before ? now : "\(before) → \(now)"
            },
            Field(title: "ks", width: 6, isNumber: true) { CompareText.distance($0["ks"]) },
            Field(title: "js dist", width: 7, isNumber: true) { CompareText.distance($0["js_distance"]) },
        ]
        var room = style.width - 2 - fields.reduce(0) { $0 + $1.width + 2 }
        for field in optional where field.width + 2 <= room {
            fields.append(field)
            room -= field.width + 2
        }
        let heading = fields.map { pad($0.title, $0) }.joined(separator: "  ")
        return [style.dim("  " + heading)]
            + columns.map { column in
                let mark = column.drifted ? style.red("!") : " "
                let cells = fields.map { cell(column, $0) }
                return "\(mark) \(cells.joined(separator: "  "))"
            }
    }

    private func pad(_ text: String, _ field: Field) -> String {
        field.isNumber ? CompareText.right(text, width: field.width) : CompareText.cell(text, width: field.width)
    }

    private func cell(_ column: CompareColumn, _ field: Field) -> String {
        let text = pad(field.value(column), field)
        switch field.title {
        case "column": return column.drifted ? style.red(style.bold(text)) : text
        case "psi", "p": return column.drifted ? style.red(text) : text
        case "reference": return style.dim(text)
        case "current": return style.cyan(text)
        default: return text
        }
    }

    private static func share(_ part: UInt64, _ whole: UInt64) -> String {
        CompareText.percent(whole > 0 ? Double(part) / Double(whole) : nil)
    }

    /// What moved, in the words of the column: its mean, or the category whose share changed most.
    static func change(_ column: CompareColumn) -> String {
        if column.isNumeric {
            guard let before = column.reference("mean"), let now = column["mean"] else { return "" }
            return "mean \(CompareText.number(before)) → \(CompareText.number(now))"
        }
        let chart = column.chart
        let moved = chart.labels.indices.max { a, b in
            abs(chart.current[a] - chart.reference[a]) < abs(chart.current[b] - chart.reference[b])
        }
        guard let moved, chart.current[moved] != chart.reference[moved] else { return "" }
        let shares =
            "\(CompareText.percent(chart.reference[moved])) → \(CompareText.percent(chart.current[moved]))"
        let name = CompareText.plain(chart.labels[moved])
        return "\(name.count > 12 ? name.prefix(11) + "…" : name) \(shares)"
    }
}
