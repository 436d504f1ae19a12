import Events
import Foundation
import Ledger
import StrictYAML
import Synchronization
import TestSupport
import Testing
import Values

@testable import Monitor

/// Events keep coming and their time stands still, by a clock of the test's own: through posted events, the engine and the default pack.
struct StuckEventTimeTests {
    private static let start = Timestamp(rfc3339: "2026-03-02T00:00:00Z") ?? Timestamp(microseconds: 0)

    private static func event(_ i: Int, at time: Timestamp, _ random: inout SeededGenerator) -> String {
        let amount = Double(Int.random(in: 50...10_000, using: &random)) / 10
        return #"{"model":"m","version":"1","id":"e\#(i)","ts":"\#(time.rfc3339)","features":{"amount":\#(amount)},"#
            + #""prediction":{"score":0.\#(Int.random(in: 100..<1_000, using: &random))}}"#
    }

    private static func models(_ path: String) throws -> (Configuration, [MonitoredModel]) {
        do throws(Problems) {
            let configuration = try ConfigurationReader.read(path)
            return (configuration, try MonitoredModel.load(configuration))
        } catch {
            throw TestFailure("\(error)")
        }
    }

    private static func posted(_ workspace: Workspace, _ clock: WallClock) throws -> (PostedEvents, Ledger) {
        let rules = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "rules/default.yaml").path
        let path = try workspace.write(
            "holdfast.yaml",
            """
            models:
              - name: m
                task: none
                reference: reference.json
                window: {pane: 10m, size: 1h, every: 1h, lateness: 1m, idle: 30s}
            rules: [\(rules)]
            """)
        let (configuration, models) = try models(path)
        let ledger = try Ledger(path: nil)
        let engine = try Engine(
            models: models, rules: RuleBook(configuration.rules), ledger: ledger,
            options: .init(performs: true, keepsSnapshots: true, receivers: [], externalURL: "", retention: .days(30)),
            warn: { _ in }
        ) { _ in }
        return (try PostedEvents(models: models, engine: engine, ledger: ledger, clock: clock), ledger)
    }

    @Test func `a source whose clock stands still is told once, while its events come, and it ends with it`()
        async throws
    {
        let workspace = try Workspace()
        var random = SeededGenerator(seed: 5)
        let reference = (-10 * 1_440..<0).map { Self.event($0, at: Self.start + .minutes(Int64($0)), &random) }
        try await blocking {
            _ = try ReferenceCommand.build(
                files: [try workspace.write("reference.jsonl", reference.joined(separator: "\n"))], model: nil,
                version: nil, settings: nil, segments: nil, to: workspace.path("reference.json"))
        }
        let now = Mutex(Self.start)
        let clock = WallClock { now.withLock { $0 } }
        let (posted, ledger) = try Self.posted(workspace, clock)
        // For six hours all is well, for six the events of every minute are of 06:00, then all is well again.
        for minute in 0..<18 * 60 {
            let time = Self.start + .minutes(Int64(minute))
            now.withLock { $0 = time }
            let isStuck = (6 * 60..<12 * 60).contains(minute)
            let event = Self.event(minute, at: isStuck ? Self.start + .hours(6) : time, &random)
            _ = try await posted.ingest(Array(event.utf8))
        }
        let told = try await ledger.transitions().compactMap { try? JSON(parsing: $0.utf8) }
        func line(_ alert: JSON) -> String {
            [
                alert["status"]?.stringValue, alert["labels"]?["alertname"]?.stringValue,
                alert["labels"]?["column"]?.stringValue, alert["at"]?.stringValue,
            ].compactMap(\.self).joined(separator: " ")
        }
        let stuck = told.filter { alert in
            ["EventTimeStuck", "NoEvents"].contains(alert["labels"]?["alertname"]?.stringValue)
                && alert["status"]?.stringValue != "pending"
        }
        // Its second window; and no word of silence, for events come.
        #expect(
            stuck.map(line) == [
                "firing EventTimeStuck volume 2026-03-02T08:00:00Z",
                "resolved EventTimeStuck volume 2026-03-02T13:00:00Z",
            ], "\(told.map(line))")
        let summary = stuck.first?["annotations"]?["summary"]?.stringValue ?? ""
        #expect(summary.contains("come for windows that have closed"), "\(summary)")
    }
}
