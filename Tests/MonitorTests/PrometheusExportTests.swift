import Foundation
import StrictYAML
import TestSupport
import Testing
import Values

@testable import Monitor

@Suite struct `Rules for Prometheus` {
    static let promtool = ["/usr/bin/promtool", "/usr/local/bin/promtool"].first {
        FileManager.default.isExecutableFile(atPath: $0)
    }

    private func export(_ rules: String, model: Bool = true) throws -> PrometheusExport {
        let head = "groups:\n- name: g\n" + (model ? "  model: fraud\n" : "") + "  rules:\n"
        let body = rules.split(separator: "\n").map { "  - {\($0)}\n" }.joined()
        return try PrometheusExport.make([("r.yaml", head + body)], every: .hours(1))
    }

    private func expression(_ rule: String, model: Bool = true) throws -> String? {
        let line = try export("alert: A, " + rule, model: model).text.split(separator: "\n")
            .first { $0.hasPrefix("    expr: ") }
        return try line.map { line in
            let bytes = [UInt8](line.dropFirst(10).utf8)
            return try JSONDecoder().decode(String.self, from: Data(bytes))
        }
    }

    /// `holdfast_drift` of all versions.
    private func drift(_ labels: String) -> String {
        "max without (metric, version) (holdfast_drift{model=\"fraud\", version=\"*\", \(labels)})"
    }

