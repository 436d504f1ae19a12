import Foundation
import MLflow
package import Registry
import Sketches
import Values
import Windows

/// What `holdfast registry …` does: opens the embedded registry of a state folder, beside a running service or without one.
package enum RegistryCommand {
    package struct Failure: Error, CustomStringConvertible {
        package let description: String
    }

    /// - Parameters:
    ///   - config: a configuration file, whose `state` names the folder.
    ///   - state: the folder itself.
    package static func open(config: String?, state: String?) async throws -> Registry {
        let folder = try folder(config: config, state: state)
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        return try await Registry(path: try path(config: config, state: state))
    }

    /// The registry's file, whether it is there or not.
    package static func path(config: String?, state: String?) throws -> String {
        try folder(config: config, state: state) + "/registry.sqlite"
    }

    /// Frees the bytes of artifacts that nothing names any more and that were written more than an hour ago.
    package static func freeArtifacts(
        _ registry: Registry, config: String?, state: String?, dryRun: Bool
    ) async throws -> (files: Int, bytes: Int64, youngFiles: Int, youngBytes: Int64) {
        let folder = try folder(config: config, state: state)
        let api = MLflowService.make(registry: registry, state: folder, clock: .system)
        do {
            let freed = try await api.freeBlobs(writtenBefore: WallClock.system.now() - .hours(1), dryRun: dryRun)
            return (freed.files, freed.bytes, freed.youngFiles, freed.youngBytes)
        } catch let error as MLflowError {
            throw Failure(description: error.message)
        }
    }

    /// Brings the stored promotion policies in line with a configuration, as the service does at its start; nothing where
    /// none is named.
    package static func applyPolicies(_ registry: Registry, config: String?) async throws {
        guard let config else { return }
        let known = Set(try await registry.models().map(\.name))
        for model in try ConfigurationReader.read(config).models where known.contains(model.name) {
            try await registry.setPolicy(
                model: model.name, model.promotion, actor: "holdfast", reason: "configuration",
                at: WallClock.system.now())
        }
    }

    /// A reference that could not be used later is refused now.
    package static func checkReference(_ bytes: [UInt8], of model: String, path: String) throws {
        let reference: Reference
        do {
            reference = try ReferenceFile.decode(bytes)
        } catch {
            throw Failure(description: "\(path): \(error)")
        }
        guard reference.model == model else {
            throw Failure(description: "\(path) is the reference of model `\(reference.model)`, not of `\(model)`")
        }
    }

    /// The state folder that the options of a command name.
    package static func folder(config: String?, state: String?) throws -> String {
        try state ?? ConfigurationReader.read(config ?? "holdfast.yaml").statePath
    }

    /// Who acts, for the audit trail.
    package static func actor(_ given: String?) -> String {
        given ?? ProcessInfo.processInfo.environment["USER"].flatMap { $0.isEmpty ? nil : $0 } ?? "cli"
    }
}
