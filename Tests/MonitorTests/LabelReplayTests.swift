import Events
import Foundation
import Monitor
import TestSupport
import Testing
import Values

/// What a replay says of labels, and what it does not say: that something stopped because the files did.
struct LabelReplayTests {
    private static let start = Timestamp(rfc3339: "2026-03-02T00:00:00Z") ?? Timestamp(microseconds: 0)

    private static func time(_ minute: Int) -> String { (start + .minutes(Int64(minute))).rfc3339 }

    private static func prediction(_ i: Int, at minute: Int, version: String = "1") -> String {
        #"{"model":"m","version":"\#(version)","id":"p\#(i)","ts":"\#(time(minute))","features":{"x":\#(i % 7)},"#
            + #""prediction":{"score":0.\#(i * 7 % 10)},"segments":{"country":"\#(i % 2 == 0 ? "BR" : "DE")"}}"#
    }

    private static func label(_ i: Int, at minute: Int, _ value: Int) -> String {
        #"{"model":"m","id":"p\#(i)","ts":"\#(time(minute))","label":\#(value)}"#
    }

    private static func configuration(_ workspace: Workspace, _ lines: [String], window: String) throws -> String {
        let rows = try workspace.write(
            "reference.jsonl", lines.filter { $0.contains("prediction") }.joined(separator: "\n"))
        _ = try ReferenceCommand.build(
            files: [rows], model: nil, version: nil, settings: nil, segments: [["country"]],
            to: workspace.path("m.json"))
        let rules = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "rules/default.yaml").path
        return try workspace.write(
            "holdfast.yaml",
            """
            models:
              - name: m
                positive: "1"
                reference: m.json
                window: \(window)
            rules: [\(rules)]
            """)
    }

    @Test func `says what became of the labels it read`() async throws {
        try await blocking {
            let workspace = try Workspace()
            let predictions = (0..<20).map { Self.prediction($0, at: $0) }
            let labels =
                (0..<10).map { Self.label($0, at: 30 + $0, $0 % 2) } + [
                    Self.label(3, at: 45, 1), Self.label(4, at: 46, 1), Self.label(99, at: 47, 1),
                ]
            let file = try workspace.write("events.jsonl", (predictions + labels).joined(separator: "\n"))
            let configuration = try Self.configuration(
                workspace, predictions, window: "{pane: 1h, size: 1h, every: 1h, lateness: 0s}")
            let summary = try workspace.replay(configuration, [file], out: "out")
            let told = try #require(summary.joins.first)
            #expect(summary.labels == 13 && told.model == "m")
            #expect(
                told.inWords
                    == "10 labels joined their prediction, 1 corrected an earlier one, 1 said what was known, "
                    + "1 have no prediction, 10 predictions may still get a label", "\(told.inWords)")
        }
    }

    @Test func `neither labels nor events nor a champion stop because the files end within a window`() async throws {
        try await blocking {
            let workspace = try Workspace()
            // Twenty-two days of an event each twenty minutes, with labels an hour later: the last week ends on its first day.
            let minutes = Array(stride(from: 0, to: 22 * 1_440, by: 20))
            let lines = minutes.enumerated().flatMap { i, minute in
                [Self.prediction(i, at: minute), Self.label(i, at: minute + 60, i * 7 % 10 >= 5 ? 1 : 0)]
            }
            let file = try workspace.write("events.jsonl", lines.joined(separator: "\n"))
            let configuration = try Self.configuration(
                workspace, lines, window: "{pane: 1h, size: 7d, every: 7d, lateness: 0s}")
            let read = try ConfigurationReader.read(configuration)
            let champion = Replay.Deploy(parsing: "1@2026-03-02T00:00:00Z")
            let summary = try Replay(read, deploys: [champion].compactMap(\.self)).run(
                [file], order: .time, out: workspace.path("out"))
            #expect(summary.windows > 3)
            #expect(summary.episodes.map(\.alert) == [], "\(summary.episodes.map(\.annotations))")
        }
    }

    @Test func `labels that stopped before the files did are told`() async throws {
        try await blocking {
            let workspace = try Workspace()
            let minutes = Array(stride(from: 0, to: 27 * 1_440, by: 20))
            let lines = minutes.enumerated().flatMap { i, minute in
                minute < 15 * 1_440
                    ? [Self.prediction(i, at: minute), Self.label(i, at: minute + 60, i * 7 % 10 >= 5 ? 1 : 0)]
                    : [Self.prediction(i, at: minute)]
            }
            let file = try workspace.write("events.jsonl", lines.joined(separator: "\n"))
            let configuration = try Self.configuration(
                workspace, lines, window: "{pane: 1h, size: 7d, every: 7d, lateness: 0s}")
            let summary = try workspace.replay(configuration, [file], out: "out")
            #expect(summary.episodes.map(\.alert) == ["LabelsStopped"])
        }
    }
}
