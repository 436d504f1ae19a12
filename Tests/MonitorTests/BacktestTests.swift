import Events
import Foundation
import TestSupport
import Testing
import Values

@testable import Monitor

@Suite struct `Backtests` {
    private static let script = SharedData.root?.appending(path: "data/score_alerts.py")
    private static let python = ["/usr/bin/python3", "/root/.pyenv/shims/python3", "/usr/local/bin/python3"].first {
        FileManager.default.isExecutableFile(atPath: $0)
    }

    private static let start = Timestamp(microseconds: 1_735_689_600_000_000)

    private struct Random {
        var generator: SeededGenerator

        mutating func pick<T>(_ items: [T]) -> T { items[Int.random(in: 0..<items.count, using: &generator)] }

        mutating func segment() -> [String: String] {
            var out: [String: String] = [:]
            for (dimension, values) in [("country", ["BR", "MX"]), ("device", ["web", "ios"]), ("tier", ["vip"])] {
                if Int.random(in: 0..<3, using: &generator) == 0 { out[dimension] = pick(values) }
            }
            return out
        }

        mutating func hours(_ most: Int) -> Span { .hours(Int64(Int.random(in: 0...most, using: &generator))) }

        mutating func fault(_ i: Int) -> IncidentScore.Fault {
            let type = pick(["unit_change", "concept_drift", "bad_release", "volume_drop"])
            let from = Backtests.start + hours(600)
            return IncidentScore.Fault(
                id: "F\(i)", type: type, difficulty: pick(["easy", "optional"]),
                features: type == "unit_change" ? [pick(["a", "b"])] : [],
                secondary: pick([[], ["score"], ["performance"]]),
                segment: segment(), start: from, end: from + .hours(1) + hours(96))
        }

        mutating func alarm() -> IncidentScore.Alarm {
            let end = Backtests.start + hours(720)
            let window = TimeRange(start: end - pick([Span.hours(1), .hours(24)]), end: end)
            return IncidentScore.Alarm(
                at: end + pick([.zero, .hours(2)]), window: window,
                target: pick(["feature:a", "feature:b", "score", "performance", "volume"]), segment: segment(),
                severity: Double(pick([1, 2, 3])) / 2)
        }
    }

    private static func json(_ segment: [String: String]) -> JSON { .sorted(segment) }

    private static func json(_ alarm: IncidentScore.Alarm) -> JSON {
        .members(
            ("ts", .time(alarm.at)), ("window_start", .time(alarm.window.start)),
            ("window_end", .time(alarm.window.end)),
            ("target", .string(alarm.target)), ("segment", json(alarm.segment)), ("severity", .number(alarm.severity)))
    }

    private static func json(_ faults: [IncidentScore.Fault]) -> JSON {
        .members(
            ("period", .array([.time(start), .time(start + .days(30))])),
            (
                "faults",
                .array(
                    faults.map { fault in
                        .members(
                            ("id", .string(fault.id)), ("type", .string(fault.type)),
                            ("difficulty", .string(fault.difficulty)),
                            ("features", .array(fault.features.map { .string($0) })),
                            ("secondary", .array(fault.secondary.map { .string($0) })),
                            ("segment", json(fault.segment)), ("start", .time(fault.start)), ("end", .time(fault.end)))
                    })
            ))
    }

