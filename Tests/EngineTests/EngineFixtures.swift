import Foundation
import Sketches
import Values

/// Shared ground of the engine's tests.
enum Fixture {
    /// An instant written as RFC 3339; tests name only instants that exist.
    static func time(_ text: String) -> Timestamp {
        guard let time = Timestamp(rfc3339: text) else { preconditionFailure("\(text) is no RFC 3339 time") }
        return time
    }

    static func span(_ text: String) -> Span {
        guard let span = Span(parsing: text) else { preconditionFailure("\(text) is no duration") }
        return span
    }

    /// A folder of its own, removed afterwards.
    static func withFolder<T>(_ body: (URL) throws -> T) throws -> T {
        let folder = try makeFolder()
        defer { try? FileManager.default.removeItem(at: folder) }
        return try body(folder)
    }

    static func withFolder<T>(_ body: (URL) async throws -> T) async throws -> T {
        let folder = try makeFolder()
        defer { try? FileManager.default.removeItem(at: folder) }
        return try await body(folder)
    }

    private static func makeFolder() throws -> URL {
        let folder = FileManager.default.temporaryDirectory.appending(path: "holdfast-engine-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        return folder
    }
}

extension Moments {
    /// Adds a value in one go, as the accumulator does in two.
    mutating func add(_ value: Double, scale: Double) {
        add(quantum: Moments.quantum(value, scale: scale), value: value)
    }
}
