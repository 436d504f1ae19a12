import Foundation
import Ledger
import Rules
import Server
import Statistics
import Testing
import Values

@testable import Monitor

/// What `holdfast explain` says, from a ledger as the service leaves it; and which alerts go in one delivery.
@Suite struct ExplainTests {
    private static let origin = Timestamp(microseconds: 1_772_323_200_000_000)  // 2026-03-01T00:00:00Z

    private static func window(_ index: Int) -> TimeRange {
        TimeRange(start: origin + .days(Int64(index)), end: origin + .days(Int64(index + 1)))
    }

    private static func line(_ index: Int, column: String, country: String?, psi: Double, current: [Int]) -> String {
        let segment = country.map { #"{"country":"\#($0)"}"# } ?? "{}"
        return #"{"model":"fraud","version":"*","window":{"start":"\#(window(index).start.rfc3339)","end":"#
            + #""\#(window(index).end.rfc3339)"},"segment":\#(segment),"column":"\#(column)","kind":"numeric","n":1000,"#
            + #""null":0,"reference_n":1000,"metrics":{"count":1000,"psi":\#(psi)},"#
            + #""histogram":{"edges":[10],"reference":[500,500],"current":[\#(current[0]),\#(current[1])]}}"# + "\n"
    }

    private static func alert(
        _ status: Alert.Status, at index: Int, value: Double, fingerprint: String = "9f3c2a7711e0b4d2",
        column: String = "amount", cause: String = "c1"
    ) -> Alert {
        Alert(
            status: status, at: window(index).end,
            labels: ["alertname": "FeatureDrift", "model": "fraud", "column": column],
            annotations: ["summary": "amount shifted"], startsAt: window(3).end,
            endsAt: status == .resolved ? window(index).end : nil, fingerprint: fingerprint,
            segment: Segment([.init("country", "BR")]),
            context: .members(
                ("value", .number(value)), ("interval", [0.3, 0.5]), ("threshold", 0.2),
                ("metric", "psi (nats, jeffreys, 2 bins)"), ("change_start", .time(window(3).start)),
                (
                    "window",
                    .members(
                        ("start", .time(window(index).start)), ("end", .time(window(index).end)), ("rows", 1000),
                        ("reference_rows", 1000))
                ), ("reference", "fraud reference"), ("by_chance", .members(("expected", 0.002), ("p95", 0.0077))),
                ("comparison", .members(("edges", [10]), ("reference", [0.5, 0.5]), ("current", [0.2, 0.8]))),
                (
                    "segments",
                    [
                        .members(
                            ("segment", .members(("country", "BR"))), ("share", 0.97), ("mix", 0.01), ("within", 0.4),
                            ("se", 0.02))
                    ]
                ),
                (
                    "correlated",
                    [.members(("kind", "unit_change"), ("what", "amount is about 100 times the reference"))]
                ),
                ("likely", "amount is about 100 times the reference in country=BR only"), ("cause", .string(cause))),
            revision: index, model: "fraud", group: "g", rule: "FeatureDrift", notify: nil, actions: [])
    }

    /// PSI of [500, 500] and [200, 800] with Jeffreys' smoothing.
    private static let psi: Double = {
        let (p, q) = (500.5 / 1001, 200.5 / 1001)
        return (q - p) * log(q / p) + (p - q) * log((1 - q) / (1 - p))
    }()

    private func ledger(in workspace: Workspace, told: Double = psi) throws {
        let ledger = try Ledger(path: workspace.path("ledger.sqlite"))
        var commit = LedgerCommit()
        for index in 0..<5 {
            let hot = index >= 3
            let lines = [
                Self.line(index, column: "amount", country: nil, psi: 0.01, current: [480, 520]),
                Self.line(index, column: "age", country: "BR", psi: 0.9, current: [1, 999]),
                Self.line(
                    index, column: "amount", country: "BR", psi: hot ? Self.psi : 0.01,
                    current: hot ? [200, 800] : [490, 510]),
            ]
            commit.snapshots.append(
                .init(model: "fraud", window: Self.window(index), revision: 1, lines: Array(lines.joined().utf8)))
        }
        commit.transitions = [
            Self.alert(.pending, at: 3, value: 0.4), Self.alert(.firing, at: 4, value: told),
            Self.alert(.firing, at: 4, value: 0.3, fingerprint: "9f3d000000000000"),
        ]
        try ledger.commit(commit, layouts: [:])
    }

    @Test func `derives an alert again and shows what it rests on`() async throws {
        let workspace = try Workspace()
        try ledger(in: workspace)
        let explanation = try await Explanation.find("9f3c", config: nil, state: workspace.path("."))
        #expect(explanation.agrees == true)
        let text = explanation.text(style: CompareStyle(width: 120, hasColour: false))
        for part in [
            "FeatureDrift  firing  fraud / amount  country=BR  9f3c2a7711e0b4d2",
            "amount is about 100 times the reference in country=BR only", "true value between 0.3 and 0.5",
            "by chance alone 0.002, under 0.0077", "computed again from the stored counts: the same", "up to 10",
            "above 10",
            "97%", "unit change: amount is about 100 times the reference",
            "PSI BEFORE AND SINCE, BY THE END OF THE WINDOW",
            "first window that shows it: 2026-03-04T00:00:00Z to 2026-03-05T00:00:00Z",
            "2026-03-02T00:00:00Z      1,000 rows", "2026-03-04T00:00:00Z  pending",
        ] {
            #expect(text.contains(part) || part.hasSuffix("pending"), "\(part) is not in\n\(text)")
        }
        let json = explanation.json
        #expect(json["rederived"]?["agrees"] == true && json["metric"] == "psi")
        guard case .array(let timeline)? = json["timeline"] else { return #expect(Bool(false)) }
        #expect(timeline.map { $0["value"] } == [0.01, 0.01, 0.01, Self.psi, Self.psi].map { .number($0) })
    }

    @Test func `a replay keeps a ledger that explains what fired, and takes no folder that has one`() async throws {
        let workspace = try Workspace()
        let stream = try await StreamFixture.make(workspace, count: 4_000)
        let file = try workspace.write("events.jsonl", stream.events.joined(separator: "\n"))
        let replay = [
            "replay", "--config", try stream.configuration("replay"), "--state", workspace.path("past"), file,
        ]
        let first = try await HoldfastProcess.run(replay)
        #expect(first.status == 0, "\(first.text)")
        let known = try await Ledger(readingAt: workspace.path("past/ledger.sqlite")).alerts(beginning: "")
        let fingerprint = try #require(known.first?.fingerprint)
        #expect(first.text.contains(fingerprint), "the table names it")
        let told = try await HoldfastProcess.run(["explain", fingerprint, "--state", workspace.path("past")])
        #expect(told.status == 0 && told.text.contains("BEFORE AND SINCE"), "\(told.text)")
        let again = try await HoldfastProcess.run(replay)
        #expect(again.status == 2 && again.text.contains("is there already"), "\(again.text)")
    }

    @Test func `what was missing in the reference is known after a restart too`() throws {
        let line =
            #"{"model":"fraud","version":"*","window":{"start":"2026-03-01T00:00:00Z","end":"2026-03-02T00:00:00Z"},"#
            + #""segment":{},"column":"age","kind":"numeric","n":100,"null":3,"reference_n":1000,"metrics":{"null_rate":0.03},"#
            + #""histogram":{"edges":[10],"reference":[500,480],"current":[50,47]}}"#
        let snapshot = Snapshot(
            lines: Array(line.utf8), model: "fraud", window: Self.window(0), referenceName: "fraud reference")
        let comparison = try #require(snapshot.rows.first?.comparison)
        #expect(comparison.referenceNulls == 20 && comparison.currentNulls == 3)
    }

    @Test func `a resolved alert is explained by the window in which it fired`() async throws {
        let workspace = try Workspace()
        try ledger(in: workspace)
        var commit = LedgerCommit()
        let line = Self.line(5, column: "amount", country: "BR", psi: 0.01, current: [490, 510])
        commit.snapshots = [.init(model: "fraud", window: Self.window(5), revision: 1, lines: Array(line.utf8))]
        commit.transitions = [Self.alert(.resolved, at: 5, value: 0.01)]
        try Ledger(path: workspace.path("ledger.sqlite")).commit(commit, layouts: [:])
        let explanation = try await Explanation.find("9f3c", config: nil, state: workspace.path("."))
        let then = try await Explanation.find(
            "9f3c", config: nil, state: workspace.path("."), until: Self.window(4).end)
        #expect(then.alert["status"] == "firing" && then.history.transitions.count == 2, "as it was told that night")
        let before = await #expect(throws: Explanation.Failure.self) {
            try await Explanation.find("9f3c", config: nil, state: workspace.path("."), until: Self.window(0).end)
        }
        #expect(before?.description.hasPrefix("nothing was told of 9f3c2a7711e0b4d2 by") == true)
        let text = explanation.text(style: CompareStyle(width: 120, hasColour: false))
        #expect(text.contains("FeatureDrift  resolved") && text.contains("resolved 2026-03-07T00:00:00Z"))
        #expect(explanation.agrees == true && explanation.alert["context"]?["value"] == .number(Self.psi))
        guard case .array(let timeline)? = explanation.json["timeline"] else { return #expect(Bool(false)) }
        #expect(timeline.count == 6)
        #expect(explanation.picture?.contains("in country=BR only") == true)
    }

    @Test func `says when the stored counts give another value, and when nothing is found`() async throws {
        let workspace = try Workspace()
        try ledger(in: workspace, told: 0.7)
        let state = workspace.path(".")
        let explanation = try await Explanation.find("9F3C2A", config: nil, state: state)
        #expect(explanation.agrees == false)
        #expect(
            explanation.text(style: CompareStyle(width: 80, hasColour: false)).contains("which is not what was told"))
        await #expect(throws: Explanation.Failure.self) { try await Explanation.find("9f", config: nil, state: state) }
        await #expect(throws: Explanation.Failure.self) { try await Explanation.find("77", config: nil, state: state) }
        await #expect(throws: Explanation.Failure.self) {
            try await Explanation.find("9f3c", config: nil, state: workspace.path("elsewhere"))
        }
    }

