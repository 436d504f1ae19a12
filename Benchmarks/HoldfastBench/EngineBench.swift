import ArgumentParser
import Events
import Foundation
import Monitor
import Synchronization
import Windows

/// Decoding and counting of messages in memory, through the product's `Intake`.
struct EngineBench: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "engine", abstract: "Messages to closed panes.")

    @OptionGroup var corpus: Corpus.Options
    @Option(name: .long, help: "Times to measure.") var rounds = 5
    @Option(name: .long, help: "Workers that share nothing; deltas are merged at the end.") var threads = 1

    func run() throws {
        let corpus = try Corpus(corpus)
        let each = corpus.messages.count / threads
        let slices = (0..<threads).map { Array(corpus.messages[$0 * each..<($0 + 1) * each]) }
        var cost = Clock.Cost()
        var rows: UInt64 = 0
        for round in 0...rounds {
            var measured = Clock.Cost()
            measured.measure(each * threads) { rows = Self.count(slices, corpus.models) }
            // The first round warms caches and learns the shape of the messages.
            if round > 0 {
                cost.cpu += measured.cpu
                cost.wall += measured.wall
            }
        }
        Output.line([
            ("mode", .text("engine")), ("events", .number(Double(each * threads))), ("rows", .number(Double(rows))),
            ("threads", .number(Double(threads))), ("cpu_ns", .numbers(cost.cpu)), ("wall_ns", .numbers(cost.wall)),
        ])
    }

    private static func count(_ slices: [[UnsafeRawBufferPointer]], _ models: [MonitoredModel]) -> UInt64 {
        let merged = Mutex(PaneDelta())
        nonisolated(unsafe) let slices = slices
        DispatchQueue.concurrentPerform(iterations: slices.count) { number in
            var intake = Intake(models)
            Self.feed(slices[number], &intake, source: "bench/\(number)")
            let delta = intake.take().models[0]
            merged.withLock { $0.merge(delta) }
        }
        return merged.withLock(\.rows)
    }

    static func feed(_ messages: [UnsafeRawBufferPointer], _ intake: inout Intake, source: String) {
        let route = intake.route(source: source, topic: "bench", defaults: TopicDefaults())
        for (offset, message) in messages.enumerated() {
            intake.add(message, route: route, offset: Int64(offset), now: nil, reject: { _ in })
        }
    }
}

/// Decoding alone.
struct DecodeBench: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "decode", abstract: "Messages to rows.")

    @OptionGroup var corpus: Corpus.Options
    @Option(name: .long, help: "Times to measure.") var rounds = 5

    func run() throws {
        let corpus = try Corpus(corpus)
        var decoder = EventDecoder(corpus.models.map(\.schema))
        var cost = Clock.Cost()
        for round in 0...rounds {
            var measured = Clock.Cost()
            measured.measure(corpus.messages.count) { Self.decode(corpus.messages, &decoder) }
            if round > 0 {
                cost.cpu += measured.cpu
                cost.wall += measured.wall
            }
        }
        Output.line([
            ("mode", .text("decode")), ("events", .number(Double(corpus.messages.count))),
            ("cpu_ns", .numbers(cost.cpu)), ("wall_ns", .numbers(cost.wall)),
        ])
    }

    private static func decode(_ messages: [UnsafeRawBufferPointer], _ decoder: inout EventDecoder) {
        let defaults = TopicDefaults()
        for message in messages {
            decoder.decode(message, defaults: defaults, now: nil) { _ in }
            for model in decoder.batches.indices where decoder.batches[model].count >= 256 {
                decoder.removeAll(model: model)
            }
        }
    }
}

/// A fixed amount of work, for tools that count instructions and allocations.
struct FixedRun: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fixed", abstract: "Decodes and counts exactly --count messages after a warm-up of 20,000.")

    @OptionGroup var corpus: Corpus.Options
    @Option(name: .long, help: "Messages after the warm-up.") var count: Int

    func run() throws {
        let corpus = try Corpus(corpus, count: 20_000 + count)
        var intake = Intake(corpus.models)
        EngineBench.feed(Array(corpus.messages.prefix(20_000)), &intake, source: "bench/0")
        EngineBench.feed(Array(corpus.messages.dropFirst(20_000)), &intake, source: "bench/0")
        Output.line([("mode", .text("fixed")), ("events", .number(Double(count)))])
    }
}
