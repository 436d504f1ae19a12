import Foundation
import Logging
import Synchronization
import TestSupport
import Testing
import Values

@testable import Monitor

struct SchemaRegistryTests {
    private static let text = #"{"type":"record","name":"e","fields":[]}"#

    /// What a registry answers that has the text under number 7.
    private static let found = WebhookReceiver.Mode.table([
        "/schemas/ids/7": .init(200, #"{"schema":"{\"type\":\"record\",\"name\":\"e\",\"fields\":[]}"}"#),
        "*": .init(404, #"{"error_code":40403,"message":"Schema 7 not found"}"#),
    ])

    /// A registry's client and what it counted.
    private final class Client: Sendable {
        let registry: SchemaRegistry
        private let counts: Counts

        private final class Counts: Sendable {
            let all = Mutex<[SchemaRegistry.Outcome: Int]>([:])
        }

        init(_ url: String, username: String? = nil, password: String? = nil, timeout: Span = .seconds(5)) {
            let counts = Counts()
            self.counts = counts
            registry = SchemaRegistry(
                .init(url: url, username: username, password: password),
                pace: .init(
                    failed: .milliseconds(5), unknown: .milliseconds(5), longest: .milliseconds(20), timeout: timeout),
                log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
            ) { outcome in
                counts.all.withLock { $0[outcome, default: 0] += 1 }
            }
        }

        func count(_ outcome: SchemaRegistry.Outcome) -> Int { counts.all.withLock { $0[outcome] ?? 0 } }
    }

    @Test func `many ask for a schema and the registry is asked once`() async throws {
        let server = try WebhookReceiver(mode: Self.found)
        let client = Client(server.url(path: ""), username: "ada", password: "s3cret:x")
        #expect(client.registry.schema(7) == nil)
        for _ in 0..<100 { client.registry.ask(7) }
        let text = try await eventually("the schema is there") { client.registry.schema(7) }
        #expect(String(decoding: text, as: UTF8.self) == Self.text)
        for _ in 0..<100 { client.registry.ask(7) }
        let requests = server.requests
        #expect(requests.count == 1 && client.count(.found) == 1)
        #expect(requests.first?.method == "GET")
        #expect(requests.first?.path == "/schemas/ids/7")
        #expect(requests.first?["accept"] == "application/vnd.schemaregistry.v1+json")
        let credentials = Data("ada:s3cret:x".utf8).base64EncodedString()
        #expect(requests.first?["authorization"] == "Basic \(credentials)")
    }

    @Test(arguments: [
        (WebhookReceiver.Mode.status(503), SchemaRegistry.Outcome.failed, "it answered 503"),
        (
            .table(["*": .init(404, #"{"error_code":40403,"message":"Schema 7 not found"}"#)]), .unknown,
            "it knows no such schema: Schema 7 not found"
        ),
        (.table(["*": .init(404, "<html>")]), .unknown, "it knows no such schema"),
        (.table(["*": .init(404, #"{"error_code":40401}"#)]), .failed, "it answered 404"),
        (.table(["*": .init(401, #"{"error_code":401,"message":"no"}"#)]), .failed, "it answered 401: no"),
        (.table(["*": .init(200, "<html>hello")]), .failed, "holds no schema"),
        (.table(["*": .init(200, #"{"schema":{}}"#)]), .failed, "holds no schema"),
        (.stalled, .failed, "no answer in time"), (.slow(.minutes(1)), .failed, "no answer in time"),
        (.endless, .failed, "over 4194304 bytes"),
    ])
    func `what goes wrong is said and the registry is asked again until it answers`(
        mode: WebhookReceiver.Mode, outcome: SchemaRegistry.Outcome, reason: String
    ) async throws {
        let server = try WebhookReceiver(mode: mode)
        let isSlow = reason.contains("in time")
        let client = Client(server.url(path: ""), timeout: isSlow ? .milliseconds(50) : .seconds(20))
        client.registry.ask(7)
        _ = try await eventually("it was asked twice") { client.count(outcome) >= 2 ? true : nil }
        #expect(client.registry.reason(7).contains(reason), "\(client.registry.reason(7))")
        #expect(client.registry.schema(7) == nil)
        server.answer(Self.found)
        _ = try await eventually("the schema is there") { client.registry.schema(7) }
    }

    @Test func `a registry that is not there is waited for, and its password is not told`() async throws {
        // A port that was free a moment ago.
        let port = try WebhookReceiver().port
        let client = Client("http://127.0.0.1:\(port)", username: "ada", password: "s3cret")
        client.registry.ask(7)
        _ = try await eventually("it failed") { client.count(.failed) >= 2 ? true : nil }
        #expect(client.registry.reason(7).contains("http://127.0.0.1:\(port): "))
        #expect(!client.registry.reason(7).contains("s3cret"))
        client.registry.close()
        client.registry.ask(8)
        #expect(client.registry.reason(8) == "not answered yet", "closed, it asks no more")
    }

    @Test func `a text that is no schema is passed on as it is`() async throws {
        let server = try WebhookReceiver(mode: .table(["*": .init(200, #"{"schema":"syntax = \"proto3\";"}"#)]))
        let client = Client(server.url(path: ""))
        client.registry.ask(7)
        let text = try await eventually("the schema is there") { client.registry.schema(7) }
        #expect(String(decoding: text, as: UTF8.self) == #"syntax = "proto3";"#)
    }

    @Test func `waits double up to a limit, and an unknown number is asked for more slowly`() {
        let pace = SchemaRegistry.Pace()
        for attempts in [1, 2, 3, 5, 10, 1_000, Int.max] {
            for random in [0, 0.25, 0.999] {
                let failed = pace.wait(after: .failed, attempts: attempts, random: random)
                let unknown = pace.wait(after: .unknown, attempts: attempts, random: random)
                #expect(failed >= .milliseconds(250) && failed <= pace.longest)
                #expect(unknown >= failed && unknown <= pace.longest)
                #expect(failed <= pace.wait(after: .failed, attempts: max(attempts, attempts &+ 1), random: random))
            }
        }
        #expect(pace.wait(after: .unknown, attempts: 1, random: 0) >= .milliseconds(2_500))
    }
}
