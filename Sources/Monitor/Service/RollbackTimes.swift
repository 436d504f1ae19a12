import Logging
import Rules
import Values
import Windows

/// What people should expect of automatic rollbacks, said at the start.
enum RollbackTimes {
    /// The longest time, in event time, from the first bad row to the verdict: the row waits for its window, the verdict for
    /// so many windows in a row, and the last of them for its lateness. Labels that come late are not in it.
    static func worst(_ rule: Rule, _ request: ActionRequest.Rollback, _ window: WindowSettings) -> Span {
        let size = rule.window ?? window.size
        // Windows of another size slide by the model's own size.
        let every = rule.window.map { min($0, window.size) } ?? window.every
        let inARow = max(request.windows, rule.holdWindows)
        return size + every * Int64(inARow) + window.lateness
    }

    static func log(_ models: [MonitoredModel], _ rules: RuleSet, _ log: Logger) {
        for model in models {
            for (rule, request) in rules.rollbacks(of: model.name) {
                log.info(
                    "automatic rollback",
                    metadata: [
                        "model": "\(model.name)", "rule": "\(rule.name)", "mode": "\(request.mode.rawValue)",
                        "detects_within": "\(worst(rule, request, model.window))",
                    ])
            }
        }
    }
}

extension Rule {
    /// How many windows `for` asks for; one where it is a duration, whose windows depend on the model.
    fileprivate var holdWindows: Int { if case .windows(let count) = hold { max(1, count) } else { 1 } }
}
