import Actions
import Foundation
import Kafka
import Ledger
package import Logging
import MLflow
import Registry
import Rules
import Server
import ServiceLifecycle
package import StrictYAML
import Synchronization
import Telemetry
import UnixSignals
import Values

/// `holdfast serve`: everything wired together, started in order and stopped in the reverse order.
package struct Serve: Sendable {
    /// Why the service cannot start, in words for the operator.
    package struct Failure: Error, CustomStringConvertible {
        package let description: String
    }

    private static let shutdownSeconds: Int64 = 10

    private let configuration: Configuration
    private let models: [MonitoredModel]
    private let clock: WallClock
    private let log: Logger

    package init(_ configuration: Configuration, log: Logger, clock: WallClock = .system) throws(Problems) {
        self.configuration = configuration
        self.log = log
        self.clock = clock
        models = try MonitoredModel.load(configuration)
    }

    /// Runs until SIGTERM or SIGINT, or until the task is cancelled.
    /// - Parameter onReady: told the port once requests are answered.
    package func run(onReady: @escaping @Sendable (Int) async -> Void = { _ in }) async throws {
        Heap.keepFreedMemory()
        let parts = try await assemble()
        RollbackTimes.log(models, configuration.rules, log)
        let server = makeServer(
            configuration: try ServerConfiguration(
                host: configuration.http.host, port: configuration.http.port, tokens: configuration.http.tokens,
                roles: configuration.http.roles, names: configuration.http.names),
            service: parts.live, registry: parts.registry, mlflow: parts.mlflow, log: log, onRunning: onReady)
        var services: [any Service] = [
            parts.reload, parts.roles, parts.deliveries, parts.deliveries.silences, parts.actions, server,
            Ticker(posted: parts.posted),
            parts.fleet, parts.refresh,
            ClientWebhooks(
                registry: parts.registry, options: configuration.registry.clientWebhooks, clock: clock, log: log),
        ]
        if let topic = try championTopic(parts.registry) { services.append(topic) }
        if let mirror = parts.mirror { services.append(mirror) }
        if !configuration.registry.webhooks.isEmpty {
            services.append(
                RegistryWebhooks(
                    registry: parts.registry, receivers: configuration.registry.webhooks,
                    random: { Double.random(in: 0..<1) }, clock: clock, log: log))
        }
        if !parts.workers.isEmpty { services.append(IngestService(workers: parts.workers)) }
        // Services stop in the reverse order, so this hears of the end first.
        services.append(StopSignal(stopping: parts.stopping))
        var group = ServiceGroupConfiguration(
            // Unnamed, a service is described to its last member, which takes seconds where that is a model's plans.
            services: services.map { .init(service: $0, serviceName: "\(type(of: $0))") },
            gracefulShutdownSignals: [.sigterm, .sigint], logger: log)
        group.maximumGracefulShutdownDuration = .seconds(Self.shutdownSeconds - 1)
        do {
            try await ServiceGroup(configuration: group).runGracefully()
        } catch  where "\(error)".contains("errno: 98") {
            throw Failure(
                description:
                    "http.listen: \(configuration.http.host):\(configuration.http.port) is in use by another program")
        }
        log.info("stopped")
    }

    private struct Parts {
        let live: LiveService
        let registry: Registry
        let mlflow: MLflowAPI
        let posted: PostedEvents
        let deliveries: DeliveryService
        let refresh: AlertRefresh
        let actions: ActionService
        let fleet: FleetWatch
        let mirror: MLflowMirror?
        let workers: [KafkaWorker]
        let reload: RuleReload
        let roles: RoleWatch
        let stopping: Flag
        /// Held as long as the service runs.
        let lock: StateLock
    }

    private func assemble() async throws -> Parts {
        let folder = configuration.statePath
        do {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        } catch {
            throw Failure(description: "\(folder): the state folder cannot be made: \(error.localizedDescription)")
        }
        let lock = try StateLock(folder: folder)
        let ledger = try Ledger(path: folder + "/ledger.sqlite")
        let seal = try WebhookKey.seal(configuration.registry.webhookKey, folder: folder, clock: clock)
        let registry = try await Registry(path: folder + "/registry.sqlite", seal: seal)
        try await registerModels(registry)
        let prometheus = PrometheusRegistry()
        let book = RuleBook(configuration.rules)
        let metrics = StepMetrics(registry: prometheus, book: book)
        let roles = RoleWatch(
            registry: registry, models: models.map(\.name),
            places: Dictionary(models.map { ($0.name, $0.places) }) { first, _ in first },
            book: book, log: log)
        try await roles.start()
        let health = Health()
        let receivers = configuration.receivers.map(\.name)
        let bells = (deliveries: ReceiverBells(receivers), actions: Doorbell())
        let log = log
        let stopping = Flag()
        let overflow = OverflowLog(log: log)
        let engine = try Engine(
            models: models, rules: book, ledger: ledger,
            options: .init(
                performs: true, keepsSnapshots: true, receivers: configuration.receivers.map(\.name),
                externalURL: configuration.externalURL, retention: configuration.retention),
            warn: { log.warning("\($0)") },
            retries: { error in
                health.set("ledger", error.reason)
                log.error("the ledger cannot be written; ingestion waits", metadata: ["reason": "\(error)"])
                Thread.sleep(forTimeInterval: 1)
                return !stopping.isSet
            },
            isStopping: { stopping.isSet }
        ) { step in
            health.set("ledger", nil)
            metrics.take(step)
            for warning in step.warnings { log.warning("\(warning)") }
            overflow.take(step)
            if !step.alerts.isEmpty {
                bells.deliveries.ring()
                bells.actions.ring()
            }
            for alert in step.alerts { Self.log(alert, log) }
        }
        try await ledger.forgetAlerts(exceptOf: models.map(\.name))
        engine.restoreViews(try await ViewRestorer(ledger: ledger).views(engine.models))
        let sender = WebhookSender(receivers: configuration.receivers, random: { Double.random(in: 0..<1) })
        let posted = try PostedEvents(models: models, engine: engine, ledger: ledger, clock: clock)
        return Parts(
            live: LiveService(
                engine: engine, ledger: ledger, posted: posted, metricsRegistry: prometheus, health: health,
                clock: clock),
            registry: registry,
            mlflow: MLflowService.make(
                registry: registry, state: folder,
                webhooks: ClientWebhooks.gate(configuration.registry.clientWebhooks, clock: clock), clock: clock),
            posted: posted,
            deliveries: DeliveryService(
                ledger: ledger,
                sender: sender,
                silences: SilenceGate(ledger: ledger, bells: bells.deliveries, clock: clock, log: log),
                receivers: receivers, logReceivers: Set(configuration.receivers.filter { $0.kind == .log }.map(\.name)),
                bells: bells.deliveries, metrics: prometheus, clock: clock, log: log),
            refresh: AlertRefresh(
                ledger: ledger, sender: sender, receivers: configuration.receivers.filter(\.forgets).map(\.name),
                externalURL: configuration.externalURL, clock: clock, log: log),
            actions: ActionService(
                ledger: ledger, registry: registry, engine: engine,
                dataQualityRules: { book.rules.dataQualityRules }, receivers: receivers,
                externalURL: configuration.externalURL, bell: bells.actions, deliveries: bells.deliveries, clock: clock,
                log: log),
            fleet: FleetWatch(
                registry: registry, ledger: ledger, share: configuration.registry.fleetShare,
                within: configuration.registry.fleetWithin, receivers: receivers,
                externalURL: configuration.externalURL, deliveries: bells.deliveries, metrics: prometheus,
                clock: clock, log: log),
            mirror: configuration.registry.mlflow.map {
                MLflowMirror(
                    registry: registry, client: MLflowClient(settings: $0), models: models.map(\.name),
                    metrics: prometheus, clock: clock, log: log)
            },
            workers: try workers(engine, health, metrics, stopping),
            reload: RuleReload(
                path: configuration.path, models: models, receivers: receivers, book: book, metrics: prometheus,
                clock: clock, log: log),
            roles: roles, stopping: stopping, lock: lock)
    }

    private func workers(
        _ engine: Engine, _ health: Health, _ metrics: StepMetrics, _ stopping: Flag
    ) throws -> [KafkaWorker] {
        guard let properties = configuration.kafka, !configuration.topics.isEmpty else { return [] }
        let kafka = try KafkaConfiguration(properties: properties)
        let deadLetterKafka = try KafkaConfiguration(properties: DeadLetters.producerProperties(properties))
        let schemas = configuration.schemaRegistry.map { settings in
            SchemaRegistry(settings, log: log) { metrics.schemaRequest($0) }
        }
        let names = (0..<configuration.workers).map(KafkaWorker.name)
        engine.hold(names)
        return names.map { name in
            KafkaWorker(
                .init(
                    name: name, kafka: kafka, deadLetterKafka: deadLetterKafka, topics: configuration.topics,
                    deadLetterTopic: configuration.deadLetterTopic, models: models, engine: engine, schemas: schemas,
                    metrics: metrics, health: health, clock: clock, log: log), stopping: stopping)
        }
    }

    /// A monitored model is in the registry from the first start on, so that it can be promoted and rolled back.
    private func registerModels(_ registry: Registry) async throws {
        let known = Set(try await registry.models().map(\.name))
        for model in models {
            if !known.contains(model.name) {
                _ = try await registry.registerModel(
                    model.name, actor: "holdfast", reason: "monitored", at: clock.now())
            }
            try await registry.protect(model: model.name, actor: "holdfast", reason: "monitored", at: clock.now())
        }
        for model in configuration.models {
            try await registry.setPolicy(
                model: model.name, model.promotion, actor: "holdfast", reason: "configuration", at: clock.now())
        }
    }

    private func championTopic(_ registry: Registry) throws -> ChampionTopic? {
        guard let topic = configuration.registry.topic, let properties = configuration.kafka else { return nil }
        return ChampionTopic(
            registry: registry, topic: topic,
            kafka: try KafkaConfiguration(properties: DeadLetters.producerProperties(properties)), log: log)
    }

    private static func log(_ alert: Alert, _ log: Logger) {
        log.notice(
            "alert \(alert.status.rawValue)",
            metadata: [
                "alert": "\(alert.rule)", "model": "\(alert.model)", "column": "\(alert.labels["column"] ?? "")",
                "segment": "\(alert.segment)", "at": "\(alert.at.rfc3339)",
            ])
    }
}

