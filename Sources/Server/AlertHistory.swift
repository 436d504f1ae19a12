package import Statistics
package import Values

/// The life of one alert: what was told of it, and the metric it is about, window by window.
package struct AlertHistory: Sendable {
    /// One window of the column and segment the alert is about.
    package struct Point: Sendable, Hashable {
        package let window: TimeRange
        /// `nil` where the window could not say.
        package let value: Double?
        package let rows: UInt64

        package init(window: TimeRange, value: Double?, rows: UInt64) {
            self.window = window
            self.value = value
            self.rows = rows
        }
    }

    /// Lines of `alerts.jsonl`, oldest first.
    package let transitions: [String]
    /// What `timeline` shows; `nil` where the alert is about no single metric.
    package let metric: Metric?
    /// Oldest first, up to the last transition.
    package let timeline: [Point]
    /// The metric computed anew from the stored histogram of the window the alert last told of; `nil` where none is stored.
    package let rederived: Double?

    package init(transitions: [String], metric: Metric?, timeline: [Point], rederived: Double?) {
        self.transitions = transitions
        self.metric = metric
        self.timeline = timeline
        self.rederived = rederived
    }
}
