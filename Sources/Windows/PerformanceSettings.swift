package import Events
package import Statistics
package import Values

/// How a change of what scores mean is looked for.
package enum DriftMethod: String, CaseIterable, Sendable {
    /// Evidence over windows in every segment, with a budget of false alarms.
    case sequential
    /// Classical detectors of all traffic's error rate.
    case ddm, page_hinkley, adwin
}

/// How a model's predictions meet their labels.
package struct PerformanceSettings: Sendable {
    package var task: PerformanceTask
    /// The class that counts as positive, of a binary model.
    package var positives: [String]
    /// The classes that labels of the reference have, of a binary model; empty where nobody knows.
    package var labelClasses: [String] = []
    /// A score from here on means positive, where events name no class.
    package var threshold: Double
    /// Predictions and labels further apart are not joined.
    package var horizon: Span
    /// The share of identities that are looked at.
    package var sample: Double
    /// The share of predictions with a label from which on a window may be judged before the horizon has passed; `nil` to go by what older
    /// windows reached.
    package var coverage: Double?
    /// How a change of concept is looked for in mature windows.
    package var drift = DriftMethod.sequential
    /// Of the quantum of a regression model's values.
    package var exponent: Int
    /// Of a ranking model: how many ranks of a query count, and the byte of an identity before which its query's name ends.
    package var cutoff = 10
    package var querySeparator = UInt8(ascii: "/")

    /// How the decoder reads labels and identities.
    package var outcome: OutcomeKind {
        switch task {
        case .binary: .positive(vocabulary)
        case .multiclass: .classes
        case .regression: .numbers
        case .ranking: .relevance(separator: querySeparator)
        }
    }

    /// What labels of a binary model can be.
    package var vocabulary: LabelVocabulary { LabelVocabulary(positives: positives, others: labelClasses) }

    package init(
        task: PerformanceTask, positives: [String] = ["1", "true", "True"], threshold: Double = 0.5,
        horizon: Span = .days(30), sample: Double = 1, coverage: Double? = nil, exponent: Int = 30
    ) {
        self.task = task
        self.positives = positives
        self.threshold = threshold
        self.horizon = horizon
        self.sample = sample
        self.coverage = coverage
        self.exponent = exponent
    }
}
