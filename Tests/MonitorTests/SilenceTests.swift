import Events
import Foundation
import Ledger
import Logging
import TestSupport
import Testing
import Values

@testable import Monitor
@testable import Rules

@Suite struct `Silences` {
    private static let now = Timestamp(microseconds: 1_772_323_200_000_000)

    private func silence(_ text: String) throws -> Silence {
        try Silence(try JSON(parsing: text.utf8), id: "new", createdBy: "me", at: Self.now)
    }

    @Test func `cover the alerts whose labels pass every matcher`() throws {
        let labels = ["alertname": "Drift", "country": "BR", "severity": "page"]
        func covers(_ matchers: String...) throws -> Bool {
            let list = try matchers.map { text in
                try #require(ServiceClient.matcher(text), "\(text)")
            }
            let silence = Silence(
                id: "s", matchers: list, startsAt: Self.now, endsAt: Self.now + .hours(1), createdBy: "", comment: "",
                updatedAt: Self.now)
            var silencer = Silencer([silence])
            return !silencer.silences(for: labels).isEmpty
        }
        #expect(try covers("alertname=Drift"))
        #expect(try covers("alertname = \"Drift\"", "country=~\"B.|MX\""))
        #expect(try !covers("alertname=Drift", "country=MX"))
        #expect(try !covers("country=~B"))
        #expect(try covers("country!=MX", "team!~x.*"))
        #expect(try !covers("team=risk"))
        #expect(ServiceClient.matcher("country") == nil && ServiceClient.matcher("=BR") == nil)
        #expect(ServiceClient.matcher("a=~(") == nil)
    }

