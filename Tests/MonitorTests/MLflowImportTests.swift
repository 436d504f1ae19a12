import AsyncHTTPClient
import Events
import Foundation
import NIOCore
import NIOHTTP1
import Registry
import Testing
import Values

/// `holdfast registry import`, from a server that speaks MLflow's REST interface.
struct MLflowImportTests {
    @Test("all of a server is copied once, however often it is told to", .timeLimit(.minutes(3)))
    func copies() async throws {
        let workspace = try Workspace()
        let source = try await Service.start(try MLflowClientTests.configuration(workspace))
        let (run, model) = try await Self.fill(source)
        let target = workspace.path("copy")
        let arguments = ["registry", "import", "http://127.0.0.1:\(source.port)", "--state", target, "--json"]
        let first = try await HoldfastProcess.run(arguments)
        try #require(first.status == 0, "\(first.text)")
        let summary = try Self.summary(first.text)
        #expect(summary["runs"] == 2 && summary["metric_values"] == 3 && summary["logged_models"] == 1)
        #expect(summary["models"] == 1 && summary["versions"] == 2 && summary["artifacts"] == 3)
        let second = try Self.summary(try await HoldfastProcess.run(arguments).text)
        #expect(second["runs"] == 0 && second["versions"] == 0 && second["artifacts"] == 0 && second["known"] == 5)
        #expect(try await source.stop() == 0)

        let copy = try await Service.start(
            try workspace.write("copy.yaml", "state: ./copy\nmodels: []\nhttp: {listen: \"127.0.0.1:0\"}\n"))
        let history = try await copy.get("/api/2.0/mlflow/metrics/get-history?run_id=\(run)&metric_key=loss")
        #expect(
            try JSON(parsing: history.body)["metrics"]?.arrayValue?.compactMap { $0["value"]?.numberValue } == [
                0.5, 0.25,
            ])
        let version = try JSON(
            parsing: try await copy.get("/api/2.0/mlflow/registered-models/alias?name=fraud&alias=live").body)[
                "model_version"]
        #expect(version?["version"] == "3" && version?["source"] == .string("models:/\(model)"))
        // An address that names a run is the run's here.
        let other = try JSON(
            parsing: try await copy.get("/api/2.0/mlflow/model-versions/get?name=fraud&version=1").body)[
                "model_version"]
        let source1 = other?["source"]?.stringValue ?? ""
        #expect(source1.hasSuffix("/\(run)/artifacts/model"))
        let path = source1.replacing("mlflow-artifacts:/", with: "")
        let bytes = try await copy.get("/api/2.0/mlflow-artifacts/artifacts/\(path)/MLmodel").body
        #expect(String(decoding: bytes, as: UTF8.self) == "flavors: {}")
        let frozen = try await put(copy, "\(path)/MLmodel", "changed")
        #expect(frozen == 400)
        #expect(try await copy.stop() == 0)
        let registry = try await Registry(path: target + "/registry.sqlite")
        guard case .intact = try await registry.verifyAudit() else {
            Issue.record("the audit trail is broken")
            return
        }
    }

    @Test("a server that is not there is said to be, with exit 1", .timeLimit(.minutes(1)))
    func absent() async throws {
        let workspace = try Workspace()
        let result = try await HoldfastProcess.run(
            ["registry", "import", "http://127.0.0.1:9", "--state", workspace.path("state")])
        #expect(result.status == 1 && result.text.contains("does not answer") && result.text.contains("go on"))
    }

    private static func summary(_ text: String) throws -> JSON {
        try JSON(parsing: (text.split(separator: "\n").first { $0.hasPrefix("{") } ?? "").utf8)
    }

    /// Two runs, one deleted; a logged model that is ready; versions 1 and 3 of a model, with an alias.
    private static func fill(_ service: Service) async throws -> (run: String, model: String) {
        let api = "/api/2.0/mlflow/"
        func post(_ path: String, _ body: JSON) async throws -> JSON {
            let answer = try await service.post(api + path, body.text)
            try #require(answer.status == 200, "\(path): \(answer.json.text)")
            return answer.json
        }
        let experiment = try await post("experiments/create", ["name": "fraud"])["experiment_id"]
        var runs: [String] = []
        for i in 0..<2 {
            let run = try await post("runs/create", .members(("experiment_id", experiment), ("start_time", .int(i))))
            runs.append(run["run"]?["info"]?["run_id"]?.stringValue ?? "")
        }
        for (i, value) in [0.5, 0.25].enumerated() {
            _ = try await post(
                "runs/log-metric",
                .members(
                    ("run_id", .string(runs[0])), ("key", "loss"), ("value", .number(value)), ("timestamp", .int(i)),
                    ("step", .int(i))))
        }
        _ = try await post(
            "runs/log-batch",
            .members(
                ("run_id", .string(runs[1])),
                ("metrics", .array([.members(("key", "loss"), ("value", "NaN"), ("timestamp", 1))])),
                ("params", .array([["key": "depth", "value": "3"]]))))
        _ = try await post("runs/delete", ["run_id": .string(runs[1])])
        let root = "\(experiment?.stringValue ?? "")/\(runs[0])/artifacts"
        for (name, text) in [("model/MLmodel", "flavors: {}"), ("notes/a b.txt", "hello")] {
            let encoded = name.replacing(" ", with: "%20")
            try #require(try await put(service, "\(root)/\(encoded)", text) == 200)
        }
        let logged = try await post(
            "logged-models", .members(("experiment_id", experiment), ("name", "m"), ("source_run_id", .string(runs[0])))
        )
        let model = logged["model"]?["info"]?["model_id"]?.stringValue ?? ""
        try #require(
            try await put(service, "\(experiment?.stringValue ?? "")/models/\(model)/artifacts/MLmodel", "x") == 200)
        _ = try await service.send("PATCH", api + "logged-models/\(model)", #"{"status":"LOGGED_MODEL_READY"}"#)
        _ = try await post("registered-models/create", ["name": "fraud"])
        for source in ["mlflow-artifacts:/\(root)/model", "s3://gone/2", "models:/\(model)"] {
            _ = try await post("model-versions/create", ["name": "fraud", "source": .string(source)])
        }
        _ = try await service.send("DELETE", api + "model-versions/delete", #"{"name":"fraud","version":"2"}"#)
        _ = try await post("registered-models/alias", ["name": "fraud", "alias": "live", "version": "3"])
        return (runs[0], model)
    }
}

/// Stores an artifact; answers the status.
private func put(_ service: Service, _ path: String, _ text: String) async throws -> Int {
    try await service.send("PUT", "/api/2.0/mlflow-artifacts/artifacts/" + path, text).status
}

extension Service {
    fileprivate func send(_ method: String, _ path: String, _ body: String) async throws -> (status: Int, body: [UInt8])
    {
        var request = HTTPClientRequest(url: "http://127.0.0.1:\(port)\(path)")
        request.method = HTTPMethod(rawValue: method)
        request.headers.add(name: "content-type", value: "application/json")
        request.body = .bytes(ByteBuffer(string: body))
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(20))
        return (Int(response.status.code), Array(try await response.body.collect(upTo: 1 << 20).readableBytesView))
    }
}