/// Something that happens once, for threads that cannot be cancelled to look at.
final class Flag: Sendable {
    private let flag = Mutex(false)
    var isSet: Bool { flag.withLock { $0 } }
    func set() { flag.withLock { $0 = true } }
}

/// The Kafka threads as a service: they stop consuming, make their last steps and leave the group when the service shuts down, all at once.
private struct IngestService: Service {
    let workers: [KafkaWorker]

    func run() async throws {
        for worker in workers { worker.start() }
        await withTaskCancellationOrGracefulShutdownHandler {
            for worker in workers { await worker.waitUntilFinished() }
        } onCancelOrGracefulShutdown: {
            for worker in workers { worker.stop() }
        }
    }
}

/// Tells the threads that wait for a disk or a broker that the service is ending.
private struct StopSignal: Service {
    let stopping: Flag

    func run() async throws {
        let bell = Doorbell()
        await withTaskCancellationOrGracefulShutdownHandler {
            while !stopping.isSet { await bell.wait(atMost: .seconds(3_600)) }
        } onCancelOrGracefulShutdown: {
            stopping.set()
            bell.ring()
        }
    }
}

/// Lets posted events' watermark run on while none come.
private struct Ticker: Service {
    let posted: PostedEvents

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                await posted.tick()
                try? await Task.sleep(for: .seconds(1))
            }
        }
    }
}

extension ServiceGroup {
    /// Runs the group; when the calling task is cancelled the services shut down in order instead of being cut off.
    func runGracefully() async throws {
        let running = Task { try await run() }
        try await withTaskCancellationHandler {
            try await running.value
        } onCancel: {
            Task { await triggerGracefulShutdown() }
        }
    }
}
