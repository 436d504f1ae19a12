import Events
import Foundation
import Kafka
import Logging
import Values

/// One consumer's life, on the worker's thread: polls, counts, and makes a step every second. While a step cannot be finished it goes
/// on polling, which keeps its place in the group, and leaves the messages where they are.
struct KafkaSession {
    private static let pollMaximum = 1_000
    private static let pollMilliseconds = 20
    /// While messages flow, those to come are let gather for so long: librdkafka wakes a thread that waits for them for each partition's
    /// few, and being woken costs more than counting them.
    private static let gatheringSeconds = 0.002

    private let parts: KafkaWorker.Parts
    private let isStopping: @Sendable () -> Bool
    private let progress: KafkaProgress
    private let consumer: KafkaConsumer

    init(_ parts: KafkaWorker.Parts, isStopping: @escaping @Sendable () -> Bool) throws {
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
        let progress = KafkaProgress(
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
        var waitingSince: Timestamp?
        var isFlowing = false
        while !isStopping(), !progress.isOver {
            let began = ThreadClock.nanoseconds
            var taking: Int64 = 0
            let taken = consumer.poll(
                maximum: Self.pollMaximum,
                timeoutMilliseconds: isFlowing && !progress.isWaiting ? 0 : Self.pollMilliseconds,
                takesMessages: !progress.isWaiting
            ) { batch in
                let lent = ThreadClock.nanoseconds
                progress.take(batch, names: consumer.topicNames) { consumer.watermarks(of: $0)?.high }
                taking = ThreadClock.nanoseconds - lent
            }
            progress.worked(ThreadClock.nanoseconds - began - taking, .consume)
            isFlowing = taken > 0
            progress.settle(consumer)
            progress.work()
            if let committable = progress.takeCommittable() {
                consumer.commit(committable)
                parts.metrics.lag(
                    progress.lanes.all.keys.reduce(into: [:]) { $0[$1] = consumer.lag(of: $1) }, worker: parts.name)
            }
            waitingSince = countWaiting(since: waitingSince)
            if isFlowing, taken < Self.pollMaximum { Thread.sleep(forTimeInterval: Self.gatheringSeconds) }
        }
        progress.finish()
        consumer.close()
        parts.metrics.lag([:], worker: parts.name)
    }

    /// - Returns: since when no messages have been taken, as far as it is not counted yet.
    private func countWaiting(since: Timestamp?) -> Timestamp? {
        guard since != nil || progress.isWaiting else { return nil }
        let now = parts.clock.now()
        if let since { parts.metrics.paused((now - since).seconds, worker: parts.name) }
        return progress.isWaiting ? now : nil
    }
}
