import Actions
import Events
import Foundation
import Ledger
import Logging
import Rules
import TestSupport
import Testing
import Values

@testable import Monitor

/// What an Alertmanager, which forgets alerts that nobody repeats, is told again.
struct AlertRefreshTests {
    private static let at = Timestamp(microseconds: 1_772_323_200_000_000)

    private static func alert(_ status: Alert.Status, _ name: String) -> Alert {
        Alert(
            status: status, at: at + .hours(1), labels: ["alertname": name, "model": "m"],
            annotations: ["summary": "s"],
            startsAt: at, endsAt: status == .resolved ? at + .hours(1) : nil, fingerprint: name, segment: .all,
            context: .members(("links", .members(("dashboard", "https://h/a")))), revision: 1, model: "m", group: "g",
            rule: name, notify: nil, actions: [])
    }

    @Test func `alerts that it was told of are repeated while they fire`() async throws {
        let receiver = try WebhookReceiver()
        let ledger = try Ledger(path: nil)
        let refresh = AlertRefresh(
            ledger: ledger,
            sender: WebhookSender(
                receivers: [
                    Receiver(
                        name: "am",
                        kind: .webhook(.init(url: receiver.url(path: ""), timeout: .minutes(5), form: .alertmanager)))
                ], random: { 0.5 }), receivers: ["am"], externalURL: "https://h", clock: .system,
            log: Logger(label: "test"))
        func step(_ alerts: [Alert], telling told: [Alert]) async throws {
            var commit = LedgerCommit()
            commit.transitions = alerts
            commit.outbox = told.map { alert in
                OutboxEntry(
                    kind: .delivery, key: "\(alert.fingerprint) \(alert.status)", target: "am", lane: "m/g",
                    body: [], at: Self.at)
            }
            try ledger.commit(commit, layouts: [:])
            for (entry, alert) in zip(try await ledger.due(.delivery, to: "am", at: .distantFuture, limit: 9), told) {
                try await ledger.finish(
                    entry.id,
                    telling: [
                        ToldAlert(
                            fingerprint: alert.fingerprint, startsAt: alert.startsAt.rfc3339,
                            isOver: alert.status == .resolved)
                    ], to: "am")
            }
        }
        // Nobody was told of anything yet, and of one alert nobody ever is.
        await refresh.refresh("am")
        try await step([Self.alert(.firing, "A"), Self.alert(.firing, "B")], telling: [Self.alert(.firing, "A")])
        await refresh.refresh("am")
        await refresh.refresh("am")
        try await step([Self.alert(.resolved, "A")], telling: [])
        await refresh.refresh("am")
        let posts = receiver.requests
        #expect(posts.map(\.path) == ["/api/v2/alerts", "/api/v2/alerts"])
        for post in posts {
            let alerts = try #require(try JSON(parsing: post.body).arrayValue)
            #expect(alerts.count == 1 && alerts[0]["labels"]?["alertname"] == "A")
            #expect(alerts[0]["generatorURL"] == "https://h/a")
        }
    }
}
