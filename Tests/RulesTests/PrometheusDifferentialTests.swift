import Foundation
import Statistics
import TestSupport
import Testing
import Values

@testable import Rules

/// The same random rules and series through `promtool test rules`, Prometheus' own implementation, where it is installed.
@Suite struct `Prometheus itself` {
    static let promtool = ["/usr/bin/promtool", "/usr/local/bin/promtool"].first {
        FileManager.default.isExecutableFile(atPath: $0)
    }

    private struct Case {
        let name: String
        let values: [Bool]
        let hold: Int
        let keep: Int
    }

    /// Whether our engine fires, at each window.
    private func firing(_ test: Case) throws -> [Bool] {
        let keys = "for: \(test.hold * 60)s, keep_firing_for: \(test.keep * 60)s"
        let rules = try ruleSet("alert: A, expr: psi > 0.5, \(keys)")
        var state = ModelAlertState(model: "fraud")
        return test.values.enumerated().map { index, isOver in
            let fixture = SnapshotFixture.build { $0.add("x", [.psi: isOver ? 1 : 0]) }
            let start = SnapshotFixture.origin + Span.minutes(1) * Int64(index)
            let window = TimeRange(start: start, end: start + .minutes(1))
            let snapshot = Snapshot(
                model: "fraud", window: window, revision: 1, versions: [], referenceName: "r", rows: fixture.rows)
            _ = rules.evaluate(snapshot: snapshot, modelWindow: .minutes(1), state: &state)
            return !state.firing.isEmpty
        }
    }

    @Test(.enabled(if: promtool != nil)) func `agrees on every evaluation of random rules`() throws {
        var random = SeededGenerator(seed: 23)
        let cases = (0..<40).map { index in
            Case(
                name: "a\(index)", values: (0..<40).map { _ in Int.random(in: 0..<10, using: &random) < 6 },
                hold: Int.random(in: 0...5, using: &random), keep: Int.random(in: 0...10, using: &random))
        }
        var rules = "groups:\n- name: g\n  rules:\n"
        var series = ""
        var expectations = ""
        for test in cases {
            rules += "  - alert: \(test.name)\n    expr: x{n=\"\(test.name)\"} > 0.5\n    for: \(test.hold)m\n"
            rules += "    keep_firing_for: \(test.keep)m\n"
            let values = test.values.map { $0 ? "1" : "0" }.joined(separator: " ")
            series += "  - series: 'x{n=\"\(test.name)\"}'\n    values: '\(values)'\n"
            for (minute, isFiring) in try firing(test).enumerated() {
                expectations += "  - eval_time: \(minute)m\n    alertname: \(test.name)\n"
                if isFiring { expectations += "    exp_alerts: [{exp_labels: {n: \(test.name)}}]\n" }
            }
        }
        let folder = FileManager.default.temporaryDirectory.appending(path: "holdfast-promtool-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try rules.write(to: folder.appending(path: "r.yml"), atomically: true, encoding: .utf8)
        let head = "rule_files: [r.yml]\nevaluation_interval: 1m\ntests:\n- interval: 1m\n"
        try (head + "  input_series:\n\(series)  alert_rule_test:\n\(expectations)")
            .write(to: folder.appending(path: "t.yml"), atomically: true, encoding: .utf8)

        let process = Process()
        process.executableURL = URL(filePath: try #require(Self.promtool))
        process.arguments = ["test", "rules", "t.yml"]
        process.currentDirectoryURL = folder
        let output = Pipe()
        process.standardOutput = output
        process.standardError = output
        try process.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        #expect(process.terminationStatus == 0, "seed \(random.seed): \(text.prefix(2_000))")
    }
}
