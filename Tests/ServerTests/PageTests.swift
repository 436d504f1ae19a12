import Events
import Registry
import Statistics
import Testing
import Values

@testable import Server

/// The dashboard: what it says, and that no name can become markup.
struct PageTests {
    @Test func `the page shows alerts, models and the registry`() async throws {
        try await withServer { client, _, _ in
            let page = try await client.get("/")
            #expect(page.status == 200 && page.headers["content-type"] == "text/html; charset=utf-8")
            for text in [
                "2 alerts firing", "PredictionDriftAfterDeploy", "Rolled back 14 → 13", "country=BR",
                "78% of the shift",
                "version 14 scores country=BR differently", "0.413", "merchant_category", "3 others",
                "9.4% missing, 1.2% in the reference", "No window has closed yet.", "rolled back 14 → 13",
                "by rule:PredictionDriftAfterDeploy", "half the usual rows", "after 2 h", "quarantined",
                "https://runbooks.example/prediction-drift",
            ] {
                #expect(page.body.contains(text), "\(text)")
            }
            #expect(!page.body.contains("the champion went from"), "said already by what was done")
            let fragment = try await client.get("/fragment")
            #expect(page.body.contains(fragment.body) && !fragment.body.contains("<html"))
        }
    }

    @Test func `an alert has a page with its timeline and every number`() async throws {
        var state = Fixture.incident()
        let hour = Span.hours(1)
        state.history = AlertHistory(
            transitions: [
                FixtureAlerts.predictionDrift.replacing("firing", with: "pending"), FixtureAlerts.predictionDrift,
            ],
            metric: .psi,
            timeline: (0..<20).map { i in
                let start = Fixture.window.start - .hours(Int64(19 - i))
                return .init(
                    window: TimeRange(start: start, end: start + hour), value: i == 5 ? nil : i > 17 ? 0.41 : 0.02,
                    rows: 4_000 + UInt64(i))
            }, rederived: 0.4127)
        try await withServer(state) { client, _, _ in
            let front = try await client.get("/")
            #expect(front.body.contains(#"<a href="/models/fraud/alerts/9f3c2a7711e0b4d2">"#))
            let page = try await client.get("/models/fraud/alerts/9f3c2a7711e0b4d2")
            #expect(page.status == 200 && page.headers["content-type"] == "text/html; charset=utf-8")
            for text in [
                "version 14 scores country=BR differently", "psi before and since", "4,019", "champion 13 → 14",
                "from its values",
                "country=BR, device=android", "firing, value 0.413", "computed again", "all alerts",
            ] {
                #expect(page.body.contains(text), "\(text)")
            }
            #expect(!page.body.contains("<script") && !page.body.contains(" style="))
            let picture = try await client.get("/models/fraud/alerts/9f3c2a7711e0b4d2/picture.svg")
            #expect(picture.headers["content-type"] == "image/svg+xml" && picture.body.hasPrefix("<svg xmlns="))
            #expect(
                picture.body.contains("version 14 scores country=BR differently") && picture.body.utf8.count < 12_000)
            let none = try await client.get("/models/fraud/alerts/00")
            #expect(none.status == 404 && none.body.contains("older than the retention"))
        }
    }

    @Test func `a model has a page with its windows, columns, segments and alerts`() async throws {
        var state = Fixture.incident()
        func line(_ hour: Int, _ segment: String, _ column: String, _ n: Int, psi: Double) -> String {
            #"{"model":"fraud","version":"*","window":{"start":"2026-03-01T\#(hour):00:00Z","end":"2026-03-01T\#(hour + 1):00:00Z"},"#
                + #""segment":{\#(segment)},"column":"\#(column)","kind":"numeric","n":\#(n),"metrics":{"psi":\#(psi),"null_rate":0.04}}"#
        }
        state.snapshots = [
            line(12, "", "amount", 17_001, psi: 0.03), line(13, "", "amount", 18_412, psi: 0.31),
            line(13, "", "age", 18_412, psi: 0.004), line(13, #""country":"BR""#, "amount", 4_211, psi: 0.62),
            line(13, #""country":"US","device":"web""#, "amount", 977, psi: 0.01),
            // Told again: the newest line counts.
            line(12, "", "amount", 17_002, psi: 0.04),
        ].joined(separator: "\n")
        try await withServer(state) { client, service, _ in
            let front = try await client.get("/")
            #expect(front.body.contains(#"<a href="/models/fraud">fraud</a>"#))
            let page = try await client.get("/models/fraud")
            #expect(page.status == 200 && page.headers["content-type"] == "text/html; charset=utf-8")
            for text in [
                "<title>fraud · Holdfast</title>", "fraud v14 training data", "account_age_days",
                "2026-03-01 13:00–14:00 UTC", "17,002", "country=US, device=web", "0.62",
                "PredictionDriftAfterDeploy", "half the usual rows", #"<a href="/registry/fraud">registry</a>"#,
                "Segments in the last window",
            ] {
                #expect(page.body.contains(text), "\(text)")
            }
            #expect(!page.body.contains("17,001") && !page.body.contains("<script") && !page.body.contains(" style="))
            #expect(!page.body.contains("tenure_months"), "a column of another model")
            #expect(service.askedAlerts.last == "fraud 20")
            let none = try await client.get("/models/froud")
            #expect(none.status == 404 && none.body.contains("these are: churn, fraud, pricing"))
            let young = try await client.get("/models/pricing")
            #expect(young.status == 200 && young.body.contains("No window has closed yet."))
        }
    }

    @Test func `an alert about performance shows its figure, the reference's, and how often scores were right`()
        async throws
    {
        var state = Fixture.incident()
        let line = FixtureAlerts.performanceDrop
        let context = try JSON(parsing: line.utf8)["context"]
        #expect(AlertHistory.metric(of: context) == .auroc && AlertHistory.level(context) == 0.91)
        state.alerts = [line]
        state.history = AlertHistory(
            transitions: [line], metric: AlertHistory.metric(of: context),
            timeline: (0..<6).map { i in
                let start = Fixture.window.start + .hours(Int64(i))
                return .init(
                    window: TimeRange(start: start, end: start + .hours(1)), value: i < 3 ? 0.9 : 0.52, rows: 500)
            }, rederived: nil)
        try await withServer(state) { client, _, _ in
            let page = try await client.get("/models/fraud/alerts/9f3c2a7711e0b4d2")
            for text in [
                "auroc in this window", "in the reference", "0.523", "0.91", "share of positives by score",
                "auroc before and since",
                "0.8 to 0.9: reference 85%, now 50%", "score 0 to 0.1", "brier", "first window that shows it",
                "2026-03-01 12:00–13:00 UTC", "firing, auroc 0.523",
            ] {
                #expect(page.body.contains(text), "\(text)")
            }
            #expect(!page.body.contains("<span>threshold</span>"))
            #expect(!page.body.contains("0.1 to 0.2: reference"), "no row of the reference had such a score")
            let picture = try await client.get("/models/fraud/alerts/9f3c2a7711e0b4d2/picture.svg").body
            #expect(picture.contains("auroc 0.523  ·  0.91 in the reference") && !picture.contains("threshold"))
            #expect(picture.contains("share of positives by score"))
        }
    }

    @Test func `a new service says what to do`() async throws {
        try await withServer(FixtureService.State()) { client, _, _ in
            let page = try await client.get("/")
            #expect(page.body.contains("All calm") && page.body.contains("No model is configured yet."))
            #expect(page.body.contains("Nothing is firing.") && page.body.contains("No alert has been resolved yet."))
        }
    }

    @Test func `the page loads and runs nothing but its own`() async throws {
        try await withServer { client, _, _ in
            let page = try await client.get("/")
            let policy = page.headers["content-security-policy"] ?? ""
            #expect(policy.hasPrefix("default-src 'none'; style-src 'sha256-"))
            #expect(!policy.contains("unsafe") && !policy.contains("http"))
            // What the policy allows is what is there, byte for byte.
            #expect(page.body.contains("<style>\(PageStyle.text)</style>"))
            #expect(page.body.contains("<script>\(PageAssets.script)</script>"))
            #expect(!page.body.contains(" style="))
            let icon = try await client.get("/favicon.svg")
            #expect(icon.headers["content-type"] == "image/svg+xml")
        }
    }

    private static let hostile = [
        "<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "' onmouseover='alert(1)",
        // One character to Swift, but a quote to a browser.
        "\"\u{301} onmouseover=alert(1) x=\"\u{301}", "<\u{301}b>", "</title><script>alert(1)</script>",
        "{{state}}{{{script}}}", "a&lt;b",
    ]

    @Test(arguments: hostile)
    func `a hostile name stays text wherever it appears`(name: String) async throws {
        var state = FixtureService.State()
        let comparison = Comparison(
            edges: [], categories: [name, "ok"], reference: [3, 4], current: [4, 3], referenceNulls: 0, currentNulls: 0)
        let column = ModelOverview.Column(
            name: name, kind: name, metrics: MetricValues(), comparison: comparison, history: [0.1, nil, 0.3],
            worstSegment: (Segment([.init(name, name)]), 0.4, comparison))
        state.models = [
            ModelOverview(
                name: name, task: name, versions: [name], referenceName: name, referenceRows: 1,
                window: Fixture.window, windowSize: .hours(1), rows: 1, rowHistory: [1, 2], watermark: nil, lateRows: 0,
                columns: Array(repeating: column, count: 12))
        ]
        state.reasons = [name]
        let context = JSON.members(
            ("value", 0.4), ("threshold", 0.2), ("metric", .string(name)),
            ("comparison", ["categories": .array([.string(name)]), "reference": [1], "current": [2]]),
            ("segments", [.members(("segment", .object([.init(name, .string(name))])), ("share", 0.5))]),
            ("likely", .string(name)), ("actions", [.members(("rollback", .string(name)), ("to", .string(name)))]),
            ("also_firing", .array([.string(name)])))
        state.alerts = ["firing", "pending", "resolved"].map { status in
            JSON.members(
                ("status", .string(status)),
                (
                    "labels",
                    .sorted(["alertname": name, "model": name, "column": name, "severity": name])
                ), ("annotations", .sorted(["summary": name, "runbook_url": "javascript:alert(1)//" + name])),
                ("segment", .object([.init(name, .string(name))])), ("context", context)
            ).text
        }
        let markup = try await withServer(state) { client, _, _ in try await client.get("/").body }
        let plain = try await withServer(FixtureService.State()) { client, _, _ in try await client.get("/").body }
        func count(_ text: String, _ needle: String) -> Int {
            // By scalars, as a browser reads.
            let (hay, needle) = (Array(text.unicodeScalars), Array(needle.unicodeScalars))
            return hay.indices.dropLast(needle.count).count { hay[$0..<$0 + needle.count].elementsEqual(needle) }
        }
        #expect(count(markup, "<script") == count(plain, "<script"))
        #expect(count(markup, "<title>a") == 0 && !markup.contains("javascript:"))
        if name.contains("<") || name.unicodeScalars.contains("\"") || name.contains("'") || name.contains("&") {
            #expect(count(markup, name) == 0)
        }
        #expect(Markup.escape(name).unicodeScalars.allSatisfy { !["<", ">", "\"", "'"].contains($0) })
        #expect(count(markup, Markup.escape(name)) > 20)
    }

    @Test func `lines that say little are shown as far as they go`() async throws {
        var state = FixtureService.State()
        state.alerts = [
            "{}", "not json", "[]",
            #"{"status":"firing","context":{"comparison":{"edges":[1],"reference":[1],"current":[]}}}"#,
            #"{"status":"firing","context":{"comparison":{"edges":[1],"reference":[-1,1],"current":[1e400,2]}}}"#,
        ]
        try await withServer(state) { client, _, _ in
            let page = try await client.get("/")
            #expect(page.status == 200 && page.body.contains("3 alerts firing"))
        }
    }
}
