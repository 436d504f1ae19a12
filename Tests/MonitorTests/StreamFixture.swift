import Foundation
import Kafka
import Monitor
import TestSupport
import Values

/// A made-up stream of known events for one model: `amount` jumps in country BR half-way, which the rules notice.
struct StreamFixture: Sendable {
    static let model = "pay"
    static let topic = "predictions"

    let workspace: Workspace
    /// In event-time order, one event a line.
    let events: [String]
    let reference: String

    static func make(_ workspace: Workspace, count: Int) async throws -> StreamFixture {
        try await blocking { try StreamFixture(workspace, count: count) }
    }

    /// - Parameters:
    ///   - count: events, ten seconds apart from 2025-03-01T00:00Z on.
    private init(_ workspace: Workspace, count: Int, seed: UInt64 = 11) throws {
        self.workspace = workspace
        var generator = SeededGenerator(seed: seed)
        let start = Timestamp(rfc3339: "2025-03-01T00:00:00Z") ?? Timestamp(microseconds: 0)
        func event(_ i: Int, drifts: Bool, at time: Timestamp, _ generator: inout SeededGenerator) -> String {
            let country = ["BR", "US", "DE"][Int.random(in: 0..<3, using: &generator)]
            var amount = Double(Int.random(in: 100..<20_000, using: &generator)) / 100
            if drifts && country == "BR" { amount = amount * 3 + 50 }
            let plan =
                Int.random(in: 0..<20, using: &generator) == 0
                ? "null" : "\"\(["a", "b", "c"][Int.random(in: 0..<3, using: &generator)])\""
            let score = Double(Int.random(in: 0..<1_000, using: &generator)) / 1_000
            return
                #"{"model":"pay","version":"\#(i % 3 == 0 ? "2" : "1")","id":"e\#(i)","ts":"\#(time.rfc3339)","features":{"amount":\#(amount),"plan":\#(plan)},"prediction":{"score":\#(score)},"segments":{"country":"\#(country)"}}"#
        }
        let rows = (0..<4_000).map {
            event($0, drifts: false, at: start - Span.seconds(10) * Int64(4_000 - $0), &generator)
        }
        reference = try workspace.write("reference.jsonl", rows.joined(separator: "\n"))
        events = (0..<count).map {
            event($0, drifts: $0 > count / 2, at: start + Span.seconds(10) * Int64($0), &generator)
        }
        _ = try ReferenceCommand.build(
            files: [reference], model: nil, version: "1", settings: nil, segments: nil, to: workspace.path("pay.json"))
        try workspace.write(
            "rules.yaml",
            """
            groups:
            - name: pay
              model: pay
              rules:
              - alert: Drift
                expr: psi by (country) > 0.25
                min_rows: 30
                for: 2 windows
                keep_firing_for: 2 windows
                annotations: {summary: '{{ $labels.column }} in {{ $labels.segment }}: {{ $value | printf "%.3f" }}'}
              - alert: Busy
                expr: count{column="amount"} > 10
            """)
    }

    /// A configuration; with a broker for `serve`, without one for `replay`.
    func configuration(
        _ name: String, bootstrap: String? = nil, receiver: String? = nil, workers: Int? = nil,
        kafka properties: [(String, String)] = [], schemas: String? = nil
    ) throws -> String {
        let kafka =
            bootstrap.map {
                """
                kafka:
                  bootstrap.servers: \($0)
                  group.id: holdfast-test
                  session.timeout.ms: 4000
                  fetch.wait.max.ms: 10
                \(properties.map { "  \($0.0): \($0.1)" }.joined(separator: "\n"))
                \(workers.map { "workers: \($0)" } ?? "")
                topics:
                  - {name: \(Self.topic), format: \(schemas == nil ? "json" : "avro")}
                \(schemas.map { "schema_registry: {url: \"\($0)\"}" } ?? "")
                dead_letters: {topic: dead}
                """
            } ?? ""
        let receivers = receiver.map { "receivers:\n  - {name: hook, webhook: {url: \"\($0)\"}}" } ?? ""
        return try workspace.write(
            "\(name).yaml",
            """
            state: state-\(name)
            \(kafka)
            \(receivers)
            models:
              - name: pay
                reference: pay.json
                segments: [country]
                window: {pane: 10m, size: 1h, every: 30m, lateness: 5m, idle: 3600s}
            rules: [rules.yaml]
            http: {listen: "127.0.0.1:0"}
            """)
    }

    /// What a run without faults gives once all events are read from so many partitions: snapshot lines and transitions up to the
    /// watermark. (A replay goes on to close the windows that its end cuts off.)
    func expected(partitions: Int) async throws -> (snapshots: [String], alerts: [String]) {
        let newest = events[events.count - partitions]
        guard let at = newest.range(of: #""ts":""#)?.upperBound,
            let clock = Timestamp(rfc3339: newest[at...].prefix { $0 != "\"" })
        else { throw TestFailure("no event time") }
        let watermark = (clock - .minutes(5)).rfc3339
        let all = try await blocking { try replayed() }
        return (
            all.snapshots.filter { Self.text("end", $0) <= watermark },
            all.alerts.filter { Self.text("at", $0) <= watermark }
        )
    }

    /// The first string of a key in a line of JSON.
    static func text(_ key: String, _ line: String) -> String {
        guard let start = line.range(of: "\"\(key)\":\"")?.upperBound else { return "" }
        return String(line[start...].prefix { $0 != "\"" })
    }

    private func replayed() throws -> (snapshots: [String], alerts: [String]) {
        let file = try workspace.write("events.jsonl", events.joined(separator: "\n"))
        let configuration = try configuration("replay")
        try workspace.replay(configuration, [file], out: "expected")
        return (try workspace.lines("expected/snapshots.jsonl"), try workspace.lines("expected/alerts.jsonl"))
    }

    /// Publishes events round robin over the partitions of the topic.
    static func publish(_ events: ArraySlice<String>, to bootstrap: String, partitions: Int32, maximumBytes: Int? = nil)
        async throws
    {
        try await blocking {
            let messages = zip(events.indices, events).map { (Int32($0) % partitions, Array($1.utf8)) }
            try send(messages, to: bootstrap, maximumBytes: maximumBytes)
        }
    }

    /// Publishes messages to the partitions named with them.
    static func send(_ messages: [(partition: Int32, value: [UInt8])], to bootstrap: String, maximumBytes: Int? = nil)
        throws
    {
        let size = maximumBytes.map { [("message.max.bytes", "\($0)")] } ?? []
        let producer = try KafkaProducer(
            configuration: KafkaConfiguration(
                properties: [
                    ("bootstrap.servers", bootstrap), ("compression.codec", "lz4"), ("linger.ms", "5"),
                ] + size), onError: { _ in }, onLog: { _ in })
        for message in messages {
            try producer.send(KafkaRecord(topic: topic, partition: message.partition, value: message.value))
        }
        guard producer.flush(timeoutMilliseconds: 30_000) else {
            throw TestFailure("the broker did not take the events")
        }
        producer.close(flushTimeoutMilliseconds: 1_000)
    }
}
