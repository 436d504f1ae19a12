import Server
import Synchronization
import Telemetry

/// What `/metrics` says of each model's join. Totals live in the ledger, so the counters go on after a restart where they stood.
final class JoinBoard: Sendable {
    private let shown = Mutex<[String: [String: UInt64]]>([:])

    func take(_ labels: LabelOverview, model: String, in registry: PrometheusRegistry) {
        shown.withLock { shown in
            for (outcome, count) in labels.totals {
                let before = shown[model]?[outcome] ?? 0
                registry.counter(.joins, ["model": model, "outcome": outcome]).add(Double(max(count, before) - before))
                shown[model, default: [:]][outcome] = max(count, before)
            }
        }
        for (kind, count) in labels.pending {
            registry.gauge(.joinWaiting, ["model": model, "kind": kind]).set(count)
        }
        registry.gauge(.joinBytes, ["model": model]).set(Double(labels.bytes))
    }
}
