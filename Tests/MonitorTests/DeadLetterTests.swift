import Foundation
import Kafka
import TestSupport
import Testing
import Values

/// What was refused arrives in the dead-letter topic, all of it and nothing else.
@Suite(.serialized)
struct DeadLetterTests {
    @Test(.timeLimit(.minutes(3)))
    func `every refused line of a large message arrives, and no good one`() async throws {
        let workspace = try Workspace()
        let stream = try await StreamFixture.make(workspace, count: 200)
        let broker = try TestBrokerProcess()
        try broker.send("topic \(StreamFixture.topic) 1")
        try broker.send("topic dead 1")
        let good = (0..<40).flatMap { _ in stream.events }
        let bad = (0..<1_500).map { #"{"model":"pay","ts":1,"features":{"amount":1},"prediction":bad\#($0)}"# }
        let huge =
            #"{"model":"other","ts":1,"features":{"amount":""# + String(repeating: "z", count: 2_000_000) + #""}}"#
        let message = (good + bad).joined(separator: "\n")
        #expect(message.utf8.count > 1_048_588)
        try await StreamFixture.publish([message, huge], to: broker.bootstrap, partitions: 1, maximumBytes: 10_000_000)
        let service = try await Service.start(try stream.configuration("serve", bootstrap: broker.bootstrap))
        _ = try await eventually("all are judged") {
            try await service.metric("holdfast_rejected_total") == 1_501 ? true : nil
        }
        let bootstrap = broker.bootstrap
        let letters = try await blocking { try DeadLetterProbe.read(bootstrap, topic: "dead", count: 1_002) }
        #expect(try await service.stop() == 0)
        #expect(letters.count == 1_002)
        #expect(letters.prefix(1_000).map(\.value) == Array(bad.prefix(1_000)))
        let bundle = letters.first { $0.headers["holdfast.events"] == "500" }
        #expect(bundle?.value.split(separator: "\n").map(String.init) == Array(bad.suffix(500)))
        #expect(bundle?.headers["holdfast.index"] == "9000")
        let whole = letters.first { $0.headers["holdfast.reason"] == "unknown_model" }
        #expect(whole?.value == huge && whole?.headers["holdfast.cut"] == nil)
    }
}
