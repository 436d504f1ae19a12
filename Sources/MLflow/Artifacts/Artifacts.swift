import GRDB
import Registry
package import Values

/// Artifacts by name.
extension MLflowAPI {
    /// An artifact found: what is needed to send it.
    package struct Artifact: Sendable {
        package let size: Int64
        package let sha256: String
        package let reader: BlobStore.Reader
    }

    /// Stores the body under a name. Nothing is visible before all of it is on disk. Refused for what belongs to a finished
    /// model or a registered version, unless the bytes are the same.
    ///
    /// - Parameters:
    ///   - isImported: whether the artifacts of deleted runs are taken too.
    ///   - body: pieces in order.
    package func store<Body: AsyncSequence & Sendable>(
        _ path: ArtifactPath, limit: Int64, isImported: Bool = false, _ body: Body
    ) async throws where Body.Element == [UInt8] {
        try await Self.translating {
            // Looked at again when all has come; here, so that nobody sends gigabytes for nothing.
            if !isImported {
                try await read { db in
                    try Artifacts.checkOwner(db, path)
                    try Artifacts.checkKind(db, path)
                }
            }
            let upload = try await blobs.begin()
            let blob: BlobStore.Blob
            do {
                var pending: [UInt8] = []
                var total: Int64 = 0
                for try await piece in body {
                    total += Int64(piece.count)
                    guard total <= limit else {
                        throw MLflowError.invalid("The artifact is larger than \(limit) bytes, the most taken")
                    }
                    pending += piece
                    if pending.count >= 256 << 10 {
                        try await blobs.append(pending, to: upload)
                        pending.removeAll(keepingCapacity: true)
                    }
                }
                try await blobs.append(pending, to: upload)
                blob = try await blobs.finish(upload)
            } catch {
                await blobs.discard(upload)
                throw error
            }
            let now = milliseconds
            try await write { [blobs] db in
                if !isImported { try Artifacts.checkOwner(db, path) }
                try Artifacts.put(db, path, blob, at: now)
                // Bytes that nothing named yet may have been freed between the upload's end and here.
                guard try blobs.holds(blob.sha256) else {
                    throw MLflowError(.temporarilyUnavailable, "The artifact '\(path.text)' must be sent again")
                }
            }
        }
    }

    /// What is stored under a name.
    package func artifact(_ path: ArtifactPath) async throws -> Artifact {
        try await Self.translating {
            let blob = try await read { db in
                try Row.fetchOne(
                    db.cachedStatement(sql: "SELECT sha256, size FROM artifact WHERE path = ?"), arguments: [path.text]
                ).map { BlobStore.Blob(sha256: $0["sha256"], size: $0["size"]) }
            }
            guard let blob else { throw MLflowError.missing("No such artifact: '\(path.text)'") }
            guard let reader = try await blobs.open(blob.sha256) else {
                throw MLflowError(
                    .internalError, "The bytes of artifact '\(path.text)' are missing from the server's disk")
            }
            return Artifact(size: blob.size, sha256: blob.sha256, reader: reader)
        }
    }

    /// Reading goes on from this byte.
    package func start(_ artifact: Artifact, at offset: Int64) async throws {
        try await blobs.start(artifact.reader, at: offset)
    }

    /// The next piece of an artifact, empty at its end.
    package func next(_ artifact: Artifact) async throws -> [UInt8] { try await blobs.next(artifact.reader) }

    /// Removes a name and all names under it. The bytes stay for others that have the same.
    package func remove(_ path: ArtifactPath) async throws {
        try await Self.translating { try await write { try Artifacts.remove($0, path) } }
    }

    /// One level under a name, or of everything where it is `nil`: `{"files": [{path, is_dir, file_size}]}`.
    package func list(_ path: ArtifactPath?) async throws -> JSON {
        try await Self.translating {
            let files = try await read { try Artifacts.list($0, under: path?.text) }
            return .members(("files", .array(files.map { $0.view(path: $0.name) })))
        }
    }
}

/// Rows of `artifact`.
enum Artifacts {
    struct File: Hashable, Sendable {
        let name: String
        /// `nil` for a folder.
        let size: Int64?

        func view(path: String) -> JSON {
            .members(("path", .string(path)), ("is_dir", .bool(size == nil)), ("file_size", size.map { .integer($0) }))
        }
    }

