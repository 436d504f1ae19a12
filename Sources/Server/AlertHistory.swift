import Events
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

    /// The alert as its page, its picture and `explain` show it: the state told last, with the evidence of the last time it fired, for what
    /// a window looks like in which all is well again explains nothing. `nil` where nothing was told or it cannot be read.
    package var alert: JSON? { Self.alert(transitions) }

    /// - Parameter transitions: lines of `alerts.jsonl`, oldest first.
    package static func alert(_ transitions: [String]) -> JSON? {
        let read = transitions.compactMap { try? JSON(parsing: $0.utf8) }
        guard let last = read.last, case .object(var members) = last else { return nil }
        let fired = read.last { $0["status"]?.stringValue == "firing" }
        guard let fired, last["status"]?.stringValue == "resolved", case .object(var context)? = fired["context"] else {
            return last
        }
        // What became of its actions is known since.
        if let actions = last["context"]?["actions"], actions.arrayValue?.isEmpty == false {
            context.removeAll { $0.key == "actions" }
            context.append(.init("actions", actions))
        }
        members.removeAll { $0.key == "context" }
        members.append(.init("context", .object(context)))
        return .object(members)
    }

    /// What the windows of an alert are shown by. A verdict on performance is a yes or no: its figure tells more.
    package static func metric(of context: JSON?) -> Metric? {
        let metric = context?["metric"]?.stringValue.flatMap { Metric(name: String($0.prefix { $0 != " " })) }
        guard metric == .concept_drift, let statistic = context?["evidence"]?["statistic"]?.stringValue else {
            return metric
        }
        return Metric(name: statistic) ?? .ece
    }

    /// A figure of performance as [reference, now].
    package static func performance(_ metric: Metric?, _ context: JSON?) -> (before: Double, now: Double)? {
        guard let metric, let pair = context?["comparison"]?["metrics"]?[metric.name]?.arrayValue, pair.count == 2,
            let before = pair[0].numberValue, let now = pair[1].numberValue
        else { return nil }
        return (before, now)
    }

    /// The level that the timeline is held against: the rule's threshold, or of a figure of performance that of the reference.
    package static func level(_ context: JSON?) -> Double? {
        if let pair = performance(metric(of: context), context) { return pair.before }
        return context?["threshold"]?.numberValue
    }

    /// The first window that shows the change. Where windows overlap, it may have begun anywhere in it.
    package static func firstWindow(_ context: JSON?) -> TimeRange? {
        func time(_ json: JSON?) -> Timestamp? { json?.stringValue.flatMap { Timestamp(rfc3339: $0) } }
        guard let begin = time(context?["change_start"]), let start = time(context?["window"]?["start"]),
            let end = time(context?["window"]?["end"])
        else { return nil }
        return TimeRange(start: begin, end: begin + (end - start))
    }

    /// The share of the segments' own shifts that is left in the whole, where segments really pushed against each other: a small share
    /// alone may be one small segment that is diluted.
    package static func cancelled(_ context: JSON) -> Double? {
        guard let ratio = context["cancellation"]?.numberValue, ratio < 0.3,
            (context["segments"]?.arrayValue ?? []).contains(where: { ($0["share"]?.numberValue ?? 0) < -0.25 })
        else { return nil }
        return ratio
    }
}
