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
        if let place { return "\(what ?? "\(row.column) changed")\(row.segment.isAll ? "," : "") \(place)" }
        if oppose { return "\(what ?? "\(row.column) changed"); segments moved in opposite directions" }
        return what
    }

    /// Little of the segments' shifts is left in the whole, and some of them really push the other way: a shift of one small segment
    /// is diluted in the whole too, but nothing opposes it.
    private var oppose: Bool {
        guard row.segment.isAll, let report, let ratio = report.cancellation, ratio < 0.3 else { return false }
        return report.drivers.contains { $0.share < -0.25 }
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

    /// Mean and spread multiplied by one familiar factor: somebody changed a unit. Not quantiles, which are coarse far outside the
    /// reference's range, where such values lie.
    private var unit: String? {
        guard let mean = row.metrics[.mean], let meanBefore = row.referenceMetrics[.mean], meanBefore != 0,
            let sd = row.metrics[.sd], let sdBefore = row.referenceMetrics[.sd], sdBefore > 0
        else { return nil }
        let factor = Self.factors.first { factor in
            (0.8...1.25).contains(mean / meanBefore / factor.ratio)
                && (0.6...1.6).contains(sd / sdBefore / factor.ratio)
        }
        return factor.map { "\(row.column) is about \($0.name) the reference, as if its unit had changed" }
    }

    /// Where most of the whole model's shift happens: in a segment, when the alert is about all traffic; here, when it is about that
    /// segment.
    private var place: String? {
        guard let top = report?.drivers.first, top.share >= 0.5 else { return nil }
        if top.segment == row.segment {
            return "in \(row.segment), which holds \(percent(min(top.share, 1))) of the whole shift"
        }
        guard row.segment.isAll else { return nil }
        return (top.share >= 0.9 ? "nearly all of it in " : "most of it in ") + top.segment.description
    }
}
