import Events
import Foundation
import Kafka
import Registry
import TestSupport
import Testing
import Values

/// Champions on their way out: to a compacted topic, and to receivers of MLflow's webhooks.
@Suite(.serialized)
struct ChampionFeedTests {
    private static func start(_ workspace: Workspace, _ extra: String) async throws -> Service {
        _ = try await StreamFixture.make(workspace, count: 10)
        return try await Service.start(
            try workspace.write(
                "holdfast.yaml",
                """
                state: state
                models:
                  - {name: pay, reference: pay.json, segments: [country]}
                http: {listen: "127.0.0.1:0"}
                \(extra)
                """))
    }

    private static func register(_ versions: [String], _ workspace: Workspace) async throws {
        for version in versions {
            let run = try await HoldfastProcess.run([
                "registry", "register", "pay", "--version", version, "--source", "s3://pay/\(version)", "--state",
                workspace.path("state"),
            ])
            #expect(run.status == 0, "\(run.text)")
        }
    }

    @Test("every champion is written to the topic under its model, also what a restart missed", .timeLimit(.minutes(2)))
    func topic() async throws {
        let workspace = try Workspace()
        let broker = try TestBrokerProcess()
        try broker.send("topic champions 1")
        let extra = """
            kafka: {bootstrap.servers: "\(broker.bootstrap)", session.timeout.ms: 4000}
            registry: {topic: champions}
            """
        var service = try await Self.start(workspace, extra)
        try await Self.register(["1", "2"], workspace)
        #expect(try await service.post("/v1/models/pay/promote", #"{"version":"1"}"#).status == 200)
        let bootstrap = broker.bootstrap
        func messages(_ count: Int) async throws -> [DeadLetterProbe.Letter] {
            try await blocking { try DeadLetterProbe.read(bootstrap, topic: "champions", count: count) }
        }
        #expect(try await messages(1).map { try JSON(parsing: $0.value.utf8)["champion"]?["version"] } == ["1"])
        #expect(try await service.stop() == 0)
        let run = try await HoldfastProcess.run([
            "registry", "promote", "pay", "2", "--state", workspace.path("state"),
        ])
        #expect(run.status == 0, "\(run.text)")
        service = try await Self.start(workspace, extra)
        let all = try await messages(2)
        #expect(try all.map { try JSON(parsing: $0.value.utf8)["champion"]?["version"] } == ["1", "2"])
        #expect(try await service.stop() == 0)
    }

    @Test("a webhook tells of aliases as MLflow does, with what was before, who and why", .timeLimit(.minutes(2)))
    func webhook() async throws {
        let workspace = try Workspace()
        let receiver = try WebhookReceiver(mode: .failing(times: 1, status: 503))
        let secret = "whsec_" + Data("a key of at least 24 bytes".utf8).base64EncodedString()
        let service = try await Self.start(
            workspace,
            """
            registry:
              webhooks:
                - {name: ci, url: "\(receiver.url())", secret: "\(secret)", allow_http: true, allow_private: true}
            """)
        try await Self.register(["1"], workspace)
        #expect(
            try await service.post("/v1/models/pay/promote", #"{"version":"1","actor":"ann","reason":"first"}"#).status
                == 200)
        let bodies = try await eventually("the alias is told") { () -> [(WebhookReceiver.Request, JSON)]? in
            let all = receiver.requests.map { ($0, (try? JSON(parsing: $0.body)) ?? .null) }
            return all.contains { $0.1["entity"]?.stringValue == "model_version_alias" } ? all : nil
        }
        // The first try failed and was made again under the same id.
        #expect(bodies.count >= 3 && bodies[0].0["x-mlflow-delivery-id"] == bodies[1].0["x-mlflow-delivery-id"])
        #expect(bodies[1].1["entity"]?.stringValue == "model_version")
        let (request, body) = try #require(bodies.last)
        #expect(body["action"]?.stringValue == "created")
        #expect(body["data"]?["alias"]?.stringValue == "champion" && body["data"]?["version"]?.stringValue == "1")
        #expect(body["data"]?["actor"]?.stringValue == "ann" && body["data"]?["reason"]?.stringValue == "first")
        #expect(body["data"]?["previous_version"] == .null)
        // The signature is over the same text as Standard Webhooks'; only the headers are called otherwise.
        let renamed = WebhookReceiver.Request(
            method: request.method, path: request.path,
            headers: [
                "webhook-id": request["x-mlflow-delivery-id"] ?? "",
                "webhook-timestamp": request["x-mlflow-timestamp"] ?? "",
                "webhook-signature": request["x-mlflow-signature"] ?? "",
            ], body: request.body)
        #expect(renamed.isSigned(by: secret))
        #expect(try await service.stop() == 0)
    }
}
