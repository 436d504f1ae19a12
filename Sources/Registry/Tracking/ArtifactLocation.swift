package import GRDB

/// Where artifacts are, as addresses say it. Text: nothing here opens it.
package enum ArtifactLocation {
    /// What is kept here is addressed by it; the client turns it into requests to this server.
    package static let scheme = "mlflow-artifacts:"
    private static let slash = UInt8(ascii: "/")

    /// The part of an address that names something kept here, without empty parts; `nil` for other addresses.
    package static func path(_ address: String) -> String? {
        // Bytes and not characters: a slash and a combining mark after it are one character.
        guard address.utf8.starts(with: scheme.utf8) else { return nil }
        var rest = address.utf8.dropFirst(scheme.utf8.count)
        // `mlflow-artifacts://host/path` names a server; it is this one.
        if rest.starts(with: "//".utf8) {
            guard let end = rest.dropFirst(2).firstIndex(of: slash) else { return nil }
            rest = rest[end...]
        }
        return String(decoding: Array(rest.split(separator: slash).joined(separator: [slash])), as: UTF8.self)
    }

    /// The id of `models:/m-…`.
    package static func loggedModel(_ source: String) -> String? {
        guard source.utf8.starts(with: "models:/m-".utf8) else { return nil }
        return String(
            decoding: source.utf8.dropFirst("models:/".utf8.count).prefix { $0 != slash }, as: UTF8.self)
    }

    /// Where the artifacts are that `models:/m-…` or `runs:/…` stands for; `nil` for other sources.
    package static func resolve(_ source: String, _ db: Database) throws -> String? {
        if let id = loggedModel(source) {
            return try String.fetchOne(
                db, sql: "SELECT artifact_uri FROM logged_model WHERE uuid = ?", arguments: [id])
        }
        guard source.utf8.starts(with: "runs:/".utf8) else { return nil }
        let parts = source.utf8.dropFirst("runs:/".utf8.count).split(separator: slash, maxSplits: 1)
            .map { String(decoding: $0, as: UTF8.self) }
        guard
            let run = parts.first,
            let root = try String.fetchOne(db, sql: "SELECT artifact_uri FROM run WHERE uuid = ?", arguments: [run])
        else { return nil }
        return parts.count > 1 ? "\(root)/\(parts[1])" : root
    }

    /// The name here of what a version's source stands for; `nil` where it is kept elsewhere.
    package static func kept(_ source: String, _ db: Database) throws -> String? {
        path(try resolve(source, db) ?? source)
    }
}
