import Statistics
import Values

#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

/// What the labels of one window say beside "worse": in which way, by how much, and whether scores or outcomes moved with it.
struct PerformanceClues {
    /// Standard errors a share or a mean must have moved by.
    private static let significance = 4.0

    let row: SnapshotRow

    /// What the watch over all windows believes; `nil` where none does.
    private var change: PerformanceChange? { row.performance?.change }

    /// The way in which the model is worse: the watch's, else that of the first figure that can be compared.
    private var statistic: String? {
        change?.statistic
            ?? [Metric.auroc, .accuracy, .mae].first { row.metrics[$0] != nil && row.referenceMetrics[$0] != nil }?.name
    }

    /// The figure that is worse, as people would report it: what it is now and how sure that is, what it was, and on how many rows.
    struct Figure {
        let metric: Metric
        let name: String
        let now: Double
        let before: Double
        /// Where the true value lies in 95 of 100 such windows; `nil` where that is not known.
        let interval: ClosedRange<Double>?
        let rows: UInt64
        /// Shown in hundredths.
        let isShare: Bool

        private func shown(_ value: Double) -> String { isShare ? Words.percent(value) : Words.number(value) }

        var inWords: String {
            let sure = interval.map { "95% between \(shown($0.lowerBound)) and \(shown($0.upperBound)), " } ?? ""
            return
                "\(name) \(shown(now)) (\(sure)\(Words.count(rows)) labelled rows), \(shown(before)) in the reference"
        }

        var json: JSON {
            .members(
                ("metric", .string(metric.name)), ("reference", .rounded(before)), ("value", .rounded(now)),
                ("interval", interval.map { .array([.rounded($0.lowerBound), .rounded($0.upperBound)]) }),
                ("rows", .integer(Int64(clamping: rows))))
        }
    }

    /// `nil` where nothing can be compared.
    var figure: Figure? {
        let shown: (metric: Metric, name: String, isShare: Bool)
        switch statistic {
        case "auroc": shown = (.auroc, "AUROC", false)
        case "accuracy": shown = (.accuracy, "accuracy", true)
        case "calibration": shown = (.base_rate, "share of positives", true)
        case "mae": shown = (.mae, "mean error", false)
        default: return nil
        }
        guard let now = row.metrics[shown.metric], let before = row.referenceMetrics[shown.metric] else { return nil }
        let rows = max(0, row.metrics[.labelled] ?? 0)
        return Figure(
            metric: shown.metric, name: shown.name, now: now, before: before,
            interval: interval(shown.metric, now, rows: rows), rows: UInt64(rows), isShare: shown.isShare)
    }

    /// AUROC by Hanley and McNeil (1982), shares by Wilson (1927), a mean error by the spread of errors that its root mean square implies.
    private func interval(_ metric: Metric, _ value: Double, rows: Double) -> ClosedRange<Double>? {
        let z = 1.959963984540054
        switch metric {
        case .auroc:
            guard let counts = row.performance?.sketch else { return nil }
            let positives = Double(counts.positives)
            guard positives > 0, rows > positives else { return nil }
            let half = z * Ranking.standardError(auroc: value, positives: positives, negatives: rows - positives)
            return max(0, value - half)...min(1, value + half)
        case .accuracy, .base_rate: return SamplingNoise.wilson((value * rows).rounded(), of: rows)
        default:
            guard let square = row.metrics[.rmse], rows > 1 else { return nil }
            let half = z * (max(0, square * square - value * value) / rows).squareRoot()
            return max(0, value - half)...(value + half)
        }
    }

    var all: [Clue] {
        guard let statistic, let words = words(statistic) else { return [] }
        return [Clue(kind: .performance, what: words.what, beside: words.beside, reading: reading)]
    }

    private func words(_ statistic: String) -> (what: String, beside: String)? {
        func pair(_ metric: Metric) -> (now: Double, before: Double)? {
            guard let now = row.metrics[metric], let before = row.referenceMetrics[metric] else { return nil }
            return (now, before)
        }
        let effect = change?.effect
        let rows = "\(Words.count(UInt64(max(0, row.metrics[.labelled] ?? 0)))) labelled rows of this window"
        /// How the figures stand, and by how much they differ over all windows of the change.
        func compared(_ metric: Metric, _ name: String) -> String? {
            guard let (now, before) = pair(metric) else { return nil }
            let mean = effect.map { ", lower by \(Words.number(abs($0))) in the mean of its windows" } ?? ""
            return "\(name) \(Words.number(before)) in the reference, \(Words.number(now)) in \(rows)\(mean)"
        }
        switch statistic {
        case "auroc": return compared(.auroc, "AUROC").map { ("scores rank worse", $0) }
        case "accuracy": return compared(.accuracy, "accuracy").map { ("the model errs more often", $0) }
        case "mae":
            guard let (now, before) = pair(.mae) else { return nil }
            let mean = effect.map { ", \(Words.percent($0)) more in the mean of its windows" } ?? ""
            return (
                "predictions are further off",
                "mean error \(Words.number(before)) in the reference, \(Words.number(now)) in \(rows)\(mean)"
            )
        case "calibration":
            guard let (rate, rateBefore) = pair(.base_rate), let (score, scoreBefore) = pair(.mean_score) else {
                return nil
            }
            let isMore = (effect ?? (rate - score) - (rateBefore - scoreBefore)) > 0
            return (
                "\(isMore ? "more" : "fewer") positives than the scores say",
                "\(Words.percent(rate)) at a mean score of \(Words.percent(score)) in \(rows), \(Words.percent(rateBefore)) at "
                    + "\(Words.percent(scoreBefore)) in the reference"
            )
        default: return nil
        }
    }

