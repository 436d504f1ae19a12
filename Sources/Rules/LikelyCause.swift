import Statistics
import Values

/// A few plain words on what the evidence points to. Evidence, never "root cause": it says what was seen.
struct LikelyCause {
    let row: SnapshotRow
    let metric: Metric?
    let report: AttributionReport?

    /// The most telling finding, and where it is; `nil` where nothing stands out.
    var text: String? {
        let what = missing ?? unseen ?? unit ?? (metric?.isDistance == true ? "\(row.column) shifted" : nil)
        if let place { return "\(what ?? "\(row.column) changed"), \(place)" }
        if let ratio = report?.cancellation, ratio < 0.3 {
            return "\(what ?? "\(row.column) changed"); segments moved in opposite directions"
        }
        return what
    }

    private func percent(_ share: Double) -> String { "\(Humanize.percentage((share * 1000).rounded() / 1000))" }

    /// Many more nulls than before.
    private var missing: String? {
        guard let now = row.metrics[.null_rate], let before = row.referenceMetrics[.null_rate],
            now > before + 0.02, now > 2 * before
        else { return nil }
        return "\(row.column) is missing in \(percent(now)) of rows, \(percent(before)) in the reference"
    }

    /// Values the reference never had.
    private var unseen: String? {
        guard let now = row.metrics[.new_category_rate], now > 0.1 else { return nil }
        return "\(percent(now)) of \(row.column) are values the reference does not have"
    }

    private static let factors: [(ratio: Double, name: String)] = [
        (1000, "1000 times"), (100, "100 times"), (60, "60 times"), (3600, "3600 times"), (10, "10 times"),
        (0.1, "a tenth of"), (0.01, "a hundredth of"), (0.001, "a thousandth of"), (1 / 60.0, "a sixtieth of"),
    ]

    /// All quantiles multiplied by one familiar factor: somebody changed a unit.
    private var unit: String? {
        var ratios: [Double] = []
        for metric in [Metric.p10, .p25, .p50, .p75, .p90] {
            guard let now = row.metrics[metric], let before = row.referenceMetrics[metric], before != 0 else {
                return nil
            }
            ratios.append(now / before)
        }
        guard let low = ratios.min(), let high = ratios.max(), low > 0,
            let factor = Self.factors.first(where: { low > $0.ratio * 0.8 && high < $0.ratio * 1.25 })
        else { return nil }
        return "\(row.column) is about \(factor.name) the reference, as if its unit had changed"
    }

    /// Where most of it happens, when the alert is about all traffic.
    private var place: String? {
        guard row.segment.isAll, let top = report?.drivers.first, top.share >= 0.5 else { return nil }
        return (top.share >= 0.9 ? "nearly all of it in " : "most of it in ") + top.segment.description
    }
}
