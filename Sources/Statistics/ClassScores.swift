/// The scores a model of many classes gave: of each class over all rows, and over the rows where it chose the class. Counts only, so they
/// merge in any order; memory is O(classes), whatever the rows.
package struct ClassScores: Sendable, Hashable {
    /// One class.
    package struct Counts: Sendable, Hashable {
        /// Its score in every row; positives are rows that turned out to be of the class.
        package var all = ScoreCounts()
        /// Its score in the rows where the model chose it.
        package var chosen = ScoreCounts()
        package init() {}
    }

    /// Scores are counted in steps of 1/256: a calibration is a step function, and finer ones would only cost memory.
    private static let steps = 256.0
    /// Past this many classes new ones are not counted.
    package static let maximumClasses = 100

    package private(set) var classes: [String: Counts] = [:]

    package init() {}
    package init(classes: [String: Counts]) { self.classes = classes }

    package var isEmpty: Bool { classes.isEmpty }

    /// Adds a prediction.
    /// - Parameters:
    ///   - scores: of each class it names.
    ///   - chosen: the class it chose.
    ///   - label: the class it turned out to be, where that is known at once.
    package mutating func add(_ scores: [(name: String, score: Double)], chosen: String, label: String? = nil) {
        for (name, score) in scores where (0...1).contains(score) {
            guard classes[name] != nil || classes.count < Self.maximumClasses else { continue }
            let step = (score * Self.steps).rounded() / Self.steps
            let isPositive: Int64? = label.map { $0 == name ? 1 : 0 }
            classes[name, default: Counts()].all.add(
                step, predictions: 1, negatives: isPositive.map { 1 - $0 } ?? 0, positives: isPositive ?? 0)
            if name == chosen { classes[name]?.chosen.add(step, predictions: 1) }
        }
    }

    package mutating func merge(_ other: ClassScores) {
        for (name, counts) in other.classes.sorted(by: { $0.key < $1.key }) {
            guard classes[name] != nil || classes.count < Self.maximumClasses else { continue }
            classes[name, default: Counts()].all.merge(counts.all)
            classes[name]?.chosen.merge(counts.chosen)
        }
    }
}

/// What a score of each class means, as the reference's labelled rows have it: one calibration against all other classes for each
/// (one-vs-rest, as in CBPE; NannyML 2022, whose chances are scaled to add up to 1 in each row, which needs the rows).
package struct ClassCalibration: Sendable {
    private let byClass: [String: Calibration]

    /// - Returns: `nil` where a class has too few rows to be calibrated.
    package init?(_ reference: ClassScores) {
        var made: [String: Calibration] = [:]
        for (name, counts) in reference.classes {
            guard let own = Calibration(counts.all) else { return nil }
            made[name] = own
        }
        guard made.count > 1 else { return nil }
        byClass = made
    }

    /// Performance of rows without labels by their calibrated scores: right while only the mix of rows changes and not what a score means.
    /// Precision, recall and F1 are averaged over classes ("macro").
    ///
    /// - Parameters:
    ///   - window: predictions by score.
    ///   - reference: outcomes of the labelled reference, for the error of its own.
    package func estimates(_ window: ClassScores, reference: ClassOutcomes) -> [PerformanceEstimate] {
        var rows = 0.0
        var hits = 0.0
        var variance = 0.0
        var macro = MacroSums()
        for (name, counts) in window.classes.sorted(by: { $0.key < $1.key }) {
            guard let calibration = byClass[name] else { continue }
            let (called, right, own) = Self.expected(counts.chosen, calibration)
            let (_, positives, all) = Self.expected(counts.all, calibration)
            rows += called
            hits += right
            variance += own
            macro.add(called: called, right: right, positives: positives, rightVariance: own, positiveVariance: all)
        }
        guard rows > 0, macro.classes > 0 else { return [] }
        let before = Double(max(1, reference.rows))
        func joined(_ own: Double, _ value: Double?) -> Double? {
            value.map { (own * own + $0 * (1 - $0) / before).squareRoot() }
        }
        let old = reference.macro
        let found = [
            PerformanceEstimate(
                .estimated_accuracy, hits / rows,
                error: joined(variance.squareRoot() / rows, reference.accuracy), within: 0...1),
            PerformanceEstimate(
                .estimated_precision, macro.precision,
                error: joined(macro.precisionError, old?.precision), within: 0...1),
            PerformanceEstimate(
                .estimated_recall, macro.recall, error: joined(macro.recallError, old?.recall), within: 0...1),
            PerformanceEstimate(
                .estimated_f1, macro.f1, error: joined(macro.f1Error, old?.f1), within: 0...1),
        ]
        return found.compactMap(\.self)
    }

    /// Rows, how many of them are expected to be of the class, and the variance of that.
    private static func expected(_ scores: ScoreCounts, _ calibration: Calibration) -> (Double, Double, Double) {
        var counts = scores
        counts.settle()
        var sums = (0.0, 0.0, 0.0)
        for entry in counts.entries where entry.predictions > 0 {
            let n = Double(entry.predictions)
            let chance = calibration.chance(counts.score(of: entry))
            sums.0 += n
            sums.1 += n * chance
            sums.2 += n * chance * (1 - chance)
        }
        return sums
    }
}

/// Averages over classes, and their errors to first order. A row is chosen for one class, so the precisions are independent; a row that one
/// class misses is another's miss too, so recalls and F1 are taken as moving together, which makes their intervals rather too wide.
private struct MacroSums {
    private(set) var classes = 0.0
    private var sums = (0.0, 0.0, 0.0)
    private var precisionVariance = 0.0
    private var errors = (recall: 0.0, f1: 0.0)

    mutating func add(
        called: Double, right: Double, positives: Double, rightVariance: Double, positiveVariance: Double
    ) {
        guard called + positives > 0 else { return }
        classes += 1
        sums.0 += called > 0 ? right / called : 0
        sums.1 += positives > 0 ? min(1, right / positives) : 0
        let both = called + positives
        sums.2 += min(1, 2 * right / both)
        precisionVariance += called > 0 ? rightVariance / (called * called) : 0
        if positives > 0 {
            // Hits are among the positives, so their covariance is the hits' variance.
            let share = right / positives
            let own = rightVariance * (1 - 2 * share) + share * share * positiveVariance
            errors.recall += max(0, own).squareRoot() / positives
        }
        let slope = right / both
        let own = rightVariance * (1 - 2 * slope) + slope * slope * positiveVariance
        errors.f1 += 2 * max(0, own).squareRoot() / both
    }

    var precision: Double { sums.0 / classes }
    var recall: Double { sums.1 / classes }
    var f1: Double { sums.2 / classes }
    var precisionError: Double { precisionVariance.squareRoot() / classes }
    var recallError: Double { errors.recall / classes }
    var f1Error: Double { errors.f1 / classes }
}
