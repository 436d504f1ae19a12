import Events
import MLflow
import Testing
import Values

/// Experiments, runs and what they log.
struct TrackingTests {
    @Test func `experiment 0 is called Default from the start and numbers go on from it`() async throws {
        let rig = try await Rig()
        let first = try await rig.call("GET", "experiments/get", query: [("experiment_id", "0")])["experiment"]
        #expect(first?["name"] == "Default")
        #expect(first?["artifact_location"] == "mlflow-artifacts:/0")
        #expect(try await rig.call("POST", "experiments/create", ["name": "one"])["experiment_id"] == "1")
        try await rig.call("POST", "experiments/delete", ["experiment_id": "1"])
        let error = try await refusal { try await rig.call("POST", "experiments/create", ["name": "one"]) }
        #expect(error?.code == .resourceAlreadyExists && error?.code.status == 400)
        #expect(
            try await refusal {
                try await rig.call("GET", "experiments/get-by-name", query: [("experiment_name", "x")])
            }?
            .code == .resourceDoesNotExist)
    }

    @Test func `deleting an experiment takes its runs along and restoring brings them back`() async throws {
        let rig = try await Rig()
        try await rig.call("POST", "experiments/create", ["name": "one"])
        let run = try await rig.run(experiment: "1")
        try await rig.call("POST", "experiments/delete", ["experiment_id": "1"])
        let error = try await refusal {
            try await rig.call(
                "POST", "runs/log-metric",
                .members(("run_id", .string(run)), ("key", "m"), ("value", 1), ("timestamp", 1)))
        }
        #expect(error?.code == .invalidParameterValue && error?.message.contains("'active' state") == true)
        try await rig.call("POST", "experiments/restore", ["experiment_id": "1"])
        try await rig.call(
            "POST", "runs/log-metric",
            .members(("run_uuid", .string(run)), ("key", "m"), ("value", 1), ("timestamp", 1)))
    }

    @Test func `the last metric is the one with the highest step, then time, then value`() async throws {
        let rig = try await Rig()
        let run = try await rig.run()
        for (value, timestamp, step) in [(1.0, 9, 2), (7, 8, 2), (5, 9, 2), (3, 99, 1), (4, 9, 2)]
            as [(Double, Int64, Int64)]
        {
            try await rig.call(
                "POST", "runs/log-metric",
                .members(
                    ("run_id", .string(run)), ("key", "m"), ("value", .number(value)),
                    ("timestamp", .integer(timestamp)), ("step", .integer(step))))
        }
        let data = try await rig.call("GET", "runs/get", query: [("run_id", run)])["run"]?["data"]
        #expect(data?["metrics"]?.arrayValue?.first?["value"]?.numberValue == 5)
        let history = try await rig.call(
            "GET", "metrics/get-history", query: [("run_id", run), ("metric_key", "m")])["metrics"]?.arrayValue
        #expect(history?.compactMap { $0["value"]?.numberValue } == [7, 1, 4, 5, 3])
    }

    @Test func `a metric sent again by a client's retry is there once`() async throws {
        let rig = try await Rig()
        let run = try await rig.run()
        let metric = JSON.members(
            ("run_id", .string(run)), ("key", "m"), ("value", 0.25), ("timestamp", 5), ("step", 3))
        for _ in 0..<3 { try await rig.call("POST", "runs/log-metric", metric) }
        let history = try await rig.call("GET", "metrics/get-history", query: [("run_id", run), ("metric_key", "m")])
        #expect(history["metrics"]?.arrayValue?.count == 1)
    }

    @Test func `NaN and infinities travel as MLflow's clients expect`() async throws {
        let rig = try await Rig()
        let run = try await rig.run()
        for (key, value) in [("nan", "NaN"), ("up", "Infinity"), ("down", "-Infinity")] {
            try await rig.call(
                "POST", "runs/log-metric",
                .members(("run_id", .string(run)), ("key", .string(key)), ("value", .string(value)), ("timestamp", 1)))
        }
        let metrics = try await rig.call("GET", "runs/get", query: [("run_id", run)])["run"]?["data"]?["metrics"]
        #expect(
            metrics?.arrayValue?.compactMap { $0["value"] } == [
                .number(-1.7976931348623157e308), "NaN", .number(1.7976931348623157e308),
            ])
    }

    @Test func `a param keeps its value, and a batch that changes one leaves nothing`() async throws {
        let rig = try await Rig()
        let run = try await rig.run()
        func batch(_ value: String) -> JSON {
            .members(
                ("run_id", .string(run)), ("params", .array([.members(("key", "p"), ("value", .string(value)))])),
                ("tags", .array([.members(("key", "t"), ("value", .string(value)))])))
        }
        try await rig.call("POST", "runs/log-batch", batch("1"))
        try await rig.call("POST", "runs/log-batch", batch("1"))
        let error = try await refusal { try await rig.call("POST", "runs/log-batch", batch("2")) }
        #expect(error?.code == .invalidParameterValue)
        #expect(error?.message.contains("Changing param values is not allowed") == true)
        let data = try await rig.call("GET", "runs/get", query: [("run_uuid", run)])["run"]?["data"]
        #expect(data?["tags"]?.arrayValue?.first { $0["key"] == "t" }?["value"] == "1")
        let long = String(repeating: "é", count: 7_000)
        try await rig.call(
            "POST", "runs/log-parameter",
            .members(("run_id", .string(run)), ("key", "long"), ("value", .string(long))))
        let params = try await rig.call("GET", "runs/get", query: [("run_id", run)])["run"]?["data"]?["params"]
        #expect(params?.arrayValue?.first?["value"]?.stringValue?.count == 6_000)
    }

    @Test(arguments: [
        (JSON.members(("key", "m"), ("value", "x"), ("timestamp", 1)), "double"),
        (.members(("key", "m"), ("timestamp", 1)), "value"), (.members(("key", "m"), ("value", 1)), "timestamp"),
        (.members(("key", "../m"), ("value", 1), ("timestamp", 1)), "resolve"),
        (.members(("key", "a//b"), ("value", 1), ("timestamp", 1)), "resolve"),
        (.members(("key", "m;"), ("value", 1), ("timestamp", 1)), "alphanumerics"),
        (.members(("key", "m"), ("value", true), ("timestamp", 1)), "double"),
        (.members(("key", "m"), ("value", 1), ("timestamp", -1)), "nonnegative"),
    ])
    func `a bad metric is refused in words`(metric: JSON, word: String) async throws {
        let rig = try await Rig()
        let run = try await rig.run()
        let error = try await refusal {
            try await rig.call(
                "POST", "runs/log-metric",
                .object([JSON.Member("run_id", .string(run))] + (metric.members ?? [])))
        }
        #expect(
            error?.code == .invalidParameterValue && error?.message.contains(word) == true, "\(error?.message ?? "")")
    }

    @Test func `many at once are all there, each by its own answer`() async throws {
        let rig = try await Rig()
        let run = try await rig.run()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for i in 0..<400 {
                group.addTask {
                    let key = i % 40 == 0 ? "bad;" : "m"
                    let error = try await refusal {
                        try await rig.call(
                            "POST", "runs/log-metric",
                            .members(
                                ("run_id", .string(i % 50 == 1 ? "nobody" : run)), ("key", .string(key)),
                                ("value", .int(i)), ("timestamp", .int(i))))
                    }
                    #expect((error == nil) == (i % 40 != 0 && i % 50 != 1))
                }
            }
            try await group.waitForAll()
        }
        let history = try await rig.call("GET", "metrics/get-history", query: [("run_id", run), ("metric_key", "m")])
        let expected = (0..<400).filter { $0 % 40 != 0 && $0 % 50 != 1 }
        #expect(
            history["metrics"]?.arrayValue?.compactMap { $0["timestamp"]?.integerValue } == expected.map { Int64($0) })
    }

    @Test func `one that fails after it wrote leaves nothing, and takes none of its company with it`() async throws {
        let rig = try await Rig()
        let run = try await rig.run()
        func batch(_ key: String, _ shared: String) -> JSON {
            .members(
                ("run_id", .string(run)),
                (
                    "params",
                    .array([
                        .members(("key", .string(key)), ("value", "x")),
                        .members(("key", "shared"), ("value", .string(shared))),
                    ])
                ))
        }
        try await rig.call("POST", "runs/log-batch", batch("first", "same"))
        try await withThrowingTaskGroup(of: Void.self) { group in
            for i in 0..<200 {
                group.addTask {
                    let error = try await refusal {
                        try await rig.call("POST", "runs/log-batch", batch("p\(i)", i % 7 == 0 ? "other" : "same"))
                    }
                    #expect((error == nil) == (i % 7 != 0))
                }
            }
            try await group.waitForAll()
        }
        let data = try await rig.call("GET", "runs/get", query: [("run_id", run)])["run"]?["data"]
        let keys = data?["params"]?.arrayValue?.compactMap { $0["key"]?.stringValue }
        let expected = (0..<200).filter { $0 % 7 != 0 }.map { "p\($0)" } + ["first", "shared"]
        #expect(keys == expected.sorted())
    }

    @Test func `logged models are found by their metrics and datasets`() async throws {
        let rig = try await Rig()
        let run = try await rig.run()
        for (name, value) in [("a", 0.2), ("b", 0.9)] {
            let model = try await rig.call(
                "POST", "logged-models",
                .members(("experiment_id", "0"), ("name", .string(name)), ("source_run_id", .string(run))))
            try await rig.call(
                "POST", "runs/log-metric",
                .members(
                    ("run_id", .string(run)), ("key", "auc"), ("value", .number(value)), ("timestamp", 1),
                    ("model_id", model["model"]?["info"]?["model_id"]), ("dataset_name", .string("d-\(name)")),
                    ("dataset_digest", "1")))
        }
        func names(_ body: JSON.Member...) async throws -> [String] {
            let answer = try await rig.call(
                "POST", "logged-models/search", .object([JSON.Member("experiment_ids", ["0"])] + body))
            return (answer["models"]?.arrayValue ?? []).compactMap { $0["info"]?["name"]?.stringValue }
        }
        #expect(try await names(JSON.Member("filter", "metrics.auc > 0.5")) == ["b"])
        let order = JSON.members(("field_name", "metrics.auc"), ("ascending", true))
        #expect(try await names(JSON.Member("order_by", .array([order]))) == ["a", "b"])
        #expect(try await names(JSON.Member("datasets", .array([["dataset_name": "d-a"]]))) == ["a"])
        #expect(try await names(JSON.Member("filter", "attributes.name IN ('b', 'c')")) == ["b"])
    }
}

extension JSON {
    fileprivate var members: [Member]? { if case .object(let members) = self { members } else { nil } }
}
