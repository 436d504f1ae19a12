import Actions
import Events
import Foundation
import TestSupport
import Testing
import Values

/// The same delivery as each kind of receiver wants it, over real sockets.
@Suite struct DeliveryFormTests {
    private static func alert(
        _ status: String = "firing", fingerprint: String = "e3a848877f9757eb", severity: String = "page",
        summary: String = "income <shifted> & rose"
    ) -> JSON {
        .members(
            ("status", .string(status)),
            (
                "labels",
                .sorted([
                    "alertname": "FeatureDrift", "model": "credit-risk", "column": "income", "pay-method": "card",
                    "severity": severity,
                ])
            ), ("annotations", .sorted(["summary": summary, "runbook_url": "https://runbooks.example/drift"])),
            ("startsAt", "2026-03-01T11:00:00Z"),
            ("endsAt", .string(status == "firing" ? "0001-01-01T00:00:00Z" : "2026-03-01T11:30:00Z")),
            ("generatorURL", "https://holdfast.example/models/credit-risk/alerts/e3a848877f9757eb"),
            ("fingerprint", .string(fingerprint)),
            (
                "context",
                .members(
                    ("likely", "income is about 100 × the reference"), ("change_start", "2026-03-01T10:00:00Z"),
                    ("segment", ["country": "BR"]))
            ))
    }

    private static func body(_ alerts: JSON...) -> JSON {
        .members(("receiver", "oncall"), ("alerts", .array(alerts)), ("externalURL", "https://holdfast.example"))
    }

    private func send(
        _ body: JSON, _ form: DeliveryForm, mode: WebhookReceiver.Mode = .ok, path: String = ""
    ) async throws -> (outcome: DeliveryOutcome, requests: [WebhookReceiver.Request]) {
        let receiver = try WebhookReceiver(mode: mode)
        let sender = WebhookSender(
            receivers: [
                Receiver(
                    name: "oncall",
                    kind: .webhook(Receiver.Webhook(url: receiver.url(path: path), timeout: .minutes(5), form: form)))
            ], random: { 0.5 })
        let outcome = await sender.attempt(
            PendingDelivery(id: "msg_1", receiver: "oncall", body: body.bytes, message: body), at: noon)
        return (outcome, receiver.requests)
    }

