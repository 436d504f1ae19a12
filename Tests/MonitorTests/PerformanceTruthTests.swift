import Events
import Files
import Foundation
import Monitor
import TestSupport
import Testing
import Values

/// Real streams with their true performance, computed with scikit-learn from all labels that ever came (`../shared/data/TRUTH.md`):
/// what the last revision of every window and segment says must agree.
@Suite(.serialized, .enabled(if: SharedData.isPresent, "the shared event streams are not beside this checkout"))
struct PerformanceTruthTests {
    struct Stream: Sendable, CustomTestStringConvertible {
        let name: String
        let window: String
        var testDescription: String { "\(name), \(window)" }
    }

    static let streams = ["car_loan", "elec2", "hotel", "flights", "concept_rt", "bench_pay_dev"].flatMap { name in
        ["1d", "7d"].map { Stream(name: name, window: $0) }
    }

    @Test(arguments: streams)
    func `after all labels every window's performance is the truth's`(_ stream: Stream) async throws {
        try await blocking { try Self.check(stream) }
    }

    private static func check(_ stream: Stream) throws {
        let workspace = try Workspace()
        let data = try #require(SharedData.stream(stream.name))
        func file(_ name: String) -> String { data.appending(path: name).path }
        let header = try first(file("reference.jsonl.gz"))
        let model = try #require(header["model"]?.stringValue)
        let configuration = try workspace.write(
            "holdfast.yaml",
            """
            models:
              - name: \(model)
                task: binary
                positive: "1"
                reference: reference.json
                window: {pane: 1d, size: \(stream.window), every: \(stream.window), lateness: 10m}
                labels: {horizon: 400d}
            """)
        _ = try ReferenceCommand.build(
            files: [file("reference.jsonl.gz")], model: nil, version: nil, settings: nil, segments: nil,
            to: workspace.path("reference.json"))
        let summary = try workspace.replay(
            configuration, [file("predictions.jsonl.gz"), file("labels.jsonl.gz")], out: "out")
        #expect(summary.rejected.isEmpty)
        let ours = try snapshots(workspace.path("out/snapshots.jsonl"))
        var compared = 0
        var wrong: [String] = []
        for row in try truth(file("truth.csv.gz"), window: stream.window) {
            let key = "\(row["window_start"] ?? "")|\(row["segment"] ?? "")"
            guard let line = ours[key] else {
                wrong.append("\(key): no line")
                continue
            }
            compared += 1
            wrong += disagreements(line, row).map { "\(key): \($0)" }
        }
        #expect(compared > 20)
        #expect(wrong.isEmpty, "\(wrong.count) of \(compared) rows disagree, such as \(wrong.prefix(5))")
    }

    /// Everything to the six printed digits; AUROC and AUPR within what the line says it may be off, which is below 0.002.
    private static func disagreements(_ line: JSON, _ truth: [String: String]) -> [String] {
        let metrics = line["metrics"]
        var wrong: [String] = []
        if line["n"]?.numberValue != truth["n"].flatMap(Double.init) { wrong.append("n") }
        for (ours, theirs) in [
            ("labelled", "n_labelled"), ("base_rate", "base_rate"), ("mean_score", "mean_score"), ("auroc", "auroc"),
            ("aupr", "aupr"), ("accuracy", "accuracy"), ("ece", "ece"), ("brier", "brier"),
        ] {
            guard let text = truth[theirs], let expected = Double(text) else { continue }
            let error = metrics?["\(ours)_error"]?.numberValue ?? 0
            if error >= 0.002 { wrong.append("\(ours) may be off by \(error)") }
            guard let value = metrics?[ours]?.numberValue, abs(value - expected) <= error + halfDigit(expected) else {
                wrong.append("\(ours) is \(metrics?[ours]?.numberValue.map { "\($0)" } ?? "absent"), truth \(text)")
                continue
            }
        }
        return wrong
    }

    /// Half a unit of the sixth significant digit, which is how truth is printed; a value in the middle may go either way.
    private static func halfDigit(_ value: Double) -> Double {
        value == 0 ? 1e-9 : 0.50001 * pow(10, floor(log10(abs(value))) - 5) + 1e-11
    }

    private static func first(_ path: String) throws -> JSON {
        var found: JSON?
        let reader = try LineReader(path: path)
        while found == nil, try reader.next({ found = try? JSON(parsing: $0) }) {}
        return try #require(found)
    }

    /// By window start and segment, the last line of all versions' performance.
    private static func snapshots(_ path: String) throws -> [String: JSON] {
        var lines: [String: JSON] = [:]
        let reader = try LineReader(path: path)
        while try reader.next({ bytes in
            guard let json = try? JSON(parsing: bytes), json["version"]?.stringValue == "*",
                json["column"]?.stringValue == "performance"
            else { return }
            let parts = (json["segment"]?.objectValue ?? []).map { "\($0.key)=\($0.value.stringValue ?? "")" }
            let segment = parts.isEmpty ? "*" : parts.joined(separator: "&")
            lines["\(json["window"]?["start"]?.stringValue ?? "")|\(segment)"] = json
        }) {}
        return lines
    }

    private static func truth(_ path: String, window: String) throws -> [[String: String]] {
        let reader = try CSVReader(path: path)
        let header = try #require(try reader.next()).map { String(decoding: $0.bytes, as: UTF8.self) }
        var rows: [[String: String]] = []
        while let record = try reader.next() {
            let row = Dictionary(
                uniqueKeysWithValues: zip(header, record.map { String(decoding: $0.bytes, as: UTF8.self) }))
            if row["window"] == window, row["kind"] == "performance" { rows.append(row) }
        }
        return rows
    }
}
