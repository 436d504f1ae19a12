import ArgumentParser
import Foundation
import Monitor
import Registry
import Synchronization
import Values

struct RegistryImport: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Copy experiments, runs, models, versions and artifacts from an MLflow server.",
        discussion: """
            Begun again after it was stopped, it goes on where it was. Credentials are read from MLFLOW_TRACKING_TOKEN, or
            MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, as MLflow's own client does.
            """)
    @OptionGroup var options: RegistryOptions
    @OptionGroup var change: ChangeOptions
    @Argument(help: "The server's address, such as http://mlflow:5000.") var url: String

    func validate() throws {
        guard url.hasPrefix("http://") || url.hasPrefix("https://") else {
            throw ValidationError("\(url) is not an address: write http://HOST:PORT")
        }
    }

    func run() async throws {
        try await withRegistry(options) { registry in
            let environment = ProcessInfo.processInfo.environment
            let username = environment["MLFLOW_TRACKING_USERNAME"]
            let last = Mutex(ContinuousClock.now)
            let work = MLflowImport(
                registry: registry, state: try RegistryCommand.folder(config: options.config, state: options.state),
                url: url, username: username,
                secret: environment[username == nil ? "MLFLOW_TRACKING_TOKEN" : "MLFLOW_TRACKING_PASSWORD"],
                actor: change.who
            ) { summary, what in
                // Ten lines a second are as many as anybody reads.
                let isDue = last.withLock { last in
                    guard ContinuousClock.now - last > .milliseconds(100) else { return false }
                    last = .now
                    return true
                }
                if isDue { Self.show(summary, what) }
            }
            let summary: MLflowImport.Summary
            do {
                summary = try await work.run()
            } catch {
                Terminal.endProgress()
                Terminal.error("error: \(error)")
                Terminal.error("what was copied stays: give the same command again to go on")
                throw ExitCode(1)
            }
            Terminal.endProgress()
            if options.json { print(Self.json(summary).text) }
            for line in summary.leftOut { Terminal.line("left out: \(line)") }
            Terminal.line("copied \(Self.words(summary))")
        }
    }

    private static func show(_ summary: MLflowImport.Summary, _ what: String) {
        guard Terminal.isInteractive else { return }
        let text = "\(words(summary)) · \(what)".prefix(150)
        FileHandle.standardError.write(Data("\r\u{1b}[K\(text)".utf8))
    }

    private static func words(_ s: MLflowImport.Summary) -> String {
        "\(s.experiments) experiments, \(s.runs) runs with \(s.metricValues) metric values, \(s.loggedModels) logged models, "
            + "\(s.models) models, \(s.versions) versions, \(s.artifacts) artifacts (\(s.artifactBytes >> 20) MB)"
            + (s.known > 0 ? "; \(s.known) were there" : "")
    }

    private static func json(_ s: MLflowImport.Summary) -> JSON {
        .members(
            ("experiments", .int(s.experiments)), ("runs", .int(s.runs)), ("metric_values", .int(s.metricValues)),
            ("logged_models", .int(s.loggedModels)), ("models", .int(s.models)), ("versions", .int(s.versions)),
            ("artifacts", .int(s.artifacts)), ("artifact_bytes", .integer(s.artifactBytes)), ("known", .int(s.known)),
            ("left_out", .array(s.leftOut.map { .string($0) })))
    }
}
