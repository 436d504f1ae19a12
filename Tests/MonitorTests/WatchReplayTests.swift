import Events
import Foundation
import Monitor
import TestSupport
import Testing
import Values

/// The default pack over a stream in which one thing after another breaks: what is told, where, and that it ends.
struct WatchReplayTests {
    private static let start = Timestamp(rfc3339: "2026-03-02T00:00:00Z") ?? Timestamp(microseconds: 0)

    /// The event of a minute; what is broken depends on its hour.
    private static func event(_ minute: Int, _ random: inout SeededGenerator) -> String? {
        let hour = minute >= 0 ? minute / 60 : -1
        let country = Bool.random(using: &random) ? "DE" : "BR"
        let amount = Double(Int.random(in: 5...1_000, using: &random)) / 10
        let age = Int.random(in: 18...90, using: &random)
        let plan = ["free", "basic", "pro"][Int.random(in: 0..<3, using: &random)]
        var features = [
            "\"amount\":\((40..<52).contains(hour) && country == "DE" ? 3.2 : amount)",
            "\"age\":\((72..<78).contains(hour) ? "\"\(age)\"" : "\(age)")",
        ]
        if !(60..<66).contains(hour) || country != "BR" { features.append("\"plan\":\"\(plan)\"") }
        if (84..<90).contains(hour), country == "DE" { features.append("\"coupon\":\"SPRING\"") }
        let score = Double(Int.random(in: 0..<1_000, using: &random)) / 1_000
        guard !(96..<100).contains(hour) else { return nil }
        return #"{"model":"m","version":"1","id":"e\#(minute)","ts":"\#((start + .minutes(Int64(minute))).rfc3339)","#
            + #""features":{\#(features.joined(separator: ","))},"prediction":{"score":\#(score)},"#
            + #""segments":{"country":"\#(country)"}}"#
    }

    @Test func `a stuck value, three changes of the schema and silence are each told once, where they are, and end`()
        async throws
    {
        try await blocking {
            let workspace = try Workspace()
            var random = SeededGenerator(seed: 41)
            let reference = (-14 * 1_440..<0).compactMap { Self.event($0, &random) }
            let stream = (0..<110 * 60).compactMap { Self.event($0, &random) }
            _ = try ReferenceCommand.build(
                files: [try workspace.write("reference.jsonl", reference.joined(separator: "\n"))], model: nil,
                version: nil, settings: nil, segments: nil, to: workspace.path("reference.json"))
            let rules = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
                .deletingLastPathComponent().appending(path: "rules/default.yaml").path
            let configuration = try workspace.write(
                "holdfast.yaml",
                """
                models:
                  - name: m
                    task: none
                    reference: reference.json
                    segments: [country]
                    window: {pane: 1h, size: 1h, every: 1h, lateness: 1m}
                rules: [\(rules)]
                """)
            try workspace.replay(
                configuration, [try workspace.write("stream.jsonl", stream.joined(separator: "\n"))], out: "out")
            let alerts = try workspace.lines("out/alerts.jsonl").compactMap { try? JSON(parsing: $0.utf8) }
            func told(_ status: String) -> [String] {
                alerts.filter { $0["status"]?.stringValue == status }.map { alert in
                    ["alertname", "column", "field", "country"].compactMap { alert["labels"]?[$0]?.stringValue }
                        .joined(separator: " ")
                }
            }
            let expected = [
                "StuckValue amount DE", "FieldRemoved plan BR", "FieldRetyped age", "FieldAdded schema coupon DE",
                "NoEvents volume",
            ]
            #expect(told("firing") == expected)
            #expect(told("resolved") == expected)
            let summary = alerts.first?["annotations"]?["summary"]?.stringValue ?? ""
            #expect(summary.hasPrefix("amount is stuck at 3.2 since 2026-03-03T16:00:00Z in country=DE"), "\(summary)")
            let likely = alerts.first?["context"]?["likely"]?.stringValue ?? ""
            #expect(likely.hasPrefix("amount is 3.2 in 100% of rows"), "\(likely)")
            func context(_ name: String) -> JSON? {
                alerts.first {
                    $0["labels"]?["alertname"]?.stringValue == name && $0["status"]?.stringValue == "firing"
                }?["context"]
            }
            let driver = context("FieldRemoved")?["segments"]?.arrayValue?.first
            #expect(driver?["segment"]?.text == #"{"country":"BR"}"#)
            #expect(driver?["share"]?.numberValue ?? 0 > 0.9, "who lacks the field, not whose values differ")
            #expect(context("NoEvents") != nil && context("NoEvents")?["comparison"] == nil, "a volume is one number")
        }
    }
}
