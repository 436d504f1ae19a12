package import Values

/// What a model does, which decides what its performance is.
package enum PerformanceTask: String, CaseIterable, Sendable {
    case binary, multiclass, regression, ranking

    /// Labels are names of classes; otherwise numbers.
    package var labelsAreClasses: Bool { self == .binary || self == .multiclass }

    /// Whether rows of the task can have the metric at all.
    package func has(_ metric: Metric) -> Bool {
        switch metric {
        case .auroc, .auroc_error, .aupr, .aupr_error, .base_rate, .mean_score, .lift, .log_loss, .brier, .ece,
            .estimated_auroc, .estimated_aupr, .estimated_brier:
            self == .binary
        case .accuracy, .precision, .recall, .f1, .estimated_accuracy, .estimated_precision, .estimated_recall,
            .estimated_f1:
            labelsAreClasses
        case .f1_micro: self == .multiclass
        case .mae, .rmse, .r2, .mape, .bias, .estimated_mae: self == .regression
        case .ndcg, .ndcg_error: self == .ranking
        default: true
        }
    }
}

/// A prediction with the label that came for it.
package struct PerformancePair: Sendable {
    /// What the model said and what was.
    package enum Outcome: Sendable, Hashable {
        /// The score, and the class the model chose, where known.
        case binary(score: Double?, predicted: Bool?, label: Bool)
        case classes(predicted: String, label: String)
        case regression(value: Double, label: Double)
        /// An item of a query, by the query's number (`RankedOutcomes.add`).
        case ranking(query: UInt64, score: Double, relevance: Double)
    }

    package let outcome: Outcome
    /// How long its label took, as a bucket of `DelayCounts`.
    package let delayBucket: Int

    package init(_ outcome: Outcome, delayBucket: Int) {
        self.outcome = outcome
        self.delayBucket = delayBucket
    }

    package init(_ outcome: Outcome, delay: Span) { self.init(outcome, delayBucket: DelayCounts.bucket(delay)) }
}

