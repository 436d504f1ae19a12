import Foundation
import Kafka
import Logging
import Synchronization
import Values

/// A thread that reads Kafka: polls, counts, and at every step hands its counts with the offsets they cover to the engine. Offsets are
/// the ledger's; what is committed to the broker only shows lag.
///
/// Several workers are members of one group: the broker divides the partitions among them, and they share nothing but the engine.
final class KafkaWorker: Sendable {
    /// The name of a worker's intake, of its metrics and of its part of the service's health.
    static func name(_ number: Int) -> String { "kafka-\(number)" }

    struct Parts: Sendable {
        let name: String
        let kafka: KafkaConfiguration
        let deadLetterKafka: KafkaConfiguration
        let topics: [Configuration.Topic]
        let deadLetterTopic: String
        let models: [MonitoredModel]
        let engine: Engine
        /// Where a topic is in Avro.
        let schemas: SchemaRegistry?
        let metrics: StepMetrics
        let health: Health
        let clock: WallClock
        let log: Logger
    }

    private let parts: Parts
    private let stopping: Flag
    private let finished = Mutex<(done: Bool, waiters: [CheckedContinuation<Void, Never>])>((false, []))

    init(_ parts: Parts, stopping: Flag) {
        self.parts = parts
        self.stopping = stopping
    }

    var isStopping: Bool { stopping.isSet }

    func start() {
        let thread = Thread { [self] in
            run()
            let waiters = finished.withLock { state in
                state.done = true
                defer { state.waiters = [] }
                return state.waiters
            }
            for waiter in waiters { waiter.resume() }
        }
        thread.name = "holdfast-\(parts.name)"
        thread.stackSize = 4 << 20
        thread.start()
    }

    /// Asks the thread to make its last step and leave the group.
    func stop() { stopping.set() }

    func waitUntilFinished() async {
        await withCheckedContinuation { continuation in
            let done = finished.withLock { state in
                if !state.done { state.waiters.append(continuation) }
                return state.done
            }
            if done { continuation.resume() }
        }
    }

    private func run() {
        parts.health.set(
            parts.name,
            "waiting for partitions; where another member was killed, the group waits until its session ends "
                + "(`session.timeout.ms`, 45 s unless set)")
        while !isStopping {
            do {
                let session = try KafkaSession(parts, isStopping: { [self] in isStopping })
                session.run()
                guard !isStopping else { return }
                // The client gave up for good, or counted what another has: a new one goes on where the ledger stands.
                parts.health.set(parts.name, "joining anew")
                Thread.sleep(forTimeInterval: 1)
            } catch {
                parts.health.set(parts.name, "\(error)")
                parts.log.error("Kafka cannot be started", metadata: ["reason": "\(error)"])
                Thread.sleep(forTimeInterval: 1)
            }
        }
    }
}
