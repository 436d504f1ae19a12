import Foundation

/// Which build this is.
package enum BuildInfo {
    package static let version = "0.1.0"

    /// Version and commit, as `--version` prints them. The build writes the commit beside the program (`make build`).
    package static var text: String {
        let executable = URL(filePath: CommandLine.arguments.first ?? "").resolvingSymlinksInPath()
        let own = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")).map {
            URL(filePath: $0)
        }
        let file = (own ?? executable).deletingLastPathComponent().appending(path: "holdfast.commit")
        let commit = (try? String(contentsOf: file, encoding: .utf8))?.trimmingCharacters(in: .whitespacesAndNewlines)
        return "holdfast \(version)" + (commit.map { " (\($0))" } ?? "")
    }
}
