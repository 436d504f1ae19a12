package import Values

/// How a model has become worse, by the evidence of all mature windows so far.
package struct PerformanceChange: Sendable, Hashable {
    /// `auroc`, `accuracy`, `mae` or `calibration`.
    package let statistic: String
    /// How much worse since the change began, in the statistic's unit.
    package let effect: Double
    /// ln R, and what it had to reach.
    package let evidence: Double
    package let limit: Double
    /// Start of the first window of the change.
    package let since: Timestamp?

    package init(statistic: String, effect: Double, evidence: Double, limit: Double, since: Timestamp?) {
        self.statistic = statistic
        self.effect = effect
        self.evidence = evidence
        self.limit = limit
        self.since = since
    }
}

/// What stands behind a window's performance metrics, for the page, the files and alerts.
package struct PerformanceDetail: Sendable, Hashable {
    package let sketch: PerformanceSketch
    /// Labels are past their bias: the window may be judged.
    package let isMature: Bool
    package let estimates: [PerformanceEstimate]
    /// Of the labelled rows of the reference that the window is compared with.
    package var reference: PerformanceSketch?
    /// What evidence of a mature window is held against.
    package var baseline: PerformanceBaseline?
    /// What a watch for a change of concept says of the window, as members of an object.
    package var drift: JSON?
    /// The change that the watch believes in; `nil` where it does not, or another method watches.
    package var change: PerformanceChange?
    /// How the version fares against another on the same windows.
    package var comparison: JSON?

    package init(sketch: PerformanceSketch, isMature: Bool, estimates: [PerformanceEstimate]) {
        self.sketch = sketch
        self.isMature = isMature
        self.estimates = estimates
    }

    /// Classes shown of a confusion matrix, at most.
    private static let shownCells = 200

    package var json: JSON {
        .members(
            ("mature", .bool(isMature)),
            ("corrections", sketch.corrections == 0 ? nil : .integer(sketch.corrections)),
            ("unusable", sketch.unusable == 0 ? nil : .integer(sketch.unusable)),
            ("drift", drift), ("comparison", comparison), ("label_delay_seconds", delays), ("confusion", confusion),
            ("reliability", reliability),
            ("queries", sketch.ranked.ndcg.map { .integer(Int64($0.queries)) }),
            (
                "estimates",
                estimates.isEmpty
                    ? nil
                    : .object(
                        estimates.map { estimate in
                            .init(
                                estimate.metric.name,
                                .members(
                                    ("value", .number(estimate.value)), ("low", .number(estimate.low)),
                                    ("high", .number(estimate.high))))
                        })
            ))
    }

    private var delays: JSON? {
        let names = sketch.task == .binary ? ["negative", "positive"] : ["all", ""]
        let members = zip(names, sketch.delays).compactMap { name, delays -> JSON.Member? in
            guard let median = delays.quantile(0.5), let long = delays.quantile(0.95) else { return nil }
            return .init(
                name,
                .members(
                    ("n", .integer(delays.total)), ("p50", .number(median.seconds)), ("p95", .number(long.seconds))))
        }
        return members.isEmpty ? nil : .object(members)
    }

    private var confusion: JSON? {
        switch sketch.task {
        case .binary:
            let counts = sketch.binary
            guard counts.predicted > 0 else { return nil }
            return .members(
                ("true_positive", .integer(counts.truePositives)), ("false_positive", .integer(counts.falsePositives)),
                ("true_negative", .integer(counts.trueNegatives)), ("false_negative", .integer(counts.falseNegatives)))
        case .multiclass:
            guard !sketch.classes.counts.isEmpty else { return nil }
            let largest = sketch.classes.counts.sorted { $0.value != $1.value ? $0.value > $1.value : $0.key < $1.key }
            return .array(
                largest.prefix(Self.shownCells).map { cell, count in
                    .members(
                        ("label", .string(cell.label)), ("predicted", .string(cell.predicted)), ("n", .integer(count)))
                })
        case .regression, .ranking: return nil
        }
    }

    /// Ten bins of the score: rows, share of positives, mean score.
    private var reliability: JSON? {
        guard sketch.task == .binary, sketch.binary.probabilities > 0 else { return nil }
        return .array(
            sketch.binary.bins.map { bin in
                let n = Double(bin.rows)
                return .members(
                    ("n", .integer(bin.rows)), ("positives", bin.rows > 0 ? .number(Double(bin.positives) / n) : nil),
                    ("score", bin.rows > 0 ? .number(Double(bin.scores) / BinaryOutcomes.unit / n) : nil))
            })
    }
}
