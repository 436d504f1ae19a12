package import GRDB

/// Where artifacts are, as addresses say it. Text: nothing here opens it.
package enum ArtifactLocation {
    /// What is kept here is addressed by it; the client turns it into requests to this server.
    package static let scheme = "mlflow-artifacts:"
    private static let slash = UInt8(ascii: "/")

    /// The part of an address that names something kept here, without empty parts; `nil` for other addresses.
    package static func path(_ address: String) -> String? {
        // Bytes and not characters: a slash and a combining mark after it are one character.
        guard begins(address, with: scheme) else { return nil }
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
        guard begins(source, with: "models:/m-") else { return nil }
        return String(
            decoding: source.utf8.dropFirst("models:/".utf8.count).prefix { $0 != slash }, as: UTF8.self)
    }

    /// Where the artifacts are that `models:/m-…` or `runs:/…` stands for; `nil` for other sources.
    package static func resolve(_ source: String, _ db: Database) throws -> String? {
        if let id = loggedModel(source) {
            return try String.fetchOne(
                db, sql: "SELECT artifact_uri FROM logged_model WHERE uuid = ?", arguments: [id])
        }
        guard
            let run = run(source),
            let root = try String.fetchOne(db, sql: "SELECT artifact_uri FROM run WHERE uuid = ?", arguments: [run])
        else { return nil }
        let parts = runParts(source)
        return parts.count > 1 ? "\(root)/\(parts[1])" : root
    }

    /// The id in `runs:/ID/…`.
    static func run(_ source: String) -> String? { runParts(source).first }

    private static func runParts(_ source: String) -> [String] {
        guard begins(source, with: "runs:/") else { return [] }
        return source.utf8.dropFirst("runs:/".utf8.count).split(separator: slash, maxSplits: 1)
            .map { String(decoding: $0, as: UTF8.self) }
    }

    /// Where a version that is about to be registered is stored, and will be whatever happens to what its source names.
    /// `models:/NAME/NUMBER`, which copies of versions have, is stored where that version is; `nil` where the source says
    /// all there is.
    package static func storage(_ source: String, _ db: Database) throws -> String? {
        guard let (name, number) = version(source) else { return try resolve(source, db) }
        let row = try Row.fetchOne(
            db,
            sql: """
                SELECT v.source, v.storage FROM model_version v JOIN registered_model m ON m.id = v.model_id
                WHERE m.name = ? AND v.number = ? AND v.deleted_at IS NULL
                """, arguments: [name, number])
        guard let row else {
            throw RegistryError(
                .notFound, "Unable to fetch model from model URI source artifact location '\(source)': no such version")
        }
        let original: String = row["source"]
        return try row["storage"] ?? resolve(original, db) ?? original
    }

    /// The name and number of `models:/NAME/NUMBER`.
    static func version(_ source: String) -> (name: String, number: Int64)? {
        guard begins(source, with: "models:/") else { return nil }
        let parts = source.utf8.dropFirst("models:/".utf8.count).split(separator: slash)
            .map { String(decoding: $0, as: UTF8.self) }
        guard parts.count == 2, let number = Int64(parts[1]), loggedModel(source) == nil else { return nil }
        return (parts[0], number)
    }

    /// Schemes are read in any case (RFC 3986, 3.1), as clients do.
    static func begins(_ address: String, with prefix: String) -> Bool {
        address.utf8.prefix(prefix.utf8.count).elementsEqual(prefix.utf8) { given, known in
            given == known || (given | 0x20 == known && known &- 0x61 < 26)
        }
    }

    /// An address with a path after that of another, whose query and fragment stay at the end.
    package static func appending(_ path: String, to address: String) -> String {
        let hasScheme = address.utf8.contains(UInt8(ascii: ":"))
        let end = hasScheme ? address.firstIndex { $0 == "?" || $0 == "#" } ?? address.endIndex : address.endIndex
        let separator = address[..<end].hasSuffix("/") ? "" : "/"
        return "\(address[..<end])\(separator)\(path)\(address[end...])"
    }

    /// The name here of what a version's source stands for; `nil` where it is kept elsewhere.
    package static func kept(_ source: String, _ db: Database) throws -> String? {
        path(try resolve(source, db) ?? source)
    }
}
