import ArgumentParser
import Foundation
import Monitor
import StrictYAML

struct ReplayCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay", abstract: "Run the engine and the rules over files of past events, without a broker.")

    @Option(name: .long, help: "Configuration file.") var config: String
    @Option(name: .long, help: "time: merge the files by event time; file: lines as they come.")
    var order: Replay.Order = .time
    @Option(name: .long, help: "Folder to write snapshots.jsonl and alerts.jsonl to.") var out: String?
    @Flag(name: .long, help: "Exit 1 if any alert fired.") var failOnAlert = false
    @Argument(help: "JSON-lines files (.jsonl, .gz, .zst; - is standard input).") var files: [String]

    func run() throws {
        let configuration = try Load.configuration(config)
        let replay = try Load.problems { () throws(Problems) in try Replay(configuration) }
        let start = ContinuousClock.now
        let summary: Replay.Summary
        do {
            summary = try replay.run(files, order: order, out: out) { Terminal.progress($0, "replaying") }
        } catch {
            Terminal.endProgress()
            Terminal.error("error: \(error)")
            throw ExitCode(2)
        }
        Terminal.endProgress()
        report(summary, ContinuousClock.now - start)
        if failOnAlert && summary.fired > 0 { throw ExitCode(1) }
    }

    private func report(_ summary: Replay.Summary, _ duration: Duration) {
        let seconds = max(1e-9, Double(duration.components.seconds) + Double(duration.components.attoseconds) / 1e18)
        Terminal.line(
            "\(summary.rows) events in \(summary.windows) windows, \(Int(Double(summary.rows) / seconds)) events/s; \(summary.fired) alerts fired"
        )
        if summary.labels > 0 { Terminal.line("\(summary.labels) labels counted") }
        if summary.lateRows > 0 {
            Terminal.line("\(summary.lateRows) events came later than `lateness` allows and are not in the windows")
        }
        if summary.unknownKeys > 0 {
            Terminal.line("\(summary.unknownKeys) feature values have no column in the reference and were passed over")
        }
        for (reason, count) in summary.rejected.sorted(by: { $0.key < $1.key }) {
            Terminal.line("\(count) events rejected: \(reason)")
        }
        for example in summary.examples { Terminal.line("  " + example) }
        if let out { Terminal.line("wrote \(out)/snapshots.jsonl and \(out)/alerts.jsonl") }
    }
}

extension Replay.Order: ExpressibleByArgument {}
