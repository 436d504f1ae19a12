import Events
import Files
import Foundation
import Monitor
import TestSupport
import Testing
import Values

/// Performance end to end through a replay: events in files, lines out.
struct PerformanceReplayTests {
    private static let start = Timestamp(rfc3339: "2026-03-02T00:00:00Z") ?? Timestamp(microseconds: 0)

    private static func prediction(_ i: Int, _ output: String, day: Int = 0, extra: String = "") -> String {
        let time = (start + .days(Int64(day)) + .minutes(Int64(i))).rfc3339
        return
            #"{"model":"m","version":"1","id":"p\#(i)","ts":"\#(time)","features":{"x":\#(i % 7)},"prediction":\#(output)\#(extra)}"#
    }

    private static func label(_ i: Int, _ label: String, after delay: Span) -> String {
        #"{"model":"m","id":"p\#(i)","ts":"\#((start + .minutes(Int64(i)) + delay).rfc3339)","label":\#(label)}"#
    }

    /// The last line of each day's performance, and all of them, after a replay of events over a reference of the same shape.
    private static func replay(
        _ lines: [String], model settings: String, order: Replay.Order = .time,
        window: String = "{pane: 1d, size: 1d, every: 1d, lateness: 0s}", version: String = "*"
    ) throws -> (last: [String: JSON], all: [JSON]) {
        let workspace = try Workspace()
        let rows = try workspace.write(
            "reference.jsonl", lines.filter { $0.contains("prediction") }.joined(separator: "\n"))
        _ = try ReferenceCommand.build(
            files: [rows], model: nil, version: nil, settings: nil, segments: nil, to: workspace.path("m.json"))
        let configuration = try workspace.write(
            "holdfast.yaml",
            """
            models:
              - name: m
                reference: m.json
                window: \(window)
            \(settings.split(separator: "\n").map { "    " + $0 }.joined(separator: "\n"))
            """)
        let file = try workspace.write("events.jsonl", lines.joined(separator: "\n"))
        let summary = try workspace.replay(configuration, [file], order: order, out: "out")
        #expect(summary.rejected.isEmpty, "\(summary.examples)")
        let all = try workspace.lines("out/snapshots.jsonl").compactMap { try? JSON(parsing: $0.utf8) }.filter {
            $0["column"]?.stringValue == "performance" && $0["version"]?.stringValue == version
        }
        return (Dictionary(all.map { ($0["window"]?["start"]?.stringValue ?? "", $0) }) { $1 }, all)
    }

    @Test func `windows that overlap are evidence once`() async throws {
        try await blocking {
            // Two versions take turns for two days; each row is in six windows.
            let lines = (0..<2880).map { i in
                let time = (Self.start + .minutes(Int64(i))).rfc3339
                return
                    #"{"model":"m","version":"\#(i % 2 + 1)","id":"p\#(i)","ts":"\#(time)","features":{"x":\#(i % 7)},"#
                    + #""prediction":{"score":0.\#(i * 7 % 10)},"label":\#(i * 13 % 10 >= 5 ? 1 : 0)}"#
            }
            let found = try Self.replay(
                lines, model: "positive: \"1\"", window: "{pane: 1h, size: 6h, every: 1h, lateness: 0s}", version: "2")
            let rows = found.all.compactMap { $0["performance"]?["comparison"]?["rows"]?.numberValue }
            #expect(rows.count > 20, "every window tells how the versions stand")
            #expect(rows.max() ?? .infinity <= 1440, "no row counts twice")
        }
    }

    private static func metric(_ name: String, _ line: JSON?) -> Double? { line?["metrics"]?[name]?.numberValue }

    private static let day = start.rfc3339

