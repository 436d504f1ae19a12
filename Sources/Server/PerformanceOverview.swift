package import Statistics
package import Values

/// A model's performance over its last windows, as the first page shows it: all traffic, all versions.
package struct PerformanceOverview: Sendable {
    /// One window.
    package struct Point: Sendable {
        package let window: TimeRange
        /// The headline figure of the labels that are there; `nil` without.
        package let value: Double?
        /// The share of predictions with a label.
        package let coverage: Double
        /// Labels are past their bias.
        package let isMature: Bool
        /// What is estimated without labels, with its interval.
        package let estimate: (value: Double, low: Double, high: Double)?

        package init(
            window: TimeRange, value: Double?, coverage: Double, isMature: Bool,
            estimate: (value: Double, low: Double, high: Double)?
        ) {
            self.window = window
            self.value = value
            self.coverage = coverage
            self.isMature = isMature
            self.estimate = estimate
        }
    }

    /// One bin of the reliability curve.
    package struct Reliability: Sendable {
        package let score: Double
        package let positives: Double
        package let rows: Int64

        package init(score: Double, positives: Double, rows: Int64) {
            self.score = score
            self.positives = positives
            self.rows = rows
        }
    }

    /// The headline figure: `auroc`, `accuracy` or `mae`.
    package let metric: Metric
    /// Its value on the reference.
    package let reference: Double?
    /// Oldest first.
    package let points: [Point]
    /// Of the newest mature window, or else the newest with labels; bins without rows are left out.
    package let reliability: [Reliability]
    package let reliabilityWindow: TimeRange?

    package init(
        metric: Metric, reference: Double?, points: [Point], reliability: [Reliability], reliabilityWindow: TimeRange?
    ) {
        self.metric = metric
        self.reference = reference
        self.points = points
        self.reliability = reliability
        self.reliabilityWindow = reliabilityWindow
    }
}
