import GRDB
package import Values

/// What freeing the bytes of artifacts that nothing names any more did, or would do.
package struct FreedBlobs: Sendable, Hashable {
    package var files = 0
    package var bytes: Int64 = 0
    /// Those that nothing names either and that were written too lately to be freed: an upload may be about to name them.
    package var youngFiles = 0
    package var youngBytes: Int64 = 0
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
            for file in try await blobs.leftovers() {
                if file.writtenAt < limit, !dryRun { try await blobs.remove(file) }
                freed.add(file, limit)
            }
            for folder in try await blobs.folders() {
                let all = try await blobs.files(in: folder)
                let files = all.filter { $0.writtenAt < limit }
                let young = all.filter { $0.writtenAt >= limit }
                for file in try await read({ try Artifacts.unnamed(young, $0) }) { freed.add(file, limit) }
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
                    for file in gone { freed.add(file, limit) }
                }
            }
            return freed
        }
    }

    private static let filesPerLock = 200
}

extension FreedBlobs {
    fileprivate mutating func add(_ file: BlobStore.File, _ limit: Timestamp) {
        if file.writtenAt < limit {
            files += 1
            bytes += file.size
        } else {
            youngFiles += 1
            youngBytes += file.size
        }
    }
}

extension Artifacts {
    /// Those of the files that no artifact is in.
    fileprivate static func unnamed(_ files: [BlobStore.File], _ db: Database) throws -> [BlobStore.File] {
        let named = try db.cachedStatement(sql: "SELECT 1 FROM artifact WHERE sha256 = ? LIMIT 1")
        return try files.filter { try Int.fetchOne(named, arguments: [$0.name]) == nil }
    }
}
