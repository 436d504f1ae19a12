import Actions
import Events
import Logging
import MLflow
import Registry
import ServiceLifecycle
import Synchronization
import Values

/// Tells the webhooks that MLflow's clients made what they asked to hear of. Each has its place in the feed, so that what
/// happened while a receiver was down is sent when it is back; a slow one holds up nobody else.
///
/// Whoever may use the interface chose the addresses, so they lead to public ones over TLS only, unless the operator's
/// configuration says otherwise.
struct ClientWebhooks: Service {
    let registry: Registry
    let options: Receiver.Options
    let clock: WallClock
    let log: Logger

    private static let batch = 100
    private static let pause = Duration.milliseconds(500)

    func run() async throws {
        let served = Served()
        await cancelWhenGracefulShutdown {
            await withDiscardingTaskGroup { group in
                while !Task.isCancelled {
                    for webhook in (try? await registry.webhooks()) ?? [] where webhook.isActive {
                        guard served.begin(webhook.id) else { continue }
                        group.addTask {
                            await serve(webhook)
                            served.end(webhook.id)
                        }
                    }
                    try? await Task.sleep(for: Self.pause)
                }
            }
        }
    }

    /// Until it is changed or gone; then it is served anew as it is.
    private func serve(_ webhook: StoredWebhook) async {
        if webhook.isLocked {
            log.error("a webhook waits", metadata: ["webhook": "\(webhook.id)", "reason": "\(Self.locked)"])
        }
        let post = RegistryPost(
            sender: Self.sender(webhook, options), clock: clock, log: log,
            isWanted: { (try? await registry.webhook(webhook.id)) == webhook })
        while !Task.isCancelled {
            do {
                guard try await registry.webhook(webhook.id) == webhook else { return }
                if !webhook.isLocked { try await deliver(webhook, post) }
            } catch is CancellationError {
                return
            } catch {
                log.error("a webhook waits", metadata: ["webhook": "\(webhook.id)", "reason": "\(error)"])
            }
            try? await Task.sleep(for: Self.pause)
        }
    }

    private func deliver(_ webhook: StoredWebhook, _ post: RegistryPost) async throws {
        let cursor = try await registry.cursor(of: webhook.consumer)
        for event in try await registry.events(after: cursor, limit: Self.batch) {
            for (i, body) in try await RegistryNews.bodies(event, registry).enumerated() {
                let name = "\(body["entity"]?.stringValue ?? "").\(body["action"]?.stringValue ?? "")"
                guard webhook.events.contains(name) else { continue }
                let isDone = try await post.send(
                    PendingDelivery(id: "registry-\(event.sequence)-\(i)", receiver: webhook.id, body: body.bytes))
                guard isDone else { return }
            }
            try await registry.advance(webhook.consumer, to: event.sequence)
        }
    }

    /// What MLflow's interface asks of those who send.
    static func gate(_ options: Receiver.Options, clock: WallClock) -> WebhookGate {
        WebhookGate { webhook in
            problem(receiver(webhook, options), options, webhook.url)
        } test: { webhook, body in
            if webhook.isLocked { return .failed(locked) }
            let delivery = PendingDelivery(id: "test-\(webhook.id)", receiver: webhook.id, body: body.bytes)
            return switch await sender(webhook, options).attempt(delivery, at: clock.now()).result {
            case .response(let status, _), .unacceptable(let status): .status(status)
            case .connectionError(let why), .refused(let why): .failed(why)
            }
        }
    }

    private static let locked =
        "its secret was sealed with another key: give that key as registry.client_webhooks.key, or set the secret again"

    /// In the words of MLflow's server where it has some.
    private static func problem(_ receiver: Receiver, _ options: Receiver.Options, _ url: String) -> String? {
        do throws(ReceiverError) {
            if let why = try AddressGuard.problem(url, options: options) { return "Invalid webhook URL: \(why)" }
        } catch {
            switch error {
            case .unsupportedScheme, .plainHTTP: return "Invalid webhook URL scheme: \(error)"
            default: return "Invalid webhook URL: \(error)"
            }
        }
        return receiver.problems.first.map { "\($0)" }
    }

    private static func sender(_ webhook: StoredWebhook, _ options: Receiver.Options) -> WebhookSender {
        WebhookSender(receivers: [receiver(webhook, options)], random: { Double.random(in: 0..<1) })
    }

    private static func receiver(_ webhook: StoredWebhook, _ options: Receiver.Options) -> Receiver {
        Receiver(
            name: webhook.id,
            kind: .webhook(
                .init(
                    url: webhook.url, secrets: webhook.secret.map { [$0] } ?? [], timeout: .seconds(30),
                    options: options, form: .mlflow)))
    }

    /// Which webhooks have a task.
    private final class Served: Sendable {
        private let ids = Mutex<Set<String>>([])

        func begin(_ id: String) -> Bool { ids.withLock { $0.insert(id).inserted } }
        func end(_ id: String) { _ = ids.withLock { $0.remove(id) } }
    }
}
