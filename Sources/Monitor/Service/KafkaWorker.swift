import Events
import Foundation
import Kafka
import Ledger
import Logging
import Synchronization
import Values
import Windows

/// The thread that reads Kafka: polls, counts, and at every step hands its counts with the offsets they cover to the engine. Offsets are
/// the ledger's; what is committed to the broker only shows lag.
final class KafkaWorker: Sendable {
    /// A step is made this often while messages come.
    private static let stepInterval = Span.milliseconds(500)
    private static let pollMaximum = 1_000
    private static let pollMilliseconds = 20
    private static let intakeName = "kafka"

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
                var session = try KafkaSession(parts, isStopping: { [self] in isStopping })
                session.run()
                return
            } catch {
                parts.health.set("kafka", "\(error)")
                parts.log.error("Kafka cannot be started", metadata: ["reason": "\(error)"])
                Thread.sleep(forTimeInterval: 1)
            }
        }
    }

    /// One consumer's life. Lives on the worker's thread.
    private struct KafkaSession {
        let parts: Parts
        let isStopping: () -> Bool
        let box: Box
        let consumer: KafkaConsumer

        /// What the consumer's handlers and the loop share; all run on one thread.
        final class Box {
            let parts: Parts
            var intake: Intake
            var tracker: SourceTracker
            var deadLetters: DeadLetters
            var offsets: [String: Int64]
            var clocks: [[String: Timestamp]]
            var assigned: [TopicPartition: String] = [:]
            var unreachable: String?
            let isStopping: () -> Bool

            init(_ parts: Parts, _ deadLetters: DeadLetters, isStopping: @escaping () -> Bool) throws {
                self.parts = parts
                self.deadLetters = deadLetters
                self.isStopping = isStopping
                intake = Intake(parts.models)
                tracker = SourceTracker(idle: parts.models.map(\.configuration.idle))
                offsets = try parts.ledger.offsets()
                clocks = parts.engine.clocks()
            }

            static func name(_ partition: TopicPartition) -> String { "\(partition.topic)/\(partition.partition)" }

            func assign(_ partitions: [TopicPartition]) -> [TopicPartition: StartPosition] {
                let now = parts.clock.now()
                var starts: [TopicPartition: StartPosition] = [:]
                for partition in partitions {
                    let name = Self.name(partition)
                    assigned[partition] = name
                    let known = parts.models.indices.map { clocks[$0][name] }
                    for (model, clock) in known.enumerated() { intake.setClock(name, model: model, clock) }
                    tracker.add(name, clocks: known, at: now)
                    let fresh: StartPosition = parts.kafka["auto.offset.reset"] == "latest" ? .latest : .earliest
                    starts[partition] = offsets[name].map { .offset($0) } ?? fresh
                }
                tracker.isHeld = false
                parts.health.set("kafka", nil)
                parts.log.info(
                    "partitions assigned", metadata: ["partitions": "\(partitions.map(\.description).sorted())"])
                return starts
            }

            func revoke(_ partitions: [TopicPartition]) {
                step()
                for partition in partitions {
                    let name = Self.name(partition)
                    assigned[partition] = nil
                    tracker.remove(name)
                    for model in parts.models.indices { intake.setClock(name, model: model, nil) }
                }
                if assigned.isEmpty { parts.health.set("kafka", "waiting for partitions") }
            }

            func take(_ event: KafkaEvent) {
                switch event {
                case .endOfPartition(let partition, _):
                    tracker.reachedEnd(Self.name(partition), at: parts.clock.now())
                    reached()
                case .offsetOutOfRange(let gap):
                    parts.log.error(
                        "messages were deleted at the broker before they were read",
                        metadata: [
                            "partition": "\(gap.partition)", "missing": "\(gap.missing)",
                            "resumed_at": "\(gap.resumedAt)",
                        ])
                    parts.lost(gap)
                case .commitFailed(let error):
                    parts.log.debug("commit for lag display failed", metadata: ["reason": "\(error)"])
                case .error(let error, let partition):
                    if error.kind == .brokersUnreachable {
                        unreachable = "\(error)"
                        tracker.isHeld = true
                    }
                    let place = partition.map { " \($0)" } ?? ""
                    parts.health.set("kafka", "\(error)\(place)")
                    parts.log.warning("Kafka", metadata: ["error": "\(error)", "partition": "\(place)"])
                }
            }

            /// The brokers are there: messages or the end of a partition came.
            func reached() {
                guard unreachable != nil || tracker.isHeld, !assigned.isEmpty else { return }
                unreachable = nil
                tracker.isHeld = false
                parts.health.set("kafka", nil)
            }

            /// Dead letters first, then counts and offsets in one transaction. Tries until it works or the service stops.
            func step() {
                while let reason = deadLetters.settle(timeoutMilliseconds: 5_000) {
                    parts.health.set("dead letters", reason)
                    parts.log.error("dead letters wait", metadata: ["reason": "\(reason)"])
                    if isStopping() { return }
                }
                parts.health.set("dead letters", nil)
                let delta = intake.take()
                let now = parts.clock.now()
                tracker.take(delta.models, at: now)
                do throws(LedgerError) {
                    try parts.engine.submit(
                        delta, from: KafkaWorker.intakeName, activity: tracker.activity(at: now), now: now)
                    offsets.merge(delta.offsets) { _, new in new }
                    for (model, pane) in delta.models.enumerated() {
                        clocks[model].merge(pane.clocks, uniquingKeysWith: max)
                    }
                } catch {
                    parts.log.critical(
                        "the last step was not written; it is read again after a restart",
                        metadata: ["reason": "\(error)"])
                }
            }
        }

        init(_ parts: Parts, isStopping: @escaping () -> Bool) throws {
            self.parts = parts
            self.isStopping = isStopping
            let log = parts.log
            let onLog: @Sendable (KafkaLogLine) -> Void = { line in
                log.log(
                    level: line.level <= 3 ? .error : line.level <= 4 ? .warning : .debug, "\(line.text)",
                    metadata: ["facility": "\(line.facility)"])
            }
            let producer = try KafkaProducer(
                configuration: parts.deadLetterKafka,
                onError: { log.warning("Kafka producer", metadata: ["error": "\($0)"]) }, onLog: onLog)
            let box = try Box(
                parts, DeadLetters(producer: producer, topic: parts.deadLetterTopic), isStopping: isStopping)
            self.box = box
            consumer = try KafkaConsumer(
                configuration: parts.kafka, topics: parts.topics.map(\.name),
                handlers: KafkaConsumerHandlers(
                    onAssigned: { box.assign($0) }, onRevoked: { partitions, _ in box.revoke(partitions) },
                    onEvent: { box.take($0) }, onLog: onLog))
        }

        mutating func run() {
            var nextStep = parts.clock.now() + KafkaWorker.stepInterval
            var nextProbe = parts.clock.now()
            while !isStopping() {
                _ = consumer.poll(maximum: KafkaWorker.pollMaximum, timeoutMilliseconds: KafkaWorker.pollMilliseconds) {
                    take($0)
                }
                let now = parts.clock.now()
                guard now >= nextStep else { continue }
                box.step()
                consumer.commit(committable())
                parts.lag(lag())
                if box.unreachable != nil, now >= nextProbe, let partition = box.assigned.keys.min() {
                    // An empty partition brings no message when its broker returns, so ask.
                    if consumer.isReachable(partition, timeoutMilliseconds: 1_000) { box.reached() }
                    nextProbe = now + .seconds(3)
                }
                nextStep = parts.clock.now() + KafkaWorker.stepInterval
            }
            box.step()
            consumer.close()
        }

        private func take(_ batch: borrowing KafkaBatch) {
            let now = parts.clock.now()
            let names = consumer.topicNames
            batch.forEach { message in
                let topic = names[message.topic]
                let partition = TopicPartition(topic, message.partition)
                let defaults = parts.topics.first { $0.name == topic }?.defaults ?? TopicDefaults()
                let (number, offset) = (message.partition, message.offset)
                let bytes = message.value
                box.intake.add(
                    bytes, source: box.assigned[partition] ?? Box.name(partition), offset: offset, topic: topic,
                    defaults: defaults, now: now
                ) { rejection in
                    box.deadLetters.add(rejection, message: bytes, topic: topic, partition: number, offset: offset)
                }
            }
            box.reached()
        }

        private func committable() -> [TopicPartition: Int64] {
            box.assigned.reduce(into: [:]) { $0[$1.key] = box.offsets[$1.value] }
        }

        private func lag() -> [TopicPartition: Int64] {
            box.assigned.keys.reduce(into: [:]) { $0[$1] = consumer.lag(of: $1) }
        }
    }
}
