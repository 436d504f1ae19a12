import Kafka
import TestSupport
import Testing

@Suite struct ConsumerTests {
    private static let codecs = ["none", "gzip", "snappy", "lz4", "zstd"]

    @Test func `keys, headers, null values and every compression survive`() async throws {
        try await blocking {
            let broker = try TestBrokerProcess()
            try broker.send("topic t 1")
            var sent: [KafkaRecord] = []
            for codec in Self.codecs {
                let producer = try broker.producer([("compression.type", codec)])
                let records = [
                    KafkaRecord(
                        topic: "t", partition: 0, key: [UInt8](codec.utf8), value: [UInt8](repeating: 7, count: 2_000),
                        headers: [KafkaHeader("why", text: codec), KafkaHeader("why", nil), KafkaHeader("empty", [])],
                        timestampMilliseconds: 1_767_225_600_000),
                    KafkaRecord(topic: "t", partition: 0, key: [1, 0, 2], value: nil, timestampMilliseconds: 5),
                    KafkaRecord(topic: "t", partition: 0, key: [], value: [], timestampMilliseconds: 6),
                    KafkaRecord(topic: "t", partition: 0, value: [0, 255], timestampMilliseconds: 7),
                ]
                for record in records { try producer.send(record) }
                producer.close(flushTimeoutMilliseconds: 10_000)
                #expect(producer.counts == DeliveryCounts(accepted: 4, delivered: 4, failed: 0))
                sent += records
            }
            let probe = try ConsumerProbe(broker.configuration(), topics: ["t"])
            #expect(probe.poll { probe.ends()[TopicPartition("t", 0)] == Int64(sent.count) })
            #expect(probe.messages.map(\.offset) == Array(0..<Int64(sent.count)))
            for (message, record) in zip(probe.messages, sent) {
                #expect(message.value == record.value)
                #expect(message.key == record.key)
                #expect(message.headers == record.headers)
                #expect(message.timestampMilliseconds == record.timestampMilliseconds)
            }
            #expect(probe.errors.isEmpty)
            probe.consumer.close()
        }
    }

    @Test func `a batch is lent run by run, each of one partition, and a run nobody reads is given back`() async throws
    {
        try await blocking {
            let broker = try TestBrokerProcess()
            try broker.send("topic t 3")
            for partition in Int32(0)..<3 {
                #expect(try broker.publish((0..<10).map { "\($0)" }, to: "t", partition: partition))
            }
            let memory = ConsumerProbe.Memory()
            let consumer = try KafkaConsumer(
                configuration: broker.configuration(), topics: ["t"],
                handlers: KafkaConsumerHandlers(
                    onAssigned: { Dictionary(uniqueKeysWithValues: $0.map { ($0, .earliest) }) },
                    onRevoked: { _, _ in }, onEvent: { memory.events.append($0) }, onLog: { _ in }))
            var read: [Int32: [Int64]] = [:]
            var passed = 0
            let deadline = ContinuousClock.now + .seconds(25)
            while read.values.map(\.count).reduce(passed, +) < 30, ContinuousClock.now < deadline {
                consumer.poll(maximum: 500, timeoutMilliseconds: 10) { batch in
                    var lent = 0
                    batch.forEachRun { run in
                        let partition = run.partition
                        guard partition != 1 else { return }
                        run.forEach(readsValues: true) { message in
                            #expect(message.partition == partition)
                            #expect(String(decoding: message.value, as: UTF8.self) == "\(message.offset)")
                            read[partition, default: []].append(message.offset)
                            lent += 1
                        }
                    }
                    passed += batch.count - lent
                }
            }
            #expect(read == [0: Array(0..<10), 2: Array(0..<10)])
            #expect(passed == 10)
            // A message kept back would block this.
            consumer.close()
        }
    }

