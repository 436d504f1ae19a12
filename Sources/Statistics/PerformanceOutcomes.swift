#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

/// Sums over labelled rows of a binary model, in whole numbers: any order of adding, merging and taking back gives the same.
package struct BinaryOutcomes: Sendable, Hashable {
    /// One bin of the reliability curve.
    package struct Bin: Sendable, Hashable {
        package var rows: Int64 = 0
        package var positives: Int64 = 0
        /// Sum of the scores, in units of 2^−40.
        package var scores: Int128 = 0
        package init() {}
    }

    /// Equal-width bins of [0, 1]: [0, 0.1) … [0.9, 1].
    package static let binCount = 10
    package static let unit = 0x1p40
    /// Probabilities are kept this far from 0 and 1 in the log loss, as scikit-learn does with doubles.
    private static let closest = 0x1p-52

    package var truePositives: Int64 = 0
    package var falsePositives: Int64 = 0
    package var trueNegatives: Int64 = 0
    package var falseNegatives: Int64 = 0
    /// Labelled rows with a score within [0, 1]. Others are no probabilities; the metrics of probabilities are absent with any.
    package var probabilities: Int64 = 0
    package var outside: Int64 = 0
    package var bins = [Bin](repeating: Bin(), count: binCount)
    /// Σ (score − label)², in units of 2^−40.
    package var squares: Int128 = 0
    /// Σ −ln(probability of what was), in units of 2^−40.
    package var logs: Int128 = 0

    package init() {}

    package var predicted: Int64 { truePositives + falsePositives + trueNegatives + falseNegatives }

    /// Adds a labelled row, or with `times` −1 takes it back.
    /// - Parameters:
    ///   - score: `nil` where the event has no usable one.
    ///   - predicted: whether the model called it positive; `nil` where nobody knows.
    package mutating func add(score: Double?, predicted: Bool?, label: Bool, times: Int64 = 1) {
        switch (predicted, label) {
        case (true?, true): truePositives += times
        case (true?, false): falsePositives += times
        case (false?, false): trueNegatives += times
        case (false?, true): falseNegatives += times
        case (nil, _): break
        }
        guard let score else { return }
        guard (0...1).contains(score) else {
            outside += times
            return
        }
        probabilities += times
        let bin = min(Int(score * Double(Self.binCount)), Self.binCount - 1)
        bins[bin].rows += times
        bins[bin].positives += label ? times : 0
        bins[bin].scores += Int128(times) * Self.units(score)
        let error = label ? 1 - score : score
        squares += Int128(times) * Self.units(error * error)
        let right = min(max(label ? score : 1 - score, Self.closest), 1 - Self.closest)
        logs += Int128(times) * Self.units(-log(right))
    }

    mutating func forgetCalls() {
        truePositives = 0
        falsePositives = 0
        trueNegatives = 0
        falseNegatives = 0
    }

    /// Counts rows as called positive or not.
    mutating func call(_ isPositive: Bool, negatives: Int64, positives: Int64) {
        if isPositive {
            truePositives += positives
            falsePositives += negatives
        } else {
            falseNegatives += positives
            trueNegatives += negatives
        }
    }

    private static func units(_ value: Double) -> Int128 { Int128((value * unit).rounded(.toNearestOrEven)) }

    package mutating func merge(_ other: BinaryOutcomes) {
        truePositives += other.truePositives
        falsePositives += other.falsePositives
        trueNegatives += other.trueNegatives
        falseNegatives += other.falseNegatives
        probabilities += other.probabilities
        outside += other.outside
        for i in bins.indices {
            bins[i].rows += other.bins[i].rows
            bins[i].positives += other.bins[i].positives
            bins[i].scores += other.bins[i].scores
        }
        squares += other.squares
        logs += other.logs
    }

    private var hasProbabilities: Bool { probabilities > 0 && outside == 0 }

    private static func ratio(_ a: Int64, _ b: Int64) -> Double? { b > 0 ? Double(a) / Double(b) : nil }

    package var accuracy: Double? { Self.ratio(truePositives + trueNegatives, predicted) }
    /// `nil` where nothing was called positive.
    package var precision: Double? { Self.ratio(truePositives, truePositives + falsePositives) }
    /// `nil` where nothing was positive.
    package var recall: Double? { Self.ratio(truePositives, truePositives + falseNegatives) }
    /// `nil` where nothing was positive nor called so.
    package var f1: Double? { Self.ratio(2 * truePositives, 2 * truePositives + falsePositives + falseNegatives) }

    /// Mean squared distance of score and label.
    package var brier: Double? { hasProbabilities ? Double(squares) / Self.unit / Double(probabilities) : nil }
    /// Mean −ln of the probability given to what was, in nats.
    package var logLoss: Double? { hasProbabilities ? Double(logs) / Self.unit / Double(probabilities) : nil }
    package var meanScore: Double? {
        hasProbabilities
            ? Double(bins.reduce(0) { $0 + $1.scores }) / Self.unit / Double(probabilities) : nil
    }

    /// Expected calibration error: mean |mean label − mean score| of the ten bins, weighted by their rows.
    package var ece: Double? {
        guard hasProbabilities else { return nil }
        return bins.reduce(0) { $0 + abs(Double($1.positives) - Double($1.scores) / Self.unit) } / Double(probabilities)
    }
}

