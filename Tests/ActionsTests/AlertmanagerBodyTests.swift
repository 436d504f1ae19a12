import Actions
import Foundation
import Rules
import TestSupport
import Testing
import Values

@Suite struct AlertmanagerBodyTests {
    private func body(_ alerts: [Alert], limit: Int = 200) throws -> AlertmanagerBody {
        try #require(
            AlertmanagerBody(receiver: "oncall", alerts: alerts, externalURL: "http://vm:8080", limit: limit))
    }

    @Test func `a firing alert, byte for byte`() throws {
        let alert = Alert.sample(labels: ["severity": "page"])
        #expect(
            try body([alert]).json.text == """
                {"receiver":"oncall","status":"firing","alerts":[{"status":"firing","labels":{"alertname":"FeatureDrift",\
                "model":"credit-risk","severity":"page"},"annotations":{"summary":"s"},"startsAt":"2026-03-01T12:00:00Z",\
                "endsAt":"0001-01-01T00:00:00Z","generatorURL":"http://vm:8080","fingerprint":"e3a848877f9757eb",\
                "context":{"revision":3,"value":0.31}}],"groupLabels":{"alertname":"FeatureDrift","model":"credit-risk"},\
                "commonLabels":{"alertname":"FeatureDrift","model":"credit-risk","severity":"page"},\
                "commonAnnotations":{"summary":"s"},"externalURL":"http://vm:8080","version":"4",\
                "groupKey":"{}:{alertname=\\"FeatureDrift\\", model=\\"credit-risk\\"}","truncatedAlerts":0}
                """)
    }

    @Test func `mixed: firing first, common is what all share, the group fires`() throws {
        let resolved = Alert.sample(.resolved, labels: ["country": "AR"], fingerprint: "a")
        let firing = Alert.sample(labels: ["country": "BR"], annotations: ["summary": "t"], fingerprint: "b")
        let made = try body([resolved, firing])
        #expect(made.status == .firing)
        #expect(made.alerts.map(\.fingerprint) == ["b", "a"])
        #expect(made.json["commonLabels"]?["country"] == nil)
        #expect(made.json["commonAnnotations"] == .object([]))
        #expect(made.json.text.contains(#""endsAt":"2026-03-01T12:04:00Z""#))
        #expect(try body([resolved]).status == .resolved)
    }

    @Test func `the order given changes neither bytes nor id`() throws {
        let alerts = (0..<6).map { Alert.sample(labels: ["country": "\($0)"], fingerprint: "\($0)") }
        let (one, other) = (try body(alerts), try body(alerts.reversed()))
        #expect(one == other && one.bytes == other.bytes)
        #expect(one.deliveryID == other.deliveryID)
    }

    @Test func `the id is of alert, revision, status and receiver`() throws {
        let id = try body([.sample()]).deliveryID
        #expect(id.hasPrefix("msg_") && id.utf8.count == 36)
        #expect(try body([.sample(context: ["value": 9])]).deliveryID == id)
        #expect(try body([.sample(revision: 4)]).deliveryID != id)
        #expect(try body([.sample(.resolved)]).deliveryID != id)
        let other = AlertmanagerBody(receiver: "team", alerts: [.sample()], externalURL: "")
        #expect(other?.deliveryID != id)
    }

    @Test func `pending alerts are not told of`() throws {
        #expect(AlertmanagerBody(receiver: "r", alerts: [.sample(.pending)], externalURL: "") == nil)
        #expect(AlertmanagerBody(receiver: "r", alerts: [], externalURL: "") == nil)
        #expect(try body([.sample(.pending), .sample()]).alerts.count == 1)
    }

    @Test func `the limit cuts resolved alerts first and says how many`() throws {
        let alerts = (0..<5).map { Alert.sample($0 < 3 ? .resolved : .firing, fingerprint: "\($0)") }
        let made = try body(alerts, limit: 2)
        #expect(made.alerts.allSatisfy { $0.status == .firing } && made.truncated == 3)
        #expect(made.json["truncatedAlerts"] == 3)
    }

    @Test func `context: own revision kept, link used`() throws {
        let context: JSON = ["revision": 7, "links": ["dashboard": "http://vm/models/x"]]
        let json = try body([.sample(context: context)]).json.text
        #expect(json.contains(#""context":{"revision":7,"links""#))
        #expect(json.contains(#""generatorURL":"http://vm/models/x""#))
        #expect(try body([.sample(context: .null)]).json.text.contains(#""context":{"revision":3}"#))
    }

    @Test func `label values are quoted in the group key`() throws {
        let alert = Alert.sample(labels: ["model": "a\"b\\c\nd\u{1}é"])
        #expect(try body([alert]).groupKey == #"{}:{alertname="FeatureDrift", model="a\"b\\c\nd\x01é"}"#)
    }

    /// What the real Alertmanager sent has the same fields, no more and no fewer.
    @Test(
        .enabled(if: SharedData.isPresent),
        arguments: ["alertmanager_webhook_v4_firing.json", "alertmanager_webhook_v4_mixed.json"])
    func `has Alertmanager's fields`(_ name: String) throws {
        let file = try #require(SharedData.root).appending(path: "samples").appending(path: name)
        let sample = try JSONSerialization.jsonObject(with: Data(contentsOf: file)) as? [String: Any]
        let theirs = try #require(sample?["body"] as? [String: Any])
        let bytes = Data(try body([.sample(), .sample(.resolved)]).bytes)
        let ours = try #require(JSONSerialization.jsonObject(with: bytes) as? [String: Any])
        #expect(Set(ours.keys) == Set(theirs.keys))
        let theirAlert = try #require((theirs["alerts"] as? [[String: Any]])?.first)
        let ourAlert = try #require((ours["alerts"] as? [[String: Any]])?.first)
        #expect(Set(ourAlert.keys) == Set(theirAlert.keys).union(["context"]))
        #expect(ourAlert["endsAt"] as? String == theirAlert["endsAt"] as? String)
    }
}