    @Test func `reading starts where the owner says, not where the broker remembers`() async throws {
        try await blocking {
            let broker = try TestBrokerProcess()
            try broker.send("topic t 3")
            for partition in Int32(0)..<3 {
                #expect(try broker.publish((0..<10).map { "\($0)" }, to: "t", partition: partition))
            }
            let places = (Int32(0)..<3).map { TopicPartition("t", $0) }
            let first = try ConsumerProbe(broker.configuration(), topics: ["t"])
            #expect(first.poll { first.messages.count == 30 && first.ends().count == 3 })
            first.consumer.commit([places[0]: 9, places[2]: 6])
            #expect(first.consumer.watermarks(of: places[1]) == WatermarkOffsets(low: 0, high: 10))
            #expect(first.consumer.lag(of: places[1]) == 0)
            first.consumer.close()
            #expect(first.memory.revocations == [places])

            // Partition 1 has no committed offset, so that the configured reset applies.
            let starts: [TopicPartition: StartPosition] = [places[0]: .offset(4)]
            let second = try ConsumerProbe(broker.configuration([("auto.offset.reset", "latest")]), topics: ["t"]) {
                starts[$0] ?? .committed
            }
            #expect(second.poll { second.ends().count == 3 })
            #expect(second.messages.filter { $0.place == places[0] }.map(\.offset) == Array(4..<10))
            #expect(second.messages.filter { $0.place == places[1] }.isEmpty)
            #expect(second.messages.filter { $0.place == places[2] }.map(\.offset) == Array(6..<10))
            #expect(second.consumer.position(of: places[1]) == 10)
            #expect(second.gaps.isEmpty)
            second.consumer.close()
        }
    }

    @Test func `a paused partition waits and loses nothing`() async throws {
        try await blocking {
            let broker = try TestBrokerProcess()
            try broker.send("topic t 2")
            let paused = TopicPartition("t", 0)
            let other = TopicPartition("t", 1)
            let probe = try ConsumerProbe(broker.configuration(), topics: ["t"])
            #expect(probe.poll { probe.ends().count == 2 })
            try probe.consumer.pause([paused])
            #expect(try broker.publish((0..<50).map { "\($0)" }, to: "t", partition: 0))
            #expect(try broker.publish((0..<50).map { "\($0)" }, to: "t", partition: 1))
            #expect(probe.poll { probe.ends()[other] == 50 })
            #expect(!probe.messages.contains { $0.place == paused })
            try probe.consumer.resume([paused])
            #expect(probe.poll { probe.ends()[paused] == 50 })
            #expect(probe.messages.filter { $0.place == paused }.map(\.offset) == Array(0..<50))
            probe.consumer.close()
        }
    }

    @Test func `topics found by a pattern get numbers of their own`() async throws {
        try await blocking {
            let broker = try TestBrokerProcess()
            for topic in ["events-a", "events-b", "other"] {
                try broker.send("topic \(topic) 1")
                #expect(try broker.publish([topic], to: topic, partition: 0))
            }
            let probe = try ConsumerProbe(broker.configuration(), topics: ["other", "^events-.*"])
            #expect(probe.poll { probe.ends().count == 3 })
            #expect(Set(probe.messages.map(\.text)) == ["events-a", "events-b", "other"])
            #expect(probe.messages.allSatisfy { $0.text == $0.place.topic })
            #expect(probe.consumer.topicNames.prefix(2) == ["other", "^events-.*"])
            probe.consumer.close()
        }
    }

    @Test func `closing at any moment of a join is safe`() async throws {
        try await blocking {
            let broker = try TestBrokerProcess()
            try broker.send("topic t 4")
            #expect(try broker.publish(["x"], to: "t", partition: 0))
            var probes: [ConsumerProbe] = []
            for i in 0..<10 {
                probes.append(try ConsumerProbe(broker.configuration([("group.id", "g\(i)")]), topics: ["t"]))
            }
            // The first two leave before they joined; the rest when the first of them has an assignment, so that those
            // of the others are queued, running, or still to come. One is dropped without a close.
            for _ in 0..<2 { probes.removeFirst().consumer.close() }
            #expect(waitPolling(probes) { probes.contains { !$0.memory.assignments.isEmpty } })
            probes.removeLast()
            for probe in probes {
                probe.consumer.close()
                #expect(probe.consumer.isClosed)
                #expect(probe.memory.revocations.count == probe.memory.assignments.count)
                probe.consumer.close()
            }
        }
    }
}
