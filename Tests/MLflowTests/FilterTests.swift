import Events
import MLflow
import TestSupport
import Testing
import Values

/// MLflow's grammar of filters and orders, through the searches that use it.
struct FilterTests {
    private static func search(
        _ rig: Rig, _ filter: String, order: [String] = [], experiment: String = "0"
    ) async throws -> [String] {
        let answer = try await rig.call(
            "POST", "runs/search",
            .members(
                ("experiment_ids", .array([.string(experiment)])), ("filter", .string(filter)),
                ("order_by", .array(order.map { .string($0) }))))
        return (answer["runs"]?.arrayValue ?? []).compactMap { $0["info"]?["run_name"]?.stringValue }
    }

    /// Runs a, b and c, with what the filters below ask for.
    private static func fixture() async throws -> Rig {
        let rig = try await Rig()
        for (i, name) in ["a", "b", "c"].enumerated() {
            let run = try await rig.run(name)
            try await rig.call(
                "POST", "runs/log-batch",
                .members(
                    ("run_id", .string(run)),
                    (
                        "metrics",
                        .array([
                            .members(("key", "loss"), ("value", .number(0.5 - Double(i) / 10)), ("timestamp", 1)),
                            .members(("key", "cross entropy"), ("value", .int(i)), ("timestamp", "1")),
                        ])
                    ),
                    ("params", .array([.members(("key", "depth"), ("value", .string("\(i)")))])),
                    (
                        "tags",
                        .array([
                            .members(("key", "mlflow.source.name"), ("value", .string("Train-\(name).py"))),
                            .members(("key", "a b"), ("value", .string("it's"))),
                        ])
                    )))
        }
        let run = try await rig.run("d")
        try await rig.call(
            "POST", "runs/log-metric",
            .members(("run_id", .string(run)), ("key", "loss"), ("value", "NaN"), ("timestamp", 1)))
        return rig
    }

    @Test(arguments: [
        ("", "dcba"), ("metrics.loss < 0.45", "cb"), ("metric.loss >= 0.4 and params.depth = '1'", "b"),
        ("metrics.`cross entropy` = 2", "c"), ("metrics.\"cross entropy\" != 2", "ba"),
        ("params.depth != \"0\"", "cb"), ("parameters.depth LIKE '%'", "cba"),
        ("tags.mlflow.source.name LIKE 'train%'", ""),
        ("tags.mlflow.source.name ILIKE 'train-_.PY'", "cba"), ("tags.mlflow.source.name LIKE 'Train-[ab].py'", ""),
        ("tags.nothing IS NULL AND tags.mlflow.source.name IS NOT NULL", "cba"), ("params.depth IS NULL", "d"),
        ("attributes.run_name IN ('a', 'c')", "ca"), ("run_name NOT IN ('a','b','c')", "d"),
        ("status = 'RUNNING'", "dcba"),
        ("attr.start_time > 0 AND status != 'RUNNING'", ""), ("  tags.`a b`   =   'it''s' ", "cba"),
        ("tags.`a b` = \"it's\"", "cba"),
        ("metrics.loss>0.45", "a"),
    ])
    func `a filter finds what MLflow's finds`(filter: String, expected: String) async throws {
        let rig = try await Self.fixture()
        #expect(try await Self.search(rig, filter).joined() == expected)
    }

    @Test(arguments: [
        (["metrics.loss ASC"], "cbad"), (["metrics.loss DESC"], "abcd"), (["params.depth DESC"], "cbad"),
        (["attributes.run_name"], "abcd"), (["tags.`a b`", "run_name desc"], "cbad"), (["metric.nothing"], "dcba"),
        (["start_time ASC"], "abcd"),
    ])
    func `what has no value comes last whichever way the order goes`(order: [String], expected: String) async throws {
        let rig = try await Self.fixture()
        #expect(try await Self.search(rig, "", order: order).joined() == expected)
    }

    @Test(arguments: [
        ("metrics.loss", "comparison"), ("metrics.loss >", "value"), ("metrics.loss > 'x'", "numeric"),
        ("params.depth = 3", "quoted"),
        ("name = something", "not quoted or unidentified quote types used for string value something"),
        ("params.depth > '3'", "comparator"),
        ("foo.bar = '1'", "Invalid entity type 'foo'"),
        ("attributes.nothing = '1'", "attribute key"), ("experiment_id = '1'", "attribute key"),
        ("status = 'a' OR status = 'b'", "character 14"),
        ("(status = 'a')", "character 1"), ("status = 'a", "character 10"), ("status = 'a' AND", "character"),
        ("status IN ('a'", "list"), ("status IN ()", "list"), ("metrics.loss IS NULL", "IS NULL"),
        ("status IS NOT NULL", "only supported for tags"),
        ("status ! 'a'", "comparator"), ("datasets.size = 'x'", "dataset key"), ("AND", "comparison"),
    ])
    func `a bad filter is refused with its place or its word`(filter: String, word: String) async throws {
        let rig = try await Rig()
        let error = try await refusal { _ = try await Self.search(rig, filter) }
        #expect(error?.code == .invalidParameterValue)
        #expect(error?.message.contains(word) == true, "\(filter): \(error?.message ?? "found something")")
    }

