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

    /// As many as `Intake` counts at a time.
    private static let batchRows = 8_128

    func run() throws {
        let corpus = try Corpus(corpus)
        let model = corpus.models[0]
        // Decoded ahead, a decoder for each batch: reading messages is no part of an update, nor is what it does to the caches.
        let batches = stride(from: 0, to: corpus.messages.count - Self.batchRows + 1, by: Self.batchRows).map { first in
            var decoder = corpus.decoder()
            for message in corpus.messages[first..<first + Self.batchRows] {
                decoder.decode(message, defaults: TopicDefaults(), now: nil) { _ in }
            }
            return decoder
        }
        var accumulator = Accumulator(
            plans: model.plans, settings: model.window, dimensions: model.schema.dimensions,
            segmentations: model.segmentations)
        let states = 1 + model.segmentations.count
        let values = batches.reduce(0) { $0 + $1.batches[0].count } * model.schema.columns.count * states
        var costs: [Double] = []
        for round in 0...rounds {
            let before = Clock.thread
            for decoder in batches {
                accumulator.add(decoder.batches[0], names: decoder, model: 0, sources: ["bench/0"])
            }
            if round > 0 { costs.append((Clock.thread - before) / Double(values)) }
        }
        Output.line([
            ("mode", .text("update")), ("values", .number(Double(values))),
            ("values_per_event", .number(Double(model.schema.columns.count * states))),
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
        var intake = corpus.intake()
        let before = Self.resident()
        corpus.feed(corpus.messages.indices, to: &intake, source: "bench/0")
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
