import Foundation
import Testing

/// Style that a machine can judge, as a test: what these find would otherwise be found in review.
struct TidyTests {
    struct Source: Sendable {
        let path: String
        let lines: [Substring]
    }

    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    static func sources(_ folder: String) -> [Source] {
        let base = root.appending(path: folder)
        let files = FileManager.default.enumerator(atPath: base.path)?.compactMap { $0 as? String } ?? []
        return files.filter { $0.hasSuffix(".swift") }.sorted().compactMap { name in
            guard let text = try? String(contentsOf: base.appending(path: name), encoding: .utf8) else { return nil }
            return Source(
                path: "\(folder)/\(name)", lines: text.split(separator: "\n", omittingEmptySubsequences: false))
        }
    }

    static func find(_ folder: String, _ matches: (Source, Int, Substring) -> Bool) -> [String] {
        sources(folder).flatMap { source in
            source.lines.enumerated().compactMap { i, line in
                matches(source, i, line) ? "\(source.path):\(i + 1): \(line.trimmingCharacters(in: .whitespaces))" : nil
            }
        }
    }

    @Test("a file holds one idea: 400 lines at most")
    func shortFiles() {
        let long = (Self.sources("Sources") + Self.sources("Tests")).filter { $0.lines.count > 400 }.map {
            "\($0.path): \($0.lines.count)"
        }
        #expect(long.isEmpty)
    }

    @Test("nothing is left for later")
    func nothingOpen() {
        let words = ["TO" + "DO", "FIX" + "ME", "XX" + "X:"]
        #expect(Self.find("Sources") { _, _, line in words.contains { line.contains($0) } }.isEmpty)
    }

    @Test("below Monitor nobody reads a clock, draws a random number or asks the environment")
    func pure() {
        let impure = ["Date()", ".random(in:", "Date.now", "ProcessInfo.processInfo.environment", "Timestamp.now"]
        // Its own process and the builds' helper programs are not part of the engine.
        let exempt = [
            "Sources/Monitor/", "Sources/holdfast/", "Sources/TestBroker/", "Sources/Kafka/TestBrokerProcess.swift",
        ]
        let found = Self.find("Sources") { source, _, line in
            !exempt.contains { source.path.hasPrefix($0) } && impure.contains { line.contains($0) }
                && !line.trimmingCharacters(in: .whitespaces).hasPrefix("//")
        }
        #expect(found.isEmpty)
    }

    @Test("what the compiler cannot check says why it holds")
    func explained() {
        let unsafe = ["@unchecked Sendable", "nonisolated(unsafe)", "try!"]
        let found = Self.find("Sources") { source, i, line in
            guard unsafe.contains(where: { line.contains($0) }),
                !line.trimmingCharacters(in: .whitespaces).hasPrefix("//")
            else { return false }
            // In the ten lines before, or at the end of the line itself.
            return !source.lines[max(0, i - 10)...i].contains { $0.contains("//") }
        }
        #expect(found.isEmpty)
    }

    @Test("tests wait for conditions, they do not sleep")
    func noSleeping() {
        // `eventually` is the one place that looks again after a moment.
        let found = Self.find("Tests") { source, _, line in
            !source.path.hasSuffix("HoldfastProcess.swift") && !source.path.contains("TidyTests")
                && ["Task.sleep", "usleep(", "Thread.sleep"].contains { line.contains($0) }
        }
        #expect(found.isEmpty)
    }
}