    @Test func `selectors become series of our metrics`() throws {
        let psi = drift("metric=\"psi\"")
        #expect(try expression("expr: psi > 0.2, significance: none") == "(\(psi) > 0.2)")
        #expect(
            try expression("expr: psi > 0.2, min_rows: 40, significance: none")
                == "((\(psi) and (\(drift("metric=\"count\"")) >= 40)) > 0.2)")
        #expect(
            try expression("expr: psi > 0.2, significance: p(0.001)")
                == "((\(psi) > 0.2) and (\(drift("metric=\"psi_p\"")) < 0.001))")
        #expect(
            try expression("expr: 'ks{column=~\"a.*\"} >= 1', significance: p(0.001)")
                == "((\(drift("column=~\"a.*\", metric=\"ks\"")) >= 1) and (\(drift("column=~\"a.*\", metric=\"ks_p\"")) < 0.001))"
        )
        #expect(
            try expression("expr: null_rate > 3 * reference(null_rate)")
                == "(\(drift("metric=\"null_rate\"")) > (3 * max without (metric, version) (holdfast_reference{model=\"fraud\", version=\"*\", metric=\"null_rate\"})))"
        )
        #expect(
            try expression("expr: 'null_rate{version=\"14\"} - null_rate{version=\"13\"} > 0.1'")
                == "((max without (metric) (holdfast_drift{model=\"fraud\", version=\"14\", metric=\"null_rate\"}) - ignoring (version) max without (metric) (holdfast_drift{model=\"fraud\", version=\"13\", metric=\"null_rate\"})) > 0.1)"
        )
        #expect(
            try expression("expr: 'delta(null_rate, 24h) > 0.1 or avg_over(null_rate, 6h) > 0.2'", model: false)
                == "(((N{A} - N{A offset 24h}) > 0.1) or (avg_over_time((N{A})[6h:1h]) > 0.2))"
                .replacing(
                    "N{A offset 24h}",
                    with:
                        "max without (metric, version) (holdfast_drift{version=\"*\", metric=\"null_rate\"} offset 1d)"
                )
                .replacing(
                    "N{A}", with: "max without (metric, version) (holdfast_drift{version=\"*\", metric=\"null_rate\"})")
        )
    }

    @Test func `performance is a series of its own`() throws {
        #expect(
            try expression("expr: 'auroc{column=\"performance\"} < 0.7'")
                == "(max without (metric, version) (holdfast_performance{model=\"fraud\", version=\"*\", metric=\"auroc\"}) < 0.7)"
        )
    }

    @Test(arguments: [
        (
            "expr: psi > 0.2, against: rolling",
            "`against: rolling`: /metrics has comparisons with the model's own reference only"
        ),
        ("expr: null_rate > 0.2", "`significance: edetector` cannot be said in PromQL of `null_rate`"),
        ("expr: accuracy < 0.7", "`significance: edetector` cannot be said in PromQL of `accuracy`"),
        ("expr: auroc < 0.7", "`significance: edetector` cannot be said in PromQL of `auroc`"),
        ("expr: mae > 2", "`significance: edetector` cannot be said in PromQL of `mae`"),
        ("expr: volume < 0.5", "`volume` is over the reference here"),
        ("expr: auroc < 0.7, min_rows: 40", "`min_rows` is not asked of `auroc`"),
    ])
    func `what PromQL cannot say is told`(rule: String, note: String) throws {
        let notes = try export("alert: A, " + rule).notes
        #expect(notes.contains { $0.message.contains(note) }, "\(notes)")
    }

    @Test func `segments beside all traffic are left out, and told`() throws {
        let export = try export("alert: A, expr: '(psi or psi by (*)) > 0.1', significance: none")
        #expect(export.exported == 1)
        #expect(export.text.contains("# `A`: one side of `or` is left out: `by (*)` looks at segments"))
        #expect(!export.text.contains(" or "))
        let detector = try self.export("alert: A, expr: psi > 0.1, significance: edetector")
        #expect(detector.notes.contains { $0.message.contains("the number alone decides") })
    }

    @Test func `what cannot be said is told by name`() throws {
        let export = try export(
            """
            alert: Segments, expr: psi by (country) > 0.2
            alert: Segment, expr: 'psi{country="BR"} > 0.2'
            alert: Window, expr: psi > 0.2, window: 24h
            alert: Since, expr: psi > 0.2, since: {deploy: 6h}
            alert: Gone, expr: psi > 0.2, no_data: alert
            alert: Role, expr: 'psi{role="champion"} > 0.2'
            alert: Partly, expr: psi > 0.2, significance: fdr(0.01), for: 3 windows, keep_firing_for: 90m, annotations: {a: '{{ $value }}', b: '{{ $threshold }}'}
            """)
        #expect(export.exported == 1 && export.total == 7)
        for name in ["Segments", "Segment", "Window", "Since", "Gone", "Role"] {
            #expect(export.notes.contains { $0.message.hasPrefix("`\(name)` is not here: ") }, "\(name)")
            #expect(export.text.contains("  # `\(name)` is not here: "), "\(name)")
        }
        #expect(export.notes.contains { $0.message.contains("fdr(0.01)") && $0.place.line == 11 })
        #expect(export.notes.contains { $0.message.contains("annotation `b` uses $threshold") })
        #expect(export.text.contains("    for: 2h\n    keep_firing_for: 1h30m\n"))
        #expect(export.text.contains("      a: \"{{ $value }}\"\n") && !export.text.contains("      b:"))
    }

    @Test(.enabled(if: promtool != nil)) func `promtool accepts every file of ours`() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        let everything = root.appending(path: "RulesTests/Fixtures/everything.good.yaml").path
        let work = try Workspace()
        let more = try work.write(
            "more.yaml",
            """
            groups:
            - name: "odd \\"name\\""
              rules:
              - {alert: A, expr: 'abs(-psi{column="a\\\\b"} ^ 2 % 3) > 0.1 unless on (column) null_rate{version=~"1.+"} > 0.1'}
              - {alert: B, expr: 'max by (column) (psi{version!="13"}) / min_over(psi, 3h) > 2 and ks{version="2"} < 0.5'}
              - {alert: C, expr: 'psi{version=~".+"} - psi > 0.1 or count(null_rate > 0.1) >= 3', labels: {a: '{{ $labels.column }}'}}
            - name: none of it
              limit: 3
              rules: [{alert: D, expr: psi by (*) > 0.1}]
            """)
        for path in [root.deletingLastPathComponent().appending(path: "rules/default.yaml").path, everything, more] {
            let export: PrometheusExport
            do {
                export = try PrometheusExport.make(paths: [path], every: .hours(1))
            } catch {
                throw TestFailure("\(error)")
            }
            #expect(path == everything || export.exported > 0)
            let file = try work.write("out.yaml", export.text)
            let process = Process()
            process.executableURL = URL(filePath: try #require(Self.promtool))
            process.arguments = ["check", "rules", file]
            let output = Pipe()
            process.standardOutput = output
            process.standardError = output
            try process.run()
            let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
            process.waitUntilExit()
            #expect(process.terminationStatus == 0 && !text.contains("FAILED"), "\(path): \(text)\n\(export.text)")
        }
    }
}
