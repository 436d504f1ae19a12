import Detection
import Statistics
import TestSupport
import Testing
import Values

@testable import Rules

@Suite struct `Expressions` {
    private static let fixture = SnapshotFixture.build {
        $0.add("amount", [.psi: 0.3, .null_rate: 0.04, .count: 900, .max: 7], reference: [.null_rate: 0.01])
        $0.add("age", [.psi: 0.1, .null_rate: 0.02, .count: 900, .max: 90], reference: [.null_rate: 0.01])
        $0.add("country", [.psi: 0.5, .null_rate: 0, .count: 900], kind: "categorical", reference: [.null_rate: 0])
        for (country, psi) in [("BR", 0.6), ("MX", 0.05)] {
            $0.add("amount", [.psi: psi, .null_rate: 0.5, .count: 400], in: [("country", country)])
            $0.add("age", [.psi: psi / 2, .null_rate: 0.1, .count: 400], in: [("country", country)])
        }
        $0.add("amount", [.psi: 0.9], in: [("country", "BR"), ("device", "web")])
        $0.add("amount", [.psi: 0.8], in: [("device", "web")])
        for (version, psi) in [("13", 0.1), ("14", 0.4)] {
            $0.add("amount", [.psi: psi], version: version)
            $0.add("amount", [.psi: psi], in: [("country", "BR")], version: version)
        }
    }

    /// What holds, as `column/segment=value`.
    private func holds(_ text: String, _ significance: Significance = .none, minimumRows: UInt64 = 0) throws -> [String]
    {
        let evaluator = ExpressionEvaluator(
            snapshot: Self.fixture.snapshot(0), minimumRows: minimumRows, significance: significance)
        return try evaluator.evaluate(ExpressionParser.parse(text)).filter { $0.truth == .holds }.map { sample in
            let labels = sample.labels.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
            return "\(labels.joined(separator: ","))=\(TemplateValue.shortest((sample.value * 1e6).rounded() / 1e6))"
        }
    }

    @Test(arguments: [
        ("psi > 0.2", ["column=amount=0.3", "column=country=0.5"]),
        ("0.2 < psi", ["column=amount=0.3", "column=country=0.5"]),
        ("psi{\"column\"=\"amount\"} by (\"country\") > 0.2", ["column=amount,country=BR=0.6"]),
        ("psi{column=\"amount\"}", ["column=amount=0.3"]),
        ("psi{column=~\"a.*\"} * 2", ["column=amount=0.6", "column=age=0.2"]),
        ("psi{column=~\"a\"}", []),
        ("psi{column!~\"a.*\", column!=\"x\",}", ["column=country=0.5"]),
        ("psi by (country) > .2", ["column=amount,country=BR=0.6", "column=age,country=BR=0.3"]),
        ("psi{country=\"MX\"}", ["column=amount,country=MX=0.05", "column=age,country=MX=0.025"]),
        ("psi by (device, country) > 0", ["column=amount,country=BR,device=web=0.9"]),
        (
            "psi{column=\"amount\"} by (*) > .5",
            ["column=amount,country=BR=0.6", "column=amount,country=BR,device=web=0.9", "column=amount,device=web=0.8"]
        ),
        ("psi{version=\"14\"} > 0.2", ["column=amount,version=14=0.4"]),
        ("psi{version=~\".+\"}", ["column=amount,version=13=0.1", "column=amount,version=14=0.4"]),
        ("psi{version=\"14\"} - psi{version=\"13\"} > 0.2", ["column=amount,version=14=0.3"]),
        (
            "psi{version=~\".+\"} / psi{version=\"14\"}",
            ["column=amount,version=13=0.25", "column=amount,version=14=1"]
        ),
        ("null_rate > 3 * reference(null_rate)", ["column=amount=0.04"]),
        ("null_rate > 3 * reference(null_rate) and psi > 0.2", ["column=amount=0.04"]),
        ("psi > 0.2 unless null_rate > 0.03", ["column=country=0.5"]),
        ("psi > 0.4 or null_rate > 0.03", ["column=country=0.5", "column=amount=0.04"]),
        ("psi > 0.05 or psi > 0.2", ["column=amount=0.3", "column=age=0.1", "column=country=0.5"]),
        ("max by (country) (psi by (country)) > 0.1", ["country=BR=0.6"]),
        ("min(psi by (country)) by (country)", ["country=BR=0.3", "country=MX=0.025"]),
        ("count(psi > 0.2) >= 2", ["=2"]), ("count(psi > 0.2) > 2", []), ("sum(psi)", ["=0.9"]), ("avg(psi)", ["=0.3"]),
        ("max by (country) > 0", []), ("max{column=\"amount\"}", ["column=amount=7"]),
        ("count > 100 and psi > .4", ["column=country=900"]),
        ("abs(-psi) == 0.5", ["column=country=0.5"]),
        ("psi{column=\"age\"} + 2 ^ 3 ^ 0 * 2 - -1 % 2", ["column=age=5.1"]),
        ("psi by (country) > on (column) psi{column=\"amount\"}", ["column=amount,country=BR=0.6"]),
        ("psi{column=\"amount\"} - ignoring (column) psi{column=\"age\"}", ["column=amount=0.2"]),
        ("null_rate / reference(null_rate) > 100", []),
        ("ks > 0", []),
    ])
    func `mean what PromQL would mean`(_ text: String, _ expected: [String]) throws {
        #expect(try holds(text) == expected, "\(text)")
    }

    @Test func `several on both sides is an error, not a guess`() {
        #expect(throws: EvaluationError.self) { try holds("psi by (country) - on () psi") }
    }

