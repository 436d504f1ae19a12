import AsyncHTTPClient
import Events
import Foundation
import Logging
import NIOCore
import NIOHTTP1
import Registry
import Telemetry
import TestSupport
import Testing
import Values

@testable import Monitor

/// An external MLflow server, played by a small program that keeps aliases and tags as MLflow does.
@Suite(.serialized)
struct MLflowMirrorTests {
    private static let stub = """
        import json, signal, sys, urllib.parse
        signal.pthread_sigmask(signal.SIG_SETMASK, [])
        from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
        aliases, tags, log = {}, {}, []
        class Stub(BaseHTTPRequestHandler):
            def log_message(self, *_): pass
            def answer(self, status, body):
                data = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)
            def do_GET(self):
                url = urllib.parse.urlparse(self.path)
                query = dict(urllib.parse.parse_qsl(url.query))
                if self.headers.get("Authorization") != "Bearer sesame": return self.answer(401, {"error_code": "UNAUTHENTICATED"})
                if url.path == "/state": return self.answer(200, {"aliases": aliases, "tags": tags, "log": log})
                if url.path.endswith("/registered-models/alias"):
                    if query["alias"] not in aliases:
                        return self.answer(400, {"error_code": "INVALID_PARAMETER_VALUE", "message": "Registered model alias not found."})
                    return self.answer(200, {"model_version": {"version": aliases[query["alias"]]}})
                if url.path.endswith("/model-versions/get"):
                    return self.answer(200, {"model_version": {"version": query["version"], "source": "models:/m-" + query["version"]}})
                self.answer(404, {"error_code": "ENDPOINT_NOT_FOUND"})
            def change(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                if self.path.endswith("/set-tag") and body["version"] == aliases.get("untaggable"):
                    return self.answer(404, {"error_code": "RESOURCE_DOES_NOT_EXIST"})
                if self.path.endswith("/set-tag"):
                    tags.setdefault(body["version"], {})[body["key"]] = body["value"]
                elif self.command == "DELETE": aliases.pop(body["alias"], None)
                else:
                    aliases[body["alias"]] = body["version"]
                    log.append(body["alias"] + "=" + body["version"])
                self.answer(200, {})
            do_POST = do_DELETE = change
        server = ThreadingHTTPServer(("127.0.0.1", 0), Stub)
        print(server.server_port, flush=True)
        server.serve_forever()
        """

    /// The stub as a process, and a mirror beside it.
    private final class Rig: Sendable {
        let workspace: Workspace
        let registry: Registry
        let mirror: MLflowMirror
        let process: HoldfastStub

        init() async throws {
            workspace = try Workspace()
            process = try await HoldfastStub(
                script: try workspace.write("stub.py", MLflowMirrorTests.stub), output: workspace.path("stub.out"))
            registry = try await Registry.inMemory()
            _ = try await registry.registerModel("fraud", actor: "test", at: WallClock.system.now())
            mirror = MLflowMirror(
                registry: registry,
                client: MLflowClient(
                    settings: .init(
                        url: "http://127.0.0.1:\(process.port)", username: nil, password: nil, token: "sesame")),
                models: ["fraud"], metrics: PrometheusRegistry(), clock: .system,
                log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        }

        func champion() async throws -> String? { try await registry.champion(model: "fraud").champion?.version }

        func remote(_ alias: String = "champion") async throws -> String? {
            try await mirror.client.version(of: alias, model: "fraud")
        }
    }

    @Test("the server's champion is taken over, ours is written there and read back", .timeLimit(.minutes(1)))
    func bothWays() async throws {
        let rig = try await Rig()
        let client = rig.mirror.client
        try await rig.mirror.synchronise("fraud")
        #expect(try await rig.champion() == nil)
        for version in ["7", "8"] {
            try await client.set("champion", of: "fraud", to: version)
            try await rig.mirror.synchronise("fraud")
            #expect(try await rig.champion() == version)
        }
        #expect(try await rig.remote("champion-1") == "7")
        // An address of that server, which is not looked for here.
        #expect(try await rig.registry.version(model: "fraud", "8").source == "models:/m-8")
        #expect(try await rig.registry.gate(model: "fraud", version: "8", actor: "ann") == nil)

        let decision = try await rig.registry.decide(
            RollbackProposal(
                idempotencyKey: "k", model: "fraud", judgedVersion: "8", target: "champion-1", mode: .auto,
                cooldown: .zero, maximum: 5, maximumPer: .hours(1), evidence: [:]), at: WallClock.system.now())
        #expect(decision.outcome == .done)
        try await rig.mirror.synchronise("fraud")
        #expect(try await rig.remote() == "7")
        #expect(try await rig.remote("champion-1") == nil)
        let state = try await rig.process.state()
        #expect(state["tags"]?["8"]?["holdfast.quarantine"]?.stringValue == "decision \(decision.id)")
        #expect(state["tags"]?["7"]?["holdfast.slot"]?.stringValue == "champion")
        let writes = state["log"]?.arrayValue?.count
        try await rig.mirror.synchronise("fraud")
        #expect(try await rig.process.state()["log"]?.arrayValue?.count == writes, "nothing is written twice")
    }

