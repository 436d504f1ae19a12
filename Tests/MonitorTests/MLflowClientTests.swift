import AsyncHTTPClient
import Events
import Foundation
import NIOCore
import NIOHTTP1
import Synchronization
import Testing
import Values

/// The service as MLflow's own client meets it. `make test` installs the client; where it is absent its tests are skipped.
@Suite(.serialized)
struct MLflowClientTests {
    static let tests = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    static var python: URL {
        ProcessInfo.processInfo.environment["HOLDFAST_MLFLOW_PYTHON"].map { URL(filePath: $0) }
            ?? tests.appending(path: ".venv/bin/python")
    }
    static var isPresent: Bool { FileManager.default.isExecutableFile(atPath: python.path) }

    /// The steps of each worker's metric that were answered.
    private final class Acknowledged: Sendable {
        private let state = Mutex<[String: Set<Int64>]>([:])
        var steps: [String: Set<Int64>] { state.withLock { $0 } }
        var count: Int { steps.values.reduce(0) { $0 + $1.count } }
        func add(_ key: String, _ step: Int64) { state.withLock { _ = $0[key, default: []].insert(step) } }
    }

    static func configuration(_ workspace: Workspace) throws -> String {
        try workspace.write("holdfast.yaml", "state: ./state\nmodels: []\nhttp: {listen: \"127.0.0.1:0\"}\n")
    }

    @Test(
        "the unmodified client trains, registers, loads, searches and lists",
        .enabled(if: Self.isPresent, "mlflow is not installed: run `make setup-mlflow`"), .timeLimit(.minutes(10)))
    func session() async throws {
        let workspace = try Workspace()
        let service = try await Service.start(try Self.configuration(workspace))
        let script = Self.tests.appending(path: "MLflowTests/session.py").path
        let client = try HoldfastProcess(
            [script, "http://127.0.0.1:\(service.port)"],
            environment: [
                "MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
                "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
            ], executable: Self.python)
        let status = try await client.waitForEnd(.seconds(590))
        try #require(status == 0, "\(client.text.suffix(4_000))")
        let last = client.text.split(separator: "\n").last { $0.hasPrefix("{") } ?? ""
        let seen = try JSON(parsing: last.utf8)
        #expect(seen["large"] == 209_715_200)
        #expect(seen["processes"] == 8)
        #expect((seen["children"]?.integerValue ?? 0) >= 3)
        #expect(seen["digest"]?.stringValue?.count == 64)
        #expect(try await service.stop() == 0)
    }

    @Test("killed while eight clients log, it has all it acknowledged, each once", .timeLimit(.minutes(3)))
    func killed() async throws {
        let workspace = try Workspace()
        let configuration = try Self.configuration(workspace)
        let service = try await Service.start(configuration)
        let run = try await service.post("/api/2.0/mlflow/runs/create", #"{"experiment_id":"0"}"#)
        let id = run.json["run"]?["info"]?["run_id"]?.stringValue ?? ""
        let acknowledged = Acknowledged()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for worker in 0..<8 {
                group.addTask {
                    var step: Int64 = 0
                    while let answer = try? await service.post(
                        "/api/2.0/mlflow/runs/log-metric",
                        #"{"run_id":"\#(id)","key":"w\#(worker)","value":1,"timestamp":\#(step),"step":\#(step)}"#)
                    {
                        guard answer.status == 200 else { break }
                        acknowledged.add("w\(worker)", step)
                        step += 1
                    }
                }
            }
            group.addTask {
                _ = try await eventually("enough is logged", .seconds(60)) {
                    acknowledged.count > 800 ? true : nil
                }
                service.process.kill(SIGKILL)
            }
            try await group.waitForAll()
        }
        let again = try await Service.start(configuration)
        for (key, steps) in acknowledged.steps {
            let answer = try await again.get("/api/2.0/mlflow/metrics/get-history?run_id=\(id)&metric_key=\(key)")
            let found = (try JSON(parsing: answer.body)["metrics"]?.arrayValue ?? []).compactMap {
                $0["step"]?.integerValue
            }
            #expect(Set(found).count == found.count, "\(key) has a value twice")
            #expect(steps.isSubset(of: Set(found)), "\(key) lost what was acknowledged")
            // The one that was under way may be there or not.
            #expect(found.count <= steps.count + 1)
        }
        #expect(try await again.stop() == 0)
    }
}
