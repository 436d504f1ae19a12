import Events
import Foundation
import Monitor
import StrictYAML
import TestSupport
import Testing
import Values

/// The rule file that the rule language is explained by, as it stands there, over a small stream.
struct RuleExampleTests {
    private static let rules = """
        groups:
        - name: fraud
          model: fraud
          labels: {team: risk}
          budget: {false_alerts: 1, per: 30d}        # shared by everything the group watches; see detection.md
          limit: 200                                 # more instances than this: ONE RuleLimitExceeded alert, none erased
          rules:
          - alert: FeatureDrift
            expr: psi{column=~".+"} by (country, device) > 0.20
            significance: edetector                  # default; or none | fdr(0.01) | p(0.001)
            min_rows: 40
            for: 2 windows                           # closed windows; or a duration such as 90m
            keep_firing_for: 3 windows
            no_data: keep_last                       # keep_last (default) | alert | ok
            labels: {severity: page}
            annotations:
              summary: '{{ $labels.column }} shifted in {{ $labels.segment }}: PSI {{ $value | printf "%.2f" }}'
              runbook_url: https://runbooks.example/drift
            notify: [oncall]

          - alert: ChallengerWorse
            expr: auroc{role="challenger"} - auroc{role="champion"} < -0.02
            window: 24h
            labels_coverage: 0.8                     # judge a window when 80% of its predictions have labels, or at the horizon
            notify: [oncall]

          - alert: IncomeMissing
            expr: null_rate{column="income"} by (country) > 3 * reference(null_rate{column="income"} by (country)) and null_rate{column="income"} by (country) > 0.01
            no_data: alert
            labels: {severity: ticket}

          - alert: PredictionDriftAfterDeploy
            expr: js_distance{column="prediction"} > 0.10
            since: {deploy: 6h}                      # armed only this long after a champion change
            for: 2 windows
            labels: {severity: critical}
            actions:
            - rollback:
                to: champion-1
                mode: guarded                        # dry_run | guarded | auto
                unless: [IncomeMissing, SchemaChanged]    # data is at fault, not the model
                max: 1 per 24h
                cooldown: 6h
            - retrain: {pipeline: fraud-train}
        """

    private static let start = Timestamp(rfc3339: "2026-03-02T00:00:00Z") ?? Timestamp(microseconds: 0)

    /// The event of a half minute: income is missing in MX from 8:00 to 14:00, and version 14 serves from 18:00 on.
    private static func event(_ i: Int, _ random: inout SeededGenerator) -> String {
        let hour = i >= 0 ? i / 120 : -1
        let country = Bool.random(using: &random) ? "BR" : "MX"
        let device = Bool.random(using: &random) ? "ios" : "web"
        let isMissing = (8..<14).contains(hour) && country == "MX" && Int.random(in: 0..<2, using: &random) == 0
        let income =
            isMissing || Int.random(in: 0..<200, using: &random) == 0
            ? "null" : "\(Int.random(in: 10...90, using: &random))"
        var score = Double(Int.random(in: 0..<500, using: &random)) / 1_000
        if hour >= 18 { score += 0.4 }
        let label = Double.random(in: 0..<1, using: &random) < score ? "1" : "0"
        return
            #"{"model":"fraud","version":"\#(hour < 18 ? 13 : 14)","id":"e\#(i)","ts":"\#((start + .seconds(Int64(30 * i))).rfc3339)","#
            + #""features":{"amount":\#(Int.random(in: 1...500, using: &random)),"income":\#(income)},"prediction":{"score":\#(score)},"#
            + #""segments":{"country":"\#(country)","device":"\#(device)"},"label":"\#(label)"}"#
    }

    private static func configuration(_ workspace: Workspace) throws -> String {
        try workspace.write("fraud.yaml", rules)
        return try workspace.write(
            "holdfast.yaml",
            """
            models:
              - name: fraud
                reference: reference.json
                segments: [country, device, [country, device]]
                window: {pane: 10m, size: 1h, every: 1h, lateness: 0s}
            rules: [fraud.yaml]
            receivers:
              - {name: oncall, log: {}}
              - {name: fraud-train, webhook: {url: "https://train.example/start"}}
            """)
    }

    @Test func `it loads as it stands, and each rule says what it promises`() async throws {
        try await blocking {
            let workspace = try Workspace()
            var random = SeededGenerator(seed: 8)
            let reference = (-120 * 72..<0).map { Self.event($0, &random) }
            let stream = (0..<120 * 30).map { Self.event($0, &random) }
            _ = try ReferenceCommand.build(
                files: [try workspace.write("reference.jsonl", reference.joined(separator: "\n"))], model: nil,
                version: nil, settings: nil,
                segments: [["country"], ["device"], ["country", "device"]], to: workspace.path("reference.json"))
            let path = try Self.configuration(workspace)
            let checked = Check.file(path)
            #expect(checked.problems.isEmpty, "\(checked.problems)")
            #expect(checked.notes.contains { $0.message.hasPrefix("no rule here raises `SchemaChanged`") })
            let events = try workspace.write("stream.jsonl", stream.joined(separator: "\n"))
            func fired(deployed at: String, _ out: String) throws -> [JSON] {
                let deploys = ["13@2026-02-01T00:00:00Z", "14@\(at)"].compactMap { Replay.Deploy(parsing: $0) }
                let replay: Replay
                do throws(Problems) {
                    replay = try Replay(try ConfigurationReader.read(path), deploys: deploys)
                } catch {
                    throw TestFailure("\(error)")
                }
                _ = try replay.run([events], order: .time, out: workspace.path(out))
                return try workspace.lines("\(out)/alerts.jsonl").compactMap { try? JSON(parsing: $0.utf8) }
                    .filter { $0["status"]?.stringValue == "firing" }
            }
            func names(_ alerts: [JSON]) -> Set<String> {
                Set(
                    alerts.map { alert in
                        ["alertname", "column", "country"].compactMap { alert["labels"]?[$0]?.stringValue }
                            .joined(separator: " ")
                    })
            }
            let soon = try fired(deployed: "2026-03-02T18:00:00Z", "soon")
            // A cross has thirty rows an hour, fewer than `min_rows`, so FeatureDrift has nothing to say.
            #expect(names(soon) == ["IncomeMissing income MX", "PredictionDriftAfterDeploy prediction"])
            let drift = soon.first { $0["labels"]?["alertname"]?.stringValue == "PredictionDriftAfterDeploy" }
            #expect(drift?["at"]?.stringValue == "2026-03-02T20:00:00Z", "the second window after the deploy")
            #expect(
                drift?["context"]?["actions"]?.text
                    == #"[{"rollback":"would run","to":"champion-1"},{"retrain":"would start","pipeline":"fraud-train"}]"#
            )
            // Seven hours before the scores moved: no longer armed.
            let late = try fired(deployed: "2026-03-02T11:00:00Z", "late")
            #expect(!names(late).contains("PredictionDriftAfterDeploy prediction"))
            #expect(names(late).contains("IncomeMissing income MX"))
        }
    }
}
