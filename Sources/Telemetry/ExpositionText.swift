/// Writes families in the Prometheus text exposition format 0.0.4.
struct ExpositionText {
    /// What `GET /metrics` answers as its `Content-Type`.
    static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    private(set) var out = ""

    mutating func add(_ name: String, _ family: PrometheusRegistry.Family) {
        out += "# HELP \(name) \(LabelSet.escapedHelp(family.help))\n# TYPE \(name) \(family.kind.rawValue)\n"
        for (labels, cell) in family.series.sorted(by: { $0.key < $1.key }) {
            switch cell {
            case .counter(let counter): line(name, labels.text, counter.value)
            case .gauge(let gauge): line(name, labels.text, gauge.cell.value)
            case .histogram(let histogram): add(name, labels.text, histogram)
            }
        }
    }

    private mutating func add(_ name: String, _ labels: String, _ histogram: HistogramCell) {
        let contents = histogram.contents
        let prefix = labels.isEmpty ? "" : labels + ","
        var cumulative: UInt64 = 0
        for (bound, count) in zip(histogram.bounds + [.infinity], contents.counts) {
            cumulative += count
            line(name + "_bucket", "\(prefix)le=\"\(Self.number(bound))\"", Double(cumulative))
        }
        line(name + "_sum", labels, contents.sum)
        line(name + "_count", labels, Double(cumulative))
    }

    private mutating func line(_ name: String, _ labels: String, _ value: Double) {
        out += labels.isEmpty ? "\(name) " : "\(name){\(labels)} "
        out += Self.number(value)
        out += "\n"
    }

    /// As Go's `ParseFloat` reads numbers; whole ones without a fraction.
    static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value > 0 ? "+Inf" : "-Inf" }
        if value == value.rounded(.towardZero), abs(value) < 9_007_199_254_740_992 { return String(Int64(value)) }
        return value.description
    }
}

extension PrometheusRegistry {
    /// What `GET /metrics` answers as its `Content-Type`.
    package static var contentType: String { ExpositionText.contentType }
}
