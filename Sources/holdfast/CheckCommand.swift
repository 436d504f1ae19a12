import ArgumentParser
import Monitor
import StrictYAML

struct CheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Validate configurations and rule files: every problem with its place.")

    @Option(
        name: .long, help: "Configuration file, as other commands name it; the same as naming it without `--config`.")
    var config: String?
    @Argument(help: "holdfast.yaml, rule files, rule tests, references.") var files: [String] = []

    func validate() throws {
        if config == nil, files.isEmpty {
            throw ValidationError("name what to check: holdfast check holdfast.yaml, or rule files")
        }
    }

    func run() throws {
        var failed = false
        for file in [config].compactMap(\.self) + files {
            let result = Check.file(file)
            for problem in result.problems { Terminal.error("\(problem)") }
            for note in result.notes { Terminal.line("\(note.place): note: \(note.message)") }
            if result.problems.isEmpty {
                Terminal.line("\(file): \(Terminal.green("ok")) (\(result.what))")
            } else {
                failed = true
            }
        }
        if failed { throw ExitCode(1) }
    }
}
