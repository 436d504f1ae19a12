package import Statistics
package import Values

extension RuleSet {
    /// The alert that says a group has more instances than its limit.
    package static let limitAlert = "RuleLimitExceeded"
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
    ///   - roles: which versions served as what.
    package func evaluate(
        snapshot: Snapshot, size: Span? = nil, modelWindow: Span, roles: RoleHistory = .none,
        state: inout ModelAlertState
    ) -> [Alert] {
        let size = size ?? snapshot.window.length
        let clock = "\(size.microseconds)"
        let last = state.evaluated[clock]
        if let last, snapshot.window.end <= last { return [] }
        state.evaluated[clock] = snapshot.window.end
        var evaluation = WindowEvaluation(
            rules: self, snapshot: snapshot, clock: clock, roles: roles, state: state,
            step: last.map { snapshot.window.end - $0 } ?? size)
        evaluation.resolveOrphans()
        for group in groups where group.holds(for: snapshot.model) {
            let due = group.rules.filter { ($0.window ?? modelWindow) == size }
            if !due.isEmpty { evaluation.evaluate(group, due, ownSize: size == modelWindow ? nil : size) }
        }
        evaluation.forgetHistories()
        state = evaluation.state
        return evaluation.alerts()
    }

    /// How far back each history of a model's rules is needed, by `RuleHistory.key`.
    func memories(model: String, clock: String) -> [String: Span] {
        var out: [String: Span] = [:]
        for group in groups where group.holds(for: model) {
            for rule in group.rules {
                for (history, _) in rule.expression.histories {
                    let key = RuleHistory.key(history, clock: clock, minimumRows: rule.minimumRows)
                    out[key] = max(out[key] ?? .zero, history.memory)
                }
            }
        }
        return out
    }
}
