import Detection
import Statistics
import Values

/// One instance of an expression's value over a snapshot.
///
/// Unlike in PromQL, an instance a comparison filters out stays, marked: "looked at and not so" and "could not look"
/// are different answers, and only the first may resolve an alert.
struct Sample {
    enum Truth {
        /// In the result.
        case holds
        /// Filtered out, on sufficient data.
        case clear
        /// No rows.
        case noData
        /// Rows, but fewer than the rule asks for, or too few to say the metric.
        case insufficient
        /// Fewer of the rows have labels than the rule asks for.
        case lateLabels

        var isKnown: Bool { self == .holds || self == .clear }
    }

    var labels: [String: String]
    var segment: Segment
    var value: Double
    var truth: Truth
    /// The row it came from first, for evidence.
    var row: Int?
    /// Its labels are those of its row and of no other, so that `row` says which instance it is.
    var isOfRow = false
    var metric: Metric?
    /// What judges it; `nil` where there is nothing to judge.
    var p: Double?
    /// The test that would judge it says nothing of these rows.
    var isUnjudged = false
    /// A number of the window itself, which a detector may watch; not one of the reference, an aggregate or a condition.
    var isJudged = false
    /// The number it was compared with last.
    var threshold: Double?
    /// What a detector says of it.
    var verdict: StreamVerdict?

    /// Takes a detector's verdict: open or not, unless the window shows too little to say anything new.
    mutating func decide(_ verdict: StreamVerdict) {
        // A later comparison of the same number adds its own verdict; the evidence told is that of the one that is open.
        if self.verdict?.isOpen != true { self.verdict = verdict }
        if truth == .holds { truth = verdict.isOpen ? .holds : .clear }
    }

    /// Two that enter one result: unknown beats false beats true, because a result is only as good as its parts.
    static func weakest(_ a: Truth, _ b: Truth) -> Truth {
        for truth in [Truth.noData, .insufficient, .lateLabels, .clear] where a == truth || b == truth { return truth }
        return .holds
    }
}

/// What an expression is worth: a number, or instances.
enum Operand {
    case scalar(Double)
    case vector([Sample])
}

/// An expression that cannot be evaluated on this snapshot.
struct EvaluationError: Error {
    var message: String
}

extension Snapshot {
    /// Where a detector, or the watch over mature windows, takes the change behind a sample to begin, or since when nothing comes; `nil`
    /// where none says.
    func changeStart(of sample: Sample) -> Timestamp? {
        if let start = sample.verdict?.changeStart { return start }
        guard let row = sample.row else { return nil }
        switch sample.metric {
        case .concept_drift: return rows[row].performance?.change?.since
        case .silence:
            // A rule test may state any number.
            return rows[row].metrics[.silence].flatMap { $0 >= 0 && $0 < 1e9 ? window.end - .seconds(Int64($0)) : nil }
        default: return nil
        }
    }
}
