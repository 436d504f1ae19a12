/// A line through the last windows, as inline SVG that stretches to its width. Windows without a value leave a gap.
struct Sparkline: Sendable, Hashable {
    let values: [Double?]
    /// Drawn as a dashed line and always in sight.
    var threshold: Double?
    /// Whether the drawing begins at the least value and not at zero: for what has no meaningful zero.
    var fitsRange = false
    let about: String

    private static let width = 200.0
    private static let height = 40.0

    var markup: String? {
        let present = values.compactMap { $0 }.filter(\.isFinite)
        guard let peak = present.max() else { return nil }
        let bottom = fitsRange ? present.min() ?? 0 : 0
        let top = bottom + max(max(peak, (threshold ?? 0) * 1.25) - bottom, 1e-12) * 1.08
        let step = Self.width / Double(max(values.count - 1, 1))
        func y(_ value: Double) -> String {
            Format.fixed(Self.height - max(0, value - bottom) / (top - bottom) * Self.height, digits: 2)
        }
        var path = ""
        var isDrawing = false
        var last: String?
        for (i, value) in values.enumerated() {
            guard let value, value.isFinite else {
                isDrawing = false
                continue
            }
            let point = "\(Format.fixed(values.count == 1 ? Self.width : Double(i) * step, digits: 2)) \(y(value))"
            // A lone point between gaps is a line of no length, which the round caps make a dot.
            path += isDrawing ? "L\(point)" : "M\(point)h0"
            isDrawing = true
            last = point
        }
        let about = Markup.escape(about)
        var svg =
            #"<svg class="spark" viewBox="0 0 200 40" preserveAspectRatio="none" role="img" "#
            + #"aria-label="\#(about)"><title>\#(about)</title>"#
        if let threshold {
            svg += #"<path class="limit" d="M0 \#(y(threshold))H200"/>"#
        }
        svg += #"<path class="line" d="\#(path)"/>"#
        if let last { svg += #"<path class="dot" d="M\#(last)h0"/>"# }
        return svg + "</svg>"
    }
}
