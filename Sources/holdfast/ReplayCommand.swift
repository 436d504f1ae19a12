import ArgumentParser
import Foundation
import Monitor
import StrictYAML
import Values

struct ReplayCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay", abstract: "Run the engine and the rules over files of past events, without a broker.")

    @Option(name: .long, help: "Configuration file.") var config: String
    @Option(name: .long, help: "time: merge the files by event time; file: lines as they come.")
    var order: Replay.Order = .time
    @Option(name: .long, help: "Folder to write snapshots.jsonl and alerts.jsonl to.") var out: String?
    @Option(
        name: .long, help: "Folder to keep a ledger in, for `holdfast explain FINGERPRINT --state FOLDER`; a new one.")
    var state: String?
    @Option(
        name: .long, parsing: .singleValue,
        help: "Rule file or pattern to use instead of the configuration's rules; may be repeated.")
    var rules: [String] = []
    @Option(
        name: .long, parsing: .singleValue,
        help:
            "A change of the champion, for rules that ask for one: 14@2026-03-01T12:00:00Z, or MODEL:14@…; may be repeated."
    )
    var deploy: [String] = []
    @Option(name: .long, help: "Score what fired against a list of known incidents.") var manifest: String?
    @Flag(name: .long, help: "Print what fired as JSON.") var json = false
    @Flag(name: .long, help: "Exit 1 if any alert fired.") var failOnAlert = false
    @Argument(help: "JSON-lines files (.jsonl, .gz, .zst; - is standard input).") var files: [String]

    func validate() throws {
        for text in deploy where Replay.Deploy(parsing: text) == nil {
            throw ValidationError("--deploy: expected VERSION@TIME such as 14@2026-03-01T12:00:00Z, found \(text)")
        }
    }

    func run() throws {
        let configuration = try Load.problems { () throws(Problems) in
            try ConfigurationReader.read(config, rules: rules)
        }
        let replay = try Load.problems { () throws(Problems) in
            try Replay(configuration, deploys: deploy.compactMap { Replay.Deploy(parsing: $0) })
        }
        let start = ContinuousClock.now
        let summary: Replay.Summary
        do {
            let shown = ReplayProgress()
            summary = try replay.run(files, order: order, out: out, state: state) { shown.take($0) }
        } catch {
            Terminal.endProgress()
            Terminal.error("error: \(error)")
            throw ExitCode(2)
        }
        Terminal.endProgress()
        report(summary, ContinuousClock.now - start)
        let score: IncidentReport?
        do {
            score = try manifest.map { try IncidentReport(manifest: $0, episodes: summary.episodes) }
        } catch {
            Terminal.error("error: \(error)")
            throw ExitCode(2)
        }
        if json {
            show(asJSON: summary, score)
        } else {
            show(summary, score)
        }
        if failOnAlert && summary.fired > 0 { throw ExitCode(1) }
    }

    private func report(_ summary: Replay.Summary, _ duration: Duration) {
        let seconds = max(1e-9, Double(duration.components.seconds) + Double(duration.components.attoseconds) / 1e18)
        Terminal.line(
            "\(summary.rows) events in \(summary.windows) windows, \(Int(Double(summary.rows) / seconds)) events/s; \(summary.fired) alert\(summary.fired == 1 ? "" : "s") fired"
        )
        if summary.labels > 0 { Terminal.line("\(summary.labels) labels read") }
        for join in summary.joins { Terminal.line("\(join.model): \(join.inWords)") }
        if summary.lateRows > 0 {
            Terminal.line("\(summary.lateRows) events came later than `lateness` allows and are not in the windows")
        }
        if summary.unknownKeys > 0 {
            Terminal.line("\(summary.unknownKeys) feature values have no column in the reference and were passed over")
        }
        for warning in summary.warnings { Terminal.line("warning: " + warning) }
        for (reason, count) in summary.rejected.sorted(by: { $0.key < $1.key }) {
            Terminal.line("\(count) events rejected: \(reason)")
        }
        for example in summary.examples { Terminal.line("  " + example) }
        if let out { Terminal.line("wrote \(out)/snapshots.jsonl and \(out)/alerts.jsonl") }
        if let state { Terminal.line("an alert explained: holdfast explain FINGERPRINT --state \(state)") }
    }
}

extension ReplayCommand {
    /// What fired, when, and for how long.
    private func show(_ summary: Replay.Summary, _ score: IncidentReport?) {
        if !summary.episodes.isEmpty {
            Table(["FIRED", "FOR", "ALERT", "COLUMN", "SEGMENT", "VALUE", "FINGERPRINT"]).show(
                summary.episodes.map { episode in
                    [
                        episode.firedAt.rfc3339,
                        "\(episode.duration(until: summary.end))" + (episode.endedAt == nil ? " (still)" : ""),
                        episode.alert, episode.column ?? "", "\(episode.segment)",
                        episode.shown, episode.fingerprint,
                    ]
                })
        }
        if summary.episodesLeft > 0 { Terminal.line("\(summary.episodesLeft) more are not listed") }
        guard let score else { return }
        Table(["INCIDENT", "TYPE", "FOUND AFTER", "EXACT SEGMENT", "ON TOP"]).show(
            score.incidents.map { incident in
                let isFound = incident.delay != nil
                return [
                    incident.id, incident.type,
                    incident.delay.map { String(format: "%.1f h", $0) }
                        ?? (incident.difficulty == "optional" ? "not found (optional)" : "not found"),
                    isFound ? incident.isExact ? "yes" : "no" : "", isFound ? incident.isExactOnTop ? "yes" : "no" : "",
                ]
            })
        print(score.summary)
    }

    private func show(asJSON summary: Replay.Summary, _ score: IncidentReport?) {
        let document = JSON.members(
            ("events", .integer(Int64(clamping: summary.rows))), ("windows", .int(summary.windows)),
            ("alerts", .array(summary.episodes.map { $0.json(until: summary.end) })),
            ("not_listed", summary.episodesLeft > 0 ? .int(summary.episodesLeft) : nil),
            ("labels", labels(summary)), ("score", score?.json))
        print(document.text)
    }
}

extension ReplayCommand {
    private func labels(_ summary: Replay.Summary) -> JSON? {
        guard !summary.joins.isEmpty else { return nil }
        return .object(
            summary.joins.map { join in
                JSON.Member(join.model, join.json)
            })
    }
}

extension Replay.Order: ExpressibleByArgument {}
