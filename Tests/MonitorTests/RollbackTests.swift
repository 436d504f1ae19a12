import Events
import Foundation
import Monitor
import Registry
import TestSupport
import Testing
import Values

/// From events to the fleet: a champion that fails is rolled away from, and is left alone where the data fails.
@Suite(.serialized)
struct RollbackTests {
    /// Which rows drift, half-way through the stream.
    enum Fault: Sendable, CaseIterable { case model, data }

    /// Both versions score rows of one population, one after the other.
    private struct Story: Sendable {
        let workspace: Workspace
        let events: [String]
        let configuration: String

        init(_ fault: Fault, mode: String = "guarded") throws {
            workspace = try Workspace()
            var generator = SeededGenerator(seed: 5)
            let start = Timestamp(rfc3339: "2025-03-01T00:00:00Z") ?? Timestamp(microseconds: 0)
            func event(_ i: Int, _ version: String, drifts: Bool, at time: Timestamp) -> String {
                let country = ["BR", "US", "DE"][Int.random(in: 0..<3, using: &generator)]
                var amount = Double(Int.random(in: 100..<20_000, using: &generator)) / 100
                if drifts && country == "BR" { amount *= 100 }
                let score = Double(Int.random(in: 0..<1_000, using: &generator)) / 1_000
                return
                    #"{"model":"pay","version":"\#(version)","id":"e\#(i)","ts":"\#(time.rfc3339)","features":{"amount":\#(amount)},"prediction":{"score":\#(score)},"segments":{"country":"\#(country)"}}"#
            }
            let training = (0..<4_000).map {
                event($0, "13", drifts: false, at: start - Span.seconds(10) * Int64(4_000 - $0))
            }
            let count = 6_000
            events = (0..<count).map { i in
                let version = i % 2 == 0 ? "13" : "14"
                let drifts = i > count / 2 && (fault == .data || version == "14")
                return event(i, version, drifts: drifts, at: start + Span.seconds(10) * Int64(i))
            }
            let file = try workspace.write("training.jsonl", training.joined(separator: "\n"))
            _ = try ReferenceCommand.build(
                files: [file], model: nil, version: "13", settings: nil, segments: nil, to: workspace.path("pay.json"))
            try workspace.write(
                "rules.yaml",
                """
                groups:
                - name: pay
                  model: pay
                  rules:
                  - alert: Drift
                    expr: psi{column="amount"} by (country) > 0.25
                    min_rows: 30
                    significance: p(0.001)
                    actions:
                    - rollback: {mode: \(mode), windows: 2, cooldown: 1h}
                """)
            configuration = try workspace.write(
                "holdfast.yaml",
                """
                state: state
                models:
                  - name: pay
                    reference: pay.json
                    segments: [country]
                    window: {pane: 10m, size: 1h, every: 30m, lateness: 5m, idle: 3600s}
                rules: [rules.yaml]
                http: {listen: "127.0.0.1:0"}
                """)
        }

        /// Versions 13 and 14 have been promoted, 14 last.
        func seed() async throws {
            let now = Timestamp(rfc3339: "2025-02-01T00:00:00Z") ?? Timestamp(microseconds: 0)
            try FileManager.default.createDirectory(
                atPath: workspace.path("state"), withIntermediateDirectories: true)
            let registry = try await Registry(path: workspace.path("state/registry.sqlite"))
            _ = try await registry.registerModel("pay", actor: "test", at: now)
            for version in ["13", "14"] {
                _ = try await registry.registerVersion(
                    model: "pay", version: version, source: "s3://pay/\(version)", actor: "test", at: now)
                try await registry.promote(
                    model: "pay", version: version, actor: "test", reason: "passed its bake", at: now)
            }
        }

        func post(to service: Service, rows: Range<Int>? = nil) async throws {
            let rows = rows ?? 0..<events.count
            for start in stride(from: rows.lowerBound, to: rows.upperBound, by: 1_000) {
                let answer = try await service.post(
                    "/v1/events", events[start..<min(start + 1_000, rows.upperBound)].joined(separator: "\n"))
                #expect(answer.status == 200)
            }
        }

        func decisions(_ service: Service) async throws -> [JSON] {
            let body = try await service.get("/v1/models/pay/decisions").body
            return try JSON(parsing: body)["decisions"]?.arrayValue ?? []
        }
    }

