import Dispatch
import Foundation
import Kafka
import Ledger
import Logging
import StrictYAML
import Synchronization
import Telemetry
import TestSupport
import Values

@testable import Monitor

/// Kafka workers and their engine within the test's process, where a step can be held up and a worker sent away.
final class WorkerRig: Sendable {
    let engine: Engine
    let ledger: Ledger
    let health = Health()
    let registry = PrometheusRegistry()
    let configuration: Configuration
    private let models: [MonitoredModel]
    private let metrics: StepMetrics
    private let running = Mutex<[KafkaWorker]>([])
    private let schemas: SchemaRegistry?

    private static let log = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    /// - Parameters:
    ///   - path: a configuration with `kafka`; its `workers` are as many names as the engine waits for.
    ///   - onStep: runs within each step, after it is durable: what blocks here blocks as a disk does.
    init(_ path: String, onStep: @escaping @Sendable (Engine.Step) -> Void = { _ in }) throws {
        do throws(Problems) {
            configuration = try ConfigurationReader.read(path)
            models = try MonitoredModel.load(configuration)
        } catch {
            throw TestFailure("\(error)")
        }
        try FileManager.default.createDirectory(atPath: configuration.statePath, withIntermediateDirectories: true)
        ledger = try Ledger(path: configuration.statePath + "/ledger.sqlite")
        let book = RuleBook(configuration.rules)
        metrics = StepMetrics(registry: registry, book: book)
        let metrics = metrics
        // A test has no half second to wait for.
        let pace = SchemaRegistry.Pace(
            failed: .milliseconds(20), unknown: .milliseconds(20), longest: .milliseconds(50), timeout: .seconds(5))
        schemas = configuration.schemaRegistry.map { settings in
            SchemaRegistry(settings, pace: pace, log: Self.log) { metrics.schemaRequest($0) }
        }
        engine = try Engine(
            models: models, rules: book, ledger: ledger,
            options: .init(
                performs: true, keepsSnapshots: true, receivers: [], externalURL: configuration.externalURL,
                retention: .days(30)),
            warn: { _ in }
        ) {
            metrics.take($0)
            onStep($0)
        }
        engine.hold((0..<configuration.workers).map(KafkaWorker.name))
    }

    /// Starts a worker; `kafka-0` first.
    @discardableResult
    func start(_ number: Int) throws -> KafkaWorker {
        let properties = configuration.kafka ?? []
        let worker = KafkaWorker(
            .init(
                name: KafkaWorker.name(number), kafka: try KafkaConfiguration(properties: properties),
                deadLetterKafka: try KafkaConfiguration(properties: DeadLetters.producerProperties(properties)),
                topics: configuration.topics, deadLetterTopic: configuration.deadLetterTopic, models: models,
                engine: engine, schemas: schemas, metrics: metrics, health: health, clock: .system, log: Self.log),
            stopping: Flag())
        worker.start()
        running.withLock { $0.append(worker) }
        return worker
    }

    /// Ends every worker that still runs.
    func stop() async {
        let workers = running.withLock { $0 }
        for worker in workers { worker.stop() }
        for worker in workers { await worker.waitUntilFinished() }
    }

    /// An intake as a worker has it.
    func intake() -> Intake { Intake(models) }

    /// The value of a metric, summed over its labels.
    func metric(_ name: MetricName, _ labels: String = "") -> Double {
        let lines = registry.render().split(separator: "\n")
        return lines.filter { $0.hasPrefix(name.rawValue) && (labels.isEmpty || $0.contains(labels)) }
            .compactMap { $0.split(separator: " ").last.flatMap { Double($0) } }.reduce(0, +)
    }

    func snapshotLines() async throws -> [String] {
        let stored = try await ledger.snapshots(
            model: StreamFixture.model, from: .distantPast, to: .distantFuture, limit: 1_000)
        return stored.flatMap { String(decoding: $0.lines, as: UTF8.self).split(separator: "\n").map(String.init) }
    }
}

/// What a thread waits at until the test lets it through.
final class Gate: Sendable {
    private struct State {
        var isClosed = false
        var waiting = 0
    }

    private let state = Mutex(State())
    private let opened = DispatchSemaphore(value: 0)

    func close() { state.withLock { $0.isClosed = true } }

    func open() {
        let waiting = state.withLock { state in
            defer { state = State() }
            return state.waiting
        }
        for _ in 0..<waiting { opened.signal() }
    }

    /// Somebody stands here.
    var isReached: Bool { state.withLock { $0.waiting > 0 } }

    func pass() {
        let mustWait = state.withLock { state in
            if state.isClosed { state.waiting += 1 }
            return state.isClosed
        }
        if mustWait { opened.wait() }
    }
}
