import Events
import Foundation
import Monitor
import Statistics
import StrictYAML
import TestSupport
import Testing
import Values
import Windows

/// A configuration that judges rows in another way than its reference was built with, and labels that no model of the kind can have.
struct LabelSettingsTests {
    private static let start = Timestamp(rfc3339: "2026-03-02T00:00:00Z") ?? Timestamp(microseconds: 0)

    private static func row(
        _ i: Int, _ label: String?, version: String = "1", score: String? = nil, minute: Int? = nil
    ) -> String {
        let time = (start + .minutes(Int64(minute ?? i))).rfc3339
        return
            #"{"model":"m","version":"\#(version)","id":"p\#(i)","ts":"\#(time)","features":{"x":\#(i % 7)},"#
            + #""prediction":\#(score ?? #"{"score":0.\#(i % 10)}"#)\#(label.map { #","label":\#($0)"# } ?? "")}"#
    }

    private static func label(_ i: Int, _ label: String, after delay: Span) -> String {
        #"{"model":"m","id":"p\#(i)","ts":"\#((start + .minutes(Int64(i)) + delay).rfc3339)","label":\#(label)}"#
    }

    private static func configuration(_ workspace: Workspace, _ settings: String) throws -> String {
        try workspace.write(
            "holdfast.yaml",
            """
            models:
              - name: m
                reference: m.json
                window: {pane: 1d, size: 1d, every: 1d, lateness: 0s}
            \(settings.split(separator: "\n").map { "    " + $0 }.joined(separator: "\n"))
            """)
    }