    @Test(
        "a rollback that people undo on the server is undone here, and a tag that is refused holds nothing up",
        .timeLimit(.minutes(1)))
    func undone() async throws {
        let rig = try await Rig()
        let client = rig.mirror.client
        for version in ["7", "8"] {
            try await client.set("champion", of: "fraud", to: version)
            try await rig.mirror.synchronise("fraud")
        }
        try await rig.registry.rollback(
            model: "fraud", to: "champion-1", actor: "ann", reason: "", at: WallClock.system.now())
        try await client.set("untaggable", of: "fraud", to: "8")
        try await rig.mirror.synchronise("fraud")
        #expect(try await rig.remote() == "7")
        // Were the cursor not moved, ours would be written over theirs.
        try await client.set("champion", of: "fraud", to: "8")
        try await rig.mirror.synchronise("fraud")
        #expect(try await rig.champion() == "8")
        #expect(try await rig.remote() == "8")
        #expect(try await rig.registry.quarantined(model: "fraud").isEmpty)
    }

    @Test("a change on both sides stops ours and says so", .timeLimit(.minutes(1)))
    func conflict() async throws {
        let rig = try await Rig()
        for version in ["7", "8"] {
            try await rig.mirror.client.set("champion", of: "fraud", to: version)
            try await rig.mirror.synchronise("fraud")
        }
        try await rig.registry.rollback(
            model: "fraud", to: "champion-1", actor: "ann", reason: "bad", at: WallClock.system.now())
        try await rig.mirror.client.set("champion", of: "fraud", to: "9")
        await #expect(throws: MLflowMirror.Conflict.self) { try await rig.mirror.synchronise("fraud") }
        #expect(try await rig.champion() == "9")
        #expect(try await rig.remote() == "9")
        try await rig.mirror.synchronise("fraud")
        // Theirs holds, also for what was rolled away from here.
        try await rig.mirror.client.set("champion", of: "fraud", to: "8")
        try await rig.mirror.synchronise("fraud")
        #expect(try await rig.champion() == "8")
    }

    @Test("a server that refuses or is gone is told in words", .timeLimit(.minutes(1)))
    func failures() async throws {
        let rig = try await Rig()
        let settings = rig.mirror.client.settings
        let stranger = MLflowClient(settings: .init(url: settings.url, username: nil, password: nil, token: "wrong"))
        let refused = await #expect(throws: MLflowClient.Failure.self) {
            _ = try await stranger.version(of: "champion", model: "fraud")
        }
        #expect(refused?.description.contains("401") == true && refused?.description.contains("wrong") == false)
        let gone = MLflowClient(settings: .init(url: "http://127.0.0.1:1", username: nil, password: nil, token: nil))
        let silent = await #expect(throws: MLflowClient.Failure.self) {
            _ = try await gone.version(of: "champion", model: "fraud")
        }
        #expect(silent?.description.contains("does not answer") == true)
    }
}

extension MLflowMirrorTests {
    /// Starts the real server on a free port in a session of its own, and ends it with its children.
    private static let keeper = """
        import os, signal, socket, subprocess, sys, threading, time, urllib.request
        signal.pthread_sigmask(signal.SIG_SETMASK, [])
        signal.signal(signal.SIGTERM, lambda *_: sys.exit())
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        folder = os.path.dirname(os.path.abspath(__file__))
        server = subprocess.Popen(
            [os.environ["HOLDFAST_MLFLOW"], "server", "--port", str(port), "--workers", "1",
             "--backend-store-uri", "sqlite:///" + folder + "/mlflow.db", "--artifacts-destination", folder],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        parent = os.getppid()
        end = time.time() + 150
        up = False
        try:
            while time.time() < end and os.getppid() == parent and server.poll() is None:
                if not up:
                    try:
                        urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=1).read()
                        up = True
                        print(port, flush=True)
                    except OSError: pass
                time.sleep(0.1)
        finally: os.killpg(server.pid, signal.SIGKILL)
        """