    private static func champion(_ service: Service) async throws -> String? {
        try JSON(parsing: try await service.get("/v1/models/pay/champion").body)["champion"]?["version"]?.stringValue
    }

    @Test("drift of the model rolls it back, and a fleet that waits hears of it", .timeLimit(.minutes(3)))
    func model() async throws {
        let story = try await blocking { try Story(.model) }
        try await story.seed()
        let service = try await Service.start(story.configuration)
        let before = try JSON(parsing: try await service.get("/v1/models/pay/champion").body)
        let sequence = try #require(before["sequence"]?.integerValue)
        async let waiting = service.get("/v1/models/pay/champion?wait=60s&after=\(sequence)")
        try await story.post(to: service)
        let heard = try JSON(parsing: try await waiting.body)
        #expect(heard["champion"]?["version"]?.stringValue == "13")
        let decision = try #require(try await story.decisions(service).first { $0["outcome"] == "done" })
        #expect(decision["verdict"]?.stringValue == "degrade")
        #expect(decision["from"]?.stringValue == "14" && decision["to"]?.stringValue == "13")
        let again = try await HoldfastProcess.run([
            "registry", "decisions", "pay", "--replay", "--json", "--evidence", "--state",
            story.workspace.path("state"),
        ])
        #expect(again.status == 0 && again.text.contains(#""again":"same""#), "\(again.text)")
        #expect(again.text.contains(#""dossier":{"#) && !again.text.contains("OTHERWISE"))
        #expect(try await service.stop() == 0)
    }

    @Test("drift of the data is refused and the alert says why", .timeLimit(.minutes(3)))
    func data() async throws {
        let story = try await blocking { try Story(.data) }
        try await story.seed()
        let service = try await Service.start(story.configuration)
        try await story.post(to: service)
        let decision = try await eventually("a decision is made") {
            try await story.decisions(service).first { $0["verdict"]?.stringValue == "degrade" }
        }
        #expect(decision["outcome"]?.stringValue == "refused")
        let reason = decision["reason"]?.stringValue ?? ""
        #expect(reason.contains("version 13 fails as much") && reason.contains("the data is at fault"), "\(reason)")
        #expect(try await Self.champion(service) == "14")
        _ = try await eventually("the alert tells it") { () -> Bool? in
            String(decoding: try await service.get("/v1/alerts").body, as: UTF8.self).contains("the data is at fault")
                ? true : nil
        }
        #expect(try await service.stop() == 0)
    }

    @Test("a hold keeps the champion, and a dry run only tells", .timeLimit(.minutes(3)))
    func held() async throws {
        let story = try await blocking { try Story(.model) }
        try await story.seed()
        let state = story.workspace.path("state")
        let held = try await HoldfastProcess.run([
            "registry", "hold", "--all", "--reason", "black friday", "--state", state,
        ])
        #expect(held.status == 0 && held.text.contains("black friday"), "\(held.text)")
        let service = try await Service.start(story.configuration)
        try await story.post(to: service, rows: 0..<3_900)
        let decision = try await eventually("a decision is made") { try await story.decisions(service).first }
        #expect(decision["outcome"] == "refused" && decision["reason"]?.stringValue?.contains("black friday") == true)
        #expect(try await Self.champion(service) == "14")
        // Half an hour of rows at a time, which closes a window.
        for attempt in 2...6 {
            let start = 3_900 + (attempt - 2) * 180
            try await story.post(to: service, rows: start..<start + 180)
            _ = try await eventually("it is judged again") { () -> Bool? in
                try await story.decisions(service).count >= attempt ? true : nil
            }
        }
        _ = try await eventually("people are told that it is not judged any more") { () -> Bool? in
            String(decoding: try await service.get("/v1/alerts").body, as: UTF8.self).contains(
                "given up after 6 windows") ? true : nil
        }
        #expect(try await service.stop() == 0)

        let dry = try await blocking { try Story(.model, mode: "dry_run") }
        try await dry.seed()
        let other = try await Service.start(dry.configuration)
        try await dry.post(to: other)
        let would = try await eventually("a decision is made") {
            try await dry.decisions(other).first { $0["verdict"]?.stringValue == "degrade" }
        }
        #expect(would["outcome"] == "would_run" && would["to"]?.stringValue == "13")
        #expect(try await Self.champion(other) == "14")
        #expect(try await other.stop() == 0)
    }
}
