import Foundation

/// The two histograms of one column side by side, as SVG. Hovering a bar says what it is.
struct CompareHistogram {
    private let column: CompareColumn

    init(_ column: CompareColumn) { self.column = column }

    private static let width = 320.0
    private static let height = 120.0
    private static let labels = 16.0

    var svg: String {
        let chart = column.chart
        let bars = chart.labels.count
        let top = max(chart.reference.max() ?? 0, chart.current.max() ?? 0)
        guard bars > 0, top > 0 else {
            return """
                <svg viewBox="0 0 320 136" role="img"><text x="160" y="68" text-anchor="middle">no values</text></svg>
                """
        }
        let slot = Self.width / Double(bars)
        let gap = min(3, slot * 0.15)
        let bar = (slot - gap) / 2
        var out =
            "<svg viewBox=\"0 0 320 136\" role=\"img\" aria-label=\"Shares of reference and current by bin: \(ComparePage.escape(column.name))\">"
        for i in 0..<bars {
            let left = Double(i) * slot + gap / 2
            let title =
                "\(chart.labels[i]): reference \(CompareText.percent(chart.reference[i])), current \(CompareText.percent(chart.current[i]))"
            out += "<g><title>\(ComparePage.escape(title))</title>"
            out += rectangle("r", left, bar, chart.reference[i] / top)
            out += rectangle("c", left + bar, bar, chart.current[i] / top)
            // Catches the pointer above short bars too.
            out +=
                "<rect x=\"\(point(left))\" y=\"0\" width=\"\(point(slot))\" height=\"\(point(Self.height))\" fill=\"transparent\"/></g>"
        }
        out += "<line x1=\"0\" y1=\"120\" x2=\"320\" y2=\"120\"/>"
        out += axis(chart)
        return out + "</svg>"
    }

    private func rectangle(_ style: String, _ left: Double, _ width: Double, _ share: Double) -> String {
        let height = (Self.height - 6) * share
        return
            "<rect class=\"\(style)\" x=\"\(point(left))\" y=\"\(point(Self.height - height))\" width=\"\(point(width))\" height=\"\(point(height))\"/>"
    }

    /// First and last bin of a numeric column; each category where they are few enough to read.
    private func axis(_ chart: CompareChart) -> String {
        let y = Self.height + Self.labels - 3
        func text(_ x: Double, _ anchor: String, _ value: String, _ limit: Int) -> String {
            let cut = value.count > limit ? value.prefix(limit - 1) + "…" : value[...]
            return
                "<text x=\"\(point(x))\" y=\"\(point(y))\" text-anchor=\"\(anchor)\">\(ComparePage.escape(String(cut)))</text>"
        }
        let bars = chart.labels.count
        guard !column.isNumeric, bars <= 6 else {
            return text(0, "start", chart.labels[0], 24) + text(Self.width, "end", chart.labels[bars - 1], 24)
        }
        let slot = Self.width / Double(bars)
        return chart.labels.enumerated().map {
            text((Double($0.offset) + 0.5) * slot, "middle", $0.element, max(3, Int(slot / 6)))
        }.joined()
    }

    private func point(_ value: Double) -> String { String(format: "%.1f", value) }
}
