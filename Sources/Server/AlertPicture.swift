import Events
import Statistics
import Values

/// An alert as one self-contained SVG, for messages and documents: the sentence, both histograms, who drives it, and the metric before and
/// since. Text is escaped; nothing is loaded from anywhere.
package struct AlertPicture: Sendable {
    private static let width = 760.0
    private static let margin = 24.0
    private static let lineCharacters = 74
    private static let driversMaximum = 4
    private static let font = "ui-sans-serif,system-ui,-apple-system,Segoe UI,Roboto,Helvetica,Arial,sans-serif"

    private enum Ink {
        static let text = "#171b24"
        static let soft = "#667085"
        static let line = "#e4e7ec"
        static let reference = "#c4cad6"
        static let current = "#4457d6"
        static let bad = "#cf3a3a"
    }

    private let card: AlertCard
    private let context: JSON
    private let history: AlertHistory

    /// `nil` where nothing was told of the alert.
    package init?(_ history: AlertHistory) {
        guard let json = history.alert, let card = AlertCard(line: json.text) else { return nil }
        self.card = card
        self.history = history
        context = json["context"] ?? .null
    }

    package var svg: String {
        var body = ""
        var y = Self.margin
        body += header(&y)
        body += bars(&y)
        body += drivers(&y)
        body += timeline(&y)
        let height = Format.fixed(y + 8, digits: 0)
        return #"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 760 \#(height)" width="760" height="\#(height)" "#
            + #"font-family="\#(Self.font)" role="img" aria-label="\#(Markup.escape(card.likely ?? card.name))">"#
            + #"<rect width="760" height="\#(height)" rx="10" fill="white"/>"# + body + "</svg>\n"
    }

    private static func text(
        _ text: String, _ x: Double, _ y: Double, size: Double = 12, ink: String = Ink.text, bold: Bool = false,
        anchor: String = "start"
    ) -> String {
        #"<text x="\#(fixed(x))" y="\#(fixed(y))" font-size="\#(fixed(size))" fill="\#(ink)" text-anchor="\#(anchor)""#
            + (bold ? #" font-weight="600""# : "") + ">\(Markup.escape(text))</text>"
    }

    private static func rect(_ x: Double, _ y: Double, _ width: Double, _ height: Double, _ ink: String) -> String {
        #"<rect x="\#(fixed(x))" y="\#(fixed(y))" width="\#(fixed(width))" height="\#(fixed(height))" fill="\#(ink)"/>"#
    }

    /// For attributes: a plain minus sign, one decimal.
    private static func fixed(_ value: Double) -> String {
        Format.fixed(value, digits: 1).replacing("−", with: "-").replacing(".0", with: "")
    }

    private static func wrap(_ text: String) -> [String] {
        var lines: [String] = []
        var line = ""
        for word in text.split(separator: " ") {
            if !line.isEmpty, line.count + word.count + 1 > lineCharacters {
                lines.append(line)
                line = ""
            }
            line += (line.isEmpty ? "" : " ") + word
        }
        return line.isEmpty ? lines : lines + [line]
    }

    private static func cut(_ text: String, _ count: Int) -> String {
        text.count > count ? text.prefix(count - 1) + "…" : text
    }

    private func header(_ y: inout Double) -> String {
        y += 10
        let place = [card.model, card.column].compactMap(\.self).joined(separator: " / ")
        let segment = card.segments.isEmpty ? "all traffic" : card.segments.joined(separator: ", ")
        var out = Self.text("\(card.name) · \(place) · \(segment)", Self.margin, y, size: 12.5, ink: Ink.soft)
        out += Self.text(
            card.until.map { "resolved \($0)" } ?? "\(card.status)\(card.since.map { " since \($0)" } ?? "")",
            Self.width - Self.margin, y, ink: card.isResolved ? Ink.soft : Ink.bad, anchor: "end")
        y += 8
        for line in Self.wrap(card.likely ?? card.summary ?? card.name) {
            y += 20
            out += Self.text(line, Self.margin, y, size: 15.5, bold: true)
        }
        y += 22
        out += Self.text(figures, Self.margin, y, ink: Ink.soft)
        return out
    }

    private var figures: String {
        var parts: [String] = []
        if let pair = AlertHistory.performance(history.metric, context) {
            parts.append("\(history.metric?.name ?? "value") \(Format.number(pair.now))")
            parts.append("\(Format.number(pair.before)) in the reference")
        } else if let value = card.value {
            parts.append("\(history.metric?.name ?? "value") \(value)")
        }
        if let pair = context["interval"]?.arrayValue, pair.count == 2 {
            parts.append("true value \(Format.number(pair[0].numberValue)) to \(Format.number(pair[1].numberValue))")
        }
        if let threshold = context["threshold"]?.numberValue, AlertHistory.performance(history.metric, context) == nil {
            parts.append("threshold \(Format.number(threshold))")
        }
        if let most = context["by_chance"]?["p95"]?.numberValue {
            parts.append("by chance under \(Format.number(most))")
        }
        if let rows = card.rows { parts.append("\(rows) rows") }
        return parts.joined(separator: "  ·  ")
    }

    private func bars(_ y: inout Double) -> String {
        let reliability = context["comparison"]?["reliability"].flatMap { Histogram(reliability: $0) }
        guard let histogram = reliability ?? context["comparison"].flatMap({ Histogram($0) }), !histogram.bins.isEmpty
        else { return "" }
        y += 26
        var out = Self.rect(Self.margin, y - 9, 10, 10, Ink.reference) + Self.text("reference", Self.margin + 16, y)
        out += Self.rect(Self.margin + 90, y - 9, 10, 10, Ink.current) + Self.text("this window", Self.margin + 106, y)
        if reliability != nil {
            out += Self.text(Histogram.reliabilityTitle, Self.width - Self.margin, y, ink: Ink.soft, anchor: "end")
        }
        // A share stands above the tallest bar, below the legend.
        let (top, height) = (y + 22, 130.0)
        let step = (Self.width - 2 * Self.margin) / Double(histogram.bins.count)
        let most = histogram.bins.reduce(1e-9) { max($0, $1.reference, $1.current) }
        let characters = max(4, Int(step / 5.8))
        for (i, bin) in histogram.bins.enumerated() {
            let x = Self.margin + Double(i) * step
            let bar = min(step * 0.36, 40)
            let middle = x + step / 2
            for (share, left, ink) in [
                (bin.reference, middle - bar - 1, Ink.reference), (bin.current, middle + 1, Ink.current),
            ] {
                let tall = share > 0 ? max(1, share / most * height) : 0
                out += Self.rect(left, top + height - tall, bar, tall, ink)
            }
            if abs(bin.current - bin.reference) >= 0.25 * most {
                let tall = max(bin.current, bin.reference) / most * height
                out += Self.text(
                    "\(Format.percent(bin.reference)) → \(Format.percent(bin.current))", middle,
                    max(top + height - tall - 4, top - 2), size: 10.5, anchor: "middle")
            }
            out += Self.text(
                Self.cut(bin.label.isEmpty ? "(empty)" : bin.label, characters), middle, top + height + 14, size: 10,
                ink: Ink.soft, anchor: "middle")
        }
        out += Self.rect(Self.margin, top + height, Self.width - 2 * Self.margin, 1, Ink.line)
        y = top + height + 22
        return out
    }

    private func drivers(_ y: inout Double) -> String {
        let shown = card.drivers.prefix(Self.driversMaximum)
        guard !shown.isEmpty else { return "" }
        y += 24
        var out = Self.text("Segments, share of the whole shift", Self.margin, y, ink: Ink.soft)
        for (driver, item) in zip(shown, context["segments"]?.arrayValue ?? []) {
            y += 19
            out += Self.text(Self.cut(driver.name, 42), Self.margin, y)
            let share = min(1, max(0, item["share"]?.numberValue ?? 0))
            out += Self.rect(310, y - 8, 360, 7, "#f0f2f5") + Self.rect(310, y - 8, 360 * share, 7, Ink.bad)
            out += Self.text(driver.share, Self.width - Self.margin, y, anchor: "end")
        }
        return out
    }

    private func timeline(_ y: inout Double) -> String {
        let values = history.timeline.map(\.value)
        guard values.count > 1, values.contains(where: { $0 != nil }), let first = history.timeline.first,
            let last = history.timeline.last
        else {
            y += 12
            return ""
        }
        y += 26
        var out = Self.text("\(history.metric?.name ?? "value"), window by window", Self.margin, y, ink: Ink.soft)
        let (top, height, width) = (y + 8, 56.0, Self.width - 2 * Self.margin)
        let threshold = AlertHistory.level(context)
        let most = max(values.compactMap { $0 }.max() ?? 0, (threshold ?? 0) * 1.25, 1e-12)
        func at(_ value: Double) -> Double { top + height - max(0, value) / most * height }
        if let threshold {
            out +=
                #"<path d="M\#(Self.fixed(Self.margin)) \#(Self.fixed(at(threshold)))h\#(Self.fixed(width))" stroke="\#(Ink.bad)" "#
                + #"stroke-dasharray="3 4" fill="none"/>"#
        }
        var path = ""
        var isDrawing = false
        for (i, value) in values.enumerated() {
            guard let value, value.isFinite else {
                isDrawing = false
                continue
            }
            let x = Self.margin + width * Double(i) / Double(values.count - 1)
            path += "\(isDrawing ? "L" : "M")\(Self.fixed(x)) \(Self.fixed(at(value)))\(isDrawing ? "" : "h0")"
            isDrawing = true
        }
        out +=
            #"<path d="\#(path)" stroke="\#(Ink.current)" stroke-width="2" stroke-linecap="round" "#
            + #"stroke-linejoin="round" fill="none"/>"#
        y = top + height + 16
        out += Self.text(Format.time(first.window.end), Self.margin, y, size: 10.5, ink: Ink.soft)
        out += Self.text(
            Format.time(last.window.end), Self.width - Self.margin, y, size: 10.5, ink: Ink.soft, anchor: "end")
        return out
    }
}
