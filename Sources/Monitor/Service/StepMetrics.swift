import Events
import Kafka
import Rules
import Statistics
import Telemetry
import Values

/// What each step of the engine adds to `/metrics`.
struct StepMetrics: Sendable {
    /// Columns × metrics published for all traffic of each version.
    private static let published: [Metric] = [
        .psi, .ks, .js_distance, .kl, .wasserstein_normed, .null_rate, .new_category_rate,
    ]

    let registry: PrometheusRegistry

    func take(_ step: Engine.Step) {
        for (key, count) in step.events {
            registry.counter(.events, ["topic": key.topic, "type": key.kind.name]).add(Double(count))
        }
        for (key, count) in step.rejected {
            registry.counter(.rejected, ["topic": key.topic, "reason": key.reason.rawValue]).add(Double(count))
        }
        for (model, time) in step.watermarks { registry.gauge(.watermark, ["model": model]).set(time.seconds) }
        for (model, count) in step.lateRows { registry.counter(.lateEvents, ["model": model]).add(Double(count)) }
        if step.unknownKeys > 0 { registry.counter(.unknownKeys).add(Double(step.unknownKeys)) }
        for snapshot in step.snapshots {
            if let now = step.now {
                registry.histogram(.windowClose).observe(max(0, (now - snapshot.window.end).seconds))
            }
            take(snapshot)
        }
        for (model, states) in step.alertStates {
            for state in ["pending", "firing"] {
                registry.gauge(.alerts, ["model": model, "state": state]).set(Double(states[state] ?? 0))
            }
        }
    }

    private func take(_ snapshot: Snapshot) {
        var values: [(labels: [String: String], value: Double)] = []
        for row in snapshot.rows where row.segment.isAll {
            for metric in Self.published {
                guard let value = row.metrics[metric] else { continue }
                values.append(
                    (
                        [
                            "model": snapshot.model, "version": row.version, "column": row.column,
                            "metric": metric.name,
                        ], value
                    ))
            }
        }
        registry.replaceGauges(.drift, scope: ["model": snapshot.model], with: values)
    }

    func lag(_ partitions: [TopicPartition: Int64]) {
        registry.replaceGauges(
            .consumerLag, scope: [:],
            with: partitions.map {
                (["topic": $0.key.topic, "partition": "\($0.key.partition)"], Double($0.value))
            })
    }

    func lost(_ gap: OffsetGap) {
        registry.counter(.lostMessages, ["topic": gap.partition.topic]).add(Double(gap.missing))
    }
}
