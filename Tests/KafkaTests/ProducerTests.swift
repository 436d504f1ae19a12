import Kafka
import TestSupport
import Testing

@Suite struct ProducerTests {
    @Test func `a confirmed delivery says where the message is`() async throws {
        let broker = try TestBrokerProcess()
        try broker.send("topic dead 2")
        let producer = try broker.producer()
        let first = try await producer.sendAndWait(KafkaRecord(topic: "dead", partition: 1, value: [1]))
        let second = try await producer.sendAndWait(KafkaRecord(topic: "dead", partition: 1, value: [2]))
        #expect(first == KafkaDelivery(partition: 1, offset: 0))
        #expect(second == KafkaDelivery(partition: 1, offset: 1))
        #expect(producer.counts == DeliveryCounts(accepted: 2, delivered: 2, failed: 0))
    }

    @Test func `what the broker refuses is an error and not counted as delivered`() async throws {
        let broker = try TestBrokerProcess()
        try broker.send("topic dead 1")
        let producer = try broker.producer()
        try broker.send("error 0 87 1")
        let error = await #expect(throws: KafkaError.self) {
            try await producer.sendAndWait(KafkaRecord(topic: "dead", partition: 0, value: [1]))
        }
        #expect(error?.name == "INVALID_RECORD")
        #expect(producer.counts.failed == 1)
    }

    @Test func `a full queue refuses, and closing tells those who wait`() async throws {
        let configuration = try KafkaConfiguration(properties: [
            ("bootstrap.servers", "127.0.0.1:1"), ("queue.buffering.max.messages", "3"),
        ])
        let producer = try KafkaProducer(configuration: configuration, onError: { _ in }, onLog: { _ in })
        let record = KafkaRecord(topic: "t", value: [1])
        async let waiting = outcome(producer, record)
        while producer.counts.accepted == 0 { await Task.yield() }
        try producer.send(record)
        try producer.send(record)
        let full = #expect(throws: KafkaError.self) { try producer.send(record) }
        #expect(full?.kind == .queueFull)
        #expect(!producer.flush(timeoutMilliseconds: 0))
        try await blocking { producer.close(flushTimeoutMilliseconds: 0) }
        guard case .failure = await waiting else {
            Issue.record("the waiting sender was told of a delivery")
            return
        }
        #expect(producer.counts == DeliveryCounts(accepted: 3, delivered: 0, failed: 3))
        let closed = #expect(throws: KafkaError.self) { try producer.send(record) }
        #expect(closed?.kind == .closed)
    }

    @Test func `a message over the limit is refused at once`() throws {
        let configuration = try KafkaConfiguration(properties: [
            ("bootstrap.servers", "127.0.0.1:1"), ("message.max.bytes", "1000"),
        ])
        let producer = try KafkaProducer(configuration: configuration, onError: { _ in }, onLog: { _ in })
        let error = #expect(throws: KafkaError.self) {
            try producer.send(KafkaRecord(topic: "t", value: [UInt8](repeating: 0, count: 2_000)))
        }
        #expect(error?.kind == .messageTooLarge)
        #expect(producer.counts.accepted == 0)
    }

    private func outcome(
        _ producer: KafkaProducer, _ record: KafkaRecord
    ) async -> Result<KafkaDelivery, KafkaError> {
        do throws(KafkaError) { return .success(try await producer.sendAndWait(record)) } catch {
            return .failure(error)
        }
    }
}
