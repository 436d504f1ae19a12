import ArgumentParser
import Foundation
import Monitor

struct ReferenceGroup: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reference", abstract: "Learn what normal looks like, and look at it.",
        subcommands: [ReferenceBuild.self, ReferenceShow.self])
}

struct ReferenceBuild: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "build", abstract: "Learn a reference profile (types, bins, categories, segments) from data.")

    @Option(name: .long, help: "Configuration file: segments, column types and bins of the model.") var config: String?
    @Option(name: .long, help: "Model the rows belong to; needed where they do not say.") var model: String?
    @Option(name: .long, help: "Version the rows belong to.") var version: String?
    @Option(name: .long, help: "Segment dimension, or several joined by commas for a cross. May be repeated.")
    var segment: [String] = []
    @Option(name: .shortAndLong, help: "File to write.") var output: String
    @Argument(help: "JSON lines or CSV, plain, .gz or .zst.") var files: [String]

    func run() throws {
        var settings: Configuration.Model?
        if let config {
            // The reference the configuration names need not exist yet: that is what is being built.
            let configuration = try Load.configuration(config)
            settings = configuration.models.first { model == nil || $0.name == model }
            if settings == nil {
                Terminal.error("error: \(config) has no model `\(model ?? "")`")
                throw ExitCode(2)
            }
            if model == nil && configuration.models.count > 1 {
                Terminal.error("error: \(config) has several models: give --model NAME")
                throw ExitCode(2)
            }
        }
        let segments = segment.map { $0.split(separator: ",").map(String.init) }
        do {
            let built = try ReferenceCommand.build(
                files: files, model: model, version: version, settings: settings,
                segments: segments.isEmpty ? nil : segments, to: output)
            for note in built.notes { Terminal.line("note: \(note)") }
            Terminal.line(built.summary)
        } catch {
            Terminal.error("error: \(error)")
            throw ExitCode(2)
        }
    }
}
