import ArgumentParser
import Foundation
import Monitor
import StrictYAML
import Values

struct ExportGroup: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export", abstract: "Write rules for other programs.", subcommands: [ExportPrometheusCommand.self])
}

struct ExportPrometheusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "prometheus",
        abstract: "Write Prometheus alerting rules over Holdfast's /metrics; what cannot be said there is told by name."
    )

    @Option(name: .long, help: "Time between windows, for lengths that rules count in windows.") var every = "1h"
    @Option(name: .shortAndLong, help: "File to write; standard output without it.") var output: String?
    @Argument(help: "Rule files.") var files: [String]

    func validate() throws {
        guard let span = Span(parsing: every), span > .zero else {
            throw ValidationError("--every: expected a duration such as 5m or 1h, found \(every)")
        }
    }

    func run() throws {
        let step = Span(parsing: every) ?? .hours(1)
        let export = try Load.problems { () throws(Problems) in try PrometheusExport.make(paths: files, every: step) }
        for note in export.notes { Terminal.line("\(note.place): note: \(note.message)") }
        if let output {
            do {
                try Data(export.text.utf8).write(to: URL(filePath: output))
            } catch {
                Terminal.error("error: \(output): cannot be written: \(error.localizedDescription)")
                throw ExitCode(2)
            }
        } else {
            StandardOutput.write(export.text)
        }
        Terminal.line("\(export.exported) of \(export.total) rules written")
    }
}