    private func json(_ request: WebhookReceiver.Request?) throws -> JSON {
        try JSON(parsing: try #require(request).body)
    }

    @Test(arguments: ["", "/", "/api/v2/alerts"])
    func `Alertmanager gets an array as Prometheus posts it, with an end that repeats put off`(path: String)
        async throws
    {
        let sent = try await send(
            Self.body(Self.alert(), Self.alert("resolved", fingerprint: "b")), .alertmanager, path: path)
        #expect(sent.outcome.action == .delivered)
        #expect(sent.requests.count == 1 && sent.requests.first?.path == "/api/v2/alerts")
        let alerts = try #require(try json(sent.requests.first).arrayValue)
        #expect(alerts.count == 2)
        #expect(alerts[0]["endsAt"] == .time(noon + .minutes(4)) && alerts[0]["startsAt"] == "2026-03-01T11:00:00Z")
        #expect(alerts[1]["endsAt"] == "2026-03-01T11:30:00Z")
        #expect(alerts[0]["labels"]?["pay_method"] == "card" && alerts[0]["labels"]?["pay-method"] == nil)
        #expect(alerts[0]["annotations"]?["likely"] == "income is about 100 × the reference")
    }

    @Test(.enabled(if: SharedData.isPresent, "no recorded posts beside the checkout"))
    func `an alert for Alertmanager has the members of one that Prometheus posted`() async throws {
        let folder = try #require(SharedData.root)
        let file = folder.appending(path: "samples/alertmanager_post_v2_alerts.json")
        let recorded = try #require(try JSON(parsing: Data(contentsOf: file)).arrayValue?.first)
        let sent = try await send(Self.body(Self.alert()), .alertmanager)
        let alert = try #require(try json(sent.requests.first).arrayValue?.first)
        #expect(alert.objectValue?.map(\.key) == recorded.objectValue?.map(\.key))
    }

    @Test func `Slack gets a header and a section for each alert, escaped`() async throws {
        let sent = try await send(
            Self.body(Self.alert(), Self.alert(fingerprint: "b")), .slack, path: "/services/T/B/x")
        #expect(sent.requests.first?.path == "/services/T/B/x")
        let message = try json(sent.requests.first)
        let blocks = try #require(message["blocks"]?.arrayValue)
        #expect(blocks.count == 3 && blocks[0]["type"] == "header")
        #expect(blocks[0]["text"]?["text"] == "[FIRING 2] FeatureDrift: credit-risk")
        let text = try #require(blocks[1]["text"]?["text"]?.stringValue)
        #expect(text.hasPrefix("*income &lt;shifted&gt; &amp; rose*\nincome is about 100 × the reference\n"), "\(text)")
        #expect(text.contains("Segment: country=BR\nSince: 2026-03-01T10:00:00Z"), "\(text)")
        #expect(text.contains("|Details>") && text.contains("<https://runbooks.example/drift|Runbook>"))
        #expect(message["text"]?.stringValue?.hasPrefix("[FIRING 2] FeatureDrift: credit-risk: income &lt;") == true)
    }

    @Test func `long and many alerts stay within what Slack takes`() async throws {
        let alerts = (0..<60).map {
            Self.alert(fingerprint: "\($0)", summary: String(repeating: "long ", count: 2_000))
        }
        let sent = try await send(.members(("alerts", .array(alerts))), .slack)
        let blocks = try #require(try json(sent.requests.first)["blocks"]?.arrayValue)
        let lengths = blocks.compactMap { $0["text"]?["text"]?.stringValue?.count }
        #expect(blocks.count <= 50 && lengths.reduce(0, +) <= 13_000 && lengths.max() ?? 0 <= 3_000, "\(lengths)")
        #expect(blocks.last?["text"]?["text"]?.stringValue?.hasSuffix("more") == true)
    }

    @Test func `PagerDuty gets an event for each alert, by its fingerprint, and the end of it`() async throws {
        let sent = try await send(
            Self.body(Self.alert(), Self.alert("resolved", fingerprint: "b")), .pagerDuty(key: "R0UT"),
            path: "/v2/enqueue")
        #expect(sent.requests.map(\.path) == ["/v2/enqueue", "/v2/enqueue"])
        let event = try json(sent.requests.first)
        #expect(event["routing_key"] == "R0UT" && event["event_action"] == "trigger")
        #expect(event["dedup_key"] == "e3a848877f9757eb")
        let payload = try #require(event["payload"])
        #expect(payload["severity"] == "critical" && payload["source"] == "credit-risk")
        #expect(payload["component"] == "income" && payload["class"] == "FeatureDrift")
        #expect(payload["group"] == "country=BR" && payload["timestamp"] == "2026-03-01T11:00:00Z")
        #expect(payload["custom_details"]?["context"]?["likely"] == "income is about 100 × the reference")
        #expect(event["links"]?.arrayValue?.count == 2)
        let end = try json(sent.requests.last)
        #expect(end == ["routing_key": "R0UT", "event_action": "resolve", "dedup_key": "b"])
    }

    @Test func `an event too large for PagerDuty goes without its details`() async throws {
        var large = Self.alert()
        guard case .object(var members) = large else { return }
        members.append(.init("context", ["x": .string(String(repeating: "x", count: 600_000))]))
        members.removeAll { $0.key == "context" && $0.value["likely"] != nil }
        large = .object(members)
        let event = try json(try await send(Self.body(large), .pagerDuty(key: "k")).requests.first)
        #expect(event["payload"]?["custom_details"] == nil && event["payload"]?["summary"] != nil)
    }

    @Test func `Opsgenie opens and closes by the alias`() async throws {
        let sent = try await send(
            Self.body(Self.alert(severity: "warning"), Self.alert("resolved", fingerprint: "b")), .opsgenie(key: "k3y"))
        #expect(sent.requests.map(\.path) == ["/v2/alerts", "/v2/alerts/b/close?identifierType=alias"])
        #expect(sent.requests.allSatisfy { $0["authorization"] == "GenieKey k3y" })
        let alert = try json(sent.requests.first)
        #expect(alert["alias"] == "e3a848877f9757eb" && alert["priority"] == "P3" && alert["entity"] == "credit-risk")
        #expect(alert["tags"] == ["FeatureDrift", "credit-risk"])
    }

    @Test func `Teams gets an adaptive card`() async throws {
        let sent = try await send(Self.body(Self.alert("resolved")), .teams, path: "/workflows/1?sig=x")
        #expect(sent.requests.first?.path == "/workflows/1?sig=x")
        let attachment = try #require(try json(sent.requests.first)["attachments"]?.arrayValue?.first)
        #expect(attachment["contentType"] == "application/vnd.microsoft.card.adaptive")
        #expect(attachment["contentUrl"] == .null && attachment["content"]?["type"] == "AdaptiveCard")
        let title = attachment["content"]?["body"]?.arrayValue?.first?["text"]
        #expect(title == "[RESOLVED] FeatureDrift: credit-risk")
    }

    @Test func `CloudEvents are structured, or carry their attributes as headers`() async throws {
        let body = Self.body(Self.alert())
        let structured = try await send(body, .cloudEvents(isBinary: false))
        let request = try #require(structured.requests.first)
        #expect(request["content-type"] == "application/cloudevents+json; charset=utf-8")
        let event = try json(request)
        #expect(
            event["specversion"] == "1.0" && event["id"] == "msg_1" && event["source"] == "https://holdfast.example")
        #expect(event["type"] == "holdfast.alert.firing" && event["subject"] == "credit-risk/FeatureDrift")
        #expect(event["data"] == body && event["time"] == .time(noon))
        let binary = try #require(try await send(body, .cloudEvents(isBinary: true)).requests.first)
        #expect(binary["ce-specversion"] == "1.0" && binary["ce-id"] == "msg_1" && binary.body == body.bytes)
        #expect(binary["ce-type"] == "holdfast.alert.firing" && binary["content-type"] == "application/json")
    }

    @Test func `what a service will never take is not sent for three days`() async throws {
        let refused = try await send(Self.body(Self.alert()), .pagerDuty(key: "k"), mode: .status(400))
        #expect(refused.outcome.label == "dead" && refused.outcome.result == .unacceptable(status: 400))
        let plain = try await send(Self.body(Self.alert()), .standard, mode: .status(400))
        #expect(plain.outcome.label == "retry")
        let order = try await send(["type": "retrain"], .slack)
        #expect(order.requests.isEmpty && order.outcome.label == "retry" && order.outcome.wantsFallback)
    }
}
