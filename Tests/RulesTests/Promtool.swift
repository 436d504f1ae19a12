import Foundation

/// Prometheus' own rule checker, where it is installed (Debian package `prometheus`).
enum Promtool {
    static let path = ["/usr/bin/promtool", "/usr/local/bin/promtool"].first {
        FileManager.default.isExecutableFile(atPath: $0)
    }

    struct Missing: Error {}

    /// Runs `promtool test rules` on one test file beside its rule file `r.yml`; 0 where every expectation holds.
    static func test(rules: String, test: String) throws -> (status: Int32, text: String) {
        guard let path else { throw Missing() }
        let folder = FileManager.default.temporaryDirectory.appending(path: "holdfast-promtool-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try rules.write(to: folder.appending(path: "r.yml"), atomically: true, encoding: .utf8)
        try test.write(to: folder.appending(path: "t.yml"), atomically: true, encoding: .utf8)
        let process = Process()
        process.executableURL = URL(filePath: path)
        process.arguments = ["test", "rules", "t.yml"]
        process.currentDirectoryURL = folder
        let output = Pipe()
        process.standardOutput = output
        process.standardError = output
        try process.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        return (process.terminationStatus, text)
    }
}