    @Test func `are read in Alertmanager's form`() throws {
        let read = try silence(
            #"{"matchers": [{"name": "country", "value": "B.", "isRegex": true, "isEqual": false}, {"name": "alertname", "value": "A"}], "startsAt": "2026-03-01T01:00:00Z", "endsAt": "2026-03-01T03:00:00Z", "createdBy": "ann", "comment": "known"}"#
        )
        #expect(read.id == "new" && read.createdBy == "ann" && read.comment == "known")
        #expect(read.matchers.first == Silence.Matcher(name: "country", value: "B.", isRegex: true, isEqual: false))
        #expect(read.state(at: Self.now) == .pending)
        #expect(read.state(at: Self.now + .hours(1)) == .active && read.state(at: Self.now + .hours(3)) == .expired)
        #expect(try silence(read.json.text) == read)
        let short = try silence(#"{"matchers": [{"name": "a", "value": "b"}], "duration": "2h"}"#)
        #expect(short.startsAt == Self.now && short.endsAt == Self.now + .hours(2) && short.createdBy == "me")
    }

    @Test(arguments: [
        ("[]", "expected one JSON object"), (#"{"duration": "2h"}"#, "`matchers` is missing"),
        (#"{"matchers": [{"name": "a", "value": "b"}]}"#, "`endsAt` is missing"),
        (#"{"matchers": [{"name": "a", "value": ""}], "duration": "2h"}"#, "at least one matcher"),
        (
            #"{"matchers": [{"name": "a", "value": "(", "isRegex": true}], "duration": "2h"}"#,
            "not a regular expression"
        ),
        (#"{"matchers": [{"name": "a"}], "duration": "2h"}"#, "needs `name` and `value`"),
        (#"{"matchers": [{"name": "a", "value": "b"}], "duration": "soon"}"#, "expected a duration"),
        (#"{"matchers": [{"name": "a", "value": "b"}], "endsAt": "2026-02-01T00:00:00Z"}"#, "must be after"),
        (#"{"matcher": []}"#, "unknown key `matcher`"),
    ])
    func `with a mistake are refused in words`(_ text: String, _ told: String) {
        let problem = #expect(throws: SilenceProblem.self) { try silence(text) }
        #expect(problem?.description.contains(told) == true, "\(String(describing: problem))")
    }

    /// Alerts a receiver was told of, as `firing Busy`.
    private static func told(_ receiver: WebhookReceiver) throws -> [String] {
        try receiver.requests.flatMap { request in
            (try JSON(parsing: request.body)["alerts"]?.arrayValue ?? []).map { alert in
                "\(alert["status"]?.stringValue ?? "") \(alert["labels"]?["alertname"]?.stringValue ?? "")"
            }
        }
    }

    @Test(.timeLimit(.minutes(2)))
    func `hold deliveries back until they end, and what is silenced stays in sight`() async throws {
        let workspace = try Workspace()
        let stream = try await StreamFixture.make(workspace, count: 1_000)
        try workspace.write(
            "rules.yaml",
            """
            groups:
            - name: pay
              model: pay
              rules:
              - {alert: Busy, expr: 'count{column="amount"} > 10'}
              - {alert: Other, expr: 'count{column="plan"} > 10'}
            """)
        let receiver = try WebhookReceiver()
        let service = try await Service.start(try stream.configuration("serve", receiver: receiver.url()))
        let url = "http://127.0.0.1:\(service.port)"
        let added = try await HoldfastProcess.run(
            ["silence", "add", "--url", url, "--duration", "1h", "--comment", "known", "alertname=Busy"])
        #expect(added.status == 0, "\(added.text)")
        let id = added.text.trimmingCharacters(in: .whitespacesAndNewlines)

        #expect(try await service.post("/v1/events", stream.events.joined(separator: "\n")).status == 200)
        _ = try await eventually("the other alert is delivered") {
            try Self.told(receiver).contains("firing Other") ? true : nil
        }
        let list = try await HoldfastProcess.run(["alerts", "--url", url])
        #expect(
            list.text.split(separator: "\n").contains {
                $0.contains("firing") && $0.contains("Busy") && $0.contains(id)
            }, "\(list.text)")
        // Its delivery stood in the outbox before the one that arrived, or beside it: it is held when the outbox is empty.
        _ = try await eventually("the silenced one is held back") {
            let ledger = try Ledger(path: workspace.path("state-serve/ledger.sqlite"))
            return try await ledger.heldDeliveries().count == 1 ? true : nil
        }
        #expect(try Self.told(receiver) == ["firing Other"])

        let silences = try await HoldfastProcess.run(["silence", "list", "--url", url])
        #expect(silences.text.contains(id) && silences.text.contains("alertname=Busy"), "\(silences.text)")
        #expect(try await HoldfastProcess.run(["silence", "expire", "--url", url, id]).status == 0)
        _ = try await eventually("it is told after all") {
            try Self.told(receiver) == ["firing Other", "firing Busy"] ? true : nil
        }
        let again = try await HoldfastProcess.run(["silence", "expire", "--url", url, id])
        #expect(again.status == 1 && again.text.contains("there is no silence"), "\(again.text)")
        #expect(try await service.post("/v1/silences", "{}").status == 400)
        #expect(try await service.stop() == 0)
        let gone = try await HoldfastProcess.run(["alerts", "--url", url])
        #expect(gone.status == 1 && gone.text.contains("is it running"), "\(gone.text)")
    }

    @Test func `whoever was told that an alert fires is told that it is over, silenced or not`() async throws {
        let ledger = try Ledger(path: nil)
        let clock = WallClock.system
        let gate = SilenceGate(
            ledger: ledger, bells: ReceiverBells(["oncall"]), clock: clock, log: Logger(label: "test"))
        /// Lets a delivery of alerts go, and notes it as delivered; says what of it went.
        func send(_ alerts: (name: String, status: String)...) async throws -> [String] {
            let body = JSON.members(
                (
                    "alerts",
                    .array(
                        alerts.map { alert in
                            .members(
                                ("status", .string(alert.status)), ("fingerprint", .string(alert.name)),
                                ("labels", .members(("alertname", .string(alert.name)))),
                                ("startsAt", .time(Self.now)))
                        })
                ))
            var step = LedgerCommit()
            let key = alerts.map { "\($0.name) \($0.status)" }.joined(separator: ", ")
            step.outbox = [
                OutboxEntry(
                    kind: .delivery, key: key, target: "oncall", lane: key, body: body.bytes, at: Self.now)
            ]
            try ledger.commit(step, layouts: [:])
            let due = try await ledger.due(.delivery, to: "oncall", at: clock.now(), limit: 9)
            #expect(due.count == 1)
            guard let passed = try await gate.pass(try #require(due.first)) else { return [] }
            let told = SilenceGate.told(passed.entry)
            try await ledger.finish(passed.id, telling: told, to: "oncall")
            return told.map { "\($0.fingerprint) \($0.isOver ? "over" : "fires")" }
        }
        #expect(try await send(("A", "firing")) == ["A fires"])
        let silence = Silence(
            id: "s", matchers: [.init(name: "alertname", value: "A|B", isRegex: true, isEqual: true)],
            startsAt: clock.now() - .hours(1), endsAt: clock.now() + .hours(1), createdBy: "", comment: "",
            updatedAt: Self.now)
        #expect(try await ledger.put(silence, at: clock.now()))
        // `B` has the same cause as `A`, which is told along with it.
        #expect(try await send(("B", "firing"), ("A", "firing")) == [])
        #expect(try await ledger.heldDeliveries().map(\.fingerprint) == ["B"])
        #expect(try await send(("A", "resolved"), ("B", "firing")) == ["A over"])
        #expect(try await send(("B", "resolved")) == [])
        #expect(try await ledger.told(to: "oncall").isEmpty)
    }
}
