import ArgumentParser

/// The detector on simulated histograms. Every command prints one line of JSON; Benchmarks/Detection/null.py makes the table.
@main
struct DetectionBench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "DetectionBench", abstract: "Runs the detector on simulated streams.",
        subcommands: [NullStreams.self, Shifts.self, Causes.self])
}
