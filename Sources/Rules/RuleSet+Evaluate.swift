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
        return evaluate(
            snapshot, size, modelWindow: modelWindow, clock: "\(size.microseconds)", roles, &state, mature: false)
    }

    /// Lets the rules about performance look at a window whose labels are past their bias: long after it closed, and with the rows
    /// of its performance only. They look at nothing else, and each window size has a clock of its own for them.
    /// Windows come in order; one that is older than another of its size that was judged is passed over.
    /// - Parameter at: when it is judged: when alerts change.
    package func evaluate(
        performance snapshot: Snapshot, at: Timestamp, size: Span, modelWindow: Span, roles: RoleHistory = .none,
        state: inout ModelAlertState
    ) -> [Alert] {
        evaluate(
            snapshot, size, modelWindow: modelWindow, clock: "performance/\(size.microseconds)", roles, &state,
            mature: true, judgedAt: at)
    }

    /// Lets the rules that compare with a further reference look at the same window against it.
    package func evaluate(
        snapshot: Snapshot, against reference: FurtherReference, size: Span, modelWindow: Span,
        roles: RoleHistory = .none, state: inout ModelAlertState
    ) -> [Alert] {
        evaluate(
            snapshot, size, modelWindow: modelWindow, clock: "\(reference.rawValue)/\(size.microseconds)", roles,
            &state,
            mature: false, against: reference)
    }

    private func evaluate(
        _ snapshot: Snapshot, _ size: Span, modelWindow: Span, clock: String, _ roles: RoleHistory,
        _ state: inout ModelAlertState, mature: Bool,
        against: FurtherReference? = nil, judgedAt: Timestamp? = nil
    ) -> [Alert] {
        let last = state.evaluated[clock]
        if let last, snapshot.window.end <= last { return [] }
        state.evaluated[clock] = snapshot.window.end
        var evaluation = WindowEvaluation(
            rules: self, snapshot: snapshot, clock: clock, step: last.map { snapshot.window.end - $0 } ?? size,
            roles: roles, state: state, judgedAt: judgedAt, pass: mature ? Rule.performancePass : against?.rawValue)
        if !mature, against == nil { evaluation.resolveOrphans() }
        for group in groups where group.holds(for: snapshot.model) {
            let due = group.rules.filter {
                ($0.window ?? modelWindow) == size && $0.judgesPerformance == mature && $0.against == against
            }
            if !due.isEmpty { evaluation.evaluate(group, due, ownSize: size == modelWindow ? nil : size) }
        }
        evaluation.forgetHistories()
        let alerts = evaluation.alerts(clock: clock, roles.champions)
        state = evaluation.state
        return alerts
    }

    /// The further references that rules of a model name.
    package func references(model: String) -> Set<FurtherReference> {
        Set(groups.filter { $0.holds(for: model) }.flatMap { $0.rules.compactMap(\.against) })
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

extension Rule {
    /// The rule asks for a figure that early labels would get wrong: it waits until a window is mature.
    /// What is asked of the reference is known at any time.
    var judgesPerformance: Bool { expression.selectorsOfWindow.contains { $0.metric.needsMaturity } }

    static let performancePass = "performance"
    /// Which pass over a window the rule is part of; `nil` for that of the model's own reference.
    var pass: String? { judgesPerformance ? Self.performancePass : against?.rawValue }
}
