import Events
import Foundation
import Kafka
import Ledger
import TestSupport
import Testing
import Values

/// The service as a process, fed over a real socket.
@Suite(.serialized)
struct ServeTests {
    private static let partitions: Int32 = 4

    @Test("the same stream through Kafka and through replay gives the same bytes", .timeLimit(.minutes(3)))
    func sameBytes() async throws {
        let workspace = try Workspace()
        let stream = try await StreamFixture.make(workspace, count: 20_000)
        let expected = try await stream.expected(partitions: Int(Self.partitions))
        let broker = try TestBrokerProcess()
        try broker.send("topic \(StreamFixture.topic) \(Self.partitions)")
        try broker.send("topic dead 1")
        try await StreamFixture.publish(stream.events[...], to: broker.bootstrap, partitions: Self.partitions)
        let service = try await Service.start(try stream.configuration("serve", bootstrap: broker.bootstrap))
        let complete = expected.snapshots
        let lines = try await eventually("all windows are closed", .seconds(60)) { () -> [String]? in
            let lines = try await service.snapshotLines(StreamFixture.model)
            return lines.count >= complete.count ? lines : nil
        }
        #expect(lines.count == complete.count)
        #expect(
            lines == complete,
            "first difference: \(zip(lines, complete).first { $0 != $1 }.map { "\($0)" } ?? "length")")
        #expect(try await service.stop() == 0)
        let transitions = try await Ledger(path: workspace.path("state-serve/ledger.sqlite")).transitions()
        #expect(transitions == expected.alerts)
        #expect(expected.alerts.contains { $0.contains("\"status\":\"firing\"") && $0.contains("\"country\":\"BR\"") })
    }

    @Test("bad messages go to the dead-letter topic with their reason and place", .timeLimit(.minutes(2)))
    func deadLetters() async throws {
        let workspace = try Workspace()
        let stream = try await StreamFixture.make(workspace, count: 10)
        let broker = try TestBrokerProcess()
        try broker.send("topic \(StreamFixture.topic) 1")
        try broker.send("topic dead 1")
        let bad = [
            "{not json", #"{"model":"pay","ts":"yesterday","features":{}}"#, #"{"model":"other","ts":1,"features":{}}"#,
            #"{"model":"pay","ts":"2999-01-01T00:00:00Z","features":{"amount":1}}"#, "[]", "7",
        ]
        let odd = [
            #"{"model":"pay","ts":"2025-03-01T00:00:00Z","features":{"amount":1e999,"plan":null}}"#,
            #"{"model":"pay","ts":"2025-03-01T00:00:00Z","features":{"amount":"12","plan":[1]}}"#,
            #"{"model":"pay","ts":"2025-03-01T00:00:00Z","features":{"amount":"NaN","extra":{"a":[1,2]}}}"#,
        ]
        try await StreamFixture.publish((bad + odd)[...], to: broker.bootstrap, partitions: 1)
        let service = try await Service.start(try stream.configuration("serve", bootstrap: broker.bootstrap))
        let rejected = try await eventually("all are judged") { () -> Double? in
            let rejected = try await service.metric("holdfast_rejected_total")
            let taken = try await service.metric("holdfast_events_total")
            return rejected + taken == Double(bad.count + odd.count) ? rejected : nil
        }
        #expect(rejected == Double(bad.count))
        for reason in [
            "malformed_json", "bad_timestamp", "unknown_model", "future_timestamp", "empty", "not_an_object",
        ] {
            #expect(try await service.metric("holdfast_rejected_total", "reason=\"\(reason)\"") == 1)
        }
        #expect(try await service.stop() == 0)
        let bootstrap = broker.bootstrap
        let letters = try await blocking { try DeadLetterProbe.read(bootstrap, topic: "dead", count: bad.count) }
        #expect(letters.map(\.value) == bad)
        #expect(letters.map { $0.headers["holdfast.offset"] } == (0..<bad.count).map { "\($0)" })
        #expect(letters[0].headers["holdfast.reason"] == "malformed_json")
        #expect(letters[0].headers["holdfast.topic"] == StreamFixture.topic)
        #expect(letters[0].headers["holdfast.partition"] == "0")
    }

    @Test("a broker that is away is waited for, and readiness says so", .timeLimit(.minutes(2)))
    func brokerAway() async throws {
        let workspace = try Workspace()
        let stream = try await StreamFixture.make(workspace, count: 600)
        let broker = try TestBrokerProcess()
        try broker.send("topic \(StreamFixture.topic) 1")
        try broker.send("topic dead 1")
        try broker.send("down")
        let service = try await Service.start(try stream.configuration("serve", bootstrap: broker.bootstrap))
        let reason = try await eventually("readiness says why") { () -> String? in
            let (status, body) = try await service.get("/readyz")
            let text = String(decoding: body, as: UTF8.self)
            return status == 503 && text.contains("kafka") ? text : nil
        }
        #expect(reason.contains("reasons"))
        try broker.send("up")
        try await StreamFixture.publish(stream.events[...], to: broker.bootstrap, partitions: 1)
        _ = try await eventually("it reads again", .seconds(60)) {
            try await service.metric("holdfast_events_total") == 600 ? true : nil
        }
        _ = try await eventually("it is ready again") { try await service.get("/readyz").status == 200 ? true : nil }
        // With the brokers away again it must still end when told to.
        try broker.send("down")
        _ = try await eventually("the outage is noticed", .seconds(60)) {
            try await service.get("/readyz").status == 503 ? true : nil
        }
        #expect(try await service.stop() == 0)
    }

    @Test("an offset the broker calls out of range does not count messages again", .timeLimit(.minutes(2)))
    func outOfRange() async throws {
        let workspace = try Workspace()
        let stream = try await StreamFixture.make(workspace, count: 101)
        let broker = try TestBrokerProcess()
        try broker.send("topic \(StreamFixture.topic) 1")
        try broker.send("topic dead 1")
        try await StreamFixture.publish(stream.events[..<100], to: broker.bootstrap, partitions: 1)
        let service = try await Service.start(try stream.configuration("serve", bootstrap: broker.bootstrap))
        _ = try await eventually("the first hundred are read") {
            try await service.metric("holdfast_events_total") == 100 ? true : nil
        }
        // Fetch answers OFFSET_OUT_OF_RANGE once, though the log is whole.
        try broker.send("error 1 1 1")
        try await StreamFixture.publish(stream.events[100...], to: broker.bootstrap, partitions: 1)
        let count = try await eventually("the last is read") { () -> Double? in
            let count = try await service.metric("holdfast_events_total")
            return count > 100 ? count : nil
        }
        #expect(count == 101)
        #expect(try await service.stop() == 0)
        #expect(try Ledger(path: workspace.path("state-serve/ledger.sqlite")).offsets() == ["predictions/0": 101])
    }

    @Test("posted events are counted once and durable when the answer comes", .timeLimit(.minutes(1)))
    func posted() async throws {
        let workspace = try Workspace()
        let stream = try await StreamFixture.make(workspace, count: 3_000)
        let configuration = try stream.configuration("serve")
        var service = try await Service.start(configuration)
        for chunk in stride(from: 0, to: 2_000, by: 500) {
            let answer = try await service.post(
                "/v1/events", stream.events[chunk..<chunk + 500].joined(separator: "\n"))
            #expect(answer.status == 200 && answer.json["accepted"]?.integerValue == 500)
        }
        // No time to say goodbye: what was acknowledged must be there.
        service.process.kill(SIGKILL)
        _ = try await service.process.waitForEnd()
        service = try await Service.start(configuration)
        let rest = stream.events[2_000...].joined(separator: "\n") + "\n{broken"
        let answer = try await service.post("/v1/events", rest)
        #expect(answer.json["accepted"]?.integerValue == 1_000)
        #expect(answer.json["rejected"]?.arrayValue?.first?["reason"]?.stringValue == "malformed_json")
        let complete = try await stream.expected(partitions: 1).snapshots
        let lines = try await eventually("windows are closed") { () -> [String]? in
            let lines = try await service.snapshotLines(StreamFixture.model)
            return lines.count >= complete.count ? lines : nil
        }
        #expect(lines == complete)
        #expect(try await service.stop() == 0)
    }
}

