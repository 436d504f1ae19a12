import Events
import MLflow
import Registry
import Testing
import Values

/// Registered models: MLflow's rules for plain models, the registry's for protected ones, one system of record.
struct ModelTests {
    private static func rig(versions: Int = 3) async throws -> Rig {
        let rig = try await Rig()
        try await rig.call("POST", "registered-models/create", ["name": "m"])
        for i in 1...versions {
            try await rig.call(
                "POST", "model-versions/create", .members(("name", "m"), ("source", .string("s3://b/\(i)"))))
        }
        return rig
    }

    private static func point(_ rig: Rig, _ alias: String, _ version: String, mayPromote: Bool = false) async throws {
        try await rig.call(
            "POST", "registered-models/alias",
            .members(("name", "m"), ("alias", .string(alias)), ("version", .string(version))), mayPromote: mayPromote)
    }

    private static func aliases(_ rig: Rig) async throws -> [String] {
        let model = try await rig.call("GET", "registered-models/get", query: [("name", "m")])["registered_model"]
        return (model?["aliases"]?.arrayValue ?? []).map {
            "\($0["alias"]?.stringValue ?? "")=\($0["version"]?.stringValue ?? "")"
        }
    }

    @Test func `a plain model's aliases are the client's, those called champion too`() async throws {
        let rig = try await Self.rig()
        try await Self.point(rig, "champion", "1")
        try await Self.point(rig, "champion-2", "1")
        try await Self.point(rig, "shadow", "1")
        #expect(try await Self.aliases(rig) == ["champion=1", "champion-2=1", "shadow=1"])
        try await rig.call("DELETE", "model-versions/delete", ["name": "m", "version": "1"])
        #expect(try await Self.aliases(rig) == [])
        try await Self.point(rig, "champion", "2")
        try await Self.point(rig, "champion-1", "2")
        // The first promotion makes it a warm set, whatever clients had left there.
        let state = try await rig.registry.promote(
            model: "m", version: "3", actor: "ann", reason: "", at: rig.api.tick)
        #expect(state.champion?.version == "3" && state.champion1?.version == "2" && state.champion2 == nil)
        #expect(try await Self.aliases(rig) == ["champion=3", "champion-1=2"])
        #expect(try await rig.registry.aliasHistory(model: "m", alias: "champion").map(\.to) == ["1", nil, "2", "3"])
    }

