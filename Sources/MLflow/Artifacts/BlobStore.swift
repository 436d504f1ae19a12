import COpenSSL
import Dispatch
import FoundationEssentials
import Glibc
import Values

/// Files called by the SHA-256 of what is in them, in one folder: `ab/abcdef…`. The same bytes are kept once.
///
/// Invariants: a file under its digest's name is whole and on disk (it is written under another name, synced and renamed);
/// a name is made of hexadecimal digits that were computed here. Disks block, so the work is done on a queue of its own.
package final class BlobStore: Sendable {
    private let folder: String
    private let newName: @Sendable () -> String
    private let queue = DispatchQueue(label: "holdfast.artifacts", attributes: .concurrent)

    init(folder: String, newName: @escaping @Sendable () -> String) {
        self.folder = folder
        self.newName = newName
    }

    /// What was stored.
    struct Blob: Hashable, Sendable {
        let sha256: String
        let size: Int64
    }

    func path(_ sha256: String) throws(MLflowError) -> String {
        let isDigest = sha256.utf8.count == 64 && sha256.utf8.allSatisfy { $0 &- 0x30 < 10 || $0 &- 0x61 < 6 }
        guard isDigest else {
            throw MLflowError(.internalError, "the digest of an artifact is damaged in the registry")
        }
        return "\(folder)/\(sha256.prefix(2))/\(sha256)"
    }

    /// Begins a file. Whoever does not `finish` it must `discard` it.
    func begin() async throws -> Upload {
        let (folder, name) = (folder + "/incoming", newName())
        return try await run {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            return try Upload(path: folder + "/" + name)
        }
    }

    func append(_ bytes: [UInt8], to upload: Upload) async throws { try await run { try upload.write(bytes) } }

    func discard(_ upload: Upload) async { try? await run { upload.discard() } }

    /// Puts the file where it belongs; it is durable when this answers.
    func finish(_ upload: Upload) async throws -> Blob {
        try await run { [self] in
            let blob = try upload.close()
            let target = try path(blob.sha256)
            let parent = String(target.dropLast(65))
            try FileManager.default.createDirectory(atPath: parent, withIntermediateDirectories: true)
            guard rename(upload.path, target) == 0 else { throw Upload.failure("cannot be moved into place") }
            try Upload.sync(folder: parent)
            return blob
        }
    }

    /// Opens a blob for reading; `nil` where the file is missing.
    func open(_ sha256: String) async throws -> Reader? {
        let path = try path(sha256)
        return try await run { Reader(path: path) }
    }

    func start(_ reader: Reader, at offset: Int64) async throws { try await run { reader.start(at: offset) } }

    func next(_ reader: Reader) async throws -> [UInt8] { try await run { try reader.next() } }

    /// A file of the store, with its size in bytes.
    struct File: Hashable, Sendable {
        let path: String
        let name: String
        let size: Int64
        /// To the second.
        let writtenAt: Timestamp
    }

    /// What uploads left that neither ended nor were discarded.
    func leftovers() async throws -> [File] { try await files(in: "incoming") }

    /// The folders that digests are spread over.
    func folders() async throws -> [String] {
        try await run { [folder] in
            guard FileManager.default.fileExists(atPath: folder) else { return [] }
            return try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.utf8.count == 2 }.sorted()
        }
    }

    /// The files of one folder.
    func files(in part: String) async throws -> [File] {
        try await run { [folder] in
            let parent = "\(folder)/\(part)"
            guard FileManager.default.fileExists(atPath: parent) else { return [] }
            return try FileManager.default.contentsOfDirectory(atPath: parent).sorted().compactMap { name in
                var about = stat()
                guard lstat("\(parent)/\(name)", &about) == 0 else { return nil }
                return File(
                    path: "\(parent)/\(name)", name: name, size: Int64(about.st_size),
                    writtenAt: Timestamp(microseconds: Int64(about.st_mtim.tv_sec) * 1_000_000))
            }
        }
    }

    func remove(_ file: File) async throws { try await run { try self.erase(file) } }

    /// Blocks for as long as the disk does.
    func erase(_ file: File) throws {
        guard unlink(file.path) == 0 || errno == ENOENT else { throw Upload.failure("cannot be removed") }
    }

    /// Whether the bytes are there. Blocks for as long as the disk does.
    func holds(_ sha256: String) throws -> Bool { access(try path(sha256), F_OK) == 0 }

    private func run<T: Sendable>(_ body: @escaping @Sendable () throws -> T) async throws -> T {
        try await withCheckedThrowingContinuation { continuation in
            queue.async { continuation.resume(with: Result { try body() }) }
        }
    }

    /// A file that is being written. One caller at a time, each call on the store's queue after the one before it.
    package final class Upload: @unchecked Sendable {
        let path: String
        private var file: Int32
        private var size: Int64 = 0
        private let digest = EVP_MD_CTX_new()

        init(path: String) throws {
            self.path = path
            file = Glibc.open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0o600)
            guard file >= 0, EVP_DigestInit_ex(digest, EVP_sha256(), nil) == 1 else {
                throw Self.failure("cannot be created")
            }
        }

        deinit {
            if file >= 0 { discard() }
            EVP_MD_CTX_free(digest)
        }

        func write(_ bytes: [UInt8]) throws {
            try bytes.withUnsafeBytes { buffer in
                // The context and the buffer outlive the call.
                EVP_DigestUpdate(digest, buffer.baseAddress, buffer.count)
                var rest = buffer[...]
                while !rest.isEmpty {
                    let part = UnsafeRawBufferPointer(rebasing: rest)
                    let written = Glibc.write(file, part.baseAddress, part.count)
                    if written < 0, errno == EINTR { continue }
                    guard written > 0 else { throw Self.failure("cannot be written") }
                    rest = rest.dropFirst(written)
                }
            }
            size += Int64(bytes.count)
        }

        func close() throws -> Blob {
            guard fsync(file) == 0, Glibc.close(file) == 0 else { throw Self.failure("cannot be written") }
            file = -1
            var bytes = [UInt8](repeating: 0, count: Int(SHA256_DIGEST_LENGTH))
            EVP_DigestFinal_ex(digest, &bytes, nil)
            return Blob(sha256: Hexadecimal.text(bytes), size: size)
        }

        func discard() {
            if file >= 0 { _ = Glibc.close(file) }
            file = -1
            unlink(path)
        }

        static func sync(folder: String) throws {
            let descriptor = Glibc.open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
            guard descriptor >= 0 else { throw failure("cannot be made durable") }
            defer { _ = Glibc.close(descriptor) }
            guard fsync(descriptor) == 0 else { throw failure("cannot be made durable") }
        }

        static func failure(_ what: String) -> MLflowError {
            let why = String(cString: strerror(errno))
            return MLflowError(
                .temporarilyUnavailable, "the artifact \(what): \(why); look at the disk of the server and try again")
        }
    }

    /// A file that is being read, in pieces; as `Upload`, one caller at a time.
    package final class Reader: @unchecked Sendable {
        private let file: Int32
        private static let pieceBytes = 256 << 10

        init?(path: String) {
            file = Glibc.open(path, O_RDONLY | O_CLOEXEC)
            if file < 0 { return nil }
        }

        deinit { _ = Glibc.close(file) }

        func start(at offset: Int64) { lseek(file, off_t(offset), SEEK_SET) }

        /// Empty at the end.
        func next() throws -> [UInt8] {
            let file = file
            let piece = [UInt8](unsafeUninitializedCapacity: Self.pieceBytes) { buffer, count in
                var got = Glibc.read(file, buffer.baseAddress, Self.pieceBytes)
                while got < 0, errno == EINTR { got = Glibc.read(file, buffer.baseAddress, Self.pieceBytes) }
                count = max(0, got)
            }
            return piece
        }
    }
}

/// Bytes as lower-case hexadecimal digits.
enum Hexadecimal {
    static func text(_ bytes: [UInt8]) -> String {
        let digits = [UInt8]("0123456789abcdef".utf8)
        return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }
}
