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
        let folder = try folder(config: config, state: state)
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        return try await Registry(path: folder + "/registry.sqlite")
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
