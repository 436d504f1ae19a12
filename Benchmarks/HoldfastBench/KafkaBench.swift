import ArgumentParser
import Dispatch
import Foundation
import Kafka
import Logging
import Monitor
import Synchronization

/// What the messages of a topic cost this process: read with the batch call and dropped (`raw`), or by the whole service, to closed panes in
/// its ledger (`engine`).
struct KafkaBench: ParsableCommand {
    enum Mode: String, ExpressibleByArgument {
        case raw, engine
    }

    static let configuration = CommandConfiguration(
        commandName: "kafka", abstract: "A topic, raw or through the service.")

    @Option(name: .long) var brokers: String
    @Option(name: .long) var topic: String
    @Option(name: .long, help: "Messages the topic has.") var count: Int
    @Option(name: .long) var mode: Mode
    @Option(name: .long, help: "holdfast.yaml with the model; broker, topic and registry are added to a copy of it.")
    var config: String
    @Option(name: .long) var format = "json"
    @Option(name: .long, help: "The schema registry's address.") var registry: String?

    private static let deadline = Duration.seconds(120)

    func run() throws {
        switch mode {
        case .raw: try consume()
        case .engine: try serve()
        }
    }

    private var group: String { "bench-\(ProcessInfo.processInfo.processIdentifier)" }

    private func consume() throws {
        let consumer = try KafkaConsumer(
            configuration: KafkaConfiguration(properties: [
                ("bootstrap.servers", brokers), ("group.id", group), ("auto.offset.reset", "earliest"),
                ("session.timeout.ms", "6000"),
            ]), topics: [topic],
            handlers: KafkaConsumerHandlers(
                onAssigned: { Dictionary(uniqueKeysWithValues: $0.map { ($0, .earliest) }) }, onRevoked: { _, _ in },
                onEvent: { _ in }, onLog: { _ in }))
        // From the first message on, as for the service, whose start is no part of a message's cost either.
        var began: (cpu: Double, wall: Double)?
        var seen = 0
        let end = ContinuousClock.now + Self.deadline
        while seen < count, ContinuousClock.now < end {
            let taken = consumer.poll(maximum: 1_000, timeoutMilliseconds: 20) { batch in
                batch.forEach { _ in seen += 1 }
            }
            if taken > 0, began == nil { began = (Clock.process, Clock.wall) }
        }
        try report(since: began, seen: seen)
        consumer.close()
    }

    private func report(since began: (cpu: Double, wall: Double)?, seen: Int) throws {
        guard let began, seen >= count else {
            throw ValidationError("only \(seen) of \(count) messages came within \(Self.deadline)")
        }
        Output.line([
            ("mode", .text("kafka")), ("events", .number(Double(count))),
            ("cpu_ns_per_event", .number((Clock.process - began.cpu) / Double(count))),
            ("wall_ns_per_event", .number((Clock.wall - began.wall) / Double(count))),
        ])
    }

    private func serve() throws {
        let path = config + ".kafka.yaml"
        var text = try String(contentsOfFile: config, encoding: .utf8)
        text += """

            kafka: {bootstrap.servers: "\(brokers)", group.id: \(group), auto.offset.reset: earliest, session.timeout.ms: 6000}
            topics: [{name: \(topic), format: \(format)}]
            http: {listen: 127.0.0.1:0}

            """
        if let registry { text += "schema_registry: {url: \"\(registry)\"}\n" }
        try text.write(toFile: path, atomically: true, encoding: .utf8)
        let service = try Serve(
            try ConfigurationReader.read(path), log: Logger(label: "bench") { _ in SwiftLogNoOpLogHandler() })
        let port = Mutex(0)
        let ended = DispatchSemaphore(value: 0)
        Task.detached {
            do {
                try await service.run { started in port.withLock { $0 = started } }
            } catch {
                FileHandle.standardError.write(Data("\(error)\n".utf8))
            }
            ended.signal()
        }
        let end = ContinuousClock.now + Self.deadline
        var began: (cpu: Double, wall: Double)?
        var seen = 0
        // From when the service is up: joining the group takes time but hardly any of the processor's. A look at the page of metrics is
        // no part of a message's cost, and costs as much as hundreds of them: twice a second, as often as there may be news.
        while seen < count, ContinuousClock.now < end {
            let answering = port.withLock(\.self)
            if answering > 0, began == nil { began = (Clock.process, Clock.wall) }
            seen = Metrics.events(port: answering, topic: topic)
            usleep(answering == 0 ? 1_000 : 500_000)
        }
        try report(since: began, seen: seen)
        kill(getpid(), SIGTERM)
        ended.wait()
    }
}
