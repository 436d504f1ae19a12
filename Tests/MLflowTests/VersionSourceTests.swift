import Events
import MLflow
import Registry
import Testing
import Values

/// What a version is made from: derived from its source, kept while it serves, and looked at before it may.
struct VersionSourceTests {
    /// A rig with a model `m`, and a run and a logged model of it with a file each.
    private struct Ground {
        let rig: Rig
        let experiment: String
        let run: String
        let model: String

        init() async throws {
            rig = try await Rig()
            let made = try await rig.call("POST", "experiments/create", ["name": "e"])
            experiment = made["experiment_id"]?.stringValue ?? ""
            run = try await rig.run(experiment: experiment)
            let logged = try await rig.call(
                "POST", "logged-models",
                .members(
                    ("experiment_id", .string(experiment)), ("name", "x"), ("source_run_id", .string(run))))
            model = logged["model"]?["info"]?["model_id"]?.stringValue ?? ""
            try await rig.store("\(experiment)/\(run)/artifacts/model/MLmodel", "flavors: {}")
            try await rig.store("\(experiment)/models/\(model)/artifacts/MLmodel", "flavors: {}")
            try await rig.call("POST", "registered-models/create", ["name": "m"])
        }

        /// The source with the ids in their places.
        func source(_ pattern: String) -> String {
            pattern.replacing("EXP", with: experiment).replacing("RUN", with: run).replacing("MODEL", with: model)
        }

        func register(_ source: String) async throws -> String {
            let made = try await rig.call(
                "POST", "model-versions/create", .members(("name", "m"), ("source", .string(source))))
            return made["model_version"]?["version"]?.stringValue ?? ""
        }

        func finish(_ status: String = "LOGGED_MODEL_READY") async throws {
            try await rig.call("PATCH", "logged-models/\(model)", .members(("status", .string(status))))
        }

        func promote(_ version: String, force: Bool = false) async throws {
            try await rig.registry.promote(
                model: "m", version: version, force: force, actor: "ann", reason: "", at: rig.api.tick)
        }

        /// Why a version may not be promoted.
        func obstacle(_ version: String) async throws -> String? {
            do {
                try await promote(version)
                return nil
            } catch let error as RegistryError {
                #expect(error.code == .refused)
                return error.message
            }
        }
    }

    @Test(arguments: [
        "runs:/RUN/model", "Runs:/RUN/model", "mlflow-artifacts:/EXP/RUN/artifacts/model",
        "mlflow-artifacts://host:5000/EXP/RUN/artifacts/model", "models:/MODEL",
        "mlflow-artifacts:/EXP/models/MODEL/artifacts", "models:/m/1",
    ])
    func `a run behind a champion stays, whether the version names it or its source`(_ pattern: String) async throws {
        let ground = try await Ground()
        try await ground.finish()
        if pattern == "models:/m/1" { _ = try await ground.register(ground.source("runs:/RUN/model")) }
        let version = try await ground.register(ground.source(pattern))
        #expect(try await ground.rig.registry.version(model: "m", version).runID == ground.run)
        try await ground.promote(version)
        var calls: [(String, String, JSON?)] = [
            ("POST", "runs/delete", ["run_id": .string(ground.run)]),
            ("POST", "experiments/delete", ["experiment_id": .string(ground.experiment)]),
        ]
        if pattern.contains("MODEL") { calls.append(("DELETE", "logged-models/\(ground.model)", nil)) }
        for (method, path, body) in calls {
            let error = try await refusal { try await ground.rig.call(method, path, body) }
            #expect(error?.message.contains("m@champion (version \(version))") == true, "\(path)")
        }
        // Others of the experiment are free.
        let other = try await ground.rig.run(experiment: ground.experiment)
        try await ground.rig.call("POST", "runs/delete", ["run_id": .string(other)])
    }

    @Test(arguments: [
        ("RuNs:/nope/model", "run nope, which does not exist"), ("runs:/RUN/other", "no file is kept"),
        ("mlflow-artifacts:/EXP/nope/artifacts/model", "no file is kept"),
        ("models:/m-0123", "logged model m-0123, which does not exist"), ("models:/m@live", "names no version"),
        ("models:/MODEL", "still PENDING"), ("mlflow-artifacts:/EXP/models/MODEL/artifacts", "still PENDING"),
    ])
    func `a version of nothing is registered as in MLflow and refused as champion`(
        _ pattern: String, _ words: String
    ) async throws {
        let ground = try await Ground()
        let version = try await ground.register(ground.source(pattern))
        // A plain model's alias, the gate, and a promotion say the same.
        let error = try await refusal {
            try await ground.rig.call(
                "POST", "registered-models/alias",
                .members(("name", "m"), ("alias", "champion"), ("version", .string(version))))
        }
        #expect(error?.message.contains(words) == true, "\(error?.message ?? "accepted")")
        try await ground.rig.call(
            "POST", "registered-models/alias",
            .members(("name", "m"), ("alias", "candidate"), ("version", .string(version))))
        let checks = try await ground.rig.registry.gate(model: "m", version: version, actor: "ann")
        #expect(checks?.first?.passed == false && checks?.first?.found.contains(words) == true)
        #expect(try await ground.obstacle(version)?.contains(words) == true)
        #expect(try await ground.rig.registry.promotions(model: "m").map(\.outcome) == [.refused])
        try await ground.promote(version, force: true)
        #expect(try await ground.rig.registry.promotions(model: "m").first?.outcome == .forced)
        #expect(try await ground.rig.registry.champion(model: "m").champion?.version == version)
    }

    @Test func `a logged model whose upload failed cannot become champion, one that was finished can`() async throws {
        let ground = try await Ground()
        let version = try await ground.register("models:/\(ground.model)")
        try await ground.finish("LOGGED_MODEL_UPLOAD_FAILED")
        #expect(try await ground.obstacle(version)?.contains("FAILED") == true)
        try await ground.finish()
        #expect(try await ground.obstacle(version) == nil)
    }

    @Test(arguments: ["runs:/RUN/model", "models:/MODEL"])
    func `a deleted run is restored before what was made from it serves`(_ pattern: String) async throws {
        let ground = try await Ground()
        try await ground.finish()
        let version = try await ground.register(ground.source(pattern))
        try await ground.rig.call("POST", "runs/delete", ["run_id": .string(ground.run)])
        #expect(try await ground.obstacle(version)?.contains("is deleted: restore it first") == true)
        try await ground.rig.call("POST", "runs/restore", ["run_id": .string(ground.run)])
        #expect(try await ground.obstacle(version) == nil)
    }

    @Test func `sources of another server are not looked for here`() async throws {
        let ground = try await Ground()
        _ = try await ground.rig.registry.registerVersion(
            model: "m", version: "7", source: "models:/m-of-another-server", origin: VersionOrigin(isElsewhere: true),
            actor: "mlflow", at: ground.rig.api.tick)
        #expect(try await ground.obstacle("7") == nil)
    }

    @Test(arguments: ["s3://b/1", "dbfs:/models/1", "hf://org/model"])
    func `what is kept elsewhere is taken at its word`(_ source: String) async throws {
        let ground = try await Ground()
        let version = try await ground.register(source)
        #expect(try await ground.obstacle(version) == nil)
    }
}
