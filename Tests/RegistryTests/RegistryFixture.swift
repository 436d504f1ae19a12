import Foundation
import Registry
import Testing
import Values

/// Shared ground of the registry's tests: a model `fraud` with versions `1`…`count`, times a minute apart.
enum Fixture {
    static let model = "fraud"

    static func time(_ minutes: Int64) -> Timestamp { Timestamp(microseconds: 0) + .minutes(minutes) }

    static func registry(versions count: Int = 6) async throws -> Registry {
        let registry = try await Registry.inMemory()
        try await fill(registry, versions: count)
        return registry
    }

    static func fill(_ registry: Registry, versions count: Int = 6) async throws {
        _ = try await registry.registerModel(model, actor: "ann", at: time(0))
        for _ in 0..<count {
            _ = try await registry.registerVersion(model: model, source: "s3://models/fraud", actor: "ann", at: time(0))
        }
    }

    /// Promotes versions one after the other, the last one ends as champion.
    static func promote(_ registry: Registry, _ versions: String...) async throws {
        for version in versions {
            try await registry.promote(model: model, version: version, actor: "ann", reason: "better", at: time(1))
        }
    }

    /// A folder of its own, removed afterwards.
    static func withFile<T>(_ body: (String) async throws -> T) async throws -> T {
        let folder = FileManager.default.temporaryDirectory.appending(path: "registry-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        return try await body(folder.appending(path: "registry.sqlite").path)
    }

    static func proposal(
        _ key: String, judged: String, target: String = "champion-1", mode: RollbackProposal.Mode = .guarded,
        cooldown: Span = .zero, maximum: Int = 100, per: Span = .hours(24), vetoes: [String] = []
    ) -> RollbackProposal {
        RollbackProposal(
            idempotencyKey: key, model: model, judgedVersion: judged, target: target, mode: mode, cooldown: cooldown,
            maximum: maximum, maximumPer: per, vetoes: vetoes, evidence: ["psi": 0.31])
    }
}

extension ChampionState {
    /// The slots in order, for comparing at a glance.
    var slots: [String?] { [champion?.version, champion1?.version, champion2?.version] }
}

/// The registry error that the body throws; another error or none fails the test.
func refusal(
    _ location: SourceLocation = #_sourceLocation, _ body: () async throws -> Void
) async -> RegistryError? {
    do {
        try await body()
        Issue.record("nothing was thrown", sourceLocation: location)
    } catch let error as RegistryError {
        return error
    } catch {
        Issue.record("another error was thrown: \(error)", sourceLocation: location)
    }
    return nil
}
