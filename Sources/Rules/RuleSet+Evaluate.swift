package import Statistics
package import Values

extension RuleSet {
    /// The alert that says a group has more instances than its limit.
    static let limitAlert = "RuleLimitExceeded"
    /// A group that names no limit has this one, so that a wrong rule cannot fill the state.
    static let standardLimit = 10_000

    /// Lets the rules of a window size look at one closed window, and gives the transitions that follow, in the order
    /// of rules and rows. A pure function: the same snapshots in the same order give the same alerts.
    ///
    /// State changes only when a window closes: a revision of a window already seen changes nothing.
    ///
    /// - Parameters:
    ///   - size: the nominal size of the window, where its length differs (a day of 23 hours).
    ///   - modelWindow: the model's own window size, for rules that name none.
    package func evaluate(
        snapshot: Snapshot, size: Span? = nil, modelWindow: Span, state: inout ModelAlertState
    ) -> [Alert] {
        let size = size ?? snapshot.window.length
        let clock = "\(size.microseconds)"
        if let last = state.evaluated[clock], snapshot.window.end <= last { return [] }
        state.evaluated[clock] = snapshot.window.end
        var evaluation = WindowEvaluation(rules: self, snapshot: snapshot, state: state)
        evaluation.resolveOrphans()
        for group in groups where group.holds(for: snapshot.model) {
            let due = group.rules.filter { ($0.window ?? modelWindow) == size && !$0.judgesPerformance }
            if !due.isEmpty { evaluation.evaluate(group, due, ownSize: size == modelWindow ? nil : size) }
        }
        state = evaluation.state
        return evaluation.alerts()
    }

    /// Lets the rules about performance look at a window whose labels are past their bias: long after it closed, and with the rows
    /// of its performance only. They look at nothing else, and each window size has a clock of its own for them.
    /// - Parameter at: when it is judged: when alerts begin and end.
    package func evaluate(
        performance snapshot: Snapshot, at: Timestamp, size: Span, modelWindow: Span, state: inout ModelAlertState
    ) -> [Alert] {
        let clock = "performance/\(size.microseconds)"
        if let last = state.evaluated[clock], snapshot.window.end <= last { return [] }
        state.evaluated[clock] = snapshot.window.end
        var evaluation = WindowEvaluation(rules: self, snapshot: snapshot, state: state, judgedAt: at)
        for group in groups where group.holds(for: snapshot.model) {
            let due = group.rules.filter { ($0.window ?? modelWindow) == size && $0.judgesPerformance }
            if !due.isEmpty { evaluation.evaluate(group, due, ownSize: size == modelWindow ? nil : size) }
        }
        state = evaluation.state
        return evaluation.alerts()
    }
}

extension Rule {
    /// The rule asks for a figure that early labels would get wrong: it waits until a window is mature.
    var judgesPerformance: Bool { expression.selectors.contains { $0.metric.needsMaturity } }
}
