import Events
import Foundation
import StrictYAML
import Testing
import Values

@testable import Monitor

@Suite struct `Rule tests` {
    private static let rules = """
        groups:
        - name: g
          model: fraud
          rules:
          - alert: Drift
            expr: psi{column="amount"} by (country) > 0.2
            min_rows: 40
            for: 2 windows
            annotations: {summary: '{{ $labels.country }} at {{ $value | printf "%.2f" }}'}
          - alert: Missing
            expr: null_rate{column="income"} > 3 * reference(null_rate{column="income"})
          - alert: Daily
            expr: psi{column="amount"} > 0.2
            window: 4h
          - alert: Deployed
            expr: psi{role="champion"} > 0.2
            since: {deploy: 2h}
        """

    private static let columns = "columns: {amount: {edges: [0, 10, 100, 1000], reference: [500, 300, 200]}}"

    private func run(_ tests: String) throws -> RuleTestReport {
        let work = try Workspace()
        try work.write("r.yaml", Self.rules)
        let path = try work.write("r_test.yaml", "rule_files: [r.yaml]\ntests:\n" + tests)
        do {
            return try RuleTestReport.run(path)
        } catch {
            throw TestFailure("\(error)".replacing(work.folder.path + "/", with: ""))
        }
    }

    @Test(arguments: [
        ("1 2.5 -3e1", [1, 2.5, -30]), ("1x2", [1, 1, 1]), ("1+2x3", [1, 3, 5, 7]), ("10-2.5x2", [10, 7.5, 5]),
        ("-1-1x1", [-1, -2]), ("_ 1 _x2 stale 2", [nil, 1, nil, nil, nil, 2]), ("0x0", [0]), ("", []),
        ("1e-3x1", [0.001, 0.001]),
    ])
    func `values are written as promtool writes them`(_ text: String, _ expected: [Double?]) throws {
        #expect(try SeriesNotation.values(text, isCounts: false).map { $0?.first } == expected)
    }

    @Test func `counts stand in brackets`() throws {
        let values = try SeriesNotation.values("[5 3]x1 _ [1, 2]+[1 0]x2", isCounts: true)
        #expect(values == [[5, 3], [5, 3], nil, [1, 2], [2, 2], [3, 2]])
    }

