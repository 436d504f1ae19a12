import Events
import MLflow
import Registry
import Testing
import Values

/// What MLflow's own client tests expect of a server beyond the shape of its answers.
struct ClientExpectationTests {
    @Test(
        arguments: [
            ("runs/log-metric", ["run_id": 31], "Invalid value 31 for parameter 'run_id' supplied"),
            ("runs/log-metric", ["run_id": "r", "key": 31], "Invalid value 31 for parameter 'key' supplied"),
            ("runs/log-metric", ["run_id": "r", "value": 1], "Missing value for required parameter 'key'"),
            (
                "runs/log-metric", ["run_id": "r", "key": "k", "value": 1],
                "Missing value for required parameter 'timestamp'"
            ),
            (
                "runs/set-tag", ["run_id": "r", "key": "k", "value": 41],
                "Invalid value 41 for parameter 'value' supplied"
            ),
            ("runs/log-batch", ["run_id": "r", "tags": "foo"], "Invalid value \"foo\" for parameter 'tags' supplied"),
            (
                "runs/log-batch", ["run_id": "r", "metrics": [["key": "mae", "value": 2.5]]],
                "Missing value for required parameter 'metrics[0].timestamp'"
            ),
            (
                "experiments/create", ["name": "e", "artifact_location": 9.5],
                "Invalid value 9.5 for parameter 'artifact_location'"
            ),
            ("experiments/create", [:], "Missing value for required parameter 'name'"),
            ("runs/search", ["max_results": 123_456], "Invalid value 123456 for parameter 'max_results' supplied"),
        ] as [(String, JSON, String)])
    func `a value of the wrong type or none is named with its parameter`(
        path: String, body: JSON, message: String
    ) async throws {
        let rig = try await Rig()
        let error = try await refusal { try await rig.call("POST", path, body) }
        #expect(error?.code == .invalidParameterValue && error?.message.contains(message) == true, "\(error ?? nil)")
    }

    @Test func `names in camel case are taken as protobuf's JSON has them`() async throws {
        let rig = try await Rig()
        let made = try await rig.call(
            "POST", "runs/create", ["experimentId": "0", "runName": "camel", "startTime": "7"])
        let info = made["run"]?["info"]
        #expect(info?["run_name"] == "camel" && info?["start_time"] == 7)
        let run = info?["run_id"] ?? .null
        let error = try await refusal {
            try await rig.call("POST", "runs/set-tag", .members(("runID", run), ("key", "k"), ("value", "v")))
        }
        #expect(error?.message.contains("'run_id'") == true)
    }

