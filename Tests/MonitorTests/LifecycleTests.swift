import Events
import Foundation
import Monitor
import Registry
import TestSupport
import Testing
import Values

/// A model's whole life: trained in Python with autolog, registered by MLflow's client, promoted through a gate, served,
/// degraded, rolled back. `make test` installs the client; where it is absent this is skipped.
@Suite(.serialized)
struct LifecycleTests {
    private static func post(_ file: String, to service: Service) async throws {
        let lines = try String(contentsOfFile: file, encoding: .utf8).split(separator: "\n")
        for first in stride(from: 0, to: lines.count, by: 1_000) {
            let part = lines[first..<min(first + 1_000, lines.count)].joined(separator: "\n")
            #expect(try await service.post("/v1/events", part).status == 200)
        }
    }

    /// What the fleet serves, as MLflow's client loads it.
    private static func alias(_ service: Service) async throws -> String? {
        let answer = try await service.get("/api/2.0/mlflow/registered-models/alias?name=pay&alias=champion")
        return try JSON(parsing: answer.body)["model_version"]?["version"]?.stringValue
    }

    /// The service with both versions promoted through the gate; the third, which nobody measured, does not pass it.
    private static func serve(_ workspace: Workspace, _ state: String) async throws -> Service {
        let service = try await Service.start(
            try workspace.write(
                "\(state).yaml",
                """
                state: \(state)
                models:
                  - name: pay
                    reference: pay.json
                    window: {pane: 10m, size: 1h, every: 30m, lateness: 5m, idle: 3600s}
                    promotion: {require: [{metric: aupr, min: 0.3}]}
                rules: [rules.yaml]
                http: {listen: "127.0.0.1:0"}
                """))
        let path = "/api/2.0/mlflow/model-versions/create"
        #expect(try await service.post(path, #"{"name":"pay","source":"s3://pay/3"}"#).status == 200)
        let refused = try await service.post("/v1/models/pay/promote", #"{"version":"3"}"#)
        #expect(refused.status == 422 && refused.json.text.contains("aupr"), "\(refused.json.text)")
        for version in ["1", "2"] {
            let promoted = try await service.post("/v1/models/pay/promote", #"{"version":"\#(version)"}"#)
            #expect(promoted.status == 200, "\(promoted.json.text)")
        }
        #expect(try await alias(service) == "2")
        return service
    }

    @Test(
        "a bad version is rolled back and the fleet hears of it; where the data changed it stays, and why is said",
        .enabled(if: MLflowClientTests.isPresent, "mlflow is not installed: run `make setup-mlflow`"),
        .timeLimit(.minutes(10)))
    func life() async throws {
        let workspace = try Workspace()
        let training = try await Service.start(try MLflowClientTests.configuration(workspace))
        let script = MLflowClientTests.tests.appending(path: "MLflowTests/story.py").path
        let client = try HoldfastProcess(
            [script, "http://127.0.0.1:\(training.port)", workspace.path(".")],
            environment: ["MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false"],
            executable: MLflowClientTests.python)
        let status = try await client.waitForEnd(.seconds(500))
        try #require(status == 0, "\(client.text.suffix(4_000))")
        #expect(try await training.stop() == 0)
        try await blocking {
            _ = try ReferenceCommand.build(
                files: [workspace.path("training.jsonl")], model: nil, version: "1", settings: nil, segments: nil,
                to: workspace.path("pay.json"))
            try FileManager.default.copyItem(atPath: workspace.path("state"), toPath: workspace.path("other"))
        }
        try workspace.write(
            "rules.yaml",
            """
            groups:
            - name: pay
              model: pay
              rules:
              - alert: ScoresMoved
                expr: psi{column="prediction"} > 0.25
                min_rows: 30
                significance: p(0.001)
                actions:
                - rollback: {mode: guarded, windows: 2, cooldown: 1h}
            """)

        let service = try await Self.serve(workspace, "state")
        let sequence = try #require(
            try JSON(parsing: try await service.get("/v1/models/pay/champion").body)["sequence"]?.integerValue)
        async let waiting = service.get("/v1/models/pay/champion?wait=60s&after=\(sequence)")
        try await Self.post(workspace.path("model.jsonl"), to: service)
        let heard = try JSON(parsing: try await waiting.body)
        #expect(heard["champion"]?["version"]?.stringValue == "1")
        #expect(try await Self.alias(service) == "1")
        #expect(try await service.stop() == 0)

        let other = try await Self.serve(workspace, "other")
        try await Self.post(workspace.path("data.jsonl"), to: other)
        let decision = try await eventually("a decision is made") { () -> JSON? in
            let body = try await other.get("/v1/models/pay/decisions").body
            return try JSON(parsing: body)["decisions"]?.arrayValue?.first { $0["verdict"] == "degrade" }
        }
        #expect(decision["outcome"] == "refused")
        #expect(decision["reason"]?.stringValue?.contains("the data is at fault") == true, "\(decision.text)")
        #expect(try await Self.alias(other) == "2")
        #expect(try await other.stop() == 0)
    }
}
