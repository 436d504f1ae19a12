import Actions
import Events
import Logging
import Registry
import ServiceLifecycle
import Values

/// Tells other systems of what happens in the registry, as MLflow's own webhooks do, with what those lack: the version an
/// alias pointed at before, who moved it, why, and the place in the feed. In order and at least once for each receiver; a
/// cursor in the registry says how far it has come, so what was missed is sent when the receiver is back.
struct RegistryWebhooks: Service {
    let registry: Registry
    let receivers: [Receiver]
    let sender: WebhookSender
    let clock: WallClock
    let log: Logger

    private static let batch = 100
    private static let pause = Duration.seconds(1)

    init(
        registry: Registry, receivers: [Receiver], random: @escaping @Sendable () -> Double, clock: WallClock,
        log: Logger
    ) {
        self.registry = registry
        self.receivers = receivers
        sender = WebhookSender(receivers: receivers, random: random)
        self.clock = clock
        self.log = log
    }

    func run() async throws {
        await cancelWhenGracefulShutdown {
            await withTaskGroup(of: Void.self) { group in
                for receiver in receivers { group.addTask { await serve(receiver.name) } }
            }
        }
    }

    private func serve(_ receiver: String) async {
        await begin(receiver)
        while !Task.isCancelled {
            do {
                try await deliver(receiver)
            } catch is CancellationError {
                return
            } catch {
                log.error("registry webhooks wait", metadata: ["receiver": "\(receiver)", "reason": "\(error)"])
            }
            try? await Task.sleep(for: Self.pause)
        }
    }

    /// A receiver that is new hears of what happens from now on, not of all there ever was.
    private func begin(_ receiver: String) async {
        while !Task.isCancelled {
            do {
                return try await registry.beginCursor(of: Self.consumer(receiver))
            } catch {
                try? await Task.sleep(for: Self.pause)
            }
        }
    }

    private static func consumer(_ receiver: String) -> String { "webhook/\(receiver)" }

    private func deliver(_ receiver: String) async throws {
        let consumer = Self.consumer(receiver)
        for event in try await registry.events(after: try await registry.cursor(of: consumer), limit: Self.batch) {
            for (i, body) in try await RegistryNews.bodies(event, registry).enumerated() {
                try await send(
                    PendingDelivery(id: "registry-\(event.sequence)-\(i)", receiver: receiver, body: body.bytes))
            }
            try await registry.advance(consumer, to: event.sequence)
        }
    }

    /// Tries until it is taken or cannot be; what nobody will ever take does not hold up what comes after.
    private func send(_ delivery: PendingDelivery) async throws {
        var delivery = delivery
        while true {
            try Task.checkCancellation()
            let outcome = await sender.attempt(delivery, at: clock.now())
            delivery.attempts = outcome.attempts
            delivery.firstAttempt = outcome.firstAttempt
            switch outcome.action {
            case .delivered: return
            case .deliverAgain(let at):
                let wait = max(Span.milliseconds(100), at - clock.now())
                try await Task.sleep(for: .microseconds(wait.microseconds))
            case .dead, .disableReceiver:
                log.error(
                    "a registry event was given up",
                    metadata: [
                        "receiver": "\(delivery.receiver)", "id": "\(delivery.id)", "reason": "\(outcome.result)",
                    ])
                return
            }
        }
    }
}

/// An event of the registry in the words of MLflow's webhooks: entity, action, timestamp, data.
enum RegistryNews {
    static func bodies(_ event: RegistryEvent, _ registry: Registry) async throws -> [JSON] {
        let payload = (try? JSON(parsing: event.payload.utf8)) ?? .null
        func body(_ entity: String, _ action: String, _ data: JSON) -> JSON {
            .members(
                ("entity", .string(entity)), ("action", .string(action)), ("timestamp", .time(event.at)), ("data", data)
            )
        }
        switch event.kind {
        case .modelRegistered:
            return [
                body(
                    "registered_model", "created",
                    .members(
                        ("name", .string(event.model)), ("description", payload["description"]),
                        ("tags", payload["tags"]), ("seq", .integer(event.sequence))))
            ]
        case .versionRegistered:
            return [
                body(
                    "model_version", "created",
                    .members(
                        ("name", .string(event.model)), ("version", payload["version"]), ("source", payload["source"]),
                        ("run_id", payload["run_id"]), ("description", payload["description"]),
                        ("tags", payload["tags"]), ("seq", .integer(event.sequence))))
            ]
        case .aliasSet, .aliasDeleted, .promoted, .rolledBack, .versionDeleted, .modelDeleted:
            // The model may be gone by now, or have another name.
            return try await registry.aliasMoves(at: event.sequence).map { move in
                body(
                    "model_version_alias", move.to == nil ? "deleted" : "created",
                    .members(
                        ("name", .string(event.model)), ("alias", .string(move.alias)),
                        ("version", (move.to ?? move.from).map { .string($0) }),
                        ("previous_version", move.from.map { .string($0) } ?? .null), ("actor", .string(move.actor)),
                        ("reason", .string(move.reason)), ("seq", .integer(event.sequence))))
            }
        default: return []
        }
    }
}
