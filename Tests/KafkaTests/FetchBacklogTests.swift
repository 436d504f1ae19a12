import TestSupport
import Testing

@testable import Kafka

@Suite struct FetchBacklogTests {
    @Test func `a fetching thread is woken once the queue was full and has been read`() {
        var backlog = FetchBacklog(bytes: 1_000, messages: 100)
        func isDue(after bytes: Int, _ messages: Int) -> Bool {
            backlog.took(bytes: bytes, messages: messages)
            return backlog.isDue()
        }
        #expect(!isDue(after: 400, 4))
        #expect(isDue(after: 100, 1))
        // And not again before as much has been read once more.
        #expect(!isDue(after: 499, 49))
        #expect(isDue(after: 0, 1))
        #expect(backlog.turn == 2)
    }

    /// librdkafka before 2.2 sleeps for a second each time its queue is full: this would take two minutes.
    @Test func `a backlog many times the queue is read without a pause`() async throws {
        try await blocking {
            let broker = try TestBrokerProcess()
            try broker.send("topic t 1")
            let count = 120
            let producer = try broker.producer([("batch.num.messages", "1")])
            for i in 0..<count {
                try producer.send(
                    KafkaRecord(topic: "t", partition: 0, value: [UInt8](repeating: UInt8(i), count: 4_000)))
            }
            producer.close(flushTimeoutMilliseconds: 10_000)
            #expect(producer.counts.delivered == count)
            let probe = try ConsumerProbe(
                broker.configuration([("queued.max.messages.kbytes", "1")]), topics: ["t"])
            #expect(probe.poll(seconds: 60) { probe.messages.count == count })
            #expect(probe.messages.map(\.offset) == Array(0..<Int64(count)))
            probe.consumer.close()
        }
    }

    @Test func `what bounds the queue is what was configured`() throws {
        let standard = try KafkaConfiguration(properties: [])
        #expect(standard.queueBytes == 8 << 20)
        #expect(standard.queueMessages == 400_000)
        let own = try KafkaConfiguration(properties: [
            ("queued.max.messages.kbytes", "64"), ("queued.min.messages", "10"),
        ])
        #expect(own.queueBytes == 64 << 10)
        #expect(own.queueMessages == 10)
    }

    @Test(arguments: [("message.max.bytes", "40000000"), ("receive.message.max.bytes", "8000000")])
    func `limits on messages need no second setting to agree with them`(name: String, value: String) throws {
        let configuration = try KafkaConfiguration(properties: [("group.id", "g"), (name, value)])
        let consumer = try KafkaConsumer(
            configuration: configuration, topics: ["t"],
            handlers: KafkaConsumerHandlers(
                onAssigned: { _ in [:] }, onRevoked: { _, _ in }, onEvent: { _ in }, onLog: { _ in }))
        consumer.close()
    }
}
