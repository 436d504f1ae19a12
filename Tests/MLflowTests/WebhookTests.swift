import Events
import MLflow
import Registry
import Synchronization
import Testing
import Values

/// Webhooks as MLflow's clients make them. Where they may lead and who sends is the service's part.
struct WebhookTests {
    /// A gate that knows one bad address and keeps what it was told to send.
    private final class Gate: Sendable {
        let sent = Mutex<[JSON]>([])

        var gate: WebhookGate {
            WebhookGate {
                $0.url.contains("bad") ? "Invalid webhook URL: bad" : nil
            } test: { webhook, body in
                self.sent.withLock { $0.append(body) }
                return webhook.url.contains("down") ? .failed("nobody answers") : .status(204)
            }
        }
    }

    private static let created: JSON = [["entity": "MODEL_VERSION", "action": "CREATED"]]

    private static func make(_ rig: Rig, _ more: (String, JSON)...) async throws -> JSON? {
        var body: [JSON.Member] = [.init("name", "hook"), .init("url", "https://example.com/secret-path")]
        body.append(.init("events", created))
        for (key, value) in more {
            body.removeAll { $0.key == key }
            body.append(.init(key, value))
        }
        return try await rig.call("POST", "webhooks", .object(body))["webhook"]
    }

    private static func id(_ webhook: JSON?) -> String { webhook?["webhook_id"]?.stringValue ?? "" }

    @Test func `a webhook comes back as it was made, without its secret`() async throws {
        let rig = try await Rig(webhooks: Gate().gate)
        let made = try await Self.make(rig, ("secret", "s3cret"), ("description", "for CI"))
        #expect(made?["name"] == "hook" && made?["status"] == "ACTIVE" && made?["description"] == "for CI")
        #expect(made?["events"] == Self.created)
        #expect(made?["creation_timestamp"]?.integerValue != nil)
        let found = try await rig.call("GET", "webhooks/\(Self.id(made))")["webhook"]
        #expect(found == made && found?.text.contains("s3cret") == false)
        let audit = try await rig.registry.audit(limit: 1).first
        #expect(audit?.action == "webhook.created")
        #expect(audit?.detail.contains("s3cret") == false && audit?.detail.contains("secret-path") == false)
        #expect("\(try await rig.registry.webhooks())".contains("secret") == false)
    }

    @Test func `a change changes what it names, and is later than the one before`() async throws {
        let rig = try await Rig(webhooks: Gate().gate)
        let made = try await Self.make(rig, ("description", "first"))
        let changed = try await rig.call(
            "PATCH", "webhooks/\(Self.id(made))", ["name": "other", "status": "DISABLED"])[
                "webhook"]
        #expect(changed?["name"] == "other" && changed?["status"] == "DISABLED")
        #expect(changed?["url"] == made?["url"] && changed?["description"] == "first")
        let (before, after) = (made?["last_updated_timestamp"], changed?["last_updated_timestamp"])
        #expect((after?.integerValue ?? 0) > (before?.integerValue ?? 0))
        #expect(
            try await refusal {
                try await rig.call("PATCH", "webhooks/\(Self.id(made))", ["url": "https://bad.example"])
            }?.message == "Invalid webhook URL: bad")
        let kept = try await rig.call("GET", "webhooks/\(Self.id(made))")["webhook"]
        #expect(kept == changed)
    }

    @Test func `the newest come first, page by page`() async throws {
        let rig = try await Rig(webhooks: Gate().gate)
        for i in 0..<5 { _ = try await Self.make(rig, ("name", .string("hook\(i)"))) }
        var names: [String] = []
        var token = ""
        repeat {
            let page = try await rig.call(
                "GET", "webhooks", query: [("max_results", "2"), ("page_token", token)])
            names += (page["webhooks"]?.arrayValue ?? []).compactMap { $0["name"]?.stringValue }
            token = page["next_page_token"]?.stringValue ?? ""
        } while !token.isEmpty
        #expect(names == ["hook4", "hook3", "hook2", "hook1", "hook0"])
    }

    @Test func `a deleted webhook is gone, and what never was is not found`() async throws {
        let rig = try await Rig(webhooks: Gate().gate)
        let id = Self.id(try await Self.make(rig))
        try await rig.call("DELETE", "webhooks/\(id)")
        for id in [id, "nonexistent"] {
            for method in ["GET", "PATCH", "DELETE"] {
                let error = try await refusal { try await rig.call(method, "webhooks/\(id)", ["name": "n"]) }
                #expect(error?.code == .resourceDoesNotExist)
                #expect(error?.message == "Webhook with ID \(id) not found.")
            }
        }
    }

    @Test(
        arguments: [
            ("name", "-x", "Webhook name '-x' is invalid"), ("name", "a b", "is invalid"),
            ("url", "   ", "cannot be empty"),
            ("url", "https://bad.example", "Invalid webhook URL"), ("events", [], "required parameter 'events'"),
            ("events", [["entity": "MODEL_VERSION", "action": "SET"]], "Invalid action 'set'"),
            ("events", [["entity": "BUDGET_POLICY", "action": "EXCEEDED"]], "is not known here"),
            ("status", "SLEEPING", "use ACTIVE or DISABLED"),
        ] as [(String, JSON, String)])
    func `what cannot be a webhook is refused with the reason`(
        key: String, value: JSON, message: String
    ) async throws {
        let rig = try await Rig(webhooks: Gate().gate)
        let error = try await refusal { _ = try await Self.make(rig, (key, value)) }
        #expect(error?.code == .invalidParameterValue && error?.message.contains(message) == true, "\(error ?? nil)")
        #expect(try await rig.registry.webhooks().isEmpty)
    }

    @Test func `a test sends an example of the event and tells the status, never the answer`() async throws {
        let gate = Gate()
        let rig = try await Rig(webhooks: gate.gate)
        let id = Self.id(try await Self.make(rig))
        let result = try await rig.call("POST", "webhooks/\(id)/test")["result"]
        #expect(result == ["success": true, "response_status": 204])
        let alias: JSON = ["event": ["entity": "MODEL_VERSION_ALIAS", "action": "CREATED"]]
        try await rig.call("POST", "webhooks/\(id)/test", alias)
        let sent = gate.sent.withLock { $0 }
        #expect(sent.map { $0["entity"] } == ["model_version", "model_version_alias"])
        #expect(sent.last?["data"]?["alias"] == "example_alias")
        try await rig.call("PATCH", "webhooks/\(id)", ["url": "https://down.example"])
        let failed = try await rig.call("POST", "webhooks/\(id)/test")["result"]
        #expect(failed == ["success": false, "error_message": "nobody answers"])
    }

    @Test func `one that was disabled hears of what happens from then on, when it is active again`() async throws {
        let rig = try await Rig(webhooks: Gate().gate)
        let id = Self.id(try await Self.make(rig))
        try await rig.call("PATCH", "webhooks/\(id)", ["status": "DISABLED"])
        try await rig.call("POST", "registered-models/create", ["name": "m"])
        try await rig.call("PATCH", "webhooks/\(id)", ["status": "ACTIVE"])
        let webhook = try #require(try await rig.registry.webhook(id))
        #expect(try await rig.registry.cursor(of: webhook.consumer) == rig.registry.newestSequence())
    }

    @Test func `without somebody who sends there are none`() async throws {
        let rig = try await Rig()
        #expect(try await refusal { _ = try await Self.make(rig) }?.code == .endpointNotFound)
    }
}
