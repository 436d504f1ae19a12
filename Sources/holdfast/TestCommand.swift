import ArgumentParser
import Monitor
import StrictYAML
import Values

struct TestCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "test", abstract: "Run rule tests: what alerts follow from a table of windows.",
        discussion: "Exit 0 when every expectation holds, 1 when one does not, 2 when a file cannot be understood.")

    @Flag(name: .long, help: "Print the result as JSON.") var json = false
    @Argument(help: "Rule test files (rules/*_test.yaml).") var files: [String]

    func run() throws {
        var reports: [RuleTestReport] = []
        var isUnreadable = false
        for file in files {
            do throws(Problems) {
                reports.append(try RuleTestReport.run(file))
            } catch {
                isUnreadable = true
                for problem in error.list { Terminal.error("\(problem)") }
            }
        }
        for report in reports { show(report) }
        if json {
            let all = JSON.members(
                ("files", .array(reports.map(\.json))), ("failures", .int(reports.reduce(0) { $0 + $1.failures })))
            print(all.text)
        }
        if isUnreadable { throw ExitCode(2) }
        if reports.contains(where: { $0.failures > 0 }) { throw ExitCode(1) }
    }

    private func show(_ report: RuleTestReport) {
        let count =
            "\(report.tests.count) test\(report.tests.count == 1 ? "" : "s"), \(report.expectations) expectations"
        guard report.failures > 0 else {
            Terminal.line("\(report.file): \(Terminal.green("ok")) (\(count))")
            return
        }
        Terminal.line("\(report.file): \(Terminal.red("FAILED")) (\(count), \(report.failures) not met)")
        Terminal.line(String(report.text.dropLast()))
    }
}
