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
    @Flag(name: .long, help: "Raw with the C library's heap as the service sets it.") var keepsFreedMemory = false

    private static let deadline = Duration.seconds(120)

    func run() throws {
        switch mode {
        case .raw: try consume()
        case .engine: try serve()
        }
    }

    private var group: String { "bench-\(ProcessInfo.processInfo.processIdentifier)" }

    /// What had been used when the partitions were assigned. Both sides begin there: what a start costs is no part of a message's cost.
    private struct Start {
        let cpu = Clock.process
        let wall = Clock.wall
        let librdkafka = Clock.threads(named: "rdk:")
    }

    private func consume() throws {
        if keepsFreedMemory { Heap.keepFreedMemory() }
        let start = Mutex<Start?>(nil)
        let consumer = try KafkaConsumer(
            configuration: KafkaConfiguration(properties: [
                ("bootstrap.servers", brokers), ("group.id", group), ("auto.offset.reset", "earliest"),
                ("session.timeout.ms", "6000"),
            ]), topics: [topic],
            handlers: KafkaConsumerHandlers(
                onAssigned: { partitions in
                    start.withLock { $0 = $0 ?? Start() }
                    return Dictionary(uniqueKeysWithValues: partitions.map { ($0, .earliest) })
                }, onRevoked: { _, _ in },
                onEvent: { _ in }, onLog: { _ in }))
        var seen = 0
        let end = ContinuousClock.now + Self.deadline
        while seen < count, ContinuousClock.now < end {
            consumer.poll(maximum: 1_000, timeoutMilliseconds: 20) { batch in
                batch.forEach { _ in seen += 1 }
            }
        }
        try report(since: start.withLock(\.self), seen: seen)
        consumer.close()
    }

    /// - Parameter stages: CPU seconds by stage, as the service tells them.
    private func report(since start: Start?, seen: Int, stages: () -> [String: Double] = { [:] }) throws {
        guard let start, seen >= count else {
            throw ValidationError("only \(seen) of \(count) messages came within \(Self.deadline)")
        }
        func share(_ nanoseconds: Double) -> Output.Value { .number(nanoseconds / Double(count)) }
        let (cpu, wall) = (Clock.process - start.cpu, Clock.wall - start.wall)
        let librdkafka = Clock.threads(named: "rdk:") - start.librdkafka
        Output.line(
            [
                ("mode", .text("kafka")), ("events", .number(Double(count))),
                ("cpu_ns_per_event", share(cpu)), ("wall_ns_per_event", share(wall)),
                ("librdkafka_ns", share(librdkafka)),
            ] + stages().sorted { $0.key < $1.key }.map { ("\($0.key)_ns", share($0.value * 1e9)) })
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
        let start = Mutex<Start?>(nil)
        let assigned: @Sendable () -> Void = { start.withLock { $0 = $0 ?? Start() } }
        let service = try Serve(
            try ConfigurationReader.read(path), log: Logger(label: "bench") { _ in AssignmentLog(assigned: assigned) })
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
        var seen = 0
        // A look at the page of metrics is no part of a message's cost, and costs as much as hundreds of them: twice a second, more often
        // than there may be news.
        while seen < count, ContinuousClock.now < end {
            let isReading = start.withLock { $0 != nil }
            if isReading { seen = Metrics.events(port: port.withLock(\.self), topic: topic) }
            guard seen < count else { break }
            usleep(isReading ? 500_000 : 1_000)
        }
        try report(since: start.withLock(\.self), seen: seen) {
            // The worker tells what a step cost when it hears of its end, a moment after the counts.
            usleep(200_000)
            return Metrics.stages(port: port.withLock(\.self))
        }
        kill(getpid(), SIGTERM)
        ended.wait()
    }
}

/// Hears when the service has its partitions.
private struct AssignmentLog: LogHandler {
    let assigned: @Sendable () -> Void
    var metadata = Logger.Metadata()
    var logLevel = Logger.Level.info

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        if "\(event.message)" == "partitions assigned" { assigned() }
    }
}
