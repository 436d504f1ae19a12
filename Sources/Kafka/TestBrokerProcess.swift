import Foundation
import Synchronization

/// A running `TestBroker`: librdkafka's mock cluster in a process of its own. It ends with this object, or with the
/// test process, whatever ends that.
package final class TestBrokerProcess: Sendable {
    package let bootstrap: String
    package let processIdentifier: Int32
    private let connection: Mutex<Connection>

    /// `@unchecked Sendable` holds because the only instance lives behind the mutex: `Process` and the handles are
    /// touched by one caller at a time.
    private struct Connection: @unchecked Sendable {
        let process: Process
        let commands: FileHandle
        let answers: FileHandle
        var unread = Data()

        /// The next line of the broker's; blocks until it is there.
        mutating func line() throws -> String {
            while true {
                if let end = unread.firstIndex(of: UInt8(ascii: "\n")) {
                    let line = String(decoding: unread[unread.startIndex..<end], as: UTF8.self)
                    unread.removeSubrange(unread.startIndex...end)
                    return line
                }
                let more = answers.availableData
                guard !more.isEmpty else { throw TestBrokerError("the test broker ended") }
                unread.append(more)
            }
        }
    }

    package init(brokers: Int = 1) throws {
        // A command to a broker that was killed must throw, not end the tests.
        signal(SIGPIPE, SIG_IGN)
        let process = Process()
        process.executableURL = try Self.locate()
        process.arguments = ["--brokers", "\(brokers)"]
        let input = Pipe()
        let output = Pipe()
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        var connection = Connection(
            process: process, commands: input.fileHandleForWriting, answers: output.fileHandleForReading)
        let greeting = try connection.line().split(separator: " ")
        guard greeting.count == 2, greeting[0] == "ready" else {
            throw TestBrokerError("the test broker said \(greeting.joined(separator: " "))")
        }
        bootstrap = String(greeting[1])
        processIdentifier = process.processIdentifier
        self.connection = Mutex(connection)
    }

    deinit { stop() }

    /// Sends one command (`topic NAME PARTITIONS`, `down`, …; see TestBroker) and waits for its answer.
    package func send(_ command: String) throws {
        let answer = try connection.withLock { connection in
            try connection.commands.write(contentsOf: Data((command + "\n").utf8))
            return try connection.line()
        }
        guard answer == "ok" else { throw TestBrokerError("\(command): \(answer)") }
    }

    /// Ends the broker as a closed stdin does; harmless where it has ended.
    package func stop() {
        connection.withLock { connection in
            try? connection.commands.close()
            connection.process.waitUntilExit()
        }
    }

    /// The built program: beside the running test executable, or in a folder above it (a test bundle).
    private static func locate() throws -> URL {
        let running = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
        var starts = [running, Bundle.main.bundleURL]
        if let named = ProcessInfo.processInfo.environment["HOLDFAST_TEST_BROKER"] {
            starts.insert(URL(filePath: named), at: 0)
        }
        for start in starts {
            var folder = start.deletingLastPathComponent()
            for _ in 0..<4 {
                let candidate = folder.appending(path: "TestBroker")
                if FileManager.default.isExecutableFile(atPath: candidate.path) { return candidate }
                folder.deleteLastPathComponent()
            }
        }
        throw TestBrokerError("TestBroker is not built: no such program near \(running.path); run `swift build`")
    }
}

package struct TestBrokerError: Error, CustomStringConvertible {
    package let description: String
    init(_ description: String) { self.description = description }
}
