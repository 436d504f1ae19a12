import Dispatch
import Foundation
import GRDB
package import Values

/// Reference profiles, kept with the versions whose training data they describe. Opaque bytes here.
extension Registry {
    private static let referenceMaximum = 64 << 20

    /// Stores or replaces the reference of a version.
    package func storeReference(
        _ profile: [UInt8], model: String, version: String, actor: String, reason: String, at: Timestamp
    ) async throws {
        guard !profile.isEmpty, profile.count <= Self.referenceMaximum else {
            throw RegistryError(
                .invalid, "a reference of \(profile.count) bytes: it must have 1 to \(Self.referenceMaximum)")
        }
        let digest = SHA256Digest.hex(of: profile)
        try await change(actor: actor, reason: reason, at: at) { change in
            let modelID = try change.modelID(model)
            let id = try change.versionID(version, of: modelID, named: model)
            try change.db.execute(
                sql: "INSERT OR REPLACE INTO version_reference (version_id, profile, sha256, at) VALUES (?, ?, ?, ?)",
                arguments: [id, Data(profile), digest, at.microseconds])
            try change.note(
                .referenceStored, model: model,
                .members(("model", .string(model)), ("version", .string(version)), ("sha256", .string(digest))))
        }
    }

    /// - Parameter version: a label, or one of the aliases of the warm set.
    package func reference(model: String, version: String) async throws -> [UInt8] {
        try await read { try Self.reference($0, model: model, version: version) }
    }

    /// The same for a service that is only starting and has no registry open yet. Blocks on the disk; changes nothing.
    package static func storedReference(path: String, model: String, version: String) throws(RegistryError) -> [UInt8] {
        guard FileManager.default.fileExists(atPath: path) else {
            throw RegistryError(
                .notFound,
                "\(path) does not exist yet: register and promote a version of '\(model)' with its reference first")
        }
        do {
            var configuration = Configuration()
            configuration.readonly = true
            return try DatabaseQueue(path: path, configuration: configuration).read {
                guard try $0.tableExists("version_reference") else {
                    throw RegistryError(
                        .notFound, "\(path) holds no references yet: `holdfast registry reference` stores one")
                }
                return try reference($0, model: model, version: version)
            }
        } catch let error as RegistryError {
            throw error
        } catch let error as DatabaseError {
            throw RegistryError(error, path: path)
        } catch {
            throw RegistryError(.unavailable, "\(path): \(error)")
        }
    }

    private static func reference(_ db: Database, model: String, version: String) throws -> [UInt8] {
        let modelID = try modelID(db, model)
        let id: Int64
        if WarmSet.slots.contains(version) {
            guard
                let held = try Int64.fetchOne(
                    db, sql: "SELECT version_id FROM alias WHERE model_id = ? AND alias = ?",
                    arguments: [modelID, version])
            else { throw RegistryError(.notFound, "model '\(model)' has no \(version): promote a version first") }
            id = held
        } else {
            id = try Change.versionID(db, version, of: modelID, named: model)
        }
        guard
            let row = try Row.fetchOne(
                db, sql: "SELECT profile, sha256 FROM version_reference WHERE version_id = ?", arguments: [id])
        else {
            throw RegistryError(
                .notFound,
                "\(version) of '\(model)' has no reference: store one with `holdfast registry reference \(model) VERSION FILE`"
            )
        }
        let bytes = [UInt8](row["profile"] as Data)
        guard SHA256Digest.hex(of: bytes) == row["sha256"] as String else {
            throw RegistryError(.unavailable, "the reference of \(version) of '\(model)' was altered: store it again")
        }
        return bytes
    }
}