    /// Whether the outcomes or the scores themselves are others than in the reference; `nil` where that is not known.
    private var reading: String? {
        guard let now = row.performance?.sketch, let before = row.performance?.reference, now.task == .binary,
            let score = now.binary.meanScore, let scoreBefore = before.binary.meanScore, now.labelled > 0,
            before.labelled > 0
        else { return nil }
        let (n, m) = (Double(now.labelled), Double(before.labelled))
        let (rate, rateBefore) = (Double(now.positives) / n, Double(before.positives) / m)
        let pooled = (Double(now.positives + before.positives) + 0.5) / (n + m + 1)
        let outcomes =
            abs(rate - rateBefore) > Self.significance * (pooled * (1 - pooled) * (1 / n + 1 / m)).squareRoot()
        let spread = Self.spread(before.binary)
        let scores = abs(score - scoreBefore) > Self.significance * spread * (1 / n + 1 / m).squareRoot()
        let outcome = "positives went from \(Words.percent(rateBefore)) to \(Words.percent(rate))"
        let scored = "the mean score from \(Words.percent(scoreBefore)) to \(Words.percent(score))"
        return switch (outcomes, scores) {
        case (true, true): "\(outcome), \(scored)"
        case (true, false): "\(outcome) and the scores did not follow"
        case (false, true): "\(scored) while outcomes stayed: look for inputs that moved, or a release"
        case (false, false):
            "scores and outcomes are as frequent as ever, so what leads to an outcome has changed, or labels are joined to other rows"
        }
    }

    /// Standard deviation of the scores, between the bins of the reliability curve and, as if uniform, within.
    private static func spread(_ outcomes: BinaryOutcomes) -> Double {
        let n = Double(max(1, outcomes.probabilities))
        let mean = outcomes.meanScore ?? 0
        let between = outcomes.bins.reduce(0.0) { sum, bin in
            guard bin.rows > 0 else { return sum }
            let distance = Double(bin.scores) / BinaryOutcomes.unit / Double(bin.rows) - mean
            return sum + Double(bin.rows) * distance * distance
        }
        let width = 1 / Double(BinaryOutcomes.binCount)
        return (between / n + width * width / 12).squareRoot()
    }

    /// The errors of two versions in the same window: different ones say release. `nil` where they cannot be compared.
    static func errors(_ new: SnapshotRow, _ old: SnapshotRow) -> (new: Double, old: Double, p: Double)? {
        guard let a = new.performance?.sketch.errorCounts, let b = old.performance?.sketch.errorCounts,
            min(a.rows, b.rows) >= Double(ColumnClues.minimumRows)
        else { return nil }
        let pooled = (a.errors + b.errors) / (a.rows + b.rows)
        let error = (pooled * (1 - pooled) * (1 / a.rows + 1 / b.rows)).squareRoot()
        let z = error > 0 ? (a.errors / a.rows - b.errors / b.rows) / error : 0
        return (a.errors / a.rows, b.errors / b.rows, erfc(abs(z) / 2.0.squareRoot()))
    }
}

extension PerformanceClues {
    /// Figures shown of reference and window, where both have them.
    private static let figures: [Metric] = [
        .labelled, .auroc, .aupr, .accuracy, .precision, .recall, .f1, .log_loss, .brier, .ece, .base_rate, .mean_score,
        .mae,
        .rmse,
        .r2, .bias,
    ]

    /// The `comparison` of an alert about performance: every figure as [reference, now], and of a binary model how often each tenth of the
    /// scores was right to say so.
    var comparison: JSON {
        let pairs = Self.figures.compactMap { metric -> JSON.Member? in
            guard let before = row.referenceMetrics[metric], let now = row.metrics[metric] else { return nil }
            return .init(metric.name, .array([.rounded(before), .rounded(now)]))
        }
        return .members(("metrics", .object(pairs)), ("reliability", reliability))
    }

    private var reliability: JSON? {
        guard let now = row.performance?.sketch, let before = row.performance?.reference, now.task == .binary,
            now.binary.probabilities > 0, before.binary.probabilities > 0
        else { return nil }
        func shares(_ outcomes: BinaryOutcomes) -> JSON {
            .array(outcomes.bins.map { $0.rows > 0 ? .rounded(Double($0.positives) / Double($0.rows)) : .null })
        }
        func rows(_ outcomes: BinaryOutcomes) -> JSON { .array(outcomes.bins.map { .integer($0.rows) }) }
        return .members(
            ("reference", shares(before.binary)), ("current", shares(now.binary)),
            ("reference_rows", rows(before.binary)), ("rows", rows(now.binary)))
    }

    /// What a watch over all windows believes it by; `nil` where none has judged the window.
    var evidence: JSON? {
        guard let change else { return nil }
        return .members(
            ("ln_e", .rounded(change.evidence)), ("ln_threshold", .rounded(change.limit)),
            ("effect", .rounded(change.effect)), ("statistic", .string(change.statistic)))
    }
}