    /// Whose finished files a name is among: a logged model that is ready, or whatever a registered version was made from.
    static func frozen(_ db: Database, _ path: ArtifactPath) throws -> String? {
        let paths = path.prefixes
        let addresses = paths.map { "\(ArtifactLocation.scheme)/\($0)" }
        let marks = Array(repeating: "?", count: paths.count).joined(separator: ", ")
        let version = try Row.fetchOne(
            db,
            sql: """
                SELECT m.name, v.number FROM model_version v JOIN registered_model m ON m.id = v.model_id
                WHERE v.deleted_at IS NULL AND (v.location IN (\(marks)) OR v.model_uuid IN (
                    SELECT uuid FROM logged_model WHERE artifact_uri IN (\(marks)))) LIMIT 1
                """, arguments: StatementArguments(paths + addresses))
        if let version { return "version \(version["number"] as Int64) of model \(version["name"] as String)" }
        let model = try String.fetchOne(
            db,
            sql: """
                SELECT uuid FROM logged_model WHERE artifact_uri IN (\(marks))
                AND ready_at IS NOT NULL AND lifecycle = 'active'
                """, arguments: StatementArguments(addresses))
        return model.map { "logged model \($0), which is ready or was" }
    }

    static func put(_ db: Database, _ path: ArtifactPath, _ blob: BlobStore.Blob, at: Int64) throws {
        let present = try String.fetchOne(
            db, sql: "SELECT sha256 FROM artifact WHERE path = ?", arguments: [path.text])
        if present == blob.sha256 { return }
        if let owner = try frozen(db, path) {
            throw MLflowError.invalid("Artifact '\(path.text)' belongs to \(owner): it cannot be changed or added to")
        }
        try checkKind(db, path)
        try db.execute(
            sql: """
                INSERT INTO artifact (path, sha256, size, created_at) VALUES (?, ?, ?, ?)
                ON CONFLICT (path) DO UPDATE
                SET sha256 = excluded.sha256, size = excluded.size, created_at = excluded.created_at
                """, arguments: [path.text, blob.sha256, blob.size, at])
    }

    static func remove(_ db: Database, _ path: ArtifactPath) throws {
        for row in try under(db, path.text) {
            let name: String = row["path"]
            if let owner = try frozen(db, try ArtifactPath(name)) {
                throw MLflowError.invalid("Artifact '\(name)' belongs to \(owner): it cannot be deleted")
            }
        }
        let (from, to) = range(path.text)
        try db.execute(
            sql: "DELETE FROM artifact WHERE path = ? OR (path >= ? AND path < ?)", arguments: [path.text, from, to])
    }

    /// The files under a name and the one that has it, by name in byte order.
    static func under(_ db: Database, _ prefix: String) throws -> [Row] {
        let (from, to) = range(prefix)
        return try Row.fetchAll(
            db, sql: "SELECT * FROM artifact WHERE path = ? OR (path >= ? AND path < ?) ORDER BY path",
            arguments: [prefix, from, to])
    }

    /// One level. Folders are what their files' names say.
    static func list(_ db: Database, under prefix: String?) throws -> [File] {
        let (from, to) = prefix.map(range) ?? ("", "\u{10FFFF}")
        let statement = try db.cachedStatement(
            sql: "SELECT path, size FROM artifact WHERE path >= ? AND path < ? ORDER BY path LIMIT 1")
        var files: [File] = []
        var next = from
        // Steps from entry to entry, so that a folder of a million files costs its parent one step.
        while let row = try Row.fetchOne(statement, arguments: [next, to]) {
            let path: String = row["path"]
            let rest = path.utf8.dropFirst(from.utf8.count)
            if let slash = rest.firstIndex(of: UInt8(ascii: "/")) {
                let name = String(decoding: rest[..<slash], as: UTF8.self)
                files.append(File(name: name, size: nil))
                next = range(from + name).1
            } else {
                files.append(File(name: String(decoding: rest, as: UTF8.self), size: row["size"]))
                next = path + "\u{1}"
            }
        }
        // Between a file `a` and a folder `a/` there may be names such as `a-b`.
        return files.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
    }

    /// All names under one: `0` comes after `/`.
    static func range(_ prefix: String) -> (String, String) { ("\(prefix)/", "\(prefix)0") }
}
