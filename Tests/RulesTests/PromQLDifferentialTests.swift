import Detection
import Foundation
import Statistics
import TestSupport
import Testing
import Values

@testable import Rules

/// Random expressions over random rows, through our evaluator and through Prometheus' own. Where everything is known (no rows missing, no
/// significance asked for) they must be the same.
@Suite struct `PromQL itself` {
    private static let metrics: [Metric] = [.mean, .null_rate, .sd]
    private static let columns = ["a", "b", "c", "d"]
    private static let countries = ["BR", "MX", "US"]

    /// An expression in both spellings, with the labels its instances have; `nil` for a mixture.
    private struct Pair {
        var ours: String
        var theirs: String
        var labels: Set<String>?
    }

    private struct Generator {
        var random: SeededGenerator

        mutating func pick<T>(_ items: [T]) -> T { items[Int.random(in: 0..<items.count, using: &random)] }
        mutating func chance(_ n: Int) -> Bool { Int.random(in: 0..<n, using: &random) == 0 }

        /// Multiples of a quarter, so that sums are exact in whatever order.
        mutating func number() -> String { "\(Double(Int.random(in: -8...16, using: &random)) / 4)" }

        mutating func selector(_ labels: Set<String>) -> Pair {
            let metric = pick(PromQLItself.metrics).name
            var matchers: [String] = []
            if chance(2) {
                matchers.append(
                    pick(["column=\"a\"", "column!=\"b\"", "column=~\"a|c\"", "column!~\"[ab]\"", "column=~\".+\""]))
            }
            let own = matchers.isEmpty ? "" : "{\(matchers.joined(separator: ", "))}"
            guard labels.contains("country") else {
                return Pair(
                    ours: metric + own, theirs: "\(metric){\((matchers + ["country=\"\""]).joined(separator: ", "))}",
                    labels: labels)
            }
            return Pair(
                ours: "\(metric)\(own) by (country)",
                theirs: "\(metric){\((matchers + ["country!=\"\""]).joined(separator: ", "))}", labels: labels)
        }

        /// - Parameter wanted: labels the instances must have; `nil` for any.
        mutating func expression(_ depth: Int, _ wanted: Set<String>?) -> Pair {
            let labels = wanted ?? pick([["column"], ["column", "country"], ["country"], []])
            if !labels.contains("column") { return aggregate(depth, labels) }
            guard depth > 0, !chance(5) else { return selector(labels) }
            switch Int.random(in: 0..<7, using: &random) {
            case 0:
                let inner = expression(depth - 1, wanted)
                return chance(2)
                    ? wrap(inner) { "abs(\($0))" } : wrap(inner) { "-(\($0))" }
            case 1:
                let (op, value) = (pick(["+", "-", "*"]), number())
                let inner = expression(depth - 1, wanted)
                return chance(2) ? wrap(inner) { "(\($0) \(op) \(value))" } : wrap(inner) { "(\(value) \(op) \($0))" }
            case 2:
                let (op, value) = (pick([">", ">=", "<", "<=", "==", "!="]), number())
                let inner = expression(depth - 1, wanted)
                return chance(2) ? wrap(inner) { "(\($0) \(op) \(value))" } : wrap(inner) { "(\(value) \(op) \($0))" }
            case 3, 4:
                let op = pick(["+", "-", "*", ">", "<=", "==", "!="])
                return join(expression(depth - 1, labels), expression(depth - 1, labels), op, labels)
            default:
                let op = pick(["and", "or", "unless"])
                let right = expression(depth - 1, op == "or" ? wanted : nil)
                let left = expression(depth - 1, wanted)
                let matching = pick([
                    "", " on (country)", " on (column)", " ignoring (country)", " on ()", " ignoring (column)",
                ])
                return join(left, right, op + matching, op == "or" && left.labels != right.labels ? nil : left.labels)
            }
        }

        private mutating func aggregate(_ depth: Int, _ labels: Set<String>) -> Pair {
            let inner = expression(max(0, depth - 1), pick([["column"], ["column", "country"]]))
            let op = pick(["max", "min", "sum", "count"])
            let by = labels.isEmpty ? "" : " by (\(labels.sorted().joined(separator: ", ")))"
            return Pair(
                ours: "\(op)\(by) (\(inner.ours))", theirs: "\(op)\(by) (\(inner.theirs))", labels: labels)
        }

        private func wrap(_ pair: Pair, _ body: (String) -> String) -> Pair {
            Pair(ours: body(pair.ours), theirs: body(pair.theirs), labels: pair.labels)
        }

        private func join(_ a: Pair, _ b: Pair, _ op: String, _ labels: Set<String>?) -> Pair {
            Pair(ours: "(\(a.ours) \(op) \(b.ours))", theirs: "(\(a.theirs) \(op) \(b.theirs))", labels: labels)
        }
    }

    /// Rows for us and series for Prometheus. Some rows are left out.
    private func data(_ generator: inout Generator) -> (fixture: SnapshotFixture, series: String) {
        var fixture = SnapshotFixture()
        var series = ""
        for column in Self.columns {
            for country in [nil] + Self.countries.map({ Optional($0) }) where !generator.chance(6) {
                var values: [Metric: Double] = [:]
                let labels = "column=\"\(column)\"" + (country.map { ", country=\"\($0)\"" } ?? "")
                for metric in Self.metrics {
                    let value = Double(Int.random(in: -8...16, using: &generator.random)) / 4
                    values[metric] = value
                    series += "  - {series: '\(metric.name){\(labels)}', values: '\(value)'}\n"
                }
                fixture.add(column, values, in: country.map { [("country", $0)] } ?? [])
            }
        }
        return (fixture, series)
    }

    private func samples(_ text: String, _ fixture: SnapshotFixture) throws -> [(labels: String, value: Double)] {
        let evaluator = ExpressionEvaluator(snapshot: fixture.snapshot(0), minimumRows: 0, significance: .none)
        return try evaluator.evaluate(ExpressionParser.parse(text)).filter { $0.truth == .holds }.map { sample in
            let labels = sample.labels.sorted { $0.key < $1.key }.map { "\($0.key)=\"\($0.value)\"" }
            return ("{\(labels.joined(separator: ", "))}", sample.value)
        }
    }

    @Test(.enabled(if: Promtool.path != nil))
    func `agrees on two thousand random expressions`() async throws {
        try await blocking {
            var generator = Generator(random: SeededGenerator(seed: 41))
            var text = "rule_files: [r.yml]\nevaluation_interval: 1m\ntests:\n"
            var found = 0
            for _ in 0..<10 {
                let (fixture, series) = data(&generator)
                text += "- interval: 1m\n  input_series:\n\(series)  promql_expr_test:\n"
                for _ in 0..<200 {
                    let pair = generator.expression(4, nil)
                    let expected = try samples(pair.ours, fixture)
                    found += expected.count
                    // Adding nothing takes the metric's name away, which our instances do not have.
                    text += "  - expr: '(\(pair.theirs)) + 0'\n    eval_time: 0m\n    exp_samples:"
                    text += expected.isEmpty ? " []\n" : "\n"
                    for sample in expected { text += "    - {labels: '\(sample.labels)', value: \(sample.value)}\n" }
                }
            }
            #expect(found > 2_000)
            let result = try Promtool.test(rules: "groups: []\n", test: text)
            #expect(result.status == 0, "seed \(generator.random.seed): \(result.text.prefix(3_000))")
        }
    }
}

/// The suite's name holds a space, which a nested type cannot spell.
private typealias PromQLItself = `PromQL itself`
