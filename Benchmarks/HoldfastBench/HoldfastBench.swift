import ArgumentParser

/// What the benchmarks run of the engine itself. Every mode prints one line of JSON; Benchmarks/bench.py makes the table.
@main
struct HoldfastBench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "HoldfastBench", abstract: "Measures the engine's parts.",
        subcommands: [
            EngineBench.self, DecodeBench.self, FixedRun.self, UpdateBench.self, MemoryBench.self, Produce.self,
            KafkaBench.self, JoinBench.self,
        ])
}
