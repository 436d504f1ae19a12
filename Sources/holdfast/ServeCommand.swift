import ArgumentParser
import Foundation
import Logging
import Monitor
import StrictYAML
import Telemetry

struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "serve", abstract: "Run the service.")

    @Option(name: .long, help: "Configuration file.") var config: String
    @Option(name: .long, help: "Least severe messages to log: trace, debug, info, notice, warning, error, critical.")
    var logLevel = "info"

    func run() async throws {
        let log = try Logs.start(level: logLevel)
        let configuration = try Load.configuration(config)
        let serve = try Load.problems { () throws(Problems) in try Serve(configuration, log: log) }
        do {
            try await serve.run { port in
                log.notice("serving", metadata: ["url": "http://\(configuration.http.host):\(port)"])
            }
        } catch {
            Terminal.error("error: \(error)")
            throw ExitCode(2)
        }
    }
}

enum Logs {
    static func start(level text: String) throws -> Logger {
        guard let level = LogfmtHandler.level(named: text) else {
            Terminal.error("error: `\(text)` is no log level: trace, debug, info, notice, warning, error, critical")
            throw ExitCode(2)
        }
        let clock = WallClock.system
        LoggingSystem.bootstrap { LogfmtHandler(label: $0, level: level, clock: clock.now) }
        return Logger(label: "holdfast")
    }
}
