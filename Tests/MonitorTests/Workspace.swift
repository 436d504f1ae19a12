import Foundation
import Monitor
import StrictYAML

/// A folder of a test's own, removed with it.
final class Workspace: Sendable {
    let folder: URL

    init() throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "holdfast-test-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    func path(_ name: String) -> String { folder.appending(path: name).path }

    @discardableResult
    func write(_ name: String, _ text: String) throws -> String {
        let url = folder.appending(path: name)
        try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: url)
        return url.path
    }

    func lines(_ name: String) throws -> [String] {
        try String(contentsOfFile: path(name), encoding: .utf8).split(separator: "\n").map(String.init)
    }

    /// Replays files under a configuration and returns the folder of its output.
    @discardableResult
    func replay(_ configuration: String, _ files: [String], order: Replay.Order = .time, out: String) throws
        -> Replay.Summary
    {
        let read: Configuration
        do {
            read = try ConfigurationReader.read(configuration)
        } catch {
            throw TestFailure("\(error)")
        }
        return try Replay(read).run(files, order: order, out: path(out))
    }
}

struct TestFailure: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