/// Reads what lies in a topic.
enum DeadLetterProbe {
    struct Letter: Sendable {
        let value: String
        let headers: [String: String]
    }

    static func read(_ bootstrap: String, topic: String, count: Int) throws -> [Letter] {
        final class Found { var letters: [Letter] = [] }
        let found = Found()
        let consumer = try KafkaConsumer(
            configuration: KafkaConfiguration(properties: [
                ("bootstrap.servers", bootstrap), ("group.id", "probe"), ("session.timeout.ms", "4000"),
                ("fetch.wait.max.ms", "10"),
            ]), topics: [topic],
            handlers: KafkaConsumerHandlers(
                onAssigned: { $0.reduce(into: [:]) { $0[$1] = .earliest } }, onRevoked: { _, _ in }, onEvent: { _ in },
                onLog: { _ in }))
        let end = ContinuousClock.now + .seconds(30)
        while found.letters.count < count, ContinuousClock.now < end {
            consumer.poll(maximum: 100, timeoutMilliseconds: 50) { batch in
                batch.forEach { message in
                    let headers = Dictionary(
                        message.headers().map { ($0.name, String(decoding: $0.value ?? [], as: UTF8.self)) }
                    ) { a, _ in a }
                    found.letters.append(
                        Letter(value: String(decoding: message.value, as: UTF8.self), headers: headers))
                }
            }
        }
        consumer.close()
        return found.letters
    }
}