    @Test func `no text whatever makes the parser or the database fail`() async throws {
        let rig = try await Self.fixture()
        var random = SeededGenerator(seed: 6)
        let words = [
            "metrics.loss", "params.`a b`", "tags.", "attributes.run_id", "status", "=", "!=", "<", ">=", "LIKE",
            "ILIKE",
            "IN", "NOT", "NULL", "IS", "AND", "OR", "(", ")", ",", "'a'", "\"b\"", "'", "`", "1", "-2.5e3", "\\'", "%",
            "é",
            "\u{0}", ";--", "dataset.name", ".", "..", "metric.\"x\"", "nan", "[", "🦊",
        ]
        for round in 0..<1_500 {
            let pieces = (0..<Int.random(in: 1...9, using: &random)).map { _ in
                words[Int.random(in: 0..<words.count, using: &random)]
            }
            let text = pieces.joined(separator: Bool.random(using: &random) ? " " : "")
            do {
                _ = try await Self.search(rig, text, order: round % 3 == 0 ? [text] : [])
            } catch let error as MLflowError {
                #expect(error.code == .invalidParameterValue, "seed \(random.seed): \(text): \(error.message)")
            }
        }
    }

    @Test func `a plain model has no prompt tag and is found by what it is not`() async throws {
        let rig = try await Rig()
        for name in ["plain", "prompt"] {
            try await rig.call(
                "POST", "registered-models/create",
                .members(
                    ("name", .string(name)),
                    (
                        "tags",
                        name == "plain"
                            ? nil : .array([.members(("key", "mlflow.prompt.is_prompt"), ("value", "true"))])
                    )))
        }
        func names(_ filter: String) async throws -> [String] {
            let answer = try await rig.call("GET", "registered-models/search", query: [("filter", filter)])
            return (answer["registered_models"]?.arrayValue ?? []).compactMap { $0["name"]?.stringValue }
        }
        #expect(try await names("tag.`mlflow.prompt.is_prompt` != 'true'") == ["plain"])
        #expect(try await names("tags.`mlflow.prompt.is_prompt` = 'false'") == ["plain"])
        #expect(try await names("tag.`mlflow.prompt.is_prompt` = 'true'") == ["prompt"])
        #expect(try await names("tag.`mlflow.prompt.is_prompt` != 'false' AND name LIKE 'p%'") == ["prompt"])
        // Who does not ask for prompts gets none, of models and of versions.
        #expect(try await names("name ILIKE 'P%'") == ["plain"])
        #expect(try await names("") == ["plain"])
        for name in ["plain", "prompt"] {
            try await rig.call(
                "POST", "model-versions/create",
                .members(
                    ("name", .string(name)), ("source", "s3://b/1"),
                    (
                        "tags",
                        name == "plain"
                            ? nil : .array([.members(("key", "mlflow.prompt.is_prompt"), ("value", "true"))])
                    )))
        }
        func versions(_ filter: String) async throws -> [String] {
            let answer = try await rig.call("GET", "model-versions/search", query: [("filter", filter)])
            return (answer["model_versions"]?.arrayValue ?? []).compactMap { $0["name"]?.stringValue }
        }
        #expect(try await versions("") == ["plain"])
        #expect(try await versions("name = 'prompt'") == [])
        #expect(try await versions("tags.`mlflow.prompt.is_prompt` = 'true'") == ["prompt"])
    }

    @Test func `pages follow each other without gap or repeat, and a bad token is refused`() async throws {
        let rig = try await Rig()
        for i in 0..<7 {
            let run = try await rig.run("r\(i)")
            try await rig.call(
                "POST", "runs/log-metric",
                .members(("run_id", .string(run)), ("key", "m"), ("value", .int(i % 3)), ("timestamp", 1)))
        }
        var found: [String] = []
        var token: JSON?
        repeat {
            let answer = try await rig.call(
                "POST", "runs/search",
                .members(
                    ("experiment_ids", ["0"]), ("order_by", ["metrics.m DESC"]), ("max_results", 2),
                    ("page_token", token)))
            found += (answer["runs"]?.arrayValue ?? []).compactMap { $0["info"]?["run_name"]?.stringValue }
            token = answer["next_page_token"]
        } while token != nil
        #expect(found == ["r5", "r2", "r4", "r1", "r6", "r3", "r0"])
        for token in ["!!", "aGVsbG8=", "eyJvZmZzZXQiOiAtMX0="] {
            let error = try await refusal {
                try await rig.call(
                    "POST", "runs/search", .members(("experiment_ids", ["0"]), ("page_token", .string(token))))
            }
            #expect(error?.code == .invalidParameterValue)
        }
    }

    @Test(arguments: ["LIKE", "ILIKE"])
    func `a pattern with more wildcards than anyone needs is refused`(comparator: String) async throws {
        let rig = try await Self.fixture()
        func filter(_ count: Int) -> String {
            "attributes.run_name \(comparator) '\(String(repeating: "%a", count: count))'"
        }
        #expect(try await refusal { _ = try await Self.search(rig, filter(9)) }?.code == .invalidParameterValue)
        #expect(try await Self.search(rig, filter(1)) == ["a"])
    }
}
