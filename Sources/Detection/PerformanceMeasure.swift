package import Values

#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

/// A figure of a model's performance that can be watched: how much worse it is than the reference, and how sure that is.
package enum PerformanceMeasure: String, Sendable, Hashable, Codable {
    /// A drop of the area under the ROC curve.
    case auroc
    /// Mean label less mean score, against the reference's own offset; wrong in either direction.
    case calibration
    /// A drop of accuracy.
    case accuracy

    /// A loss that is nothing to report.
    package var quiet: Double {
        switch self {
        case .auroc: 0.02
        case .calibration, .accuracy: 0.01
        }
    }

    /// Losses looked for.
    var losses: [Double] {
        switch self {
        case .auroc: [0.06, 0.12, 0.24, 0.45]
        case .calibration, .accuracy: [0.03, 0.06, 0.12, 0.25]
        }
    }

    /// The least merged loss worth telling of.
    package var leastEffect: Double {
        switch self {
        case .auroc: 0.05
        case .calibration, .accuracy: 0.03
        }
    }

    var signs: [Double] { self == .calibration ? [1, -1] : [1] }

    /// ln of the likelihood ratio of a loss `loss` against the quiet one. Errors are few, so accuracy is judged by the binomial
    /// law: normal scores on few errors gave false alarms.
    func logE(_ reading: PerformanceReading, _ loss: Double, _ sign: Double) -> Double {
        if self == .accuracy {
            let errors = (1 - reading.value) * reading.rows
            let p0 = min(0.98, max(1e-4, 1 - reading.reference + quiet + reading.referenceError))
            let p1 = min(0.99, p0 + loss - quiet)
            return errors * log(p1 / p0) + (reading.rows - errors) * log((1 - p1) / (1 - p0))
        }
        let x = sign * worsening(reading)
        let variance = reading.variance
        return ((loss - quiet) * x - (loss * loss - quiet * quiet) / 2) / variance
    }

    /// How much worse the window is than the reference, in the measure's unit; signed for calibration.
    func worsening(_ reading: PerformanceReading) -> Double {
        self == .calibration ? reading.value - reading.reference : reading.reference - reading.value
    }

    /// The standard error of an area under the ROC curve (Hanley and McNeil 1982).
    package static func aurocError(_ area: Double, positives: Double, negatives: Double) -> Double {
        guard positives > 0, negatives > 0 else { return .infinity }
        let a = min(1, max(0, area))
        let q1 = a / (2 - a)
        let q2 = 2 * a * a / (1 + a)
        let sum = a * (1 - a) + (positives - 1) * (q1 - a * a) + (negatives - 1) * (q2 - a * a)
        // A perfect ranking of few rows is not known without error.
        let least = 1 / (4 * (positives + negatives + 1) * max(1, min(positives, negatives)))
        return max(max(0, sum) / (positives * negatives), least).squareRoot()
    }
}

/// The performance of one segment in one mature window.
package struct PerformanceReading: Sendable, Hashable {
    package var segment: Segment
    package var value: Double
    package var reference: Double
    /// Labelled rows, and how many of them are positive.
    package var rows: Double
    package var positives: Double
    /// Standard errors of the window's value and of the reference's, in the measure's unit.
    package var standardError: Double
    package var referenceError: Double
    /// Enough labels, past the bias of early ones: another window is no evidence.
    package var isMature: Bool
    package var isWatched: Bool

    package init(
        segment: Segment, value: Double, reference: Double, rows: Double, positives: Double, standardError: Double,
        referenceError: Double = 0, isMature: Bool, isWatched: Bool = true
    ) {
        self.segment = segment
        self.value = value
        self.reference = reference
        self.rows = rows
        self.positives = positives
        self.standardError = standardError
        self.referenceError = referenceError
        self.isMature = isMature
        self.isWatched = isWatched
    }

    var variance: Double {
        max(1e-12, standardError * standardError + referenceError * referenceError)
    }

    /// Labelled rows, of each class where there are classes, below which a window says nothing.
    static let leastRows = 15.0

    func saysSomething(_ measure: PerformanceMeasure) -> Bool {
        guard isMature, rows >= Self.leastRows, value.isFinite, reference.isFinite, standardError.isFinite else {
            return false
        }
        return measure != .auroc || min(positives, rows - positives) >= 2
    }
}