    private static let rows = (0..<400).map { row($0, $0 % 10 >= 6 ? #""yes""# : #""no""#) }

    @discardableResult
    private static func build(_ workspace: Workspace, _ rows: [String], settings: String?) throws
        -> ReferenceCommand.Built
    {
        let file = try workspace.write("rows.jsonl", rows.joined(separator: "\n"))
        let configured = try settings.map { try configuration(workspace, $0) }
        let model = try configured.flatMap { try ConfigurationReader.read($0).models.first }
        return try ReferenceCommand.build(
            files: [file], model: nil, version: nil, settings: model, segments: nil, to: workspace.path("m.json"))
    }

    private static func load(_ workspace: Workspace, _ settings: String) throws -> MonitoredModel {
        try MonitoredModel.load(ConfigurationReader.read(configuration(workspace, settings)))[0]
    }

    @Test func `another positive class or task than the reference's is refused where it stands, and says what to do`()
        throws
    {
        let workspace = try Workspace()
        try Self.build(workspace, Self.rows, settings: "task: binary\npositive: \"yes\"")
        #expect(try Self.load(workspace, "task: binary\npositive: \"yes\"").warnings.isEmpty)
        for (settings, line, part) in [
            (
                "task: binary\npositive: \"no\"", 6,
                "its positive class is no, and in the labelled rows of its reference, whose labels are no, yes, it was yes"
            ),
            ("task: regression", 5, "its task is regression, and the labelled rows of its reference were taken for"),
        ] {
            let path = try Self.configuration(workspace, settings)
            let problems = Check.file(path).problems
            #expect(problems.count == 1 && problems.first?.place.line == line, "\(problems)")
            let message = problems.first?.message ?? ""
            #expect(message.contains(part) && message.contains("holdfast reference build --config"), "\(message)")
            #expect(throws: Problems.self) { try Self.load(workspace, settings) }
        }
    }

    @Test func `what was only guessed of a reference is left out with a warning`() throws {
        let workspace = try Workspace()
        let built = try Self.build(workspace, Self.rows, settings: nil)
        #expect(built.notes.contains { $0.contains("none of the 400 labels is of the positive class") })
        let path = try Self.configuration(workspace, "positive: \"yes\"")
        let checked = Check.file(path)
        #expect(checked.problems.isEmpty && checked.notes.count == 1)
        #expect(checked.notes.first?.place.line == 5 && checked.notes.first?.message.contains("left out") == true)
        let summary = try workspace.replay(
            path, [try workspace.write("events.jsonl", Self.rows.joined(separator: "\n"))], out: "out")
        #expect(summary.warnings.count == 1 && summary.rejected.isEmpty, "\(summary.warnings)")
        let lines = try workspace.lines("out/snapshots.jsonl").filter { $0.contains(#""column":"performance""#) }
        #expect(!lines.isEmpty && lines.allSatisfy { !$0.contains("estimated_auroc") })
    }

    @Test func `a positive class that no label is, is refused however the reference was built`() throws {
        let workspace = try Workspace()
        try Self.build(workspace, Self.rows, settings: nil)
        let path = try Self.configuration(workspace, "task: binary\npositive: \"yse\"")
        let problems = Check.file(path).problems
        #expect(problems.first?.message.contains("is the positive class yse: they are no, yes") == true, "\(problems)")
        #expect(problems.count == 1 && problems.first?.place.line == 6, "\(problems)")
    }

    @Test func `spellings that no label has make no difference`() throws {
        let workspace = try Workspace()
        try Self.build(workspace, (0..<100).map { Self.row($0, $0 % 10 >= 6 ? "1" : "0") }, settings: nil)
        #expect(try Self.load(workspace, "positive: \"1\"").warnings.isEmpty)
        #expect(try Self.load(workspace, "positive: \"true\"").warnings.isEmpty)
    }

    @Test func `a reference is judged by the threshold that the configuration has now`() throws {
        let workspace = try Workspace()
        let settings = "task: binary\npositive: \"yes\"\nthreshold: "
        try Self.build(workspace, Self.rows, settings: settings + "0.3")
        let changed = try Self.load(workspace, settings + "0.6").performanceReference
        try Self.build(workspace, Self.rows, settings: settings + "0.6")
        let own = try Self.load(workspace, settings + "0.6").performanceReference
        #expect(changed?.metrics(of: .all) == own?.metrics(of: .all))
        #expect(own?.metrics(of: .all)[.accuracy] == 1)
    }

    @Test func `a task that nobody names is the reference's`() throws {
        let workspace = try Workspace()
        let rows = (0..<200).map { Self.row($0, "\($0)", score: #"{"value":\#($0 + 2)}"#) }
        try Self.build(workspace, rows, settings: nil)
        let path = try Self.configuration(workspace, "labels: {horizon: 3d}")
        try workspace.replay(
            path, [try workspace.write("events.jsonl", rows.joined(separator: "\n"))], out: "out")
        let last = try workspace.lines("out/snapshots.jsonl").last { $0.contains(#""column":"performance""#) }
        #expect(last?.contains(#""mae":2,"#) == true, "\(last ?? "no line")")
    }

    @Test func `labels of an unknown class, of another type or far in the future are refused, and the rest counts`()
        async throws
    {
        try await blocking {
            let workspace = try Workspace()
            try Self.build(workspace, Self.rows, settings: "positive: \"yes\"")
            let predictions = (0..<100).map { Self.row($0, nil) }
            let labels = (0..<90).map { Self.label($0, $0 % 10 >= 6 ? #""yes""# : #""no""#, after: .hours(1)) }
            let bad = [
                Self.label(90, #""pending""#, after: .hours(1)), Self.label(91, "{}", after: .hours(1)),
                Self.label(92, "[1]", after: .hours(1)), Self.label(93, #""NaN""#, after: .hours(1)),
                Self.label(94, #""yes""#, after: .days(365 * 900)),
                Self.row(95, nil, minute: 900 * 365 * 1_440),
            ]
            let file = try workspace.write("events.jsonl", (predictions + labels + bad).joined(separator: "\n"))
            let path = try Self.configuration(workspace, "positive: \"yes\"")
            let summary = try workspace.replay(path, [file], out: "out")
            #expect(summary.rejected == ["bad_label": 4, "future_timestamp": 2])
            #expect(summary.examples.contains { $0.contains("label 'pending' is neither the positive class (yes)") })
            let lines = try workspace.lines("out/snapshots.jsonl").compactMap { try? JSON(parsing: $0.utf8) }
            let line = lines.last { $0["column"]?.stringValue == "performance" && $0["version"]?.stringValue == "*" }
            #expect(line?["metrics"]?["labelled"]?.numberValue == 90)
            #expect(line?["metrics"]?["base_rate"]?.numberValue == 36.0 / 90)
        }
    }

    @Test func `labels that are never of the positive class are told once, with the classes they have`() async throws {
        try await blocking {
            let workspace = try Workspace()
            try Self.build(workspace, (0..<100).map { Self.row($0, nil) }, settings: nil)
            let lines = (0..<100).flatMap { [Self.row($0, nil), Self.label($0, "\($0 % 3 + 1)", after: .hours(1))] }
            let file = try workspace.write("events.jsonl", lines.joined(separator: "\n"))
            let path = try Self.configuration(workspace, "positive: \"fraud\"")
            let summary = try workspace.replay(path, [file], out: "out")
            #expect(
                summary.warnings == [
                    "model `m`: none of 100 labels is of the positive class (fraud): they are 1, 2, 3; if another one counts, "
                        + "the model's `positive` must name it"
                ])
            #expect(
                try workspace.replay(Self.configuration(workspace, "positive: \"2\""), [file], out: "again").warnings
                    .isEmpty)
        }
    }

    @Test func `a champion and its shadow are judged on the same rows, and compared`() async throws {
        try await blocking {
            let workspace = try Workspace()
            try Self.build(workspace, Self.rows, settings: "positive: \"yes\"")
            // For two days the champion's scores are right, and the shadow's for every other row.
            var lines: [String] = []
            for i in 0..<2_880 {
                lines.append(Self.row(i, nil))
                let other = i % 2 == 0 ? i % 10 : 9 - i % 10
                lines.append(Self.row(i, nil, version: "2", score: #"{"score":0.\#(other)}"#))
                lines.append(Self.label(i, i % 10 >= 5 ? #""yes""# : #""no""#, after: .hours(2)))
            }
            // Days later the window is past what labels can change.
            lines.append(Self.row(5_000, nil, minute: 5 * 1_440))
            let file = try workspace.write("events.jsonl", lines.joined(separator: "\n"))
            let path = try Self.configuration(workspace, "positive: \"yes\"\nlabels: {horizon: 1d}")
            #expect(try workspace.replay(path, [file], order: .file, out: "out").rejected.isEmpty)
            let found = try workspace.lines("out/snapshots.jsonl").compactMap { try? JSON(parsing: $0.utf8) }
                .filter {
                    $0["column"]?.stringValue == "performance"
                        && $0["window"]?["start"]?.stringValue == (Self.start + .days(1)).rfc3339
                }
            func last(_ version: String) -> JSON? { found.last { $0["version"]?.stringValue == version } }
            func metric(_ name: String, _ version: String) -> Double? { last(version)?["metrics"]?[name]?.numberValue }
            #expect(last("1")?["n"] == .integer(1_440) && last("2")?["n"] == .integer(1_440))
            #expect(metric("labelled", "1") == 1_440 && metric("labelled", "2") == 1_440)
            #expect(metric("accuracy", "1") == 1 && metric("accuracy", "2") == 0.5)
            // The first window only says whom others are compared with.
            let comparisons = ["1", "2"].compactMap { last($0)?["performance"]?["comparison"] }
            #expect(comparisons.count == 1 && comparisons.first?["rows"]?.numberValue == 1_440)
            #expect(comparisons.first?["rows_against"]?.numberValue == 1_440)
        }
    }

    @Test func `one absurd label leaves a regression model's window with all its figures`() async throws {
        try await blocking {
            let workspace = try Workspace()
            let rows = (0..<200).map { Self.row($0, "\($0 % 10)", score: #"{"value":\#($0 % 10 + $0 % 3)}"#) }
            try Self.build(workspace, rows, settings: "task: regression")
            let lines = rows + [Self.row(200, "1e12", score: #"{"value":1}"#)]
            let file = try workspace.write("events.jsonl", lines.joined(separator: "\n"))
            try workspace.replay(Self.configuration(workspace, "task: regression"), [file], out: "out")
            let line = try workspace.lines("out/snapshots.jsonl").compactMap { try? JSON(parsing: $0.utf8) }
                .last { $0["column"]?.stringValue == "performance" && $0["version"]?.stringValue == "*" }
            let mae = line?["metrics"]?["mae"]?.numberValue ?? 0
            #expect(abs(mae - (1e12 - 1 + 199) / 201) < 1)
            for name in ["rmse", "r2", "mape", "bias"] {
                #expect(line?["metrics"]?[name]?.numberValue != nil, "\(name)")
            }
            #expect(line?["metrics"]?["concept_drift"]?.numberValue == 0, "one label is no change of concept")
        }
    }
}
