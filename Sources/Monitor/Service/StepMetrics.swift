import Events
import Kafka
import Rules
import Statistics
import Synchronization
import Telemetry
import Values

/// What each step of the engine adds to `/metrics`.
struct StepMetrics: Sendable {
    /// Columns × metrics published for all traffic of each version, beside those that rules look at.
    private static let published: [Metric] = [
        .psi, .ks, .js_distance, .kl, .wasserstein_normed, .null_rate, .new_category_rate,
    ]

    let registry: PrometheusRegistry
    private let book: RuleBook
    private let lags = LagBoard()
    private let performance = PerformanceBoard()
    private let joins = JoinBoard()

    init(registry: PrometheusRegistry, book: RuleBook) {
        self.registry = registry
        self.book = book
    }

    func take(_ step: Engine.Step) {
        for (key, count) in step.events {
            registry.counter(.events, ["topic": key.topic, "type": key.kind.name]).add(Double(count))
        }
        for (key, count) in step.rejected {
            registry.counter(.rejected, ["topic": key.topic, "reason": key.reason.rawValue]).add(Double(count))
        }
        for (model, time) in step.watermarks { registry.gauge(.watermark, ["model": model]).set(time.seconds) }
        for (model, count) in step.lateRows { registry.counter(.lateEvents, ["model": model]).add(Double(count)) }
        for (model, count) in step.passedOver {
            registry.counter(.passedOverWindows, ["model": model]).add(Double(count))
        }
        for (model, labels) in step.labels { joins.take(labels, model: model, in: registry) }
        if step.unknownKeys > 0 { registry.counter(.unknownKeys).add(Double(step.unknownKeys)) }
        for (key, count) in step.segmentOverflow {
            registry.counter(.segmentOverflow, ["model": key.model, "dimension": key.dimension]).add(Double(count))
        }
        for (index, snapshot) in step.snapshots.enumerated() {
            takePerformance(snapshot)
            // A revision brings nothing but performance.
            guard snapshot.revision == 1 else { continue }
            if let now = step.now {
                registry.histogram(.windowClose).observe(max(0, (now - snapshot.window.end).seconds))
            }
            // Windows of several sizes in one series would jump between two truths.
            if step.ownSnapshots.contains(index) { take(snapshot) }
        }
        for (model, states) in step.alertStates {
            for state in ["pending", "firing"] {
                registry.gauge(.alerts, ["model": model, "state": state]).set(Double(states[state] ?? 0))
            }
        }
    }

    private func takePerformance(_ snapshot: Snapshot) {
        performance.take(snapshot) { values in
            registry.replaceGauges(.performance, scope: ["model": snapshot.model], with: values)
        }
    }

    private func take(_ snapshot: Snapshot) {
        let rules = book.rules
        let metrics = Set(Self.published).union(rules.metrics)
        // Not of every version: they share it.
        let compared = rules.metricsOfReference
        var values: [(labels: [String: String], value: Double)] = []
        var before: [(labels: [String: String], value: Double)] = []
        for row in snapshot.rows
        where row.segment.isAll && row.column != SnapshotRow.performanceColumn && row.field == nil {
            func labels(_ metric: Metric) -> [String: String] {
                ["model": snapshot.model, "version": row.version, "column": row.column, "metric": metric.name]
            }
            for metric in metrics {
                if let value = row.metrics[metric] { values.append((labels(metric), value)) }
            }
            guard row.version == SnapshotRow.allVersions else { continue }
            for metric in compared {
                if let value = row.referenceMetrics[metric] { before.append((labels(metric), value)) }
            }
        }
        registry.replaceGauges(.drift, scope: ["model": snapshot.model], with: values)
        registry.replaceGauges(.reference, scope: ["model": snapshot.model], with: before)
    }

    /// - Parameter partitions: all that the worker reads, with the messages that wait there.
    func lag(_ partitions: [TopicPartition: Int64], worker: String) {
        lags.set(partitions, worker: worker) { all in
            registry.replaceGauges(
                .consumerLag, scope: [:],
                with: all.map { (["topic": $0.key.topic, "partition": "\($0.key.partition)"], Double($0.value)) })
        }
    }

    func step(_ seconds: Double, worker: String) {
        registry.histogram(.stepSeconds, ["worker": worker]).observe(max(0, seconds))
    }

    /// - Parameter times: CPU time to add.
    func worked(_ times: WorkTimes, worker: String) {
        for stage in WorkStage.allCases where times[stage] > 0 {
            registry.counter(.workerCPU, ["worker": worker, "stage": stage.name]).add(Double(times[stage]) / 1e9)
        }
    }

    func paused(_ seconds: Double, worker: String) {
        registry.counter(.pausedSeconds, ["worker": worker]).add(max(0, seconds))
    }

    func refused(worker: String) { registry.counter(.refusedSteps, ["worker": worker]).add(1) }

    func schemaRequest(_ outcome: SchemaRegistry.Outcome) {
        registry.counter(.schemaRequests, ["outcome": outcome.rawValue]).add(1)
    }

    func held(_ partitions: Int, worker: String) {
        registry.gauge(.heldPartitions, ["worker": worker]).set(Double(partitions))
    }

    func lost(_ gap: OffsetGap) {
        registry.counter(.lostMessages, ["topic": gap.partition.topic]).add(Double(gap.missing))
    }
}

/// The lag of every worker's partitions, which are shown as one.
private final class LagBoard: Sendable {
    private let lags = Mutex<[String: [TopicPartition: Int64]]>([:])

    /// - Parameter show: told the lags of all workers, one caller at a time.
    func set(_ partitions: [TopicPartition: Int64], worker: String, show: ([TopicPartition: Int64]) -> Void) {
        lags.withLock { lags in
            lags[worker] = partitions
            // While a partition changes hands both may show it; either is right.
            show(lags.values.reduce(into: [:]) { $0.merge($1) { old, _ in old } })
        }
    }
}
