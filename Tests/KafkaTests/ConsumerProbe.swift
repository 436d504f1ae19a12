import Foundation
import Kafka
import TestSupport

/// A consumer with a memory of everything it was told. Lives on one thread.
final class ConsumerProbe {
    struct Message: Equatable {
        let place: TopicPartition
        let offset: Int64
        let value: [UInt8]?
        let key: [UInt8]?
        let headers: [KafkaHeader]
        let timestampMilliseconds: Int64?
        let epoch: UInt64

        var text: String { String(decoding: value ?? [], as: UTF8.self) }
    }

    /// What the handlers write to; apart from the probe, so that the consumer's closures do not hold the consumer.
    final class Memory {
        var assignments: [[TopicPartition]] = []
        var revocations: [[TopicPartition]] = []
        var events: [KafkaEvent] = []
    }

    let memory = Memory()
    let consumer: KafkaConsumer
    var messages: [Message] = []

    init(
        _ configuration: KafkaConfiguration, topics: [String],
        start: @escaping (TopicPartition) -> StartPosition = { _ in .earliest },
        onRevoked: @escaping ([TopicPartition]) -> Void = { _ in }
    ) throws {
        let memory = memory
        consumer = try KafkaConsumer(
            configuration: configuration, topics: topics,
            handlers: KafkaConsumerHandlers(
                onAssigned: { partitions in
                    memory.assignments.append(partitions.sorted())
                    return Dictionary(uniqueKeysWithValues: partitions.map { ($0, start($0)) })
                },
                onRevoked: { partitions, _ in
                    memory.revocations.append(partitions.sorted())
                    onRevoked(partitions)
                },
                onEvent: { memory.events.append($0) }, onLog: { _ in }))
    }

    /// One poll of at most 10 ms.
    func poll(_ maximum: Int = 500) {
        consumer.poll(maximum: maximum, timeoutMilliseconds: 10) { batch in
            let epoch = batch.assignmentEpoch
            batch.forEach { message in
                messages.append(
                    Message(
                        place: TopicPartition(consumer.topicNames[message.topic], message.partition),
                        offset: message.offset, value: message.value.baseAddress == nil ? nil : [UInt8](message.value),
                        key: message.key.baseAddress == nil ? nil : [UInt8](message.key),
                        headers: message.headers(), timestampMilliseconds: message.timestampMilliseconds,
                        epoch: epoch))
            }
        }
    }

    /// Polls until the condition holds; `false` where it did not in time.
    func poll(seconds: Double = 25, until condition: () -> Bool) -> Bool {
        waitPolling([self], seconds: seconds, until: condition)
    }

    func ends() -> [TopicPartition: Int64] {
        var result: [TopicPartition: Int64] = [:]
        for case .endOfPartition(let place, let offset) in memory.events { result[place] = offset }
        return result
    }

    var errors: [KafkaError] {
        memory.events.compactMap { event in
            if case .error(let error, _) = event { error } else { nil }
        }
    }

    var gaps: [OffsetGap] {
        memory.events.compactMap { event in
            if case .offsetOutOfRange(let gap) = event { gap } else { nil }
        }
    }

    var commitFailures: [KafkaError] {
        memory.events.compactMap { event in
            if case .commitFailed(let error) = event { error } else { nil }
        }
    }
}

/// Polls several consumers in turn, each at most 10 ms, until the condition holds.
func waitPolling(_ probes: [ConsumerProbe], seconds: Double = 25, until condition: () -> Bool) -> Bool {
    let deadline = ContinuousClock.now + .seconds(seconds)
    while !condition() {
        if ContinuousClock.now > deadline { return false }
        for probe in probes { probe.poll() }
    }
    return true
}

extension TestBrokerProcess {
    /// What suits the mock: short waits, and the shortest session it lets join.
    func configuration(_ more: [(String, String)] = []) throws -> KafkaConfiguration {
        try KafkaConfiguration(
            properties: [
                ("bootstrap.servers", bootstrap), ("group.id", "tests"), ("session.timeout.ms", "4000"),
                ("heartbeat.interval.ms", "500"), ("fetch.wait.max.ms", "10"), ("fetch.error.backoff.ms", "100"),
                ("reconnect.backoff.max.ms", "500"),
            ] + more)
    }

    func producer(_ more: [(String, String)] = []) throws -> KafkaProducer {
        try KafkaProducer(
            configuration: configuration([("linger.ms", "5")] + more), onError: { _ in }, onLog: { _ in })
    }

    /// Delivers texts to one partition; `true` where all arrived.
    func publish(_ texts: [String], to topic: String, partition: Int32) throws -> Bool {
        let producer = try producer()
        for text in texts {
            try producer.send(KafkaRecord(topic: topic, partition: partition, value: [UInt8](text.utf8)))
        }
        producer.close(flushTimeoutMilliseconds: 10_000)
        return producer.counts.delivered == texts.count
    }
}
