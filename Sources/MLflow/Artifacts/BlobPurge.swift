import GRDB
package import Values

/// What freeing the bytes of artifacts that nothing names any more did, or would do.
package struct FreedBlobs: Sendable, Hashable {
    package var files = 0
    package var bytes: Int64 = 0
}

extension MLflowAPI {
    /// Removes the files of artifacts that were deleted or replaced, and what interrupted uploads left.
    ///
    /// Safe beside uploads of this and other processes: a file goes while the write lock of the registry is held and no name
    /// refers to it, and an upload gives its file a name under the same lock, where it looks whether the file is still there.
    ///
    /// - Parameters:
    ///   - limit: only files written before; an hour ago leaves uploads that go on alone.
    ///   - dryRun: only count.
    package func freeBlobs(writtenBefore limit: Timestamp, dryRun: Bool) async throws -> FreedBlobs {
        try await Self.translating {
            var freed = FreedBlobs()
            for file in try await blobs.leftovers(before: limit) {
                if !dryRun { try await blobs.remove(file) }
                freed.add(file)
            }
            for folder in try await blobs.folders() {
                let files = try await blobs.files(in: folder, before: limit)
                // Each part takes the lock anew, so that clients' writes get their turn.
                for start in stride(from: 0, to: files.count, by: Self.filesPerLock) {
                    let part = Array(files[start..<min(start + Self.filesPerLock, files.count)])
                    let gone =
                        dryRun
                        ? try await read { try Artifacts.unnamed(part, $0) }
                        : try await write { [blobs] db in
                            let unnamed = try Artifacts.unnamed(part, db)
                            for file in unnamed { try blobs.erase(file) }
                            return unnamed
                        }
                    for file in gone { freed.add(file) }
                }
            }
            return freed
        }
    }

    private static let filesPerLock = 200
}

extension FreedBlobs {
    fileprivate mutating func add(_ file: BlobStore.File) {
        files += 1
        bytes += file.size
    }
}

extension Artifacts {
    /// Those of the files that no artifact is in.
    fileprivate static func unnamed(_ files: [BlobStore.File], _ db: Database) throws -> [BlobStore.File] {
        let named = try db.cachedStatement(sql: "SELECT 1 FROM artifact WHERE sha256 = ? LIMIT 1")
        return try files.filter { try Int.fetchOne(named, arguments: [$0.name]) == nil }
    }
}
