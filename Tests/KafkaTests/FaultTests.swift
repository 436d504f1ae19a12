import Kafka
import TestSupport
import Testing

@Suite struct FaultTests {
    private let place = TopicPartition("t", 0)

    @Test func `an outage of all brokers is told and survived`() async throws {
        let place = place
        try await blocking {
            let broker = try TestBrokerProcess()
            try broker.send("topic t 1")
            #expect(try broker.publish(["before"], to: "t", partition: 0))
            let probe = try ConsumerProbe(broker.configuration(), topics: ["t"])
            #expect(probe.poll { probe.ends()[place] == 1 })
            try broker.send("down")
            #expect(probe.poll { probe.errors.contains { $0.kind == .brokersUnreachable } })
            #expect(!probe.errors.contains { $0.isFatal })
            try broker.send("up")
            #expect(try broker.publish(["after"], to: "t", partition: 0))
            #expect(probe.poll { probe.messages.count == 2 })
            #expect(probe.messages.map(\.text) == ["before", "after"])
            probe.consumer.close()
        }
    }

    @Test func `fetch errors are told and nothing is lost`() async throws {
        try await blocking {
            let broker = try TestBrokerProcess()
            try broker.send("topic t 1")
            let probe = try ConsumerProbe(broker.configuration(), topics: ["t"])
            #expect(probe.poll { !probe.ends().isEmpty })
            // Not leader, disconnected, unknown: the first two librdkafka mends in silence.
            for code in [6, -195, -1] { try broker.send("error 1 \(code) 2") }
            #expect(try broker.publish((0..<200).map { "\($0)" }, to: "t", partition: 0))
            #expect(probe.poll { probe.messages.count >= 200 })
            #expect(probe.messages.map(\.offset) == Array(0..<200))
            #expect(probe.errors.contains { $0.name == "UNKNOWN" })
            probe.consumer.close()
        }
    }

    @Test func `a refused commit is an event and reading goes on`() async throws {
        let place = place
        try await blocking {
            let broker = try TestBrokerProcess()
            try broker.send("topic t 1")
            #expect(try broker.publish(["0"], to: "t", partition: 0))
            let probe = try ConsumerProbe(broker.configuration(), topics: ["t"])
            #expect(probe.poll { probe.messages.count == 1 })
            try broker.send("error 8 22 1")
            probe.consumer.commit([place: 1])
            #expect(probe.poll { !probe.commitFailures.isEmpty })
            #expect(probe.commitFailures.first?.name == "ILLEGAL_GENERATION")
            #expect(try broker.publish(["1"], to: "t", partition: 0))
            #expect(probe.poll { probe.messages.contains { $0.offset == 1 } })
            probe.consumer.close()
        }
    }

    @Test func `messages deleted before they were read are counted`() async throws {
        let place = place
        try await blocking {
            let broker = try TestBrokerProcess()
            try broker.send("topic t 1")
            // The mock keeps 5 MiB: batches of 100 kB each, of which the first go.
            let producer = try broker.producer([("batch.num.messages", "10")])
            for _ in 0..<700 {
                try producer.send(KafkaRecord(topic: "t", partition: 0, value: [UInt8](repeating: 1, count: 10_000)))
            }
            producer.close(flushTimeoutMilliseconds: 10_000)
            #expect(producer.counts.delivered == 700)
            let probe = try ConsumerProbe(broker.configuration(), topics: ["t"]) { _ in .offset(3) }
            #expect(probe.poll { probe.ends()[place] == 700 })
            let first = try #require(probe.messages.first?.offset)
            #expect(first > 3)
            #expect(probe.gaps == [OffsetGap(partition: place, expected: 3, resumedAt: first, missing: first - 3)])
            #expect(probe.messages.map(\.offset) == Array(first..<700))
            probe.consumer.close()
        }
    }

    @Test func `a topic that is shorter than what was read starts over`() async throws {
        let place = place
        try await blocking {
            let broker = try TestBrokerProcess()
            try broker.send("topic t 1")
            #expect(try broker.publish((0..<10).map { "\($0)" }, to: "t", partition: 0))
            let probe = try ConsumerProbe(broker.configuration([("auto.offset.reset", "latest")]), topics: ["t"]) { _ in
                .offset(1_000)
            }
            #expect(probe.poll { probe.messages.count == 10 })
            #expect(probe.gaps == [OffsetGap(partition: place, expected: 1_000, resumedAt: 0, missing: 0)])
            #expect(probe.gaps.first?.wentBack == true)
            probe.consumer.close()
        }
    }
}
