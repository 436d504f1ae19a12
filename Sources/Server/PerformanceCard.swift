import Statistics
import Values

/// The performance of a model, drawn: the headline figure over time with its estimate and the coverage, and the reliability curve. Lines
/// stretch with their SVG, so text stays outside, in HTML.
struct PerformanceCard: Sendable {
    let metric: String
    let value: String
    /// What the value is of: a judged window, or one that still waits for labels.
    let about: String
    let estimate: String?
    let coverage: String
    let chart: String
    /// What the lower and the upper edge of the chart's values are.
    let scale: String
    let first: String
    let last: String
    let reliability: String?
    let reliabilityAbout: String

    private static let width = 300.0
    private static let height = 100.0

    /// - Returns: `nil` where no window has anything to show.
    init?(_ overview: PerformanceOverview) {
        guard let last = overview.points.last,
            overview.points.contains(where: { $0.value != nil || $0.estimate != nil })
        else { return nil }
        metric = overview.metric.name
        let judged = overview.points.last { $0.isMature && $0.value != nil }
        let shown = judged ?? overview.points.last { $0.value != nil }
        value = Format.fixed(shown?.value, digits: 3)
        about =
            judged.map { "window of \(Format.window($0.window))" }
            ?? (shown == nil ? "no labels yet" : "labels are still coming: early ones mislead")
        estimate = last.estimate.map {
            "\(Format.fixed($0.value, digits: 3)) (\(Format.fixed($0.low, digits: 3)) to \(Format.fixed($0.high, digits: 3)))"
        }
        coverage = Format.percent(last.coverage)
        let range = Self.range(overview)
        chart = Self.chart(overview, range)
        scale = "\(Format.fixed(range.lowerBound, digits: 3)) to \(Format.fixed(range.upperBound, digits: 3))"
        first = Format.window(overview.points[0].window)
        self.last = Format.window(last.window)
        reliability = overview.reliability.isEmpty ? nil : Self.curve(overview.reliability)
        reliabilityAbout =
            overview.reliabilityWindow.map { "reliability, window of \(Format.window($0))" } ?? "reliability"
    }

    /// A figure of fewer labels than this share is drawn at the edge rather than have the others shrink for its sake.
    private static let leastCoverage = 0.2

    /// The values to make room for.
    private static func range(_ overview: PerformanceOverview) -> ClosedRange<Double> {
        let steady = overview.points.filter { $0.isMature || $0.coverage >= leastCoverage }.compactMap(\.value)
        var values = steady + overview.points.compactMap(\.estimate).flatMap { [$0.low, $0.high] }
        if values.isEmpty { values = overview.points.compactMap(\.value) }
        if let reference = overview.reference { values.append(reference) }
        let low = values.min() ?? 0
        return low...max(low, values.max() ?? 1)
    }

    /// Coverage as bars from below, the estimate's interval as a band, the estimate dashed, the figure as a line: solid where judged, dots
    /// where labels are still coming, the reference as a level.
    private static func chart(_ overview: PerformanceOverview, _ range: ClosedRange<Double>) -> String {
        let points = overview.points
        let (low, high) = (range.lowerBound, range.upperBound)
        let margin = max((high - low) * 0.1, 1e-9)
        let step = width / Double(max(points.count, 1))
        func x(_ i: Int) -> Double { (Double(i) + 0.5) * step }
        func y(_ value: Double) -> Double {
            height - min(1, max(0, (value - low + margin) / (high - low + 2 * margin))) * height
        }
        func at(_ i: Int, _ value: Double) -> String { "\(number(x(i))) \(number(y(value)))" }
        let label = Markup.escape(
            "\(overview.metric.name) of the last \(points.count) windows, with its estimate and the share of labels")
        var svg =
            #"<svg class="perf" viewBox="0 0 300 100" preserveAspectRatio="none" role="img" aria-label="\#(label)">"#
        for (i, point) in points.enumerated() {
            let tall = point.coverage * height * 0.3
            svg += "<g><title>\(Markup.escape(tooltip(point, overview.metric)))</title>"
            svg += #"<rect class="hit" x="\#(number(x(i) - step / 2))" y="0" width="\#(number(step))" height="100"/>"#
            svg += #"<rect class="cover" x="\#(number(x(i) - step * 0.4))" y="\#(number(height - tall))" "#
            svg += #"width="\#(number(step * 0.8))" height="\#(number(tall))"/></g>"#
        }
        let estimated = points.indices.filter { points[$0].estimate != nil }
        if estimated.count > 1 {
            let upper = estimated.map { at($0, points[$0].estimate?.high ?? 0) }
            let lower = estimated.reversed().map { at($0, points[$0].estimate?.low ?? 0) }
            svg += #"<path class="band" d="M\#((upper + lower).joined(separator: "L"))Z"/>"#
            let middle = estimated.map { at($0, points[$0].estimate?.value ?? 0) }
            svg += #"<path class="guess" d="M\#(middle.joined(separator: "L"))"/>"#
        }
        if let reference = overview.reference {
            svg += #"<path class="level" d="M0 \#(number(y(reference)))H300"/>"#
        }
        var path = ""
        var isDrawing = false
        var early = ""
        for (i, point) in points.enumerated() {
            guard let value = point.value else {
                isDrawing = false
                continue
            }
            if point.isMature {
                path += isDrawing ? "L\(at(i, value))" : "M\(at(i, value))h0"
                isDrawing = true
            } else {
                early += "M\(at(i, value))h0"
                isDrawing = false
            }
        }
        if !early.isEmpty { svg += #"<path class="early" d="\#(early)"/>"# }
        if !path.isEmpty { svg += #"<path class="line" d="\#(path)"/>"# }
        return svg + "</svg>"
    }

    private static func tooltip(_ point: PerformanceOverview.Point, _ metric: Metric) -> String {
        var text = "\(Format.window(point.window)): "
        text += point.value.map { "\(metric.name) \(Format.fixed($0, digits: 3))" } ?? "no labels"
        if !point.isMature { text += ", labels still coming" }
        if let estimate = point.estimate { text += ", estimated \(Format.fixed(estimate.value, digits: 3))" }
        return text + ", \(Format.percent(point.coverage)) labelled"
    }

    /// Share of positives against mean score; on the diagonal a score means what it says.
    private static func curve(_ bins: [PerformanceOverview.Reliability]) -> String {
        let most = Double(bins.map(\.rows).max() ?? 1)
        let points = bins.map { "\(number($0.score * 100)) \(number(100 - $0.positives * 100))" }
        var svg =
            #"<svg class="reliable" viewBox="0 0 100 100" role="img" aria-label="Share of positives by mean score">"#
            + #"<path class="level" d="M0 100L100 0"/><path class="line" d="M\#(points.joined(separator: "L"))"/>"#
        for bin in bins {
            let size = 1.5 + 3.5 * (Double(bin.rows) / max(most, 1)).squareRoot()
            let about =
                "\(bin.rows) rows with a mean score of \(Format.fixed(bin.score, digits: 3)): \(Format.percent(bin.positives)) positive"
            svg += #"<circle class="cur" cx="\#(number(bin.score * 100))" cy="\#(number(100 - bin.positives * 100))" "#
            svg += #"r="\#(number(size))"><title>\#(Markup.escape(about))</title></circle>"#
        }
        return svg + "</svg>"
    }

    private static func number(_ value: Double) -> String { Format.fixed(value, digits: 2) }
}
