package import Values

/// What has become of a model's predictions and labels in the join since it began. `Monitor` keeps it with the counts.
package struct LabelOverview: Sendable, Hashable {
    /// Predictions that found their label.
    package var joined: UInt64 = 0
    /// Predictions whose label may still come.
    package var waiting: Int64 = 0
    /// Predictions whose horizon passed without a label.
    package var expired: Int64 = 0
    /// Labels without a prediction: it has not come yet, or never will.
    package var orphans: UInt64 = 0
    /// Labels that replaced another.
    package var corrections: UInt64 = 0
    package var duplicatePredictions: UInt64 = 0
    /// Labels that said what was known.
    package var duplicateLabels: UInt64 = 0
    /// Labels older than the one they would have replaced.
    package var staleLabels: UInt64 = 0
    /// Labels further from their prediction than the horizon.
    package var tooLate: UInt64 = 0
    /// Predictions of more versions than an identity has places for.
    package var crowded: UInt64 = 0
    /// What waits for the other side, in memory and on disk.
    package var bytes: Int = 0

    package init() {}

    /// By the name of what became of them: what only ever grows.
    package var totals: [(outcome: String, count: UInt64)] {
        [
            ("joined", joined), ("expired", UInt64(max(0, expired))), ("corrected", corrections),
            ("duplicate_prediction", duplicatePredictions), ("duplicate_label", duplicateLabels),
            ("stale_label", staleLabels), ("too_late", tooLate),
            ("too_many_versions", crowded),
        ]
    }

    /// By the side that waits for the other.
    package var pending: [(kind: String, count: Double)] {
        [("prediction", Double(waiting)), ("label", Double(orphans))]
    }

    /// What became of the labels, and then of the predictions without one; what did not happen is left out.
    package var inWords: String {
        let labels: [(UInt64, String)] = [
            (joined, "labels joined their prediction"), (corrections, "corrected an earlier one"),
            (duplicateLabels, "said what was known"), (staleLabels, "were older than the one known"),
            (tooLate, "came past the horizon of `labels`"), (orphans, "have no prediction"),
        ]
        let predictions: [(UInt64, String)] = [
            (UInt64(max(0, waiting)), "predictions may still get a label"),
            (UInt64(max(0, expired)), "predictions expired without one"),
            (duplicatePredictions, "predictions came again"),
        ]
        let told = labels.filter { $0.0 > 0 || $0.1 == labels[0].1 } + predictions.filter { $0.0 > 0 }
        return told.map { "\($0.0) \($0.1)" }.joined(separator: ", ")
    }

    package var json: JSON {
        .object(
            totals.map { JSON.Member($0.outcome, .integer(Int64(clamping: $0.count))) } + [
                .init("waiting", .integer(waiting)), .init("without_prediction", .integer(Int64(clamping: orphans))),
                .init("bytes", .integer(Int64(bytes))),
            ])
    }
}
