import Foundation
package import Registry
import Values

/// What `holdfast registry …` does: opens the embedded registry of a state folder, beside a running service or without one.
package enum RegistryCommand {
    package struct Failure: Error, CustomStringConvertible {
        package let description: String
    }

    /// - Parameters:
    ///   - config: a configuration file, whose `state` names the folder.
    ///   - state: the folder itself.
    package static func open(config: String?, state: String?) async throws -> Registry {
        let folder: String
        if let state {
            folder = state
        } else {
            folder = try ConfigurationReader.read(config ?? "holdfast.yaml").statePath
        }
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        return try await Registry(path: folder + "/registry.sqlite")
    }

    /// Who acts, for the audit trail.
    package static func actor(_ given: String?) -> String {
        given ?? ProcessInfo.processInfo.environment["USER"].flatMap { $0.isEmpty ? nil : $0 } ?? "cli"
    }
}