    @Test func `a protected model's champion moves by promotion only, and stays`() async throws {
        let rig = try await Self.rig()
        try await rig.registry.promote(model: "m", version: "1", actor: "ann", reason: "", at: rig.api.tick)
        for alias in ["champion", "champion-1"] {
            let error = try await refusal { try await Self.point(rig, alias, "2") }
            #expect(error?.code == .permissionDenied && error?.code.status == 403)
        }
        let error = try await refusal {
            try await rig.call("DELETE", "registered-models/alias", ["name": "m", "alias": "champion"])
        }
        #expect(error?.code == .permissionDenied)
        for (path, body) in [
            ("model-versions/delete", ["name": "m", "version": "1"]), ("registered-models/delete", ["name": "m"]),
        ]
            as [(String, JSON)]
        {
            let error = try await refusal { try await rig.call("DELETE", path, body) }
            #expect(error?.code == .invalidParameterValue, "\(path)")
        }
        #expect(
            try await refusal {
                try await rig.call("POST", "registered-models/rename", ["name": "m", "new_name": "n"])
            } != nil)
        try await Self.point(rig, "champion", "2", mayPromote: true)
        #expect(try await Self.aliases(rig) == ["champion=2", "champion-1=1"])
        let intact = try await rig.registry.verifyAudit()
        guard case .intact = intact else {
            Issue.record("\(intact)")
            return
        }
    }

    @Test func `the run and the logged model of a serving version cannot be deleted`() async throws {
        let rig = try await Self.rig(versions: 1)
        let run = try await rig.run()
        let model = try await rig.call(
            "POST", "logged-models", .members(("experiment_id", "0"), ("name", "x"), ("source_run_id", .string(run))))
        let id = model["model"]?["info"]?["model_id"]?.stringValue ?? ""
        try await rig.store("0/models/\(id)/artifacts/MLmodel", "flavors: {}")
        try await rig.call("PATCH", "logged-models/\(id)", ["status": "LOGGED_MODEL_READY"])
        try await rig.call(
            "POST", "model-versions/create", .members(("name", "m"), ("source", .string("models:/\(id)"))))
        let version = try await rig.registry.version(model: "m", "2")
        #expect(version.runID == run)
        let uri = try await rig.call(
            "GET", "model-versions/get-download-uri", query: [("name", "m"), ("version", "2")])["artifact_uri"]
        #expect(uri == .string("mlflow-artifacts:/0/models/\(id)/artifacts"))
        try await rig.registry.promote(model: "m", version: "2", actor: "ann", reason: "", at: rig.api.tick)
        let refusals = [
            try await refusal { try await rig.call("POST", "runs/delete", ["run_id": .string(run)]) },
            try await refusal { try await rig.call("DELETE", "logged-models/\(id)") },
            try await refusal { try await rig.call("POST", "experiments/delete", ["experiment_id": "0"]) },
        ]
        #expect(refusals.allSatisfy { $0?.message.contains("m@champion (version 2)") == true })
        try await rig.call("POST", "model-versions/create", ["name": "m", "source": "s3://b/3"])
        for version in ["1", "3"] {
            try await rig.registry.promote(model: "m", version: version, actor: "ann", reason: "", at: rig.api.tick)
        }
        #expect(try await refusal { try await rig.call("POST", "runs/delete", ["run_id": .string(run)]) } != nil)
    }

    @Test func `a deleted model's name is free and its history is not lost`() async throws {
        let rig = try await Self.rig()
        try await Self.point(rig, "champion", "1")
        try await rig.call("DELETE", "registered-models/delete", ["name": "m"])
        #expect(try await rig.registry.models().isEmpty)
        #expect(
            try await refusal { _ = try await Self.aliases(rig) }?.code == .resourceDoesNotExist)
        #expect(try await rig.call("GET", "model-versions/search")["model_versions"] == nil)
        try await rig.call("POST", "registered-models/create", ["name": "m"])
        try await rig.call("POST", "model-versions/create", ["name": "m", "source": "s3://b/new"])
        #expect(try await rig.registry.versions(model: "m").map(\.version) == ["1"])
        #expect(try await Self.aliases(rig) == [])
        #expect(try await rig.registry.audit(model: "m").contains { $0.action == "model.deleted" })
    }

    @Test(arguments: [
        ("v1", "Version alias name 'v1' is reserved."), ("V23", "reserved"), ("latest", "reserved"),
        ("Latest", "reserved"),
        ("a b", "alphanumerics"), ("", "Missing value"),
    ])
    func `reserved and malformed aliases are refused`(alias: String, word: String) async throws {
        let rig = try await Self.rig(versions: 1)
        let error = try await refusal { try await Self.point(rig, alias, "1") }
        #expect(error?.code == .invalidParameterValue && error?.message.contains(word) == true)
    }

    @Test func `the odd codes are MLflow's`() async throws {
        let rig = try await Self.rig(versions: 1)
        func code(_ body: () async throws -> Void) async throws -> MLflowError.Code? {
            try await refusal(body)?.code
        }
        #expect(
            try await code { try await rig.call("POST", "registered-models/create", ["name": "m"]) }
                == .resourceAlreadyExists)
        #expect(
            try await code {
                try await rig.call("GET", "registered-models/alias", query: [("name", "m"), ("alias", "nobody")])
            } == .invalidParameterValue)
        #expect(
            try await code {
                try await rig.call("GET", "model-versions/get", query: [("name", "m"), ("version", "9")])
            } == .resourceDoesNotExist)
        #expect(try await code { try await Self.point(rig, "a", "9") } == .resourceDoesNotExist)
        #expect(try await code { try await Self.point(rig, "a", "x") } == .invalidParameterValue)
        #expect(
            try await code { try await rig.call("POST", "registered-models/create", ["name": "a/b"]) }
                == .invalidParameterValue)
        #expect(MLflowError.Code.resourceAlreadyExists.status == 400)
    }

    @Test func `stages are stored, and old ones archived when told so`() async throws {
        let rig = try await Self.rig()
        for version in ["1", "2"] {
            try await rig.call(
                "POST", "model-versions/transition-stage",
                .members(
                    ("name", "m"), ("version", .string(version)), ("stage", "production"),
                    ("archive_existing_versions", true)))
        }
        let found = try await rig.call(
            "POST", "registered-models/get-latest-versions",
            .members(("name", "m"), ("stages", ["Production", "Archived"])))
        #expect(
            found["model_versions"]?.arrayValue?.map { $0["version"] } == ["1", "2"])
    }
}

extension MLflowAPI {
    /// A time for the registry's own calls.
    var tick: Timestamp { Timestamp(microseconds: 1_780_000_000_000_000) }
}