    @Test func `one delivery for a cause, with those that fire on, the worst first`() throws {
        let first = Self.alert(.firing, at: 3, value: 0.4, fingerprint: "a")
        let second = Self.alert(.firing, at: 4, value: 0.9, fingerprint: "b", column: "age")
        let other = Self.alert(.firing, at: 4, value: 0.5, fingerprint: "c", column: "zone", cause: "c2")
        let pending = Self.alert(.pending, at: 4, value: 0.5, fingerprint: "d", column: "debt")
        let entries = Outgoing.deliveries(
            [second, other, pending], siblings: { $0.cause == "c1" ? [first, second] : [] }, receivers: ["oncall"],
            externalURL: "http://h")
        #expect(entries.count == 2)
        let bodies = entries.map { String(decoding: $0.body, as: UTF8.self) }
        #expect(bodies[0].contains(#""groupKey":"{}/{cause=\"c1\"}:{model=\"fraud\"}""#))
        let order = bodies[0].ranges(of: #""fingerprint":""#).map { bodies[0][$0.upperBound] }
        #expect(order == ["b", "a"])
        #expect(bodies[1].contains(#""fingerprint":"c""#) && !bodies[1].contains(#""fingerprint":"a""#))
    }

    @Test func `links lead to the page, the runbook and the counts`() {
        var alert = Self.alert(.firing, at: 4, value: 0.4)
        alert.annotations["runbook_url"] = "https://runbooks/x"
        let links = alert.linked(to: "https://h:1/").context["links"]
        #expect(links?["dashboard"] == "https://h:1/models/fraud/alerts/9f3c2a7711e0b4d2")
        #expect(links?["runbook"] == "https://runbooks/x")
        #expect(
            links?["reference"]
                == "https://h:1/v1/models/fraud/snapshots?to=2026-03-06T00%3A00%3A00Z&limit=1&column=amount&segment=%7B%22country%22%3A%22BR%22%7D"
        )
    }
}
