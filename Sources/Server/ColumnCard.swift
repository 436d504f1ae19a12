import Statistics
import Values

/// One column of a model's latest window.
struct ColumnCard: Sendable {
    /// From here a column drifts; between half of it and it, it is worth a look. The usual reading of PSI.
    static let psiThreshold = 0.2

    let name: String
    let kind: String
    let psi: String
    /// A class of the style sheet: `bad`, `warn`, `ok` or `none`.
    let level: String
    let chart: String?
    let trend: String?
    /// Only where more is missing than in the reference.
    let nulls: String?
    let nullRate: String
    let worst: Worst?
    /// What the columns are ordered by.
    let evidence: Double

    struct Worst: Sendable {
        let segment: String
        let psi: String
        let level: String
        /// Never absent: a template that found none here would show the column's.
        let chart: String
    }

    init(_ column: ModelOverview.Column) {
        let value = column.metrics[.psi]
        name = column.name
        kind = column.kind
        psi = Format.psi(value)
        level = Self.level(value)
        chart = Histogram(column.comparison)?.markup(.overlaid)
        trend =
            Sparkline(
                values: column.history, threshold: Self.psiThreshold,
                about: "PSI of the last \(column.history.count) windows; the dashed line is \(Self.psiThreshold)"
            ).markup
        nulls = Self.elevatedNulls(column)
        nullRate = Format.percent(column.metrics[.null_rate])
        worst = column.worstSegment.map {
            Worst(
                segment: $0.segment.description, psi: Format.psi($0.psi), level: Self.level($0.psi),
                chart: Histogram($0.comparison)?.markup(.overlaid) ?? "")
        }
        evidence = max(value ?? 0, column.worstSegment?.psi ?? 0)
    }

    static func level(_ psi: Double?) -> String {
        guard let psi else { return "none" }
        return psi >= psiThreshold ? "bad" : psi >= psiThreshold / 2 ? "warn" : "ok"
    }

    private static func elevatedNulls(_ column: ModelOverview.Column) -> String? {
        guard let rate = column.metrics[.null_rate] else { return nil }
        let valid = column.comparison.reference.reduce(0, +)
        let all = valid + column.comparison.referenceNulls
        let usual = all > 0 ? Double(column.comparison.referenceNulls) / Double(all) : 0
        guard rate > 0.01, rate > usual * 2 else { return nil }
        return "\(Format.percent(rate)) missing, \(Format.percent(usual)) in the reference"
    }
}
