import Events
import Foundation
import TestSupport
import Testing
import Values

/// Webhooks that MLflow's clients make, from the request to the receiver.
@Suite(.serialized)
struct ClientWebhookTests {
    private static func start(_ workspace: Workspace, _ extra: String = "") async throws -> Service {
        try await Service.start(
            try workspace.write(
                "holdfast.yaml", "state: ./state\nmodels: []\nhttp: {listen: \"127.0.0.1:0\"}\n\(extra)\n"))
    }

    private static func make(_ service: Service, _ url: String, _ events: String) async throws -> (
        status: Int, json: JSON
    ) {
        try await service.post(
            "/api/2.0/mlflow/webhooks", #"{"name":"ci","url":"\#(url)","events":[\#(events)],"secret":"s3cret"}"#)
    }

    private static func event(_ entity: String, _ action: String) -> String {
        #"{"entity":"\#(entity)","action":"\#(action)"}"#
    }

    @Test(
        "a client's webhook hears what it asked for, signed, also what happened while its receiver was down",
        .timeLimit(.minutes(2)))
    func told() async throws {
        let workspace = try Workspace()
        let receiver = try WebhookReceiver(mode: .failing(times: 1, status: 503))
        let service = try await Self.start(
            workspace, "registry: {client_webhooks: {allow_http: true, allow_private: true}}")
        let events = [
            Self.event("MODEL_VERSION", "CREATED"), Self.event("MODEL_VERSION_TAG", "SET"),
            Self.event("MODEL_VERSION_ALIAS", "CREATED"),
        ]
        let made = try await Self.make(service, receiver.url(), events.joined(separator: ","))
        #expect(made.status == 200, "\(made.json.text)")
        for (path, body) in [
            ("registered-models/create", #"{"name":"m"}"#),
            ("model-versions/create", #"{"name":"m","source":"s3://b/1"}"#),
            ("model-versions/set-tag", #"{"name":"m","version":"1","key":"stage","value":"bake"}"#),
            ("registered-models/alias", #"{"name":"m","alias":"live","version":"1"}"#),
        ] {
            #expect(try await service.post("/api/2.0/mlflow/\(path)", body).status == 200)
        }
        let requests = try await eventually("the alias is told") { () -> [WebhookReceiver.Request]? in
            receiver.requests.count >= 4 ? receiver.requests : nil
        }
        let bodies = requests.map { (try? JSON(parsing: $0.body)) ?? .null }
        // The first try failed and was made again under the same id; what was not asked for is not told.
        #expect(requests[0]["x-mlflow-delivery-id"] == requests[1]["x-mlflow-delivery-id"])
        #expect(
            bodies.dropFirst().map { "\($0["entity"]?.stringValue ?? "").\($0["action"]?.stringValue ?? "")" } == [
                "model_version.created", "model_version_tag.set", "model_version_alias.created",
            ])
        #expect(bodies[2]["data"]?["key"] == "stage" && bodies[2]["data"]?["value"] == "bake")
        #expect(bodies[3]["data"]?["alias"] == "live" && bodies[3]["data"]?["previous_version"] == .null)
        let last = try #require(requests.last)
        let renamed = WebhookReceiver.Request(
            method: last.method, path: last.path,
            headers: [
                "webhook-id": last["x-mlflow-delivery-id"] ?? "", "webhook-timestamp": last["x-mlflow-timestamp"] ?? "",
                "webhook-signature": last["x-mlflow-signature"] ?? "",
            ], body: last.body)
        #expect(renamed.isSigned(by: "s3cret"))
        let id = made.json["webhook"]?["webhook_id"]?.stringValue ?? ""
        let tested = try await service.post("/api/2.0/mlflow/webhooks/\(id)/test", "{}")
        #expect(tested.json["result"] == ["success": true, "response_status": 200])
        #expect(try await service.stop() == 0)
        // The secret is in no file as it came, and the key that opens it is its owner's alone.
        for name in try FileManager.default.contentsOfDirectory(atPath: workspace.path("state")) {
            let bytes = FileManager.default.contents(atPath: workspace.path("state/\(name)")) ?? Data()
            #expect(bytes.range(of: Data("s3cret".utf8)) == nil, "\(name)")
        }
        let attributes = try FileManager.default.attributesOfItem(atPath: workspace.path("state/webhook.key"))
        #expect(attributes[.posixPermissions] as? Int == 0o600)
    }

    /// CVE-2026-2393: whoever may use the interface must not make the service call into its own network.
    @Test("a client's webhook leads to public addresses over TLS only", .timeLimit(.minutes(1)))
    func guarded() async throws {
        let workspace = try Workspace()
        let receiver = try WebhookReceiver(mode: .ok)
        let service = try await Self.start(workspace)
        for url in [
            receiver.url(), "http://example.com/x", "https://127.0.0.1/x", "https://10.0.0.1/x",
            "https://169.254.169.254/latest/meta-data", "https://[::1]/x", "ftp://example.com/x", "http://[invalid",
        ] {
            let answer = try await Self.make(service, url, Self.event("MODEL_VERSION", "CREATED"))
            #expect(answer.status == 400, "\(url)")
            let message = answer.json["message"]?.stringValue ?? ""
            #expect(message.hasPrefix("Invalid webhook URL"), "\(url): \(message)")
        }
        // A name is looked up at each attempt, and what it leads to now is what counts.
        let named = try await Self.make(service, "https://localhost/x", Self.event("MODEL_VERSION", "CREATED"))
        let id = named.json["webhook"]?["webhook_id"]?.stringValue ?? ""
        let tested = try await service.post("/api/2.0/mlflow/webhooks/\(id)/test", "{}")
        #expect(tested.json["result"]?["success"] == false)
        #expect(tested.json["result"]?["error_message"]?.stringValue?.contains("private address") == true)
        #expect(receiver.requests.isEmpty)
        #expect(try await service.stop() == 0)
    }
}
