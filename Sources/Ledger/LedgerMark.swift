import Foundation

/// How far the ledger had come, in a small file beside it. SQLite drops what a damaged or missing write-ahead log held and says nothing; the
/// mark tells.
///
/// It is written after each commit and may be behind the ledger (a crash in between, a power cut), never ahead of it.
final class LedgerMark: Sendable {
    private let path: String

    init(ledger: String) { path = ledger + ".mark" }

    /// Commits the ledger held at least; 0 without a mark.
    func read() -> Int64 {
        guard let text = try? String(contentsOfFile: path, encoding: .utf8) else { return 0 }
        return Int64(text.trimmingCharacters(in: .whitespacesAndNewlines)) ?? 0
    }

    /// Best effort: a mark that is behind only sees less.
    func write(_ commits: Int64) {
        guard let handle = FileHandle(forWritingAtPath: path) ?? make() else { return }
        defer { try? handle.close() }
        // One fixed width, so that a write over the last one is whole.
        try? handle.write(contentsOf: Data(String(format: "%019lld\n", commits).utf8))
    }

    private func make() -> FileHandle? {
        guard FileManager.default.createFile(atPath: path, contents: nil) else { return nil }
        return FileHandle(forWritingAtPath: path)
    }
}
