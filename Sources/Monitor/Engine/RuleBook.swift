import Detection
import Rules
import Statistics
import Synchronization

/// The rules in force, and which versions of each model serve as what. Both may be replaced while the engine runs; a window is judged by
/// what holds when it closes.
final class RuleBook: Sendable {
    private struct State {
        var rules: RuleSet
        /// By model.
        var roles: [String: RoleHistory] = [:]
    }

    private let state: Mutex<State>

    init(_ rules: RuleSet) { state = Mutex(State(rules: rules)) }

    var rules: RuleSet { state.withLock { $0.rules } }
    func replace(_ rules: RuleSet) { state.withLock { $0.rules = rules } }

    func roles(model: String) -> RoleHistory { state.withLock { $0.roles[model] ?? .none } }
    func setRoles(_ roles: RoleHistory, model: String) { state.withLock { $0.roles[model] = roles } }
}

extension RuleSet {
    /// Metrics that rules look at, and the tests that judge them: what `/metrics` shows so that exported rules find it.
    var metrics: Set<Metric> {
        rules.reduce(into: []) { out, rule in
            for selector in rule.expression.selectors {
                out.insert(selector.metric)
                if selector.metric.isDistance { out.insert(Significance.test(of: selector.metric)) }
            }
            if rule.minimumRows > 0 { out.insert(.count) }
        }
    }

    /// Metrics that rules look at in the reference.
    var metricsOfReference: Set<Metric> {
        rules.reduce(into: []) { out, rule in out.formUnion(rule.expression.selectorsOfReference.map(\.metric)) }
    }
}
