import Detection
import Foundation
import StrictYAML
import Testing
import Values

@testable import Rules

@Suite struct `Rule files` {
    static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures")

    static func fixtures(_ suffix: String) -> [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return names.filter { $0.hasSuffix(suffix) }.sorted()
    }

    private func text(_ name: String) throws -> String {
        try String(contentsOf: Self.folder.appending(path: name), encoding: .utf8)
    }

    @Test(arguments: fixtures(".good.yaml"))
    func `good files load`(_ name: String) throws {
        let rules = try RuleSet.load([(name, try text(name))])
        #expect(!rules.groups.isEmpty)
    }

    @Test(arguments: fixtures(".bad.yaml"))
    func `bad files tell what their first lines expect, and nothing else`(_ name: String) throws {
        let text = try text(name)
        let expected = text.split(separator: "\n").filter { $0.hasPrefix("# expect: ") }.map { $0.dropFirst(10) }
        var problems = ProblemCollector()
        _ = RuleSet.read([(name, text)], &problems)
        let found = problems.problems.list.map { "\($0.place.line):\($0.place.column): \($0.message)" }
        for line in expected {
            #expect(
                found.contains { $0.hasPrefix(line) }, "not told: \(line)\nfound:\n\(found.joined(separator: "\n"))")
        }
        #expect(found.count == expected.count, "\(found.joined(separator: "\n"))")
    }

    @Test func `the default pack loads and names nothing a model would not have`() throws {
        let file = Self.folder.deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "rules/default.yaml")
        let rules = try RuleSet.load([("default.yaml", try String(contentsOf: file, encoding: .utf8))])
        #expect(rules.rules.count >= 5)
        let model = ModelCatalog(
            name: "m", columns: [("amount", "numeric"), ("prediction", "numeric")], segmentations: [])
        #expect(rules.check(against: [model]).isEmpty)
    }

    @Test func `everything a rule says is read`() throws {
        let rules = try RuleSet.load([("f", try text("everything.good.yaml"))])
        let group = try #require(rules.groups.first)
        #expect(group.model == "fraud" && group.limit == 200)
        #expect(group.budget == RuleGroup.Budget(falseAlerts: 1, per: .days(30)))
        let drift = try #require(group.rules.first)
        #expect(drift.significance == .fdr(0.01) && drift.minimumRows == 40)
        #expect(drift.hold == .windows(2) && drift.keepFiring == .windows(3))
        #expect(drift.notify == ["oncall"] && drift.labels.keys.sorted() == ["severity", "team", "where"])
        #expect(group.rules[1].noData == .alert && group.rules[1].notify == ["oncall"])
        #expect(group.rules[2].hold == .duration(.minutes(90)) && group.rules[2].window == .hours(24))
        let expected = ActionRequest.Rollback(
            to: "champion-1", mode: .guarded, unless: ["IncomeMissing"], maximum: 1, maximumPer: .hours(24),
            cooldown: .hours(6))
        #expect(group.rules[2].actions.first == .rollback(expected))
        #expect(rules.windowSizes(model: "fraud") == [nil, .hours(24)])
        #expect(rules.windowSizes(model: "other") == [nil])
        #expect(rules.rules.last?.significance == .standard)
    }

    @Test func `a check names what the configuration does not have`() throws {
        let file = """
            groups:
            - name: a
              model: fraud
              rules:
              - alert: A
                expr: psi{column="amuont"} by (cuntry) > psi{column=~"x.*"}
                notify: [oncal]
                actions: [{rollback: {unless: [B]}}]
              - {alert: C, expr: 'ks{country="BR", device="web", column="country"} > 1'}
            - name: b
              model: froud
              rules: [{alert: A, expr: psi{column="nobody"} > 1, labels: {a: b}}]
            - name: c
              rules:
              - {alert: D, expr: 'psi{column="age"} by (device) > 1'}
              - {alert: E, expr: 'psi{column="ago"} by (device, country) > 1'}
            """
        let flow = file.replacing("expr: psi{column=\"nobody\"} > 1", with: "expr: 'psi{column=\"nobody\"} > 1'")
        let rules = try RuleSet.load([("r.yaml", flow)])
        let fraud = ModelCatalog(
            name: "fraud", columns: [("amount", "numeric"), ("country", "categorical")],
            segmentations: [["country"], ["device"]])
        let churn = ModelCatalog(name: "churn", columns: [("age", "numeric")], segmentations: [["device"]])
        let found = rules.check(against: [fraud, churn], receivers: ["oncall"]).map(\.description)
        #expect(
            found == [
                "r.yaml:6:22: error: unknown column `amuont` of model `fraud`: did you mean `amount`?",
                "r.yaml:6:36: error: unknown segment `cuntry` of model `fraud`: did you mean `country`?",
                "r.yaml:6:58: error: no column matches `x.*` of model `fraud`",
                "r.yaml:7:14: error: unknown receiver `oncal`: did you mean `oncall`?",
                "r.yaml:8:36: error: unknown alert `B`, a guard that could never hold: did you mean `A`?",
                "r.yaml:9:23: error: `ks` does not exist for categorical columns of model `fraud`",
                "r.yaml:9:26: error: model `fraud` is not segmented by [country, device] together: "
                    + "add it to its `segments`",
                "r.yaml:11:10: error: unknown model `froud`: did you mean `fraud`?",
                "r.yaml:16:34: error: unknown column `ago` of any model: did you mean `age`?",
                "r.yaml:16:45: error: any model is not segmented by [device, country] together: "
                    + "add it to its `segments`",
            ])
    }

    @Test func `a guard whose rule is in a file that is not loaded is told and no mistake, one that is mistyped is`()
        throws
    {
        func rules(_ guards: String) throws -> RuleSet {
            try RuleSet.load([
                (
                    "r.yaml",
                    """
                    groups:
                    - name: a
                      rules:
                      - {alert: IncomeMissing, expr: null_rate > 1}
                      - {alert: Drift, expr: psi > 1, actions: [{rollback: {unless: [\(guards)]}}]}
                    """
                )
            ])
        }
        let absent = try rules("IncomeMissing, SchemaChanged")
        #expect(absent.check(against: []).isEmpty)
        #expect(
            absent.absentGuards.map(\.description) == [
                "r.yaml:5:81: error: no rule here raises `SchemaChanged`, so it never keeps `Drift` from rolling back; "
                    + "known are `IncomeMissing`, `Drift`"
            ])
        let mistyped = try rules("IncomeMising")
        #expect(mistyped.absentGuards.isEmpty)
        #expect(mistyped.check(against: []).first?.message.contains("did you mean `IncomeMissing`?") == true)
    }
}