    private static var program: String? {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        return [ProcessInfo.processInfo.environment["HOLDFAST_MLFLOW"], root.path + "/Benchmarks/.venv/bin/mlflow"]
            .compactMap { $0 }.first { FileManager.default.isExecutableFile(atPath: $0) }
    }

    @Test("the real MLflow server is followed and written to", .timeLimit(.minutes(3)))
    func real() async throws {
        guard let program = Self.program else {
            return print("skipped: no mlflow (name its program in HOLDFAST_MLFLOW)")
        }
        let workspace = try Workspace()
        let server = try await HoldfastStub(
            script: try workspace.write("keeper.py", Self.keeper), output: workspace.path("keeper.out"),
            environment: ["HOLDFAST_MLFLOW": program], deadline: .seconds(120))
        let client = MLflowClient(
            settings: .init(url: "http://127.0.0.1:\(server.port)", username: nil, password: nil, token: nil))
        func create(_ path: String, _ body: String) async throws {
            var request = HTTPClientRequest(url: "\(client.settings.url)/api/2.0/mlflow/\(path)/create")
            request.method = .POST
            request.headers.add(name: "content-type", value: "application/json")
            request.body = .bytes(ByteBuffer(string: body))
            #expect(try await HTTPClient.shared.execute(request, timeout: .seconds(30)).status == .ok)
        }
        #expect(try await client.version(of: "champion", model: "fraud") == nil)
        try await create("registered-models", #"{"name":"fraud"}"#)
        #expect(try await client.version(of: "champion", model: "fraud") == nil)
        for version in ["1", "2"] {
            try await create("model-versions", #"{"name":"fraud","source":"s3://fraud/\#(version)"}"#)
        }
        let registry = try await Registry.inMemory()
        _ = try await registry.registerModel("fraud", actor: "test", at: WallClock.system.now())
        let mirror = MLflowMirror(
            registry: registry, client: client, models: ["fraud"], metrics: PrometheusRegistry(), clock: .system,
            log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        for version in ["1", "2"] {
            try await client.set("champion", of: "fraud", to: version)
            try await mirror.synchronise("fraud")
            #expect(try await registry.champion(model: "fraud").champion?.version == version)
        }
        #expect(try await registry.version(model: "fraud", "2").source == "s3://fraud/2")
        #expect(try await client.version(of: "champion-1", model: "fraud") == "1")
        try await registry.rollback(
            model: "fraud", to: "champion-1", actor: "ann", reason: "bad", at: WallClock.system.now())
        try await mirror.synchronise("fraud")
        #expect(try await client.version(of: "champion", model: "fraud") == "1")
        #expect(try await client.version(of: "champion-1", model: "fraud") == nil)
    }
}

/// A Python program that prints its port, ended with the value.
final class HoldfastStub: Sendable {
    private struct Running: @unchecked Sendable {
        /// Only this type touches it, from `deinit`.
        let process: Process
    }

    let port: Int
    private let running: Running

    init(
        script: String, output: String, environment: [String: String] = [:], deadline: Duration = .seconds(30)
    ) async throws {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["python3", script]
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { _, new in new }
        try Data().write(to: URL(filePath: output))
        process.standardOutput = try FileHandle(forWritingTo: URL(filePath: output))
        process.standardError = FileHandle.nullDevice
        try process.run()
        running = Running(process: process)
        do {
            port = try await eventually("the stub answers", deadline) {
                (try? String(contentsOfFile: output, encoding: .utf8)).flatMap {
                    $0.hasSuffix("\n") ? Int($0.dropLast()) : nil
                }
            }
        } catch {
            process.terminate()
            throw error
        }
    }

    /// The programs unblock SIGTERM themselves: a thread of the test's may have it blocked, and its child then has too.
    deinit { running.process.terminate() }

    func state() async throws -> JSON {
        var request = HTTPClientRequest(url: "http://127.0.0.1:\(port)/state")
        request.headers.add(name: "authorization", value: "Bearer sesame")
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(20))
        return try JSON(parsing: Array(try await response.body.collect(upTo: 1 << 20).readableBytesView))
    }
}
