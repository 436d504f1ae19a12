import ArgumentParser
import Monitor
import StrictYAML

struct CheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Validate configurations and rule files: every problem with its place.")

    @Argument(help: "holdfast.yaml, rule files.") var files: [String]

    func run() throws {
        var failed = false
        for file in files {
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
