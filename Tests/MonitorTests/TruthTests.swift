import Events
import Files
import Foundation
import Monitor
import TestSupport
import Testing
import Values

/// Real streams with their true statistics, computed elsewhere with numpy and scipy (`../shared/data/TRUTH.md`): what the engine says of
/// every window, feature and segment must agree to the printed digits.
@Suite(.serialized, .enabled(if: SharedData.isPresent, "the shared event streams are not beside this checkout"))
struct TruthTests {
    struct Stream: Sendable, CustomTestStringConvertible {
        let name: String
        let model: String
        let window: String
        var testDescription: String { "\(name), \(window)" }
    }

    static let streams = [("car_loan", "car-loan-repay"), ("elec2", "nsw-price-direction"), ("hotel", "hotel-cancel")]
        .flatMap { name, model in ["1d", "7d"].map { Stream(name: name, model: model, window: $0) } }

    @Test("a replay agrees with the truth on n, nulls, psi, js, kl and ks", arguments: streams)
    func agreement(_ stream: Stream) async throws {
        // Seconds of computing: not on the threads that other tests' deadlines depend on.
        try await blocking { try Self.check(stream) }
    }

    private static func check(_ stream: Stream) throws {
        let workspace = try Workspace()
        let data = try #require(SharedData.stream(stream.name))
        _ = try ReferenceCommand.build(
            files: [data.appending(path: "reference.jsonl.gz").path], model: nil, version: nil, settings: nil,
            segments: nil,
            to: workspace.path("reference.json"))
        let configuration = try workspace.write(
            "holdfast.yaml",
            """
            models:
              - name: \(stream.model)
                reference: reference.json
                statistics: {bins: 10, smoothing: floor(1e-4)}
                window: {pane: 1d, size: \(stream.window), every: \(stream.window), lateness: 10m}
            """)
        let summary = try workspace.replay(
            configuration, [data.appending(path: "predictions.jsonl.gz").path], out: "out")
        #expect(summary.rejected.isEmpty && summary.lateRows == 0)

        let ours = try Self.snapshots(workspace.path("out/snapshots.jsonl"))
        var compared = 0
        var wrong: [String] = []
        for row in try Self.truth(data, window: stream.window) {
            let key =
                "\(row["window_start"] ?? "")|\(row["segment"] ?? "")|\(row["kind"] == "prediction" ? "prediction" : row["name"] ?? "")"
            guard let line = ours[key] else {
                wrong.append("\(key): no snapshot line")
                continue
            }
            compared += 1
            wrong += Self.disagreements(line, row).map { "\(key): \($0)" }
        }
        #expect(compared > 500)
        #expect(wrong.isEmpty, "\(wrong.count) of \(compared) rows disagree, such as \(wrong.prefix(5))")
    }

    /// Everything but `ks` to the printed digits. `ks` comes from fine bins: within 1/240.
    private static func disagreements(_ line: JSON, _ truth: [String: String]) -> [String] {
        let metrics = line["metrics"]
        let pairs: [(String, Double?)] = [
            ("n", line["n"]?.numberValue), ("null_rate", metrics?["null_rate"]?.numberValue),
            ("psi", metrics?["psi"]?.numberValue), ("psi_nullbin", metrics?["psi_with_nulls"]?.numberValue),
            ("js", metrics?["js"]?.numberValue), ("kl", metrics?["kl"]?.numberValue),
            ("unseen_rate", metrics?["new_category_rate"]?.numberValue), ("mean", metrics?["mean"]?.numberValue),
        ]
        var wrong: [String] = []
        for (name, value) in pairs {
            guard let text = truth[name], let expected = Double(text) else { continue }
            guard let value, abs(value - expected) <= halfDigit(expected) else {
                wrong.append("\(name) is \(value.map { "\($0)" } ?? "absent"), truth \(text)")
                continue
            }
        }
        if let text = truth["ks_d"], let expected = Double(text) {
            let value = metrics?["ks"]?.numberValue ?? .infinity
            if abs(value - expected) > 1.0 / 240 { wrong.append("ks is \(value), truth \(text)") }
        }
        return wrong
    }

    /// Half a unit of the sixth significant digit, which is how truth is printed.
    private static func halfDigit(_ value: Double) -> Double {
        // A little more, because a value in the middle between two printed ones may go either way.
        value == 0 ? 1e-12 : 0.50001 * pow(10, floor(log10(abs(value))) - 5)
    }

    private static func snapshots(_ path: String) throws -> [String: JSON] {
        var lines: [String: JSON] = [:]
        let reader = try LineReader(path: path)
        while try reader.next({ bytes in
            guard let json = try? JSON(parsing: bytes), json["version"]?.stringValue == "*" else { return }
            let parts = (json["segment"]?.objectValue ?? []).map { "\($0.key)=\($0.value.stringValue ?? "")" }
            let segment = parts.isEmpty ? "*" : parts.joined(separator: "&")
            lines["\(json["window"]?["start"]?.stringValue ?? "")|\(segment)|\(json["column"]?.stringValue ?? "")"] =
                json
        }) {}
        return lines
    }

    private static func truth(_ data: URL, window: String) throws -> [[String: String]] {
        let reader = try CSVReader(path: data.appending(path: "truth.csv.gz").path)
        let header = try #require(try reader.next()).map { String(decoding: $0.bytes, as: UTF8.self) }
        var rows: [[String: String]] = []
        while let record = try reader.next() {
            let row = Dictionary(
                uniqueKeysWithValues: zip(header, record.map { String(decoding: $0.bytes, as: UTF8.self) }))
            if row["window"] == window, row["kind"] != "performance" { rows.append(row) }
        }
        return rows
    }
}