    @Test func `too few rows are unknown, not false`() throws {
        let fixture = SnapshotFixture.build {
            $0.add("a", [.psi: 0.3], n: 10)
            $0.add("b", [.psi: 0.3], n: 0)
            $0.add("c", [.psi: 0.1], n: 100)
            $0.add("d", [:], n: 100)
        }
        func truths(_ text: String) throws -> [Sample.Truth] {
            try ExpressionEvaluator(snapshot: fixture.snapshot(0), minimumRows: 40, significance: .none)
                .evaluate(ExpressionParser.parse(text)).map(\.truth)
        }
        #expect(try truths("psi > 0.2") == [.insufficient, .noData, .clear, .insufficient])
        #expect(try truths("psi > 0.2 and count > 1e9") == [.insufficient, .noData, .clear, .insufficient])
        #expect(try truths("max(psi > 0.2)") == [.clear])
        // A distance no test can judge resolves nothing, one under the number does.
        let unjudged = SnapshotFixture.build {
            for psi in [0.1, 0.3] { $0.add("a\(psi)", [.psi: psi, .psi_p: .nan]) }
        }
        let samples = try ExpressionEvaluator(
            snapshot: unjudged.snapshot(0), minimumRows: 0, significance: .standard
        ).evaluate(ExpressionParser.parse("psi > 0.2"))
        #expect(samples.map(\.truth) == [.clear, .insufficient])
    }

    @Test func `a distance must be believed, a rate need not be`() throws {
        let fixture = SnapshotFixture.build {
            $0.add("a", [.psi: 0.3, .psi_p: 0.0005, .ks: 0.5, .ks_p: 0.5, .null_rate: 0.3])
            $0.add("b", [.psi: 0.3, .psi_p: 0.002, .ks: 0.5, .ks_p: 1e-6, .null_rate: 0.3])
            $0.add("c", [.psi: 0.3, .psi_p: 0.2, .ks: 0.1, .ks_p: 1e-6, .null_rate: 0.3])
        }
        func columns(_ text: String, _ significance: Significance) throws -> String {
            try ExpressionEvaluator(snapshot: fixture.snapshot(0), minimumRows: 0, significance: significance)
                .evaluate(ExpressionParser.parse(text)).filter { $0.truth == .holds }
                .map { $0.labels["column"] ?? "(\($0.value))" }.joined()
        }
        #expect(try columns("psi > 0.2", .none) == "abc")
        #expect(try columns("psi > 0.2", .p(0.001)) == "a")
        #expect(try columns("psi > 0.2", .fdr(0.01)) == "ab")
        #expect(try columns("ks > 0.2", .p(0.001)) == "b")
        #expect(try columns("null_rate > 0.2", .p(0.001)) == "abc")
        #expect(try columns("psi < 0.5", .p(0.001)) == "abc")
        #expect(try columns("count(psi > 0.2) > 0", .p(0.001)) == "(1.0)")
        #expect(try columns("psi > 0.2 or null_rate > 0.2", .p(0.001)) == "abc")
    }

    @Test(arguments: [
        (Significance.none, [true, true, true, true]), (.p(0.01), [true, false, true, false]),
        (.fdr(0.05), [true, true, true, false]), (.fdr(0.001), [false, false, true, false]),
    ])
    func `significance keeps what it should`(_ policy: Significance, _ expected: [Bool]) {
        #expect(policy.keep([0.009, 0.03, nil, 0.5]) == expected)
    }

    @Test func `no text makes the parsers fail otherwise than by saying so`() {
        var random = SeededGenerator(seed: 11)
        let pieces = [
            "psi", "max", "by", "(", ")", "{", "}", "column", "=", "=~", "\"a\"", "'", "*", "-", "+", ">", "1", "2h",
            "^",
            ",", "and", "or", "unless", "on", "count", "reference", "[", "é", "`", "\\", " ", "#", "\n", ".", "1e",
            "0x",
            "{{", "}}", "$value", "|", "printf", "if", "end", "else", "%",
        ]
        for _ in 0..<3000 {
            let count = Int.random(in: 0..<25, using: &random)
            let text = (0..<count).map { _ in pieces.randomElement(using: &random) ?? "" }.joined()
            let length = text.unicodeScalars.count
            do { _ = try ExpressionParser.parse(text) } catch {
                #expect((0...length).contains(error.offset), "seed \(random.seed): \(text)")
            }
            do { _ = try TemplateParser.parse(text, scope: .annotation) } catch {
                #expect((0...length).contains(error.offset), "seed \(random.seed): \(text)")
            }
        }
        for text in [
            String(repeating: "(", count: 100_000), String(repeating: "-", count: 100_000),
            String(repeating: "psi + ", count: 100_000), String(repeating: "abs(", count: 5_000),
        ] {
            #expect(throws: TextError.self) { try ExpressionParser.parse(text) }
        }
        #expect(throws: TextError.self) {
            try TemplateParser.parse("{{" + String(repeating: "(", count: 100_000), scope: .annotation)
        }
    }
}

struct PatternCheckTests {
    @Test(arguments: [#"(a+)+b"#, #"(a|aa)+$"#, #"(?:x*y)*"#, #"((a)*)*"#, #"(a|b){2,}"#])
    func `patterns that can take for ever are refused`(pattern: String) throws {
        #expect(PatternCheck.problem(pattern)?.contains("for ever") == true)
    }

    @Test(arguments: [
        #".+"#, #"amount|age"#, #"(BR|MX)"#, #"(eu|us)-[0-9]+"#, #"[(+|]*"#, #"\(a+\)+"#, #"(abc)+"#, #"(a|b)?c"#,
    ])
    func `ordinary patterns pass`(pattern: String) throws {
        #expect(PatternCheck.problem(pattern) == nil)
    }
}