    @Test(arguments: [
        ("1x", 2, "how often"), ("1 x2", 2, "a number"), ("1+2", 3, "expected `x`"), ("[1]", 0, "in brackets"),
        ("1_", 1, "a space"), ("1x99999999", 2, "how often"), ("abc", 0, "a number"),
    ])
    func `what is no value is told with its place`(_ text: String, _ offset: Int, _ message: String) {
        let mistake = #expect(throws: SeriesNotation.Mistake.self) {
            try SeriesNotation.values(text, isCounts: false)
        }
        #expect(
            mistake?.offset == offset && mistake?.message.contains(message) == true, "\(String(describing: mistake))")
    }

    @Test func `counts go through the real statistics and the rules of the service`() throws {
        let report = try run(
            """
            - name: shift
              model: fraud
              every: 1h
              \(Self.columns)
              series:
              - {column: amount, segment: {country: BR}, counts: "[50 30 20]x3 [10 30 60]x5"}
              - {column: amount, segment: {country: MX}, counts: "[50 30 20]x9"}
              - {column: income, metric: null_rate, reference: 0.01, values: "0.01x4 0.2x4"}
              expect:
              - {at: 3h, alert: Drift, none: true}
              - {at: 4h, alert: Drift, state: pending, labels: {country: BR}}
              - {at: 5h, alert: Drift, state: firing, labels: {country: BR, segment: country=BR}, count: 1}
              - {at: 5h, alert: Drift, state: firing, annotations: {summary: BR at 1.06}}
              - {at: 5h, alert: Drift, none: true, labels: {country: MX}}
              - {at: 12h, alert: Drift, state: firing, health: no_data}
              - {at: 4h, alert: Missing, none: true}
              - {at: 5h, alert: Missing, state: firing}
              - {at: 3h, alert: Daily, none: true}
              - {at: 9h, alert: Daily, none: true}
            """)
        #expect(report.failures == 0, "\(report.text)")
        #expect(report.expectations == 10)
    }

    @Test func `performance is judged as if its labels were there`() throws {
        let work = try Workspace()
        try work.write(
            "r.yaml",
            "groups:\n- name: g\n  rules:\n  - {alert: Worse, expr: 'auroc < 0.7', labels_coverage: 0.8}\n")
        let path = try work.write(
            "r_test.yaml",
            """
            rule_files: [r.yaml]
            tests:
            - every: 1h
              series:
              - {column: performance, metric: auroc, values: "0.8x1 0.6x5"}
              - {column: performance, metric: coverage, values: "0.9x2 0.5 0.9x2"}
              expect:
              - {at: 1h, alert: Worse, none: true}
              - {at: 2h, alert: Worse, state: firing, labels: {column: performance}}
              - {at: 3h, alert: Worse, state: firing, health: late_labels}
            """)
        let report: RuleTestReport
        do {
            report = try RuleTestReport.run(path)
        } catch {
            throw TestFailure("\(error)")
        }
        #expect(report.failures == 0, "\(report.text)")
    }

    @Test func `longer windows are sums, and deploys arm rules`() throws {
        let report = try run(
            """
            - name: sums
              model: fraud
              every: 1h
              \(Self.columns)
              roles: {champion: "13"}
              deploys: [{at: 4h30m, version: "14"}]
              series:
              - {column: amount, counts: "[50 30 20]x3 [10 30 60]x9"}
              - {column: amount, version: "13", metric: psi, values: 0.5x9}
              - {column: amount, version: "14", metric: psi, values: 0.5x9}
              expect:
              - {at: 3h, alert: Daily, none: true}
              - {at: 7h, alert: Daily, state: firing}
              - {at: 4h, alert: Deployed, none: true}
              - {at: 5h, alert: Deployed, state: firing}
            """)
        #expect(report.failures == 0, "\(report.text)")
    }

    @Test func `an expectation that does not hold shows what there was`() throws {
        let report = try run(
            """
            - name: wrong
              model: fraud
              every: 1h
              \(Self.columns)
              series:
              - {column: amount, segment: {country: BR}, counts: "[10 30 60]x5"}
              expect:
              - {at: 0h, alert: Drift, state: firing, labels: {country: BR}}
              - {at: 1h, alert: Drift, state: firing, annotations: {summary: BR is well}}
              - {at: 1h, alert: Drift, none: true}
              - {at: 1h, alert: Missing, state: firing}
            """)
        let failures = try #require(report.tests.first).failures
        #expect(failures.map(\.place.line) == [10, 11, 12, 13])
        #expect(failures[0].expected == "firing {country=\"BR\"}")
        #expect(failures[0].actual == ["pending {column=\"amount\", country=\"BR\", model=\"fraud\"}"])
        #expect(failures[1].actual.first?.hasSuffix("summary: \"BR at 1.06\"") == true)
        #expect(failures[2].expected == "none pending or firing")
        #expect(failures[3].actual == ["none pending or firing"])
        #expect(report.text.contains("Drift at 1h\n    expected: none pending or firing\n    actual:   firing {"))
        #expect(report.json["tests"]?.arrayValue?.first?["passed"] == .bool(false))
    }

    @Test func `a rule that no series can wake says what it asks for`() throws {
        let report = try run(
            """
            - name: silent
              model: fraud
              every: 1h
              \(Self.columns)
              series:
              - {column: amount, segment: {device: web}, counts: "[10 30 60]x5"}
              expect:
              - {at: 2h, alert: Drift, state: firing}
            """)
        let silent = report.tests.first?.failures.first?.silent ?? []
        #expect(silent.count == 1 && silent[0].contains("r.yaml:6:"), "\(silent)")
        #expect(
            report.text.contains("unknown segment `country` of model `fraud`; known are `device`"), "\(report.text)")
    }

    @Test func `mistakes are told with place and suggestion, all at once`() throws {
        let failure = #expect(throws: TestFailure.self) {
            try run(
                """
                - name: bad
                  model: fruad
                  every: 1h
                  \(Self.columns)
                  series:
                  - {column: amont, counts: "[1 2 3]"}
                  - {column: amount, counts: "[1 2]"}
                  - {column: amount, counts: "[1 2 3"}
                  - {column: x, metric: psy, values: "1"}
                  - {column: x, metric: psi, values: "1 y"}
                  expect:
                  - {at: 0h, alert: Drfit, state: firing}
                  - {at: 0h, alert: Drift, state: fires}
                """)
        }
        let expected = [
            "r_test.yaml:4:10: error: no group of the rule files is for model `fruad`: did you mean `fraud`?",
            "r_test.yaml:8:14: error: column `amont` has no bins: give `edges` or `categories` under `columns`: did you mean `amount`?",
            "r_test.yaml:9:30: error: found 2 counts, column `amount` has 3 bins: expected 3",
            "r_test.yaml:10:37: error: the bracket is never closed: expected `]`",
            "r_test.yaml:11:25: error: unknown metric `psy`: did you mean `psi`?",
            "r_test.yaml:12:41: error: expected a number, found `y`",
            "r_test.yaml:14:21: error: unknown alert `Drfit`: did you mean `Drift`?",
            "r_test.yaml:15:35: error: expected one of `pending`, `firing`, `recovering`, `inactive`, found `fires`",
        ]
        let found = failure?.description.split(separator: "\n").map(String.init) ?? []
        #expect(found == expected, "\(found.joined(separator: "\n"))")
    }

    @Test func `the program says so with its exit status`() async throws {
        let work = try Workspace()
        try work.write("r.yaml", Self.rules)
        func file(_ name: String, _ expectation: String) throws -> String {
            try work.write(
                name,
                """
                rule_files: [r.yaml]
                tests:
                - name: t
                  model: fraud
                  every: 1h
                  series: [{column: income, metric: null_rate, reference: 0.01, values: "0.2"}]
                  expect: [{at: 0h, alert: Missing, \(expectation)}]
                """)
        }
        let good = try file("good_test.yaml", "state: firing")
        let bad = try file("bad_test.yaml", "none: true")
        let broken = try file("broken_test.yaml", "stat: firing")
        #expect(try await HoldfastProcess.run(["test", good]).status == 0)
        let failed = try await HoldfastProcess.run(["test", good, bad, "--json"])
        #expect(failed.status == 1 && failed.text.contains("\"failures\":1"), "\(failed.text)")
        let unreadable = try await HoldfastProcess.run(["test", broken])
        #expect(unreadable.status == 2 && unreadable.text.contains("did you mean `state`?"), "\(unreadable.text)")
    }

    @Test func `the default pack keeps its promises`() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let report = try RuleTestReport.run(root.appending(path: "rules/default_test.yaml").path)
        #expect(report.failures == 0, "\(report.text)")
    }
}
