import Events
import Foundation
import MLflow
import Registry
import Synchronization
import Values

/// MLflow's interface over a registry in memory and a folder of its own, with a clock that moves a millisecond a look.
final class Rig: Sendable {
    let registry: Registry
    let api: MLflowAPI
    let folder: URL
    private let clock: Clock

    init(webhooks: WebhookGate? = nil) async throws {
        registry = try await Registry.inMemory(seal: try Self.seal())
        folder = FileManager.default.temporaryDirectory.appending(path: "holdfast-mlflow-\(UUID().uuidString)")
        let clock = Clock()
        self.clock = clock
        api = MLflowAPI(
            registry: registry, artifacts: folder.path, webhooks: webhooks, now: { clock.next() },
            newID: { clock.digits() })
    }

    /// Of a key and of initialization vectors that anybody could foresee.
    private static func seal() throws -> SecretSeal {
        try SecretSeal(
            keys: [SecretSeal.makeKey { Array(repeating: 7, count: $0) }], now: { Timestamp(microseconds: 0) }
        ) {
            Array(repeating: 9, count: $0)
        }
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    /// Calls an endpoint by its method and the end of its path.
    @discardableResult
    func call(
        _ method: String, _ path: String, _ body: JSON? = nil, query: [(name: String, value: String)] = [],
        mayPromote: Bool = true
    ) async throws -> JSON {
        for endpoint in Endpoint.all where endpoint.method == method {
            if let captured = Self.match(endpoint.path, "/api/2.0/mlflow/" + path) {
                let answer = try await api.answer(
                    endpoint,
                    MLflowCall(
                        fields: try Fields(body: body, query: query), path: captured, actor: "test",
                        mayPromote: mayPromote))
                return try JSON(parsing: answer.bytes)
            }
        }
        throw Missing(description: "\(method) \(path)")
    }

    private static func match(_ pattern: String, _ path: String) -> [String: String]? {
        let (parts, given) = (pattern.split(separator: "/"), path.split(separator: "/"))
        guard parts.count == given.count else { return nil }
        var captured: [String: String] = [:]
        for (part, text) in zip(parts, given) {
            if part.hasPrefix("{") {
                captured[String(part.dropFirst().dropLast())] = String(text)
            } else if part != text {
                return nil
            }
        }
        return captured
    }

    /// The id of a new run in experiment 0.
    func run(_ name: String = "run", experiment: String = "0") async throws -> String {
        let answer = try await call(
            "POST", "runs/create",
            .members(
                ("experiment_id", .string(experiment)), ("run_name", .string(name)),
                ("start_time", .integer(clock.next().microseconds / 1_000))))
        return answer["run"]?["info"]?["run_id"]?.stringValue ?? ""
    }

    func store(_ path: String, _ text: String) async throws {
        try await api.store(try ArtifactPath(path), limit: 1 << 20, Once(bytes: Array(text.utf8)))
    }

    func text(_ path: String) async throws -> String {
        let artifact = try await api.artifact(try ArtifactPath(path))
        var bytes: [UInt8] = []
        while true {
            let piece = try await api.next(artifact)
            if piece.isEmpty { return String(decoding: bytes, as: UTF8.self) }
            bytes += piece
        }
    }

    struct Missing: Error, CustomStringConvertible { let description: String }

    private final class Clock: Sendable {
        private let ticks = Mutex<Int64>(0)

        func next() -> Timestamp {
            ticks.withLock { ticks in
                ticks += 1
                return Timestamp(microseconds: 1_770_000_000_000_000 + ticks * 1_000)
            }
        }

        func digits() -> String {
            let tick = ticks.withLock { ticks in
                ticks += 1
                return ticks
            }
            return String(repeating: "0", count: 24) + String(tick + 0x1000_0000, radix: 16)
        }
    }
}

/// A body of three pieces.
struct Once: AsyncSequence, Sendable {
    let bytes: [UInt8]

    struct Iterator: AsyncIteratorProtocol {
        var pieces: [[UInt8]]
        mutating func next() async throws -> [UInt8]? { pieces.isEmpty ? nil : pieces.removeFirst() }
    }

    func makeAsyncIterator() -> Iterator {
        let third = (bytes.count + 2) / 3
        let pieces = stride(from: 0, to: bytes.count, by: Swift.max(1, third)).map {
            Array(bytes[$0..<Swift.min(bytes.count, $0 + third)])
        }
        return Iterator(pieces: pieces)
    }
}

/// The error a call ends with.
func refusal(_ body: () async throws -> Void) async throws -> MLflowError? {
    do {
        try await body()
        return nil
    } catch let error as MLflowError {
        return error
    }
}
