import Actions
import Events
import Ledger
import Logging
import ServiceLifecycle
import Telemetry
import Values

/// Carries alerts from the outbox to their receivers: one at a time for each receiver, receivers beside each other. Ingestion never
/// waits for it.
struct DeliveryService: Service {
    let ledger: Ledger
    let sender: WebhookSender
    let bell: Doorbell
    let metrics: PrometheusRegistry
    let clock: WallClock
    let log: Logger

    private static let batch = 100

    func run() async throws {
        await withGracefulShutdownHandler {
            await cancelWhenGracefulShutdown {
                while !Task.isCancelled {
                    let worked = await deliverDue()
                    if !worked { await bell.wait(atMost: .seconds(1)) }
                }
            }
        } onGracefulShutdown: {
            bell.ring()
        }
    }

    /// - Returns: whether anything was due.
    private func deliverDue() async -> Bool {
        do {
            let due = try await ledger.due(.delivery, at: clock.now(), limit: Self.batch)
            guard !due.isEmpty else { return false }
            await withTaskGroup(of: Void.self) { group in
                for (_, entries) in Dictionary(grouping: due, by: \.entry.target) {
                    group.addTask {
                        for entry in entries.sorted(by: { $0.id < $1.id }) {
                            guard !Task.isCancelled, await deliver(entry) else { return }
                        }
                    }
                }
            }
            return true
        } catch is CancellationError {
            return false
        } catch {
            log.error("outbox cannot be read", metadata: ["reason": "\(error)"])
            return false
        }
    }

    /// - Returns: whether the receiver is worth another delivery now.
    private func deliver(_ stored: StoredOutboxEntry) async -> Bool {
        let progress = Progress(stored.progress)
        let outcome = await sender.attempt(
            PendingDelivery(
                id: stored.entry.key, receiver: stored.entry.target, body: stored.entry.body,
                attempts: progress.attempts, firstAttempt: progress.first), at: clock.now())
        metrics.counter(.notifications, ["receiver": stored.entry.target, "outcome": outcome.label]).add(1)
        do {
            switch outcome.action {
            case .delivered:
                try await ledger.finish(stored.id)
                log.info("delivered", metadata: ["receiver": "\(stored.entry.target)", "id": "\(stored.entry.key)"])
                return true
            case .deliverAgain(let due):
                let reason = DeliveryStateMachine.reason(outcome.result)
                let progress = Progress(attempts: outcome.attempts, first: outcome.firstAttempt)
                try await ledger.reschedule(stored.id, progress: progress.bytes, due: due, note: reason)
                log.warning(
                    "delivery failed, will be tried again",
                    metadata: ["receiver": "\(stored.entry.target)", "reason": "\(reason)", "at": "\(due.rfc3339)"])
            case .dead(let reason), .disableReceiver(let reason):
                try await ledger.finish(stored.id, dead: reason)
                log.error(
                    "delivery given up",
                    metadata: [
                        "receiver": "\(stored.entry.target)", "reason": "\(reason)", "id": "\(stored.entry.key)",
                    ])
            }
        } catch {
            log.error("outbox cannot be written", metadata: ["reason": "\(error)"])
        }
        return false
    }

    /// What the retry machine must remember between attempts, as the outbox stores it.
    private struct Progress {
        var attempts: Int
        var first: Timestamp?

        init(attempts: Int, first: Timestamp?) {
            self.attempts = attempts
            self.first = first
        }

        init(_ bytes: [UInt8]) {
            let json = try? JSON(parsing: bytes)
            attempts = Int(json?["attempts"]?.integerValue ?? 0)
            first = json?["first"]?.integerValue.map { Timestamp(microseconds: $0) }
        }

        var bytes: [UInt8] {
            JSON.members(("attempts", .int(attempts)), ("first", first.map { .integer($0.microseconds) })).bytes
        }
    }
}