/// How often each class was predicted where each was true, and metrics of it.
package struct ClassOutcomes: Sendable, Hashable {
    package struct Cell: Hashable, Sendable, Comparable {
        package let label: String
        package let predicted: String
        package init(label: String, predicted: String) {
            self.label = label
            self.predicted = predicted
        }
        package static func < (a: Cell, b: Cell) -> Bool {
            a.label != b.label ? a.label < b.label : a.predicted < b.predicted
        }
    }

    package private(set) var counts: [Cell: Int64] = [:]

    package init() {}

    package mutating func add(label: String, predicted: String, times: Int64 = 1) {
        let cell = Cell(label: label, predicted: predicted)
        let count = (counts[cell] ?? 0) + times
        counts[cell] = count == 0 ? nil : count
    }

    package mutating func merge(_ other: ClassOutcomes) {
        for (cell, count) in other.counts { add(label: cell.label, predicted: cell.predicted, times: count) }
    }

    package var rows: Int64 { counts.values.reduce(0, +) }

    /// Share of rows predicted right, which is also precision, recall and F1 averaged over rows ("micro").
    package var accuracy: Double? {
        let rows = rows
        return rows > 0
            ? Double(counts.reduce(0) { $0 + ($1.key.label == $1.key.predicted ? $1.value : 0) }) / Double(rows) : nil
    }

    /// Precision, recall and F1 of each class, averaged over the classes that were true or predicted ("macro"); a class without
    /// predictions has precision 0, one that never was has recall 0, as in scikit-learn with `zero_division=0`.
    package var macro: (precision: Double, recall: Double, f1: Double)? {
        var right: [String: Int64] = [:]
        var predicted: [String: Int64] = [:]
        var actual: [String: Int64] = [:]
        for (cell, count) in counts {
            predicted[cell.predicted, default: 0] += count
            actual[cell.label, default: 0] += count
            if cell.label == cell.predicted { right[cell.label, default: 0] += count }
        }
        let classes = Set(predicted.keys).union(actual.keys).sorted()
        guard !classes.isEmpty else { return nil }
        var sum = (0.0, 0.0, 0.0)
        for name in classes {
            let hits = Double(right[name] ?? 0)
            let called = Double(predicted[name] ?? 0)
            let were = Double(actual[name] ?? 0)
            sum.0 += called > 0 ? hits / called : 0
            sum.1 += were > 0 ? hits / were : 0
            sum.2 += 2 * hits / (called + were)
        }
        let n = Double(classes.count)
        return (sum.0 / n, sum.1 / n, sum.2 / n)
    }
}
