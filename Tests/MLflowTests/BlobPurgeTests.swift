import Foundation
import MLflow
import Testing
import Values

/// The bytes of artifacts that nothing names any more are given back to the disk, and no others.
struct BlobPurgeTests {
    private static let always = Timestamp(microseconds: 4_000_000_000_000_000)

    private static func files(_ rig: Rig) -> [String] {
        let all = FileManager.default.enumerator(atPath: rig.folder.path)?.compactMap { $0 as? String } ?? []
        return all.filter { $0.split(separator: "/").last?.count == 64 }
    }

    @Test func `deleted artifacts give their bytes back, shared ones when the last name is gone`() async throws {
        let rig = try await Rig()
        for (path, text) in [("0/a/x", "shared"), ("0/b/x", "shared"), ("0/a/y", "alone"), ("0/a/z", "stays")] {
            try await rig.store(path, text)
        }
        for path in ["0/a/x", "0/a/y"] { try await rig.api.remove(try ArtifactPath(path)) }
        let would = try await rig.api.freeBlobs(writtenBefore: Self.always, dryRun: true)
        #expect(would.files == 1 && would.bytes == 5)
        #expect(Self.files(rig).count == 3)
        #expect(try await rig.api.freeBlobs(writtenBefore: Self.always, dryRun: false) == would)
        #expect(try await rig.text("0/b/x") == "shared")
        #expect(try await rig.text("0/a/z") == "stays")
        try await rig.api.remove(try ArtifactPath("0/b/x"))
        #expect(try await rig.api.freeBlobs(writtenBefore: Self.always, dryRun: false).bytes == 6)
        #expect(Self.files(rig).count == 1)
    }

    @Test func `young files stay, as an upload may be about to name them`() async throws {
        let rig = try await Rig()
        try await rig.store("0/a/x", "bytes")
        try await rig.api.remove(try ArtifactPath("0/a/x"))
        let long = Timestamp(microseconds: 1_000_000)
        let freed = try await rig.api.freeBlobs(writtenBefore: long, dryRun: false)
        #expect(freed.files == 0 && freed.youngFiles == 1 && freed.youngBytes == 5, "it says that they are there")
        #expect(Self.files(rig).count == 1)
    }

    @Test func `what uploads left that never ended goes too`() async throws {
        let rig = try await Rig()
        try await rig.store("0/a/x", "bytes")
        try Data(count: 7).write(to: rig.folder.appending(path: "incoming/abandoned"))
        let freed = try await rig.api.freeBlobs(writtenBefore: Self.always, dryRun: false)
        #expect(freed.files == 1 && freed.bytes == 7)
        #expect(try await rig.text("0/a/x") == "bytes")
    }

    @Test func `an upload beside a purge is whole, or refused so that the client sends it again`() async throws {
        let rig = try await Rig()
        let stored = try await withThrowingTaskGroup(of: String?.self) { group in
            for i in 0..<60 {
                group.addTask {
                    let path = "0/run/\(i)"
                    do {
                        try await rig.store(path, "bytes \(i % 10)")
                        return path
                    } catch let error as MLflowError where error.code == .temporarilyUnavailable {
                        return nil
                    }
                }
            }
            group.addTask {
                // Without the hour that uploads have otherwise.
                for _ in 0..<10 { _ = try await rig.api.freeBlobs(writtenBefore: Self.always, dryRun: false) }
                return nil
            }
            return try await group.reduce(into: [String]()) { $0 += $1.map { [$0] } ?? [] }
        }
        for path in stored { #expect(try await rig.text(path).hasPrefix("bytes ")) }
    }
}
