import Kafka
import TestSupport
import Testing

@Suite struct SeekTests {
    @Test(arguments: [false, true])
    func `going back hands out everything from there once more, in order`(pauses: Bool) async throws {
        try await blocking {
            let broker = try TestBrokerProcess()
            try broker.send("topic t 2")
            for partition in Int32(0)..<2 {
                #expect(try broker.publish((0..<1_000).map { "\($0)" }, to: "t", partition: partition))
            }
            let (moved, other) = (TopicPartition("t", 0), TopicPartition("t", 1))
            let probe = try ConsumerProbe(broker.configuration(), topics: ["t"])
            // In the middle: most of the partition waits in the client's queue.
            while !probe.messages.contains(where: { $0.place == moved && $0.offset >= 10 }) { probe.poll(20) }
            let before = probe.messages
            if pauses { try probe.consumer.pause([moved]) }
            try probe.consumer.seek([moved: 5])
            #expect(probe.consumer.position(of: moved) == 5)
            if pauses {
                #expect(probe.poll { probe.ends()[other] == 1_000 })
                #expect(probe.messages.filter { $0.place == moved } == before.filter { $0.place == moved })
                try probe.consumer.resume([moved])
            }
            #expect(probe.poll { probe.ends().count == 2 })
            let since = probe.messages[before.count...].filter { $0.place == moved }
            #expect(since.map(\.offset) == Array(5..<1_000))
            #expect(probe.messages.filter { $0.place == other }.map(\.offset) == Array(0..<1_000))
            #expect(probe.gaps.isEmpty, "a move of our own is no gap")
            probe.consumer.close()
        }
    }

    @Test func `a partition that is not held cannot be moved`() async throws {
        try await blocking {
            let broker = try TestBrokerProcess()
            try broker.send("topic t 1")
            let probe = try ConsumerProbe(broker.configuration(), topics: ["t"])
            #expect(throws: KafkaError.self) { try probe.consumer.seek([TopicPartition("t", 7): 0]) }
            try probe.consumer.seek([:])
            probe.consumer.close()
        }
    }

    @Test func `messages that are not taken stay where they are, and a rebalance still gets through`() async throws {
        try await blocking {
            let broker = try TestBrokerProcess()
            try broker.send("topic t 2")
            for partition in Int32(0)..<2 {
                #expect(try broker.publish((0..<500).map { "\($0)" }, to: "t", partition: partition))
            }
            let first = try ConsumerProbe(broker.configuration(), topics: ["t"])
            #expect(first.poll { !first.memory.assignments.isEmpty })
            let taken = first.messages.count
            let second = try ConsumerProbe(broker.configuration(), topics: ["t"]) { _ in .offset(500) }
            let deadline = ContinuousClock.now + .seconds(25)
            while first.memory.assignments.count < 2, ContinuousClock.now < deadline {
                first.consumer.poll(maximum: 500, timeoutMilliseconds: 10, takesMessages: false) { _ in
                    Issue.record("a message was handed out")
                }
                second.poll()
            }
            #expect(first.messages.count == taken)
            let kept = try #require(first.consumer.assignment.first)
            #expect(first.consumer.assignment.count == 1)
            #expect(waitPolling([first, second]) { first.ends()[kept] == 500 })
            // Assigned anew from the beginning, as the probe asks.
            #expect(first.messages[taken...].filter { $0.place == kept }.map(\.offset) == Array(0..<500))
            first.consumer.close()
            second.consumer.close()
        }
    }
}
