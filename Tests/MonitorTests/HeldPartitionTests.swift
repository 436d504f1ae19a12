import Foundation
import Kafka
import Ledger
import Telemetry
import TestSupport
import Testing
import Values

@testable import Monitor

/// Avro over a broker, with a registry that does not answer when it should: the partition waits, and nothing is dropped.
@Suite(.serialized)
struct HeldPartitionTests {
    private static let missing = WebhookReceiver.Answer(404, #"{"error_code":40403,"message":"Schema not found"}"#)

    private struct Scene {
        let stream: StreamFixture
        let broker: TestBrokerProcess
        let registry: WebhookReceiver
        let rig: WorkerRig

        /// Knows the schemas of these numbers, and no other.
        func know(_ ids: UInt32..., text: String = AvroStream.schema) {
            var answers = ["*": HeldPartitionTests.missing]
            for id in ids { answers["/schemas/ids/\(id)"] = .init(200, AvroStream.answer(text)) }
            registry.answer(.table(answers))
        }

        /// Round robin over two partitions, each with a schema of its own.
        func publish(_ range: Range<Int>, schemas: [UInt32]) async throws {
            let messages = try range.map { i in
                (partition: Int32(i % 2), value: try AvroStream.message(stream.events[i], schema: schemas[i % 2]))
            }
            let bootstrap = broker.bootstrap
            try await blocking { try StreamFixture.send(messages, to: bootstrap) }
        }

        func complete(_ expected: [String]) async throws -> [String] {
            let rig = rig
            return try await eventually("all windows are closed", .seconds(60)) { () -> [String]? in
                let lines = try await rig.snapshotLines()
                return lines.count >= expected.count ? lines : nil
            }
        }
    }

    private static func scene(_ workspace: Workspace, count: Int, workers: Int = 1) async throws -> Scene {
        let stream = try await StreamFixture.make(workspace, count: count)
        let broker = try TestBrokerProcess()
        try broker.send("topic \(StreamFixture.topic) 2")
        try broker.send("topic dead 1")
        let registry = try WebhookReceiver(mode: .status(503))
        let rig = try WorkerRig(
            try stream.configuration(
                "rig", bootstrap: broker.bootstrap, workers: workers, schemas: registry.url(path: "")))
        return Scene(stream: stream, broker: broker, registry: registry, rig: rig)
    }

    @Test(.timeLimit(.minutes(2)))
    func `a partition without its schema waits, others go on, and in the end nothing is missing`() async throws {
        let workspace = try Workspace()
        let scene = try await Self.scene(workspace, count: 4_000)
        let expected = try await scene.stream.expected(partitions: 2)
        let rig = scene.rig
        try await scene.publish(0..<2_000, schemas: [1, 2])
        try rig.start(0)
        _ = try await eventually("both wait", .seconds(60)) { rig.metric(.heldPartitions) == 2 ? true : nil }
        _ = try await eventually("the service says why") {
            rig.health.notReady.contains {
                $0.contains("predictions[0] waits at offset 0 for schema 1") && $0.contains("503")
            } ? true : nil
        }
        #expect(rig.metric(.schemaRequests, "failed") > 0)
        // One is known, the other not yet.
        scene.know(2)
        _ = try await eventually("one partition is read", .seconds(60)) { rig.metric(.events) == 1_000 ? true : nil }
        try await scene.publish(2_000..<4_000, schemas: [1, 3])
        _ = try await eventually("a schema nobody knows") { rig.metric(.schemaRequests, "unknown") > 3 ? true : nil }
        #expect(rig.metric(.heldPartitions) >= 1)
        #expect(try await rig.snapshotLines().isEmpty, "a partition that waits holds the windows open")
        scene.know(1, 2, 3)
        #expect(try await scene.complete(expected.snapshots) == expected.snapshots)
        #expect(rig.metric(.heldPartitions) == 0)
        _ = try await eventually("it is ready") { rig.health.notReady.isEmpty ? true : nil }
        await rig.stop()
        #expect(rig.metric(.events) == 4_000 && rig.metric(.rejected) == 0 && rig.metric(.refusedSteps) == 0)
        #expect(try await rig.ledger.transitions() == expected.alerts)
        #expect(try rig.ledger.offsets().values.allSatisfy { $0 == 2_000 })
    }

    @Test(.timeLimit(.minutes(3)))
    func `a partition that waits changes hands, and waits there`() async throws {
        let workspace = try Workspace()
        let scene = try await Self.scene(workspace, count: 2_000, workers: 2)
        let expected = try await scene.stream.expected(partitions: 2)
        let rig = scene.rig
        scene.know(2)
        try await scene.publish(0..<500, schemas: [2, 2])
        try await scene.publish(500..<1_000, schemas: [1, 2])
        let first = try rig.start(0)
        _ = try await eventually("one waits", .seconds(60)) {
            rig.metric(.heldPartitions) == 1 && rig.metric(.events) == 750 ? true : nil
        }
        try rig.start(1)
        first.stop()
        await first.waitUntilFinished()
        #expect(try rig.ledger.offsets() == ["predictions/0": 250, "predictions/1": 500])
        #expect(rig.metric(.heldPartitions, "kafka-0") == 0)
        _ = try await eventually("it waits at the other", .seconds(60)) {
            rig.metric(.heldPartitions, "kafka-1") == 1 ? true : nil
        }
        try await scene.publish(1_000..<2_000, schemas: [1, 2])
        scene.know(1, 2)
        #expect(try await scene.complete(expected.snapshots) == expected.snapshots)
        await rig.stop()
        #expect(rig.metric(.events) == 2_000 && rig.metric(.rejected) == 0)
        #expect(try await rig.ledger.transitions() == expected.alerts)
    }

    @Test(.timeLimit(.minutes(2)))
    func `messages of a schema that is none are rejected, not waited for`() async throws {
        let workspace = try Workspace()
        let scene = try await Self.scene(workspace, count: 100)
        scene.know(1, 2, text: "this is not a schema")
        try await scene.publish(0..<100, schemas: [1, 2])
        let rig = scene.rig
        try rig.start(0)
        _ = try await eventually("all are rejected", .seconds(60)) {
            rig.metric(.rejected, "bad_schema") == 100 ? true : nil
        }
        await rig.stop()
        #expect(rig.metric(.events) == 0)
        #expect(try rig.ledger.offsets().values.allSatisfy { $0 == 50 })
    }
}
