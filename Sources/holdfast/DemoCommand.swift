import ArgumentParser
import Logging
import Monitor

struct DemoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo",
        abstract: "The whole story on an embedded broker: traffic, drift in one segment, an alert, a rollback.")

    @Option(name: .long, help: "Port of the page.") var port = 8080
    @Flag(name: .long, help: "End after the story; exit 0 only if it happened.") var once = false
    @Option(name: .long, help: "Least severe messages to log.") var logLevel = "error"

    func run() async throws {
        let log = try Logs.start(level: logLevel)
        let demo = Demo(port: port, once: once, log: log) { Terminal.line($0) }
        do {
            try await demo.run()
        } catch is CancellationError {
        } catch {
            Terminal.error("error: \(error)")
            throw ExitCode(1)
        }
    }
}