/// The performance of some predictions as counts and whole-number sums: merges in any order to the same, and takes back what a
/// corrected label had added.
package struct PerformanceSketch: Sendable, Hashable {
    package let task: PerformanceTask
    /// Predictions, labelled or not.
    package var predictions: Int64 = 0
    /// Predictions that have a label.
    package var labelled: Int64 = 0
    /// Those of them whose label could not be compared with the prediction: the prediction says nothing usable.
    package var unusable: Int64 = 0
    /// Labels that replaced another.
    package var corrections: Int64 = 0
    /// Labelled positives, of a binary model.
    package var positives: Int64 = 0
    /// Binary: by score. Regression: the predicted values, without labels.
    package var scores = ScoreCounts()
    package var binary = BinaryOutcomes()
    package var classes = ClassOutcomes()
    /// Of many classes, where events bring the score of each.
    package var classScores = ClassScores()
    package var errors: ErrorSums
    package var ranked: RankedOutcomes
    /// Delays of negatives and positives; of all labels together, under 0, where there are no such.
    package var delays = [DelayCounts(), DelayCounts()]

    /// - Parameters:
    ///   - exponent: of a regression model's values (`ErrorSums.exponent`).
    ///   - cutoff: the ranks of a ranking model that count (`RankedOutcomes.cutoff`).
    package init(_ task: PerformanceTask, exponent: Int = 0, cutoff: Int = 0) {
        self.task = task
        ranked = RankedOutcomes(cutoff: cutoff)
        errors = ErrorSums(exponent: exponent)
    }

    /// Counts a prediction, or with `times` −1 takes it back.
    /// - Parameter score: what it said, if that is a finite number.
    package mutating func add(prediction score: Double?, times: Int64 = 1) {
        predictions += times
        if let score, task == .binary || task == .regression { scores.add(score, predictions: times) }
    }

    /// Adds a pair of a prediction that `add(prediction:)` has counted, or with `times` −1 takes it back.
    /// - Parameter delayed: whether its delay counts; segments do without.
    package mutating func add(_ pair: PerformancePair, delayed: Bool = true, times: Int64 = 1) {
        labelled += times
        var side = 0
        switch pair.outcome {
        case .binary(let score, let predicted, let label):
            side = label ? 1 : 0
            positives += label ? times : 0
            binary.add(score: score, predicted: predicted, label: label, times: times)
            if let score { scores.add(score, negatives: label ? 0 : times, positives: label ? times : 0) }
            if score == nil && predicted == nil { unusable += times }
        case .classes(let predicted, let label): classes.add(label: label, predicted: predicted, times: times)
        case .regression(let value, let label):
            if value.isFinite && label.isFinite {
                errors.add(value: value, label: label, times: times)
            } else {
                unusable += times
            }
        case .ranking(let query, let score, let relevance):
            if score.isFinite && relevance.isFinite {
                ranked.add(query: query, score: score, relevance: relevance, times: times)
            } else {
                unusable += times
            }
        }
        if delayed { delays[side].add(bucket: pair.delayBucket, times: times) }
    }

    /// The same with scores called positive from another threshold on, where no row named its class. Exact while the scores are; of a
    /// cell that has one entry, all rows are called as its middle is.
    func judged(by threshold: Double) -> PerformanceSketch {
        var copy = self
        copy.scores.settle()
        let counts = copy.scores
        copy.binary.forgetCalls()
        for entry in counts.entries {
            copy.binary.call(
                counts.score(of: entry) >= threshold, negatives: entry.negatives, positives: entry.positives)
        }
        return copy
    }

    package mutating func merge(_ other: PerformanceSketch) {
        precondition(task == other.task, "performance of different tasks")
        predictions += other.predictions
        labelled += other.labelled
        unusable += other.unusable
        corrections += other.corrections
        positives += other.positives
        scores.merge(other.scores)
        binary.merge(other.binary)
        classes.merge(other.classes)
        classScores.merge(other.classScores)
        errors.merge(other.errors)
        ranked.merge(other.ranked)
        for side in delays.indices { delays[side].merge(other.delays[side]) }
    }

    /// The share of predictions that have a label.
    package var coverage: Double? { predictions > 0 ? Double(labelled) / Double(predictions) : nil }

    /// Labelled rows that could be right or wrong, and how many were wrong; `nil` where there are none, or errors are a distance.
    package var errorCounts: (errors: Double, rows: Double)? {
        switch task {
        case .binary:
            guard binary.predicted > 0 else { return nil }
            return (Double(binary.falsePositives + binary.falseNegatives), Double(binary.predicted))
        case .multiclass:
            let rows = Double(classes.rows)
            return classes.accuracy.map { ((1 - $0) * rows, rows) }
        case .regression, .ranking: return nil
        }
    }

    /// Every metric that can be said of these rows.
    package var metrics: MetricValues {
        var values = MetricValues()
        values[.count] = Double(predictions)
        values[.labelled] = Double(labelled)
        values[.coverage] = coverage
        let all = delays.reduce(into: DelayCounts()) { $0.merge($1) }
        values[.label_delay_p50] = all.quantile(0.5)?.seconds
        values[.label_delay_p95] = all.quantile(0.95)?.seconds
        guard labelled > 0 else { return values }
        switch task {
        case .binary: binaryMetrics(into: &values)
        case .multiclass:
            values[.accuracy] = classes.accuracy
            values[.f1_micro] = classes.accuracy
            let macro = classes.macro
            values[.precision] = macro?.precision
            values[.recall] = macro?.recall
            values[.f1] = macro?.f1
        case .regression:
            values[.mae] = errors.mae
            values[.rmse] = errors.rmse
            values[.r2] = errors.r2
            values[.mape] = errors.mape
            values[.bias] = errors.bias
        case .ranking:
            let found = ranked.ndcg
            values[.ndcg] = found?.value
            values[.ndcg_error] = found?.error
        }
        return values
    }

    private func binaryMetrics(into values: inout MetricValues) {
        values[.base_rate] = Double(positives) / Double(labelled)
        values[.mean_score] = binary.meanScore
        let ranking = Ranking(scores)
        let auroc = ranking.auroc
        let aupr = ranking.aupr
        values[.auroc] = auroc?.value
        values[.auroc_error] = auroc?.error
        values[.aupr] = aupr?.value
        values[.aupr_error] = aupr?.error
        values[.lift] = ranking.lift()
        values[.accuracy] = binary.accuracy
        values[.precision] = binary.precision
        values[.recall] = binary.recall
        values[.f1] = binary.f1
        values[.log_loss] = binary.logLoss
        values[.brier] = binary.brier
        values[.ece] = binary.ece
    }
}
