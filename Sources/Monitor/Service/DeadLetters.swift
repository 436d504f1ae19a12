import Events
import Kafka
import Values

/// Messages that could not be used, on their way to the dead-letter topic. They must have arrived there before the ledger covers their
/// offsets, so every step settles those of its messages first.
struct DeadLetters: Sendable {
    /// A message with more unusable events than this is kept once, whole.
    static let perMessageMaximum = 100
    /// What the broker would refuse for its size is kept in part: the head says what it was.
    private static let valueBytes = 900_000
    private static let lastResortBytes = 10_000
    /// Past this the worker makes a step at once, or takes no more messages while one is being made.
    private static let waitingBytesMaximum = 32 << 20

    private let producer: KafkaProducer
    private let topic: String
    private var waiting: [KafkaRecord] = []
    private var waitingBytes = 0
    /// Letters handed to the producer, and what had failed there before.
    private var sent = 0
    private var failedBefore = 0
    private var failedRounds = 0

    init(producer: KafkaProducer, topic: String) {
        self.producer = producer
        self.topic = topic
    }

    var isFull: Bool { waitingBytes > Self.waitingBytesMaximum }

    /// Hands over the letters that wait, for one step to settle.
    mutating func take() -> DeadLetters {
        var taken = DeadLetters(producer: producer, topic: topic)
        swap(&taken, &self)
        return taken
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

    /// Keeps what one message's events were refused for.
    mutating func add(
        _ rejections: [Rejection], count: Int, message: UnsafeRawBufferPointer, topic: String, partition: Int32,
        offset: Int64
    ) {
        guard let first = rejections.first else { return }
        if count > Self.perMessageMaximum {
            let whole = Rejection(
                reason: first.reason,
                detail: "\(count) events of this message could not be used; the first: \(first.detail)",
                range: 0..<message.count, index: 0)
            append(whole, message, topic, partition, offset)
        } else {
            for rejection in rejections { append(rejection, message, topic, partition, offset) }
        }
    }

    private mutating func append(
        _ rejection: Rejection, _ message: UnsafeRawBufferPointer, _ topic: String, _ partition: Int32, _ offset: Int64
    ) {
        let range = rejection.range.clamped(to: 0..<message.count)
        let value = Array(message[range].prefix(Self.valueBytes))
        waitingBytes += value.count + 1_000
        waiting.append(
            KafkaRecord(
                topic: self.topic, value: value,
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
    /// - Returns: why it did not work yet, `nil` when all have arrived. Nothing is dropped: call it again.
    mutating func settle(timeoutMilliseconds: Int) -> String? {
        guard !waiting.isEmpty else { return nil }
        if sent == 0 { failedBefore = producer.counts.failed }
        while sent < waiting.count {
            do throws(KafkaError) {
                try producer.send(waiting[sent])
                sent += 1
            } catch {
                switch error.kind {
                case .messageTooLarge where (waiting[sent].value?.count ?? 0) > Self.lastResortBytes:
                    waiting[sent].value = waiting[sent].value.map { Array($0.prefix($0.count / 2)) }
                case .queueFull where producer.flush(timeoutMilliseconds: timeoutMilliseconds): continue
                default: return "dead-letter topic \(topic): \(error)"
                }
            }
        }
        guard producer.flush(timeoutMilliseconds: timeoutMilliseconds) else {
            return "dead-letter topic \(topic): the broker has not confirmed \(waiting.count) messages yet"
        }
        guard producer.counts.failed == failedBefore else {
            // Which ones failed is not known, so all go again; a reader drops repeats by partition and offset.
            sent = 0
            failedRounds += 1
            if failedRounds >= 3 {
                for i in waiting.indices {
                    waiting[i].value = waiting[i].value.map { Array($0.prefix(Self.lastResortBytes)) }
                }
            }
            return "dead-letter topic \(topic) cannot be written; does it exist, and may this user write to it?"
        }
        waiting.removeAll(keepingCapacity: true)
        waitingBytes = 0
        sent = 0
        failedRounds = 0
        return nil
    }
}
