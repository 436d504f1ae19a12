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
        var cost = Clock.Cost()
        var rows: UInt64 = 0
        let workers = (0..<threads).map { Worker(corpus, each * $0..<each * ($0 + 1), number: $0) }
        for round in 0...rounds {
            var measured = Clock.Cost()
            measured.measure(each * threads) { rows = Self.count(workers) }
            for worker in workers { worker.startAnew() }
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

    /// An intake lives as long as a service's does, through all rounds.
    private final class Worker {
        private let corpus: Corpus
        private let range: Range<Int>
        private let source: String
        private let route: Int
        private var intake: Intake

        init(_ corpus: Corpus, _ range: Range<Int>, number: Int) {
            self.corpus = corpus
            self.range = range
            source = "bench/\(number)"
            intake = corpus.intake()
            route = intake.route(source: source, topic: "bench", defaults: TopicDefaults())
        }

        func count() -> PaneDelta {
            corpus.feed(range, to: &intake, route: route)
            return intake.take().models[0]
        }

        /// The same messages again are not late.
        func startAnew() { intake.setClock(source, model: 0, nil) }
    }

    private static func count(_ workers: [Worker]) -> UInt64 {
        let merged = Mutex(PaneDelta())
        // Each is used by one thread at a time.
        nonisolated(unsafe) let workers = workers
        DispatchQueue.concurrentPerform(iterations: workers.count) { number in
            let delta = workers[number].count()
            merged.withLock { $0.merge(delta) }
        }
        return merged.withLock(\.rows)
    }
}

/// Decoding alone.
struct DecodeBench: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "decode", abstract: "Messages to rows.")

    @OptionGroup var corpus: Corpus.Options
    @Option(name: .long, help: "Times to measure.") var rounds = 5

    func run() throws {
        let corpus = try Corpus(corpus)
        var decoder = corpus.decoder()
        var cost = Clock.Cost()
        for round in 0...rounds {
            var measured = Clock.Cost()
            measured.measure(corpus.messages.count) { Self.decode(corpus, &decoder) }
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

    private static func decode(_ corpus: Corpus, _ decoder: inout EventDecoder) {
        let defaults = TopicDefaults()
        for message in corpus.messages {
            if corpus.schema == nil {
                decoder.decode(message, defaults: defaults, now: nil) { _ in }
            } else {
                _ = decoder.decodeAvro(message, defaults: defaults, now: nil) { _ in }
            }
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
        var intake = corpus.intake()
        corpus.feed(0..<20_000 + count, to: &intake, source: "bench/0")
        Output.line([("mode", .text("fixed")), ("events", .number(Double(count)))])
    }
}
