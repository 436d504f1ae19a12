/// A figure that is estimated, with the interval that holds the realised one in 95 of 100 windows while the estimate's assumption
/// holds.
package struct PerformanceEstimate: Sendable, Hashable {
    package let metric: Metric
    package let value: Double
    package let low: Double
    package let high: Double

    init?(_ metric: Metric, _ value: Double?, error: Double?, within: ClosedRange<Double>) {
        guard let value, let error, value.isFinite, error.isFinite else { return nil }
        self.metric = metric
        self.value = value
        low = max(within.lowerBound, value - 1.96 * error)
        high = min(within.upperBound, value + 1.96 * error)
    }
}

/// From score to the chance of the positive class, as the reference's labelled rows have it: isotonic regression by pooling adjacent
/// violators (Ayer et al. 1955). Scores between two known ones take the lower one's chance.
package struct Calibration: Sendable {
    private let scores: [Double]
    private let chances: [Double]
    /// Labelled rows it was learned from.
    package let rows: Double

    /// - Returns: `nil` where the reference has fewer than 30 labelled rows or one class only.
    package init?(_ reference: ScoreCounts) {
        var counts = reference
        counts.settle()
        var blocks: [(score: Double, positives: Double, rows: Double)] = []
        var positives = 0.0
        var rows = 0.0
        for entry in counts.entries where entry.negatives + entry.positives > 0 {
            let own = Double(entry.negatives + entry.positives)
            positives += Double(entry.positives)
            rows += own
            var block = (score: counts.score(of: entry), positives: Double(entry.positives), rows: own)
            while let last = blocks.last, last.positives * block.rows >= block.positives * last.rows {
                block = (last.score, last.positives + block.positives, last.rows + block.rows)
                blocks.removeLast()
            }
            blocks.append(block)
        }
        guard rows >= 30, positives > 0, positives < rows else { return nil }
        scores = blocks.map(\.score)
        chances = blocks.map { $0.positives / $0.rows }
        self.rows = rows
    }

    /// The chance that a row of this score is positive.
    package func chance(_ score: Double) -> Double {
        var low = 0
        var high = scores.count
        while low < high {
            let middle = (low + high) / 2
            if scores[middle] <= score { low = middle + 1 } else { high = middle }
        }
        return chances[max(0, low - 1)]
    }

    /// Performance of rows without labels by their calibrated scores (CBPE; NannyML 2022): right while only the mix of rows changes
    /// and not what a score means.
    ///
    /// - Parameters:
    ///   - window: predictions by score.
    ///   - reference: the labelled reference, for the error of its own.
    package func estimates(
        _ window: ScoreCounts, threshold: Double, reference: PerformanceSketch
    ) -> [PerformanceEstimate] {
        var counts = window
        counts.settle()
        var groups: [Ranking.Group] = []
        var table = ExpectedTable()
        for entry in counts.entries where entry.predictions > 0 {
            let n = Double(entry.predictions)
            let score = counts.score(of: entry)
            let chance = chance(score)
            groups.append(Ranking.Group(negatives: n * (1 - chance), positives: n * chance))
            table.add(n, score: score, chance: chance, isCalled: score >= threshold)
        }
        guard table.rows > 0 else { return [] }
        let ranking = Ranking(groups)
        let before = Ranking(reference.scores)
        func joined(_ a: Double?, _ b: Double?) -> Double? {
            guard let a, let b else { return nil }
            return (a * a + b * b).squareRoot()
        }
        func binomial(_ share: Double?, _ n: Double) -> Double? {
            share.flatMap { n > 0 ? ($0 * (1 - $0) / n).squareRoot() : nil }
        }
        let old = reference.binary
        let unit = 0.0...1.0
        let found = [
            PerformanceEstimate(
                .estimated_auroc, ranking.auroc?.value,
                error: joined(ranking.aurocStandardError, before.aurocStandardError), within: unit),
            // Of the precision at the average threshold, whose sample is the positives.
            PerformanceEstimate(
                .estimated_aupr, ranking.aupr?.value,
                error: joined(
                    binomial(ranking.aupr?.value, ranking.positives), binomial(before.aupr?.value, before.positives)),
                within: unit),
            PerformanceEstimate(
                .estimated_accuracy, table.accuracy,
                error: joined(table.accuracyError, binomial(old.accuracy, Double(old.predicted))), within: unit),
            PerformanceEstimate(
                .estimated_precision, table.precision,
                error: joined(
                    table.precisionError, binomial(old.precision, Double(old.truePositives + old.falsePositives))),
                within: unit),
            PerformanceEstimate(
                .estimated_recall, table.recall,
                error: joined(
                    binomial(table.recall, table.positives),
                    binomial(old.recall, Double(old.truePositives + old.falseNegatives))), within: unit),
            PerformanceEstimate(
                .estimated_f1, table.f1,
                error: joined(table.f1Error, binomial(old.f1, Double(old.truePositives + old.falseNegatives))),
                within: unit),
            PerformanceEstimate(
                .estimated_brier, table.squares / table.rows,
                error: (table.squareVariance / table.rows / table.rows).squareRoot(), within: unit),
        ]
        return found.compactMap(\.self)
    }
}