    @Test func `labels join whatever came first, a later label replaces, and the same one again changes nothing`()
        async throws
    {
        try await blocking {
            // Scores 0.0 to 0.9; all from 0.5 on are positive, but for one that is corrected twice.
            let predictions = (0..<10).map { Self.prediction($0, #"{"score":0.\#($0)}"#) }
            let labels = (0..<10).map { Self.label($0, $0 >= 5 ? "1" : "\"0\"", after: .hours(30)) }
            let more = [
                Self.label(9, "0", after: .hours(31)), Self.label(9, "1", after: .hours(32)),
                Self.label(8, "true", after: .hours(33)), Self.label(3, "0", after: .hours(33)),
                Self.label(77, "1", after: .hours(33)),
            ]
            let end = Self.prediction(20, #"{"score":0.5}"#, day: 5)
            for lines in [predictions + labels + more + [end], labels + more + predictions + [end]] {
                let found = try Self.replay(lines, model: "positive: \"1\"", order: .file)
                let line = found.last[Self.day]
                #expect(line?["n"]?.numberValue == 10)
                #expect(Self.metric("labelled", line) == 10 && Self.metric("coverage", line) == 1)
                // Row 8 was corrected to another spelling of its class.
                #expect(Self.metric("base_rate", line) == 0.5)
                #expect(line?["performance"]?["corrections"]?.numberValue == 3)
            }
        }
    }

    @Test func `a window is told as it closes, and again as labels come; early figures are not judged`() async throws {
        try await blocking {
            let predictions = (0..<1_000).map { Self.prediction($0, #"{"score":\#(Double($0 % 100) / 100)}"#) }
            // Positives after an hour, negatives after three days.
            let labels = (0..<1_000).map { i in
                Self.label(i, i % 100 >= 60 ? "1" : "0", after: i % 100 >= 60 ? .hours(1) : .days(3))
            }
            let later = (1...12).map { Self.prediction(2_000 + $0, #"{"score":0.5}"#, day: $0) }
            let found = try Self.replay(predictions + labels + later, model: "labels: {horizon: 8d}")
            let lines = found.all.filter { $0["window"]?["start"]?.stringValue == Self.day }
            #expect(lines.count >= 3)
            #expect(lines.first?["revision"] == nil)
            #expect(Self.metric("base_rate", lines.first) == 1, "at the end of the day only positives are known")
            #expect(lines.first?["performance"]?["mature"] == .bool(false))
            let revisions = lines.compactMap { $0["revision"]?.numberValue }
            #expect(revisions == revisions.sorted() && Set(revisions).count == revisions.count)
            #expect(lines.last?["performance"]?["mature"] == .bool(true), "after the horizon at the latest")
            #expect(Self.metric("coverage", lines.last) == 1 && Self.metric("auroc", lines.last) == 1)
            let delays = lines.last?["performance"]?["label_delay_seconds"]
            #expect((delays?["negative"]?["p50"]?.numberValue ?? 0) > 200_000)
            #expect((delays?["positive"]?["p95"]?.numberValue ?? .infinity) < 5_000)
        }
    }

    @Test func `a label past the horizon does not join`() async throws {
        try await blocking {
            let predictions = (0..<10).map { Self.prediction($0, #"{"score":0.\#($0)}"#) }
            let labels = (0..<10).map { Self.label($0, "1", after: $0 < 4 ? .hours(48) : .hours(49)) }
            let found = try Self.replay(
                predictions + labels + [Self.prediction(20, "0.5", day: 6)], model: "labels: {horizon: 2d}")
            #expect(Self.metric("labelled", found.last[Self.day]) == 4)
        }
    }

    @Test func `an event that carries its label needs no join, no identity, and is judged at once`() async throws {
        try await blocking {
            let lines = (0..<200).map { i in
                Self.prediction(
                    i, #"{"score":\#(Double(i % 10) / 10),"label":"\#(i % 10 >= 3 ? "yes" : "no")"}"#,
                    extra: #","label":"\#(i % 10 >= 5 ? "yes" : "no")""#
                ).replacing(#""id":"p\#(i)","#, with: "")
            }
            let found = try Self.replay(lines, model: "positive: \"yes\"")
            let line = found.last[Self.day]
            #expect(Self.metric("labelled", line) == 200 && Self.metric("auroc", line) == 1)
            #expect(Self.metric("accuracy", line) == 0.8, "by the class the event names, not by the threshold")
            #expect(line?["performance"]?["mature"] == .bool(true) && line?["revision"] == nil)
        }
    }

    @Test func `a regression model has errors, a classifier averages over classes`() async throws {
        try await blocking {
            let values = (0..<100).map { Self.prediction($0, #"{"value":\#($0)}"#) }
            let truths = (0..<100).map { Self.label($0, "\($0 - 2)", after: .hours(2)) }
            let line = try Self.replay(values + truths, model: "task: regression").last[Self.day]
            #expect(Self.metric("mae", line) == 2 && Self.metric("rmse", line) == 2 && Self.metric("bias", line) == 2)
            let names = ["cat", "dog", "owl"]
            let classes = (0..<90).map { Self.prediction($0, "\"\(names[$0 % 3])\"") }
            let labels = (0..<90).map { Self.label($0, "\"\(names[$0 % 2])\"", after: .hours(2)) }
            let other = try Self.replay(classes + labels, model: "task: multiclass").last[Self.day]
            #expect(abs((Self.metric("accuracy", other) ?? 0) - 1.0 / 3) < 1e-12)
            #expect(other?["performance"]?["confusion"]?.arrayValue?.count == 6)
        }
    }

    @Test func `a ranking model has NDCG of its queries, which stand in their items' identities`() async throws {
        try await blocking {
            // Forty queries of five items; every other query is ranked backwards.
            var lines: [String] = []
            for i in 0..<200 {
                let (query, item) = (i / 5, i % 5)
                let id = "shoes/\(query):\(item)"
                let score = query % 2 == 0 ? 5 - item : item
                lines.append(
                    Self.prediction(i, #"{"score":\#(score)}"#).replacing(#""p\#(i)""#, with: #""\#(id)""#))
                lines.append(
                    Self.label(i, "\(4 - item)", after: .hours(1)).replacing(#""p\#(i)""#, with: #""\#(id)""#))
            }
            let line = try Self.replay(lines, model: "task: ranking\nranking: {at: 3, separator: \":\"}").last[Self.day]
            func gain(_ order: [Double]) -> Double { zip(order, 2...).reduce(0) { $0 + $1.0 / log2(Double($1.1)) } }
            let expected = (1 + gain([0, 1, 2]) / gain([4, 3, 2])) / 2
            #expect(abs((Self.metric("ndcg", line) ?? 0) - expected) < 1e-12)
            #expect(Self.metric("labelled", line) == 200 && Self.metric("ndcg_error", line) == 0)
            #expect(line?["performance"]?["queries"] == .integer(40))
            // A sample takes queries whole, so that each is judged by all of its items.
            let sampled = try Self.replay(
                lines, model: "task: ranking\nranking: {at: 3, separator: \":\"}\nlabels: {sample: 0.5}"
            ).last[Self.day]
            let queries = try #require(sampled?["performance"]?["queries"]?.numberValue)
            #expect((8...32).contains(queries) && sampled?["n"]?.numberValue == queries * 5)
        }
    }

    @Test func `a classifier that gives a score for each class is estimated from them, and checked by its labels`()
        async throws
    {
        try await blocking {
            // The class chosen is right in three of four rows, whatever its score says.
            let names = ["cat", "dog", "owl"]
            let lines = (0..<1_200).map { i in
                let (best, other) = (names[i % 3], names[(i + 1) % 3])
                return Self.prediction(
                    i, #"{"scores":{"\#(other)":0.1,"\#(best)":0.9}}"#,
                    extra: #","label":"\#(i % 4 == 0 ? other : best)""#
                )
            }
            let line = try Self.replay(lines, model: "task: multiclass").last[Self.day]
            #expect(Self.metric("accuracy", line) == 0.75)
            #expect(abs((Self.metric("estimated_accuracy", line) ?? 0) - 0.75) < 0.01)
            let f1 = line?["performance"]?["estimates"]?["estimated_f1"]
            let (low, high) = (f1?["low"]?.numberValue ?? 1, f1?["high"]?.numberValue ?? 0)
            #expect((low...max(low, high)).contains(Self.metric("f1", line) ?? -1), "\(low) \(high)")
        }
    }

    @Test(arguments: ["ddm", "page_hinkley", "adwin"])
    func `a classical detector of the error rate can be asked for, and finds where it rises`(_ method: String)
        async throws
    {
        try await blocking {
            // One in ten is wrong for fifteen days, then six in ten.
            let lines = (0..<30 * 200).map { i in
                let isWrong = i < 15 * 200 ? i % 10 == 0 : i % 10 < 6
                return Self.prediction(
                    i % 200, #"{"score":0.9,"label":"1"}"#, day: i / 200, extra: #","label":"\#(isWrong ? 0 : 1)""#
                ).replacing(#""id":"p\#(i % 200)","#, with: "")
            }
            let all = try Self.replay(lines, model: "labels: {drift: \(method)}").all
            #expect(all.allSatisfy { $0["performance"]?["drift"]?["method"]?.stringValue == method })
            let found = all.filter { Self.metric("concept_drift", $0) == 1 }.compactMap {
                $0["window"]?["start"]?.stringValue.flatMap { Timestamp(rfc3339: $0) }
            }
            let first = try #require(found.min())
            #expect(first >= Self.start + .days(15) && first <= Self.start + .days(18), "\(first.rfc3339)")
        }
    }

    @Test func `a sample is the same for predictions and labels, and leaves the figures about where they were`()
        async throws
    {
        try await blocking {
            let lines =
                (0..<1_400).map { Self.prediction($0, #"{"score":\#(Double($0 % 100) / 100)}"#) }
                + (0..<1_400).map { Self.label($0, ($0 * 7) % 100 < $0 % 100 ? "1" : "0", after: .hours(2)) }
            let whole = try Self.replay(lines, model: "task: binary").last[Self.day]
            let part = try Self.replay(lines, model: "labels: {sample: 0.3}").last[Self.day]
            #expect(Self.metric("coverage", part) == 1)
            #expect((350...490).contains(part?["n"]?.numberValue ?? 0))
            #expect(abs((Self.metric("auroc", part) ?? 0) - (Self.metric("auroc", whole) ?? 1)) < 0.06)
        }
    }

    @Test func `a model without a task, and one whose labels never came, have no performance`() async throws {
        try await blocking {
            let predictions = (0..<10).map { Self.prediction($0, #"{"score":0.\#($0)}"#) }
            let silent = try Self.replay(predictions, model: "task: binary").all
            #expect(silent.isEmpty)
            let labelled = predictions + (0..<10).map { Self.label($0, "1", after: .hours(1)) }
            let refused = try Self.replay(labelled, model: "task: none").all
            #expect(refused.isEmpty)
        }
    }
}

/// A made stream with one change of concept in one segment and a stall of labels (`../shared/data/bench_pay_dev`).
@Suite(.serialized, .enabled(if: SharedData.isPresent, "the shared event streams are not beside this checkout"))
struct ConceptDriftTests {
    @Test func `the change of concept is found in its segment, within four days of its labels, and nothing else is`()
        async throws
    {
        try await blocking {
            let workspace = try Workspace()
            let data = try #require(SharedData.stream("bench_pay_dev"))
            func file(_ name: String) -> String { data.appending(path: name).path }
            _ = try ReferenceCommand.build(
                files: [file("reference.jsonl.gz")], model: nil, version: nil, settings: nil, segments: nil,
                to: workspace.path("reference.json"))
            let rules = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
                .deletingLastPathComponent().appending(path: "rules/default.yaml").path
            let configuration = try workspace.write(
                "holdfast.yaml",
                """
                models:
                  - name: payment-risk
                    positive: "1"
                    threshold: 0.25
                    reference: reference.json
                    window: {pane: 1d, size: 1d, every: 1d, lateness: 10m}
                rules: [\(rules)]
                """)
            try workspace.replay(
                configuration, [file("predictions.jsonl.gz"), file("labels.jsonl.gz")], out: "out")
            let alerts = try workspace.lines("out/alerts.jsonl").compactMap { try? JSON(parsing: $0.utf8) }
                .filter { $0["labels"]?["column"]?.stringValue == "performance" }
            #expect(alerts.map { $0["status"]?.stringValue } == ["firing", "resolved"])
            #expect(alerts.allSatisfy { $0["segment"]?["tier"]?.stringValue == "vip" })
            // The rule changes on 26 January; 95% of that day's labels have come by 2 February.
            let at = try #require(alerts.first?["at"]?.stringValue.flatMap { Timestamp(rfc3339: $0) })
            let shown = try #require(Timestamp(rfc3339: "2025-02-02T00:00:00Z"))
            #expect(at <= shown + .days(4), "\(at.rfc3339)")
            let context = try #require(alerts.first?["context"])
            #expect(context["evidence"]?["statistic"] == "auroc", "\(context.text)")
            let likely = try #require(context["likely"]?.stringValue)
            #expect(likely.hasPrefix("scores rank worse in tier=vip (AUROC"), "\(likely)")
        }
    }
}