    /// What the data sets' own scorer says of many cases, in one run.
    private static func scored(_ work: Workspace, _ cases: [(manifest: JSON, alarms: [JSON])]) throws -> [String] {
        let folder = try #require(script).deletingLastPathComponent().path
        for (i, test) in cases.enumerated() {
            try work.write("m\(i).json", test.manifest.text)
            try work.write("a\(i).jsonl", test.alarms.map(\.text).joined(separator: "\n"))
        }
        let program = """
            import sys, json
            sys.path.insert(0, sys.argv[1])
            import score_alerts as s
            for i in range(int(sys.argv[3])):
                m = json.load(open(f"{sys.argv[2]}/m{i}.json"))
                a = [json.loads(l) for l in open(f"{sys.argv[2]}/a{i}.jsonl") if l.strip()]
                print(json.dumps(s.score(m, a), sort_keys=True))
            """
        let process = Process()
        process.executableURL = URL(filePath: try #require(python))
        process.arguments = ["-B", "-c", program, folder, work.folder.path, "\(cases.count)"]
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        return text.split(separator: "\n").map(String.init)
    }

    /// Keys in order and numbers in one spelling, so that two documents compare as text.
    private static func normal(_ text: String) throws -> String {
        let object = try JSONSerialization.jsonObject(with: Data(text.utf8))
        let data = try JSONSerialization.data(withJSONObject: object, options: [.sortedKeys])
        return String(decoding: data, as: UTF8.self)
    }

    @Test(.enabled(if: script != nil && python != nil, "needs ../shared and python3"))
    func `score as the scorer of the data sets does`() async throws {
        try await blocking {
            var random = Random(generator: SeededGenerator(seed: 31))
            let cases = (0..<300).map { _ in
                (
                    faults: (0..<Int.random(in: 0...5, using: &random.generator)).map { random.fault($0) },
                    alarms: (0..<Int.random(in: 0...60, using: &random.generator)).map { _ in random.alarm() }
                )
            }
            let work = try Workspace()
            let theirs = try Self.scored(work, cases.map { (Self.json($0.faults), $0.alarms.map(Self.json)) })
            #expect(theirs.count == cases.count)
            for (i, (test, expected)) in zip(cases, theirs).enumerated() {
                let manifest = try IncidentManifest(path: work.path("m\(i).json"))
                let score = IncidentScore(period: manifest.period, faults: manifest.faults, alarms: test.alarms)
                let ours = try Self.normal(IncidentReport(score).json.text)
                #expect(ours == (try Self.normal(expected)), "seed \(random.generator.seed), case \(i)")
            }
        }
    }

    @Test func `deploys are a version and a time, of one model or of all`() {
        let time = "2026-03-01T12:00:00Z"
        let plain = Replay.Deploy(parsing: "14@\(time)")
        #expect(plain?.model == nil && plain?.version == "14" && plain?.at.rfc3339 == time)
        let named = Replay.Deploy(parsing: "fraud:14@\(time)")
        #expect(named?.model == "fraud" && named?.version == "14")
        for wrong in ["14", "@\(time)", ":14@\(time)", "14@soon", ""] { #expect(Replay.Deploy(parsing: wrong) == nil) }
    }

    @Test func `a manifest with a mistake says where`() throws {
        let work = try Workspace()
        for (text, told) in [
            ("{", "is not JSON"), ("{}", "expected `period`"),
            (#"{"period": ["2025-01-01T00:00:00Z", "soon"], "faults": []}"#, "expected a time"),
            (
                #"{"period": ["2025-01-01", "2025-02-01"], "faults": [{"id": "F", "type": "odd", "start": "2025-01-02", "end": "2025-01-03"}]}"#,
                "faults[0]: expected `features`"
            ),
        ] {
            let path = try work.write("m.json", text)
            let failure = #expect(throws: Replay.Failure.self) { try IncidentManifest(path: path) }
            #expect(failure?.description.contains(told) == true, "\(String(describing: failure))")
        }
    }

    @Test(.timeLimit(.minutes(2)))
    func `replay tries other rules, says what would have fired, and scores it`() async throws {
        let work = try Workspace()
        let stream = try await StreamFixture.make(work, count: 8_000)
        let events = try work.write("events.jsonl", stream.events.joined(separator: "\n"))
        let rules = try work.write(
            "other.yaml",
            "groups:\n- name: g\n  rules:\n  - {alert: Mine, expr: 'psi{column=\"amount\"} by (country) > 0.25', min_rows: 30}\n"
        )
        let manifest = try work.write(
            "manifest.json",
            #"{"period": ["2025-03-01T00:00:00Z", "2025-03-02T00:00:00Z"], "faults": [{"id": "F1", "type": "unit_change", "difficulty": "easy", "features": ["amount"], "segment": {"country": "BR"}, "start": "2025-03-01T11:06:40Z", "end": "2025-03-01T22:13:20Z"}]}"#
        )
        let configuration = try stream.configuration("replay")
        let arguments = ["replay", "--config", configuration, "--rules", rules, "--manifest", manifest]
        let table = try await HoldfastProcess.run(arguments + [events])
        #expect(table.status == 0, "\(table.text)")
        #expect(table.text.contains("Mine") && table.text.contains("country=BR") && !table.text.contains("Busy"))
        #expect(table.text.contains("precision 1.0, recall 1.0, exact segment 1.0"), "\(table.text)")
        let printed = try await HoldfastProcess.run(arguments + ["--json", events])
        let line = try #require(printed.text.split(separator: "\n").first { $0.hasPrefix("{") })
        let json = try JSON(parsing: line.utf8)
        let alert = try #require(json["alerts"]?.arrayValue?.first)
        #expect(alert["alert"]?.stringValue == "Mine" && alert["segment"]?["country"]?.stringValue == "BR")
        #expect(json["score"]?["recall"]?.numberValue == 1)
        try work.write(
            "since.yaml",
            "groups:\n- name: g\n  rules:\n  - {alert: Since, expr: 'psi by (country) > 0.25', since: {deploy: 12h}}\n")
        let since = ["replay", "--config", configuration, "--rules", work.path("since.yaml")]
        #expect(try await !HoldfastProcess.run(since + [events]).text.contains("Since"))
        let deployed = try await HoldfastProcess.run(since + ["--deploy", "2@2025-03-01T11:00:00Z", events])
        #expect(deployed.text.contains("Since"), "\(deployed.text)")
        let broken = try work.write("broken.yaml", "groups:\n- name: g\n  rules:\n  - {alert: Mine, expr: psy > 1}\n")
        let refused = try await HoldfastProcess.run(["replay", "--config", configuration, "--rules", broken, events])
        #expect(
            refused.status == 2 && refused.text.contains("broken.yaml:4:25: error: unknown metric"), "\(refused.text)")
    }
}
