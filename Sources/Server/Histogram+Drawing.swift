/// Histograms as inline SVG. Stretched to the width they are given, so text stays outside, in HTML; colours are the
/// style sheet's, because attributes may not carry styles under the page's content security policy.
extension Histogram {
    enum Look: Sendable {
        /// Both side by side, for an alert.
        case paired
        /// The window's bar inside the reference's, for small charts.
        case overlaid
    }

    func markup(_ look: Look) -> String {
        isNumeric ? numeric(look) : categorical()
    }

    private var largest: Double { max(bins.reduce(0) { max($0, $1.reference, $1.current) }, 1e-9) }

    private func numeric(_ look: Look) -> String {
        let height = 100.0
        var svg =
            #"<svg class="hist" viewBox="0 0 \#(bins.count * 20) 100" preserveAspectRatio="none" role="img" "#
            + #"aria-label="\#(summary)">"#
        for (i, bin) in bins.enumerated() {
            let x = Double(i * 20)
            svg += "<g><title>\(tooltip(bin))</title>"
            svg += #"<rect class="hit" x="\#(i * 20)" y="0" width="20" height="100"/>"#
            switch look {
            case .paired:
                svg += Self.bar("ref", x + 1.5, 8, bin.reference / largest * height)
                svg += Self.bar("cur", x + 10.5, 8, bin.current / largest * height)
            case .overlaid:
                svg += Self.bar("ref", x + 1, 18, bin.reference / largest * height)
                svg += Self.bar("cur", x + 5.5, 9, bin.current / largest * height)
            }
            svg += "</g>"
        }
        svg += "</svg>"
        let axis = ends.map {
            "<div class=\"axis\"><span>\(Markup.escape($0.first))</span><span>\(Markup.escape($0.last))</span></div>"
        }
        return svg + (axis ?? "")
    }

    private static func bar(_ kind: String, _ x: Double, _ width: Double, _ height: Double) -> String {
        // A bin that is not empty stays visible.
        let shown = height > 0 ? max(height, 0.8) : 0
        let (y, tall) = (Format.fixed(100 - shown, digits: 2), Format.fixed(shown, digits: 2))
        return #"<rect class="\#(kind)" x="\#(x)" y="\#(y)" width="\#(width)" height="\#(tall)"/>"#
    }

    private func categorical() -> String {
        var rows = #"<div class="cats" role="img" aria-label="\#(summary)">"#
        for bin in bins {
            let name = Markup.escape(bin.label.isEmpty ? "(empty)" : bin.label)
            let (p, q) = (bin.reference / largest * 200, bin.current / largest * 200)
            rows += #"<div class="cat" title="\#(tooltip(bin))"><span class="name">\#(name)</span>"#
            rows += #"<svg viewBox="0 0 200 12" preserveAspectRatio="none" aria-hidden="true">"#
            rows += #"<rect class="ref" x="0" y="0" width="\#(Format.fixed(p, digits: 1))" height="12"/>"#
            rows += #"<rect class="cur" x="0" y="3.5" width="\#(Format.fixed(q, digits: 1))" height="5"/></svg>"#
            rows += "<span class=\"num\">\(Format.percent(bin.reference)) → \(Format.percent(bin.current))</span></div>"
        }
        return rows + "</div>"
    }

    private func tooltip(_ bin: Bin) -> String {
        Markup.escape("\(bin.label): reference \(Format.percent(bin.reference)), now \(Format.percent(bin.current))")
    }

    /// What a screen reader says: the bin that moved most.
    private var summary: String {
        let moved = bins.max { abs($0.current - $0.reference) < abs($1.current - $1.reference) }
        return moved.map { "Reference and current. Largest change, \(tooltip($0))" } ?? "Reference and current"
    }
}
