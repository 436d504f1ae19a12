import Statistics
import Values

/// One sentence for three in the morning: what was seen, where, and what that usually means. Every part of it is earned by numbers of the
/// context: what is not there is not said.
struct LikelyCause {
    /// Of the alert.
    let row: SnapshotRow
    /// The segment whose rows the clues are about: the alert's own, or the part of it that leads the shift.
    let focus: Segment
    let metric: Metric?
    let report: AttributionReport?
    let clues: [Clue]
    let deploys: [Clue]
    /// The share of the alert's rows that are in `focus`.
    var traffic: Double?

    /// `nil` where nothing stands out.
    var text: String? {
        let clue = telling
        guard let what = clue?.what ?? seen else { return nil }
        var sentence = what
        if let place { sentence += (clue == nil ? ", " : " ") + place }
        if let beside = clue?.beside { sentence += " (\(beside))" }
        let release = deploys.first { $0.blamesRelease != nil }
        switch (release?.blamesRelease, clue?.kind) {
        case (true?, _): sentence += release?.reading.map { ": \($0)" } ?? ""
        default:
            let readings = [clue?.reading, release?.reading].compactMap(\.self)
            if !readings.isEmpty { sentence += ": " + readings.joined(separator: "; ") }
        }
        if let release = deploys.first, deploys.allSatisfy({ $0.blamesRelease == nil }) {
            let when = release.at.map { " at \($0.rfc3339)" } ?? ""
            sentence += "; \(release.what)\(when), with no rows of another version to hold it against"
        }
        if let versions = clues.first(where: { $0.kind == .versions }) { sentence += "; \(versions.what)" }
        if oppose { sentence += "; segments moved in opposite directions" }
        return sentence
    }

    /// Kinds that can explain a metric, the most telling first.
    private static func order(_ metric: Metric?) -> [Clue.Kind] {
        switch metric {
        case .null_rate, .missing_rate: [.fieldRemoved, .nullJump, .mixChange]
        case .invalid_rate, .wrong_type_rate: [.retyped]
        case .added_rate: [.fieldAdded]
        case .stuck_rate: [.stuckValue]
        case .volume, .silence, .late_rate, .label_silence: []
        case .new_category_rate: [.respelled, .newCategories, .mixChange]
        case let metric? where metric.isPerformance: [.performance]
        case .psi_with_nulls:
            [.fieldRemoved, .nullJump, .respelled, .unitChange, .stuckValue, .newCategories, .calendar, .mixChange]
        default:
            // Rows without a value have no part in such a number: what happened to values comes first.
            [
                .retyped, .respelled, .unitChange, .stuckValue, .newCategories, .fieldRemoved, .nullJump, .calendar,
                .mixChange,
            ]
        }
    }

    private var telling: Clue? {
        for kind in Self.order(metric) { if let clue = clues.first(where: { $0.kind == kind }) { return clue } }
        return nil
    }

    /// Little of the segments' shifts is left in the whole, and some of them really push the other way: a shift of one small segment
    /// is diluted in the whole too, but nothing opposes it.
    private var oppose: Bool {
        guard row.segment.isAll, let report, let ratio = report.cancellation, ratio < 0.3 else { return false }
        return report.drivers.contains { $0.share < -0.25 }
    }

    /// Where the clues were seen, and whether anywhere else.
    private var place: String? {
        guard telling?.kind != .mixChange else { return nil }
        let top = report?.drivers.first
        guard !focus.isAll else {
            guard let top, top.share >= AlertWriter.leadingShare else { return nil }
            return (report?.isAlone == true ? "all of it in " : "most of it in ") + top.segment.description
        }
        let share = top?.segment == focus ? top?.share ?? 0 : 0
        // Where a segment holds no more of the shift than of the rows, the shift is everywhere.
        if row.segment.isAll, let traffic, share < traffic + 0.15 { return nil }
        if share >= AlertWriter.leadingShare, report?.isAlone == true { return "in \(focus) only" }
        return share >= AlertWriter.leadingShare
            ? "in \(focus), which holds \(Words.percent(share)) of the whole shift" : "in \(focus)"
    }

    /// What can be said where no clue says why.
    private var seen: String? {
        guard let metric else { return nil }
        return metric.isDistance ? shift : metric == .out_of_range_rate ? beyond : nil
    }

    /// How far values lie outside.
    private var beyond: String? {
        guard let least = row.referenceMetrics[.min], let most = row.referenceMetrics[.max],
            let low = row.metrics[.min], let high = row.metrics[.max]
        else { return nil }
        let up = high > most ? "up to \(Words.number(high)), where the reference ends at \(Words.number(most))" : nil
        let down = low < least ? "down to \(Words.number(low)), where it begins at \(Words.number(least))" : nil
        let parts = [up, down].compactMap(\.self)
        return parts.isEmpty ? nil : "\(row.column) has values " + parts.joined(separator: ", and ")
    }

    /// What moved, where no clue says why: the median, where it moved by a tenth of the reference's spread and by more than chance;
    /// the spread, where it is another; otherwise the bin that gained most.
    private var shift: String {
        if let sd = row.referenceMetrics[.sd], sd > 0 {
            let spread = row.metrics[.sd] ?? sd
            // A median of n values of a normal law varies by √(π/2) sd/√n.
            let noise = 3 * 1.2533 * spread / Double(max(1, row.n)).squareRoot()
            if let before = row.referenceMetrics[.p50], let now = row.metrics[.p50],
                abs(now - before) > max(0.1 * sd, noise)
            {
                return
                    "\(row.column) \(now > before ? "rose" : "fell"): median \(Words.number(before)) → \(Words.number(now))"
            }
            if spread > 3 * sd || spread < sd / 3 {
                return
                    "\(row.column) \(spread > sd ? "spread out" : "drew together"): standard deviation \(Words.number(sd)) → \(Words.number(spread))"
            }
        }
        let c = row.comparison
        let m = c.reference.reduce(0) { $0 + Double($1) }
        let n = c.current.reduce(0) { $0 + Double($1) }
        guard m > 0, n > 0 else { return "\(row.column) shifted" }
        let moves = zip(c.reference, c.current).map { (before: Double($0) / m, now: Double($1) / n) }
        guard let bin = moves.indices.max(by: { moves[$0].now - moves[$0].before < moves[$1].now - moves[$1].before }),
            moves[bin].now > moves[bin].before
        else { return "\(row.column) shifted" }
        return
            "\(row.column) shifted: \(name(of: bin)) \(Words.percent(moves[bin].before)) → \(Words.percent(moves[bin].now)) of values"
    }

    private func name(of bin: Int) -> String {
        let c = row.comparison
        if !c.categories.isEmpty { return "\"\(c.categories[bin])\"" }
        guard !c.edges.isEmpty else { return "all" }
        if bin == 0 { return "up to \(Words.number(c.edges[0]))" }
        if bin == c.edges.count { return "above \(Words.number(c.edges[bin - 1]))" }
        return "\(Words.number(c.edges[bin - 1])) to \(Words.number(c.edges[bin]))"
    }
}
