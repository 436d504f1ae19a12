import ArgumentParser
import Foundation
import Monitor
import StrictYAML
import Values

struct ExplainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain", abstract: "Derive an alert again from the ledger, with everything it rests on.")

    @Argument(help: "Fingerprint of the alert, or its beginning.") var alert: String
    @Option(name: .long, help: "Configuration file, whose `state` folder holds the ledger (holdfast.yaml).")
    var config: String?
    @Option(name: .long, help: "The state folder itself.") var state: String?
    @Option(name: .long, help: "As it was told by this time, such as 2026-03-01T12:00:00Z; else as it is now.")
    var at: String?
    @Flag(name: .long, help: "Print JSON.") var json = false
    @Option(name: .long, help: "Write the alert as a picture (SVG) too.") var picture: String?

    func validate() throws {
        if let at, Timestamp(rfc3339: at) == nil {
            throw ValidationError("--at: expected a time such as 2026-03-01T12:00:00Z, found \(at)")
        }
    }

    func run() async throws {
        do {
            let explanation = try await Explanation.find(
                alert, config: config, state: state, until: at.flatMap { Timestamp(rfc3339: $0) })
            if let picture, let svg = explanation.picture {
                try Data(svg.utf8).write(to: URL(filePath: picture))
            }
            if json {
                print(explanation.json.text)
            } else {
                StandardOutput.write(explanation.text(style: StandardOutput.style))
            }
        } catch let error as Problems {
            for problem in error.list { Terminal.error("\(problem)") }
            throw ExitCode(2)
        } catch let error as Explanation.Failure {
            Terminal.error("error: \(error)")
            throw ExitCode(error.isUsage ? 2 : 1)
        } catch {
            Terminal.error("error: \(error)")
            throw ExitCode(2)
        }
    }
}
