import Logging
import Synchronization

/// What was logged, line by line, for tests of what is told and what is not.
final class LogLines: Sendable {
    private let lines = Mutex<[String]>([])
    private let stream: AsyncStream<String>
    private let told: AsyncStream<String>.Continuation

    init() { (stream, told) = AsyncStream.makeStream() }

    var all: [String] { lines.withLock { $0 } }

    var log: Logger {
        var log = Logger(label: "test") { _ in Handler(lines: self) }
        log.logLevel = .trace
        return log
    }

    /// The next line that fits, waiting for it.
    func next(_ fits: (String) -> Bool) async -> String {
        for await line in stream where fits(line) { return line }
        return ""
    }

    private func add(_ line: String) {
        lines.withLock { $0.append(line) }
        told.yield(line)
    }

    private struct Handler: LogHandler {
        let lines: LogLines
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.trace

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) { lines.add("\(event.level) \(event.message) \(event.metadata ?? [:])") }
    }
}
