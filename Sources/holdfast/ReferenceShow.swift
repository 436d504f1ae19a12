import ArgumentParser
import Monitor

struct ReferenceShow: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show a reference profile with small charts.")

    @Argument(help: "Reference file, as 'reference build' wrote it.") var file: String
    @Option(name: .long, help: "One segment, such as country=BR; a cross as country=BR,device=web.") var segment:
        String?
    @Option(name: .long, help: "One column.") var column: String?
    @Flag(name: .long, help: "Print JSON.") var json = false

    func run() throws {
        do {
            let reference = try ReferenceCommand.load(file)
            let report = try ReferenceReport(reference, segment: segment, column: column)
            StandardOutput.write(json ? report.jsonText : report.text(style: StandardOutput.style))
        } catch {
            Terminal.error("error: \(error)")
            throw ExitCode(2)
        }
    }
}
