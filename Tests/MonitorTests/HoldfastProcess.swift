import Foundation
import Synchronization

/// The built `holdfast` program as a process of its own, as its users run it.
final class HoldfastProcess: Sendable {
    /// `Process` is not Sendable; the mutex lets one caller at a time touch it.
    private struct Running: @unchecked Sendable {
        let process: Process
    }

    private let running: Mutex<Running>
    /// Where the program's output goes: a file, because handlers on pipes have crashed the test process when the program was killed.
    private let output: URL
    private let ended = Mutex<Int32?>(nil)

    /// - Parameters:
    ///   - arguments: the command and its options.
    ///   - executable: another program, for peers.
    init(_ arguments: [String], environment: [String: String] = [:], executable: URL? = nil) throws {
        let process = Process()
        process.executableURL = try executable ?? Self.locate()
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { _, new in new }
        let output = FileManager.default.temporaryDirectory.appending(path: "holdfast-output-\(UUID().uuidString)")
        try Data().write(to: output)
        let handle = try FileHandle(forWritingTo: output)
        process.standardOutput = handle
        process.standardError = handle
        process.standardInput = FileHandle.nullDevice
        self.output = output
        running = Mutex(Running(process: process))
        process.terminationHandler = { [weak self] process in
            let code = process.terminationReason == .exit ? process.terminationStatus : -process.terminationStatus
            self?.ended.withLock { $0 = code }
        }
        try process.run()
        try handle.close()
    }

    deinit {
        kill(SIGKILL)
        try? FileManager.default.removeItem(at: output)
    }

    var text: String { (try? String(contentsOf: output, encoding: .utf8)) ?? "" }
    /// Exit status, negative for a signal; `nil` while it runs.
    var status: Int32? { ended.withLock { $0 } }

    func kill(_ signal: Int32) {
        running.withLock { running in
            if running.process.isRunning { Foundation.kill(running.process.processIdentifier, signal) }
        }
    }

    func waitForEnd(_ deadline: Duration = .seconds(120)) async throws -> Int32 {
        try await eventually("the program ends", deadline) { self.status }
    }

    /// Runs to the end.
    static func run(_ arguments: [String], deadline: Duration = .seconds(300)) async throws -> (
        status: Int32, text: String
    ) {
        let process = try HoldfastProcess(arguments)
        let status = try await process.waitForEnd(deadline)
        // The pipe may still hold the last lines when the end is told.
        _ = try? await eventually("the output ends", .milliseconds(500)) { process.text.isEmpty ? nil : true }
        return (status, process.text)
    }

    private static func locate() throws -> URL {
        let test = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
        for start in [test, Bundle.main.bundleURL] {
            var folder = start.deletingLastPathComponent()
            for _ in 0..<4 {
                let candidate = folder.appending(path: "holdfast")
                if FileManager.default.isExecutableFile(atPath: candidate.path) { return candidate }
                folder.deleteLastPathComponent()
            }
        }
        throw TestFailure("holdfast is not built; run `swift build`")
    }
}

/// Waits until `read` gives a value, looking again every few milliseconds.
func eventually<T>(
    _ what: String, _ deadline: Duration = .seconds(120), _ read: () async throws -> T?
) async throws -> T {
    let end = ContinuousClock.now + deadline
    while ContinuousClock.now < end {
        if let value = try await read() { return value }
        try await Task.sleep(for: .milliseconds(20))
    }
    throw TestFailure("\(what): not within \(deadline)")
}
