import Kafka
import TestSupport
import Testing

@Suite struct RebalanceTests {
    /// The owner's memory of how far each partition was read, as the ledger keeps it.
    private final class Offsets {
        var next: [TopicPartition: Int64] = [:]
    }

    @Test(arguments: ["range", "cooperative-sticky"])
    func `partitions change hands with no message lost or read twice`(strategy: String) async throws {
        try await blocking {
            let broker = try TestBrokerProcess()
            try broker.send("topic t 4")
            let configuration = try broker.configuration([("partition.assignment.strategy", strategy)])
            let offsets = Offsets()
            func member() throws -> ConsumerProbe {
                // What a member read is only written when it must hand over, as between two commits of a ledger.
                weak var late: ConsumerProbe?
                let probe = try ConsumerProbe(
                    configuration, topics: ["t"], start: { .offset(offsets.next[$0] ?? 0) },
                    onRevoked: { partitions in
                        for partition in partitions {
                            offsets.next[partition] = late?.consumer.position(of: partition)
                        }
                    })
                late = probe
                return probe
            }
            func publish(_ round: Int) throws {
                for partition in Int32(0)..<4 {
                    let texts = (0..<100).map { "\(round) \($0)" }
                    #expect(try broker.publish(texts, to: "t", partition: partition))
                }
            }
            try publish(0)
            let first = try member()
            #expect(first.poll { first.messages.count == 400 })
            let epoch = first.consumer.assignmentEpoch
            let second = try member()
            try publish(1)
            #expect(
                waitPolling([first, second]) {
                    first.consumer.assignment.count == 2 && second.consumer.assignment.count == 2
                })
            #expect(first.consumer.assignmentEpoch > epoch)
            #expect(Set(first.consumer.assignment).isDisjoint(with: second.consumer.assignment))
            try publish(2)
            #expect(waitPolling([first, second]) { first.messages.count + second.messages.count >= 1_200 })
            first.consumer.close()
            try publish(3)
            #expect(second.poll { second.consumer.assignment.count == 4 })
            #expect(second.poll { first.messages.count + second.messages.count >= 1_600 })
            second.consumer.close()

            let read = (first.messages + second.messages).map { "\($0.place) \($0.offset) \($0.text)" }
            #expect(read.count == 1_600)
            #expect(Set(read).count == 1_600)
            #expect(!second.messages.isEmpty)
            #expect(offsets.next.values.allSatisfy { $0 == 400 })
            #expect(first.gaps.isEmpty && second.gaps.isEmpty)
            if strategy == "cooperative-sticky" {
                #expect(first.memory.revocations.first?.count == 2, "only what moves is revoked")
            } else {
                #expect(first.memory.revocations.first?.count == 4)
            }
        }
    }
}
