import Events
import Files
import Foundation
import Monitor
import Statistics
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

    @Test(arguments: ["car_loan", "elec2", "hotel", "flights", "concept_rt", "bench_pay_dev"])
    func `windows of every size, months, the whole stream and the reference are sums of the same panes`(
        _ name: String
    ) async throws {
        try await blocking {
            let stream = try JoinedStream(name, pane: .days(1))
            let data = try #require(SharedData.stream(name))
            var compared: [String: Int] = [:]
            var wrong: [String] = []
            for row in try Self.truth(data.appending(path: "truth.csv.gz").path) {
                let size = row["window"] ?? ""
                let key = "\(size) \(row["window_start"] ?? "") \(row["segment"] ?? "")"
                let segment = Self.segment(row["segment"] ?? "*")
                var metrics = stream.reference?.metrics(of: segment)
                if size != "reference" {
                    let start = try #require(Timestamp(rfc3339: row["window_start"] ?? ""))
                    let end = try #require(Timestamp(rfc3339: row["window_end"] ?? ""))
                    metrics = stream.metrics(TimeRange(start: start, end: end), segment)
                }
                compared[size, default: 0] += 1
                wrong += Self.disagreements(row) { metrics?[$0] }.map { "\(key): \($0)" }
            }
            // The two streams of weeks have no months.
            let sizes = ["1d", "7d", "1mo", "all", "reference"].filter {
                $0 != "1mo" || !["concept_rt", "bench_pay_dev"].contains(name)
            }
            #expect(Set(compared.keys) == Set(sizes) && compared.values.allSatisfy { $0 > 3 }, "\(compared)")
            #expect(wrong.isEmpty, "\(wrong.count) disagree of \(compared), such as \(wrong.prefix(5))")
        }
    }

    /// NannyML's tutorial on its own data set: ten chunks of 5,000 rows in order.
    @Test func `the ten chunks that NannyML publishes of car_loan have its AUROC to six digits`() async throws {
        try await blocking {
            let published = [
                0.970962, 0.970248, 0.976282, 0.967721, 0.969886, 0.960050, 0.958530, 0.959041, 0.963094, 0.957556,
            ]
            let starts = [
                "2018-10-30T18:00:00Z", "2018-11-30T00:36:00Z", "2018-12-30T07:12:00Z", "2019-01-29T13:48:00Z",
                "2019-02-28T20:24:00Z", "2019-03-31T03:00:00Z", "2019-04-30T09:36:00Z", "2019-05-30T16:12:00Z",
                "2019-06-29T22:48:00Z", "2019-07-30T05:24:00Z", "2019-08-30T00:00:00Z",
            ].compactMap { Timestamp(rfc3339: $0) }
            // All chunks begin at a multiple of twelve minutes.
            let stream = try JoinedStream("car_loan", pane: .minutes(12), segmented: false)
            for (place, expected) in published.enumerated() {
                let range = TimeRange(start: starts[place], end: starts[place + 1])
                let metrics = try #require(stream.metrics(range, .all))
                #expect(metrics[.labelled] == 5_000 && metrics[.auroc_error] == 0)
                let auroc = try #require(metrics[.auroc])
                #expect(abs(auroc - expected) <= 0.5e-6, "chunk \(place): \(auroc), published \(expected)")
            }
        }
    }

    private static func segment(_ text: String) -> Segment {
        guard text != "*" else { return .all }
        return Segment(
            text.split(separator: "&").map { part in
                let place = part.firstIndex(of: "=") ?? part.endIndex
                return Segment.Part(String(part[..<place]), String(part[part.index(after: place)...]))
            })
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
        for row in try truth(file("truth.csv.gz")) where row["window"] == stream.window {
            let key = "\(row["window_start"] ?? "")|\(row["segment"] ?? "")"
            guard let line = ours[key] else {
                wrong.append("\(key): no line")
                continue
            }
            compared += 1
            if line["n"]?.numberValue != row["n"].flatMap(Double.init) { wrong.append("\(key): n") }
            wrong += disagreements(row) { line["metrics"]?[$0.name]?.numberValue }.map { "\(key): \($0)" }
        }
        #expect(compared > 20)
        #expect(wrong.isEmpty, "\(wrong.count) of \(compared) rows disagree, such as \(wrong.prefix(5))")
    }

    /// Everything to the six printed digits; AUROC and AUPR within what the line says they may be off, which is below 0.002 itself, of a day
    /// as of the whole stream.
    private static func disagreements(_ truth: [String: String], _ metrics: (Metric) -> Double?) -> [String] {
        var wrong: [String] = []
        for (ours, theirs) in [
            (Metric.labelled, "n_labelled"), (.base_rate, "base_rate"), (.mean_score, "mean_score"),
            (.auroc, "auroc"), (.aupr, "aupr"), (.accuracy, "accuracy"), (.ece, "ece"), (.brier, "brier"),
        ] {
            guard let text = truth[theirs], let expected = Double(text) else { continue }
            let error = ours == .auroc ? metrics(.auroc_error) : ours == .aupr ? metrics(.aupr_error) : nil
            let bound = error ?? 0
            if bound >= 0.002 {
                wrong.append("\(ours) may be off by \(bound)")
            }
            guard let value = metrics(ours), abs(value - expected) <= bound + halfDigit(expected) else {
                wrong.append("\(ours) is \(metrics(ours).map { "\($0)" } ?? "absent"), truth \(text)")
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

    /// The rows of performance.
    private static func truth(_ path: String) throws -> [[String: String]] {
        let reader = try CSVReader(path: path)
        let header = try #require(try reader.next()).map { String(decoding: $0.bytes, as: UTF8.self) }
        var rows: [[String: String]] = []
        while let record = try reader.next() {
            let row = Dictionary(
                uniqueKeysWithValues: zip(header, record.map { String(decoding: $0.bytes, as: UTF8.self) }))
            if row["kind"] == "performance" { rows.append(row) }
        }
        return rows
    }
}
