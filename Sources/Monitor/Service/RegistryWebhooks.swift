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
    let log: Logger
    private let post: RegistryPost

    private static let batch = 100
    private static let pause = Duration.seconds(1)

    init(
        registry: Registry, receivers: [Receiver], random: @escaping @Sendable () -> Double, clock: WallClock,
        log: Logger
    ) {
        self.registry = registry
        self.receivers = receivers
        self.log = log
        post = RegistryPost(sender: WebhookSender(receivers: receivers, random: random), clock: clock, log: log)
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
                _ = try await post.send(
                    PendingDelivery(id: "registry-\(event.sequence)-\(i)", receiver: receiver, body: body.bytes))
            }
            try await registry.advance(consumer, to: event.sequence)
        }
    }
}
