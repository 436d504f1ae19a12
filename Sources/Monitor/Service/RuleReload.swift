import Foundation
import Logging
import Rules
import ServiceLifecycle
import StrictYAML
import Telemetry
import UnixSignals
import Values
import Windows

/// Reads the rules anew on SIGHUP. Rules with a mistake are refused whole: the old ones stay in force, the log says why, and `/metrics`
/// shows it. Alerts live on: an instance keeps its state as long as its rule keeps its name, expression and labels.
struct RuleReload: Service {
    /// Of the configuration, which names the rule files.
    let path: String
    let models: [MonitoredModel]
    /// Of the running service: new ones need a restart.
    let receivers: [String]
    let book: RuleBook
    let metrics: PrometheusRegistry
    let clock: WallClock
    let log: Logger

    func run() async throws {
        loaded()
        for await _ in await UnixSignalsSequence(trapping: .sighup).cancelOnGracefulShutdown() { reload() }
    }

    private func reload() {
        do throws(Problems) {
            let rules = try read()
            book.replace(rules)
            loaded()
            metrics.counter(.reloads, ["outcome": "loaded"]).add(1)
            log.notice("rules reloaded", metadata: ["rules": "\(rules.rules.count)"])
        } catch {
            metrics.gauge(.reloadSuccessful).set(0)
            metrics.counter(.reloads, ["outcome": "refused"]).add(1)
            for problem in error.list { log.error("rules not reloaded", metadata: ["problem": "\(problem)"]) }
            log.error("the old rules stay in force", metadata: ["problems": "\(error.list.count)"])
        }
    }

    private func loaded() {
        metrics.gauge(.reloadSuccessful).set(1)
        metrics.gauge(.reloadTime).set(clock.now().seconds)
    }

    private func read() throws(Problems) -> RuleSet {
        let rules = try ConfigurationReader.read(path).rules
        var problems = ProblemCollector()
        problems.add(Problems(rules.check(against: models.map(\.catalog), receivers: receivers)))
        for group in rules.groups {
            for rule in group.rules {
                guard let window = rule.window else { continue }
                for model in models where group.holds(for: model.name) && !model.counts(window) {
                    problems.add(
                        "`\(rule.name)` asks for windows of \(window), which the running service does not count for model `\(model.name)`: restart it",
                        at: rule.places.name)
                }
            }
        }
        try problems.throwIfAny()
        return rules
    }
}

extension MonitoredModel {
    /// Whether windows of this size close.
    fileprivate func counts(_ size: Span) -> Bool { shapes.contains { $0.size == size } }
}