/// Expected counts of a confusion table, and their variances: each row is positive by its own chance.
private struct ExpectedTable {
    var rows = 0.0
    var positives = 0.0
    private var called = 0.0
    private var hits = 0.0
    private var right = 0.0
    private var hitVariance = 0.0
    private var variance = 0.0
    var squares = 0.0
    var squareVariance = 0.0

    mutating func add(_ n: Double, score: Double, chance: Double, isCalled: Bool) {
        let own = n * chance * (1 - chance)
        rows += n
        positives += n * chance
        variance += own
        right += n * (isCalled ? chance : 1 - chance)
        if isCalled {
            called += n
            hits += n * chance
            hitVariance += own
        }
        let difference = (1 - score) * (1 - score) - score * score
        squares += n * (chance * (1 - score) * (1 - score) + (1 - chance) * score * score)
        squareVariance += own * difference * difference
    }

    var accuracy: Double { right / rows }
    var accuracyError: Double { variance.squareRoot() / rows }
    var precision: Double? { called > 0 ? hits / called : nil }
    var precisionError: Double? { called > 0 ? hitVariance.squareRoot() / called : nil }
    var recall: Double? { positives > 0 ? hits / positives : nil }
    var f1: Double? { called + positives > 0 ? 2 * hits / (called + positives) : nil }
    /// To first order, of hits and positives, whose covariance is the hits' variance.
    var f1Error: Double? {
        let sum = called + positives
        guard sum > 0 else { return nil }
        let a = 2 / sum
        let b = -2 * hits / (sum * sum)
        return max(0, a * a * hitVariance + b * b * variance + 2 * a * b * hitVariance).squareRoot()
    }
}

/// How large a regression model's errors were in the reference, by predicted value: from it the error of rows without labels is
/// estimated (direct loss estimation with the prediction as the only feature). Right while errors depend on the prediction as they did.
package struct ErrorCurve: Sendable, Hashable {
    package struct Bin: Sendable, Hashable {
        /// The largest predicted value of the bin.
        package let upTo: Double
        package let rows: Double
        package let meanError: Double
        package let variance: Double
        package init(upTo: Double, rows: Double, meanError: Double, variance: Double) {
            self.upTo = upTo
            self.rows = rows
            self.meanError = meanError
            self.variance = variance
        }
    }

    package static let binCount = 20
    package let bins: [Bin]

    package init(bins: [Bin]) { self.bins = bins }

    /// Bins of about equal size.
    /// - Returns: `nil` for fewer than 30 rows.
    package init?(_ pairs: [(value: Double, label: Double)]) {
        guard pairs.count >= 30 else { return nil }
        let sorted = pairs.sorted { $0.value < $1.value }
        var bins: [Bin] = []
        var start = 0
        while start < sorted.count {
            var end = min(sorted.count, start + max(1, sorted.count / Self.binCount))
            while end < sorted.count, sorted[end].value == sorted[end - 1].value { end += 1 }
            let errors = sorted[start..<end].map { abs($0.value - $0.label) }
            let n = Double(errors.count)
            let mean = errors.reduce(0, +) / n
            let variance = errors.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / max(1, n - 1)
            bins.append(Bin(upTo: sorted[end - 1].value, rows: n, meanError: mean, variance: variance))
            start = end
        }
        self.bins = bins
    }

    /// - Parameter window: predictions by value.
    package func estimates(_ window: ScoreCounts) -> [PerformanceEstimate] {
        var counts = window
        counts.settle()
        var rows = 0.0
        var sum = 0.0
        var own = 0.0
        var inBin = [Double](repeating: 0, count: bins.count)
        for entry in counts.entries where entry.predictions > 0 {
            let value = counts.score(of: entry)
            let bin = bins.firstIndex { value <= $0.upTo } ?? bins.count - 1
            let n = Double(entry.predictions)
            rows += n
            inBin[bin] += n
            sum += n * bins[bin].meanError
            own += n * bins[bin].variance
        }
        guard rows > 0 else { return [] }
        // The reference's means are uncertain too, in proportion to how much each is used.
        let learned = zip(bins, inBin).reduce(0) { $0 + $1.1 * $1.1 * $1.0.variance / $1.0.rows }
        let error = (own + learned).squareRoot() / rows
        let found = PerformanceEstimate(
            .estimated_mae, sum / rows, error: error, within: 0...Double.greatestFiniteMagnitude)
        return [found].compactMap(\.self)
    }
}
