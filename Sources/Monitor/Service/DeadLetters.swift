import Events
import Kafka
import Values

/// Messages that could not be used, on their way to the dead-letter topic. They must have arrived there before the ledger covers their
/// offsets, so the worker settles them at every step.
struct DeadLetters {
    private let producer: KafkaProducer
    private let topic: String
    private var waiting: [KafkaRecord] = []

    init(producer: KafkaProducer, topic: String) {
        self.producer = producer
        self.topic = topic
    }

    /// A consumer's properties without those that mean nothing to a producer.
    static func producerProperties(_ properties: [(String, String)]) -> [(String, String)] {
        let consumerOnly = [
            "group.", "session.timeout.ms", "heartbeat.interval.ms", "max.poll.interval.ms", "auto.offset.reset",
            "fetch.", "partition.assignment.strategy", "queued.", "isolation.level", "check.crcs", "enable.auto.",
            "enable.partition.eof", "auto.commit.", "coordinator.query.", "allow.auto.create.topics",
        ]
        let kept = properties.filter { property in !consumerOnly.contains { property.0.hasPrefix($0) } }
        // A broken broker must not hold up the last step for minutes.
        return kept.contains { $0.0 == "message.timeout.ms" } ? kept : kept + [("message.timeout.ms", "30000")]
    }

    mutating func add(
        _ rejection: Rejection, message: UnsafeRawBufferPointer, topic: String, partition: Int32, offset: Int64
    ) {
        let range = rejection.range.clamped(to: 0..<message.count)
        // What the broker would refuse for its size is kept in part: the head says what it was.
        let value = message[range].prefix(900_000)
        waiting.append(
            KafkaRecord(
                topic: self.topic, value: Array(value),
                headers: [
                    KafkaHeader("holdfast.reason", text: rejection.reason.rawValue),
                    KafkaHeader("holdfast.detail", text: rejection.detail),
                    KafkaHeader("holdfast.topic", text: topic),
                    KafkaHeader("holdfast.partition", text: "\(partition)"),
                    KafkaHeader("holdfast.offset", text: "\(offset)"),
                    KafkaHeader("holdfast.index", text: "\(rejection.index)"),
                    KafkaHeader("holdfast.bytes", text: "\(range.count)"),
                ]))
    }

    /// Sends all that wait and waits for the broker's word.
    /// - Returns: why it did not work, `nil` when all have arrived. Nothing is dropped: call it again.
    mutating func settle(timeoutMilliseconds: Int) -> String? {
        guard !waiting.isEmpty else { return nil }
        let failedBefore = producer.counts.failed
        do throws(KafkaError) {
            for record in waiting { try producer.send(record) }
        } catch {
            _ = producer.flush(timeoutMilliseconds: timeoutMilliseconds)
            return "dead-letter topic \(topic): \(error)"
        }
        guard producer.flush(timeoutMilliseconds: timeoutMilliseconds), producer.counts.failed == failedBefore else {
            return "dead-letter topic \(topic) cannot be written; does it exist, and may this user write to it?"
        }
        waiting.removeAll(keepingCapacity: true)
        return nil
    }
}
