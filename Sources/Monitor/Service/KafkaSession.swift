import Events
import Kafka
import Ledger
import Logging
import Values

/// One consumer's life, on the worker's thread: polls, counts, and makes a step every half second.
struct KafkaSession {
    private static let stepInterval = Span.milliseconds(500)
    private static let pollMaximum = 1_000
    private static let pollMilliseconds = 20

    private let parts: KafkaWorker.Parts
    private let isStopping: () -> Bool
    private let progress: KafkaProgress
    private let consumer: KafkaConsumer

    init(_ parts: KafkaWorker.Parts, isStopping: @escaping () -> Bool) throws {
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
        let progress = try KafkaProgress(
            parts, DeadLetters(producer: producer, topic: parts.deadLetterTopic), isStopping: isStopping)
        self.progress = progress
        consumer = try KafkaConsumer(
            configuration: parts.kafka, topics: parts.topics.map(\.name),
            handlers: KafkaConsumerHandlers(
                onAssigned: { progress.assign($0) }, onRevoked: { partitions, _ in progress.revoke(partitions) },
                onEvent: { progress.take($0) }, onLog: onLog))
    }

    /// Until the service stops, or the client can do no more.
    func run() {
        var nextStep = parts.clock.now() + Self.stepInterval
        while !isStopping(), !progress.isFatal {
            _ = consumer.poll(maximum: Self.pollMaximum, timeoutMilliseconds: Self.pollMilliseconds) { take($0) }
            let now = parts.clock.now()
            guard now >= nextStep else { continue }
            progress.step()
            consumer.commit(progress.committable)
            parts.lag(progress.assigned.keys.reduce(into: [:]) { $0[$1] = consumer.lag(of: $1) })
            nextStep = parts.clock.now() + Self.stepInterval
        }
        progress.step()
        consumer.close()
    }

    private func take(_ batch: borrowing KafkaBatch) {
        let now = parts.clock.now()
        let names = consumer.topicNames
        batch.forEach { message in
            let topic = names[message.topic]
            let partition = TopicPartition(topic, message.partition)
            let (number, offset, bytes) = (message.partition, message.offset, message.value)
            progress.cameFrom(partition)
            if !progress.wentBack.isEmpty,
                progress.isCovered(partition, offset, high: consumer.watermarks(of: partition)?.high)
            {
                return
            }
            var refused: [Rejection] = []
            var count = 0
            progress.intake.add(bytes, route: progress.route(partition), offset: offset, now: now) { rejection in
                count += 1
                if count <= DeadLetters.perMessageMaximum { refused.append(rejection) }
            }
            progress.deadLetters.add(
                refused, count: count, message: bytes, topic: topic, partition: number, offset: offset)
            if progress.deadLetters.isFull || progress.intake.isFull { progress.step() }
        }
        progress.reached()
    }
}
