import Foundation
import Kafka
import Ledger
import Logging
import Synchronization
import Values

/// The thread that reads Kafka: polls, counts, and at every step hands its counts with the offsets they cover to the engine. Offsets are
/// the ledger's; what is committed to the broker only shows lag.
final class KafkaWorker: Sendable {
    /// The name of this intake's activity.
    static let intakeName = "kafka"

    struct Parts: Sendable {
        let kafka: KafkaConfiguration
        let deadLetterKafka: KafkaConfiguration
        let topics: [Configuration.Topic]
        let deadLetterTopic: String
        let models: [MonitoredModel]
        let engine: Engine
        let ledger: Ledger
        let health: Health
        let clock: WallClock
        let log: Logger
        /// Told the lag of each partition now and then.
        let lag: @Sendable ([TopicPartition: Int64]) -> Void
        /// Told of messages the broker deleted before they were read.
        let lost: @Sendable (OffsetGap) -> Void
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
        thread.name = "holdfast-kafka"
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
        parts.health.set("kafka", "connecting")
        while !isStopping {
            do {
                let session = try KafkaSession(parts, isStopping: { [self] in isStopping })
                session.run()
                guard !isStopping else { return }
                // The client gave up for good (fenced, say): a new one goes on where the ledger stands.
                Thread.sleep(forTimeInterval: 1)
            } catch {
                parts.health.set("kafka", "\(error)")
                parts.log.error("Kafka cannot be started", metadata: ["reason": "\(error)"])
                Thread.sleep(forTimeInterval: 1)
            }
        }
    }
}
