import Foundation
import Ledger
package import Values

/// Deliveries that were given up on, in the ledger of a state folder, beside a running service or without one.
package struct DeadDeliveries: Sendable {
    package struct Entry: Sendable {
        package let id: Int64
        package let target: String
        package let at: Timestamp
        package let reason: String
    }

    private let ledger: Ledger

    /// - Parameters:
    ///   - config: a configuration file, whose `state` names the folder.
    ///   - state: the folder itself.
    package init(config: String?, state: String?) throws {
        let folder = try state ?? ConfigurationReader.read(config ?? "holdfast.yaml").statePath
        let path = folder + "/ledger.sqlite"
        guard FileManager.default.fileExists(atPath: path) else {
            throw ServiceClient.Failure(
                description: "\(path): there is no such file; is this the service's state folder?")
        }
        ledger = try Ledger(path: path)
    }

    package func list() async throws -> [Entry] {
        try await ledger.deadEntries().map {
            Entry(id: $0.entry.id, target: $0.entry.entry.target, at: $0.entry.entry.at, reason: $0.note)
        }
    }

    /// Puts an entry back in line; a running service delivers it within a second or so.
    /// - Returns: whether there was such an entry.
    package func retry(_ id: Int64) async throws -> Bool {
        try await ledger.retryDead(id, at: WallClock.system.now())
    }
}
