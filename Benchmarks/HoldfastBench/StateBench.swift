import ArgumentParser
import Events
import Foundation
import Monitor
import Windows

/// What counting costs once values are decoded: bins, counters and moments of all traffic and every segment.
struct UpdateBench: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "update", abstract: "State updates alone.")

    @OptionGroup var corpus: Corpus.Options
    @Option(name: .long, help: "Times to measure.") var rounds = 5

    func run() throws {
        let corpus = try Corpus(corpus)
        let model = corpus.models[0]
        var decoder = EventDecoder([model.schema])
        var accumulator = Accumulator(
            plans: model.plans, settings: model.window, dimensions: model.schema.dimensions,
            segmentations: model.segmentations)
        let states = 1 + model.segmentations.count
        var costs: [Double] = []
        for round in 0...rounds {
            var spent = 0.0
            var rows = 0
            for message in corpus.messages {
                decoder.decode(message, defaults: TopicDefaults(), now: nil) { _ in }
                guard decoder.batches[0].count == 256 else { continue }
                let before = Clock.thread
                accumulator.add(decoder.batches[0], names: decoder, model: 0, sources: ["bench/0"])
                spent += Clock.thread - before
                rows += 256
                decoder.removeAll(model: 0)
            }
            if round > 0 { costs.append(spent / Double(rows * model.schema.columns.count * states)) }
        }
        Output.line([
            ("mode", .text("update")), ("values_per_event", .number(Double(model.schema.columns.count * states))),
            ("cpu_ns_per_value", .numbers(costs)),
        ])
    }
}

/// The memory of counters while they are hot.
struct MemoryBench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "memory", abstract: "Bytes for each (segment value, open pane).")

    @OptionGroup var corpus: Corpus.Options

    func run() throws {
        let corpus = try Corpus(corpus)
        var intake = Intake(corpus.models)
        let before = Self.resident()
        EngineBench.feed(corpus.messages, &intake, source: "bench/0")
        let after = Self.resident()
        let pending = intake.pending
        Output.line([
            ("mode", .text("memory")), ("states", .number(Double(pending.groups))),
            ("hot_bytes_per_state", .number(Double(pending.bytes) / Double(max(1, pending.groups)))),
            ("resident_growth_bytes", .number(Double(after - before))), ("resident_bytes", .number(Double(after))),
        ])
    }

    private static func resident() -> Int {
        let text = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8)) ?? ""
        let pages = text.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
        return pages * Int(sysconf(Int32(_SC_PAGESIZE)))
    }
}