    @Test func `what a query says is text, so its numbers are taken as such`() async throws {
        let rig = try await Rig()
        #expect(
            try await rig.call("GET", "experiments/search", query: [("max_results", "1"), ("order_by", "name")])[
                "experiments"]?.arrayValue?.count == 1)
    }

    @Test func `a copy of a version is stored where its original is, whatever becomes of that`() async throws {
        let rig = try await Rig()
        let run = try await rig.run()
        try await rig.store("0/\(run)/artifacts/model/MLmodel", "weights")
        for name in ["a", "b"] {
            try await rig.call("POST", "registered-models/create", .members(("name", .string(name))))
        }
        func register(_ name: String, _ source: String) async throws {
            try await rig.call(
                "POST", "model-versions/create", .members(("name", .string(name)), ("source", .string(source))))
        }
        func address(_ name: String, _ number: String) async throws -> String? {
            try await rig.call(
                "GET", "model-versions/get-download-uri", query: [("name", name), ("version", number)])["artifact_uri"]?
                .stringValue
        }
        let folder = "mlflow-artifacts:/0/\(run)/artifacts/model"
        try await register("a", "runs:/\(run)/model")
        try await register("b", "models:/a/1")
        try await register("b", "models:/b/1")
        #expect(try await address("b", "1") == folder)
        #expect(try await address("b", "2") == folder)
        let tags = try await rig.registry.version(model: "b", "2").tags
        #expect(try await rig.registry.version(model: "a", "1").tags == tags && tags["holdfast.digest.sha256"] != nil)
        // Another model of the same name is not what was copied.
        try await rig.call("DELETE", "registered-models/delete", ["name": "a"])
        try await rig.call("POST", "registered-models/create", ["name": "a"])
        try await register("a", "s3://elsewhere")
        #expect(try await address("b", "1") == folder)
        #expect(try await refusal { try await rig.store("0/\(run)/artifacts/model/MLmodel", "other") } != nil)
        let error = try await refusal { try await register("b", "models:/a/7") }
        #expect(error?.code == .resourceDoesNotExist && error?.message.contains("models:/a/7") == true)
    }

    @Test(
        arguments: [
            ("plain", nil, "Registered Model (name=plain) already exists."),
            ("prompt", "true", "Prompt (name=prompt) already exists."),
            (
                "plain", "true",
                "Tried to create a prompt with name 'plain', but the name is already taken by a registered model."
            ),
            (
                "prompt", nil,
                "Tried to create a registered model with name 'prompt', but the name is already taken by a prompt."
            ),
        ] as [(String, JSON?, String)])
    func `a name that is taken is said to be, by what`(name: String, tag: JSON?, message: String) async throws {
        let rig = try await Rig()
        func create(_ name: String, _ tag: JSON?) async throws {
            let tags = tag.map { JSON.array([.members(("key", "mlflow.prompt.is_prompt"), ("value", $0))]) }
            try await rig.call("POST", "registered-models/create", .members(("name", .string(name)), ("tags", tags)))
        }
        try await create("plain", nil)
        try await create("prompt", "true")
        let error = try await refusal { try await create(name, tag) }
        #expect(error?.code == .resourceAlreadyExists && error?.message.hasPrefix(message) == true, "\(error ?? nil)")
    }

    @Test func `a model that is not there is said in MLflow's words, whatever was to be done with it`() async throws {
        let rig = try await Rig()
        for (method, path) in [
            ("PATCH", "registered-models/update"), ("POST", "registered-models/rename"),
            ("DELETE", "registered-models/delete"), ("POST", "registered-models/set-tag"),
            ("DELETE", "registered-models/delete-tag"),
        ] {
            let error = try await refusal {
                try await rig.call(method, path, ["name": "nobody", "new_name": "n", "key": "k", "value": "v"])
            }
            #expect(error?.code == .resourceDoesNotExist, "\(path)")
            #expect(error?.message == "Registered Model with name=nobody not found", "\(path)")
        }
    }

    @Test func `a version's lineage begins with the data and the run that it was made from`() async throws {
        let rig = try await Rig()
        let run = try await rig.run("grid")
        let dataset = JSON.members(
            ("name", "june"), ("digest", "d1"), ("source_type", "local"), ("source", "june.csv"))
        let context = JSON.members(("key", "mlflow.data.context"), ("value", "train"))
        try await rig.call(
            "POST", "runs/log-inputs",
            .members(
                ("run_id", .string(run)),
                ("datasets", .array([.members(("tags", .array([context])), ("dataset", dataset))]))))
        try await rig.call(
            "POST", "runs/log-parameter", .members(("run_id", .string(run)), ("key", "C"), ("value", "0.1")))
        try await rig.call(
            "POST", "runs/log-metric",
            .members(("run_id", .string(run)), ("key", "auc"), ("value", 0.9), ("timestamp", 1), ("step", 0)))
        let model = try await rig.call(
            "POST", "logged-models",
            .members(("experiment_id", "0"), ("name", "m"), ("source_run_id", .string(run))))
        let id = model["model"]?["info"]?["model_id"]?.stringValue ?? ""
        try await rig.call("POST", "registered-models/create", .members(("name", "fraud")))
        try await rig.call(
            "POST", "model-versions/create",
            .members(("name", "fraud"), ("source", .string("models:/\(id)")), ("model_id", .string(id))))
        let lineage = try await rig.registry.lineage(model: "fraud", version: "1")
        #expect(lineage["data"]?["inputs"]?.arrayValue?.first?["name"] == "june")
        #expect(lineage["data"]?["inputs"]?.arrayValue?.first?["context"] == "train")
        #expect(lineage["run"]?["run_id"]?.stringValue == run)
        #expect(lineage["run"]?["params"]?["C"] == "0.1")
        #expect(lineage["run"]?["metrics"]?["auc"] == 0.9)
        #expect(lineage["run"]?["experiment"]?["name"] == "Default")
        #expect(lineage["logged_model"]?["model_id"]?.stringValue == id)
    }

    @Test func `what a run used is said once: the same dataset again changes neither it nor its tags`() async throws {
        let rig = try await Rig()
        let run = try await rig.run()
        func log(_ key: String, _ digest: String) async throws {
            let dataset = JSON.members(
                ("name", "d"), ("digest", .string(digest)), ("source_type", .string(key)), ("source", "s"))
            let tags = JSON.array([.members(("key", .string(key)), ("value", "v"))])
            try await rig.call(
                "POST", "runs/log-inputs",
                .members(
                    ("run_id", .string(run)), ("datasets", .array([.members(("tags", tags), ("dataset", dataset))]))))
        }
        for (key, digest) in [("first", "1"), ("second", "1"), ("third", "2")] { try await log(key, digest) }
        let found = try await rig.call("GET", "runs/get", query: [("run_id", run)])["run"]?["inputs"]
        let inputs = found?["dataset_inputs"]?.arrayValue ?? []
        #expect(inputs.map { $0["dataset"]?["source_type"] } == ["first", "third"])
        #expect(inputs.map { $0["tags"]?.arrayValue?.map { $0["key"] } } == [["first"], ["third"]])
    }

    @Test func `deleting a version is a change of its model`() async throws {
        let rig = try await Rig()
        try await rig.call("POST", "registered-models/create", ["name": "m"])
        try await rig.call("POST", "model-versions/create", ["name": "m", "source": "s3://b/1"])
        func updated() async throws -> Int64? {
            try await rig.call("GET", "registered-models/get", query: [("name", "m")])["registered_model"]?[
                "last_updated_timestamp"]?.integerValue
        }
        let before = try #require(try await updated())
        try await rig.call("DELETE", "model-versions/delete", ["name": "m", "version": "1"])
        #expect(try #require(try await updated()) > before)
    }

    @Test func `a logged model knows the versions it was registered as`() async throws {
        let rig = try await Rig()
        let model = try await rig.call("POST", "logged-models", .members(("experiment_id", "0"), ("name", "l")))
        let id = model["model"]?["info"]?["model_id"]?.stringValue ?? ""
        try await rig.call("POST", "registered-models/create", ["name": "m"])
        for _ in 1...2 {
            try await rig.call(
                "POST", "model-versions/create",
                .members(("name", "m"), ("source", "s3://b/1"), ("model_id", .string(id))))
        }
        let tags = try await rig.call("GET", "logged-models/\(id)")["model"]?["info"]?["tags"]?.arrayValue
        #expect(tags?.map { $0["key"] } == ["mlflow.modelVersions"])
        #expect(
            tags?.first?["value"]?.stringValue
                == #"[{"name": "m", "version": 1}, {"name": "m", "version": 2}]"#)
    }

    @Test(arguments: [
        ("s3://b/p", "s3://b/p/RUN/artifacts"), ("s3://b/p/", "s3://b/p/RUN/artifacts"),
        ("dbfs:/x?a=b", "dbfs:/x/RUN/artifacts?a=b"),
        ("m+d://u:p@h:1/db/sub/#f", "m+d://u:p@h:1/db/sub/RUN/artifacts#f"),
        ("/plain?x", "/plain?x/RUN/artifacts"),
    ])
    func `a run's folder is put before the query of its experiment's address`(
        location: String, folder: String
    ) async throws {
        let rig = try await Rig()
        try await rig.call(
            "POST", "experiments/create", .members(("name", "e"), ("artifact_location", .string(location))))
        let run = try await rig.run(experiment: "1")
        let info = try await rig.call("GET", "runs/get", query: [("run_id", run)])["run"]?["info"]
        #expect(info?["artifact_uri"]?.stringValue == folder.replacing("RUN", with: run))
    }

    @Test func `the name of a deleted experiment is taken, and the refusal says how it becomes free`() async throws {
        let rig = try await Rig()
        try await rig.call("POST", "experiments/create", ["name": "one"])
        let taken = try await refusal { try await rig.call("POST", "experiments/create", ["name": "one"]) }
        #expect(taken?.message == "Experiment(name=one) already exists.")
        try await rig.call("POST", "experiments/delete", ["experiment_id": "1"])
        let deleted = try await refusal { try await rig.call("POST", "experiments/create", ["name": "one"]) }
        #expect(deleted?.message.hasPrefix("Experiment(name=one) already exists.") == true)
        #expect(deleted?.message.contains("restore it") == true)
    }
}
