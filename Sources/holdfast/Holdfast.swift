import ArgumentParser
import Foundation
import Monitor

@main
struct Holdfast: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "holdfast",
        abstract: "Notices when a model in production drifts, says what shifted and where, and takes it back.",
        subcommands: [
            ServeCommand.self, DemoCommand.self, ReplayCommand.self, ReferenceGroup.self, CompareCommand.self,
            CheckCommand.self, TestCommand.self, ExportGroup.self, ExplainCommand.self,
            AlertsGroup.self, SilenceGroup.self,
            RegistryGroup.self,
        ])

    /// Exit 2 for wrong usage, whatever the parser's own convention.
    static func main() async {
        // Not the parser's own flag, which would hide the mistakes of commands that have a `--version` too.
        if CommandLine.arguments.dropFirst() == ["--version"] {
            print(BuildInfo.text)
            Foundation.exit(0)
        }
        do {
            var command = try parseAsRoot()
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
        } catch let error as ExitCode {
            Foundation.exit(error.rawValue)
        } catch {
            let code = exitCode(for: error)
            if code == .success {
                print(fullMessage(for: error))
                Foundation.exit(0)
            }
            Terminal.error(fullMessage(for: error))
            Foundation.exit(code == .validationFailure ? 2 : code.rawValue)
        }
    }
}
