import Actions
import Events
import Ledger
import Logging
import ServiceLifecycle
import Telemetry
import Values

/// Carries alerts from the outbox to their receivers: one at a time for each receiver and in order for each alert; receivers beside each
/// other. Ingestion never waits for it.
struct DeliveryService: Service {
    let ledger: Ledger
    let sender: WebhookSender
    let silences: SilenceGate
    /// Of the configuration.
    let receivers: [String]
    /// Those of them that are the log.
    let logReceivers: Set<String>
    let bells: ReceiverBells
    let metrics: PrometheusRegistry
    let clock: WallClock
    let log: Logger

    private static let batch = 20

    func run() async throws {
        // Receivers that left the configuration may still have entries, which end as undeliverable.
        let targets = Set(receivers).union((try? await ledger.targets(.delivery)) ?? []).sorted()
        await cancelWhenGracefulShutdown {
            await withTaskGroup(of: Void.self) { group in
                for target in targets {
                    group.addTask {
                        let bell = bells.bell(target)
                        var isDisabled = false
                        while !Task.isCancelled {
                            let worked = await deliverDue(to: target, &isDisabled)
                            if !worked { await bell.wait(atMost: .seconds(1)) }
                        }
                    }
                }
                // Without any receiver there is nothing to do but to stay.
                group.addTask {
                    let bell = Doorbell()
                    while !Task.isCancelled { await bell.wait(atMost: .seconds(3_600)) }
                }
            }
        }
    }

    /// - Returns: whether something was delivered, so that more may be due.
    private func deliverDue(to target: String, _ isDisabled: inout Bool) async -> Bool {
        do {
            var worked = false
            for entry in try await ledger.due(.delivery, to: target, at: clock.now(), limit: Self.batch) {
                guard !Task.isCancelled else { return false }
                worked = await deliver(entry, &isDisabled) || worked
            }
            return worked
        } catch is CancellationError {
            return false
        } catch {
            log.error("outbox cannot be read", metadata: ["reason": "\(error)"])
            return false
        }
    }

    /// - Returns: whether the entry is done with, so that the next of its lane may go.
    private func deliver(_ entry: StoredOutboxEntry, _ isDisabled: inout Bool) async -> Bool {
        let stored: StoredOutboxEntry
        do {
            guard let passed = try await silences.pass(entry) else { return true }
            stored = passed
        } catch {
            log.error("outbox cannot be read", metadata: ["reason": "\(error)"])
            return false
        }
        guard !isDisabled else {
            try? await ledger.finish(
                stored.id, dead: "the receiver answered 410 (gone) before; restart to try it again")
            return true
        }
        let progress = Progress(stored.progress)
        let message = try? JSON(parsing: stored.entry.body)
        if logReceivers.contains(stored.entry.target) { return await write(stored, message) }
        let outcome = await sender.attempt(
            PendingDelivery(
                id: stored.entry.key, receiver: stored.entry.target, body: stored.entry.body, message: message,
                attempts: progress.attempts, firstAttempt: progress.first), at: clock.now())
        metrics.counter(.notifications, ["receiver": stored.entry.target, "outcome": outcome.label]).add(1)
        do {
            switch outcome.action {
            case .delivered:
                try await ledger.finish(
                    stored.id, telling: SilenceGate.told(stored.entry), to: stored.entry.target)
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
                if case .disableReceiver = outcome.action { isDisabled = true }
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

    /// Delivers to the service's own log, a line for each alert.
    private func write(_ stored: StoredOutboxEntry, _ message: JSON?) async -> Bool {
        for alert in message.flatMap(DeliveredAlert.all(of:)) ?? [] {
            log.log(
                level: alert.isFiring && alert.urgency > .info ? .warning : .notice, "\(alert.summary)",
                metadata: [
                    "receiver": "\(stored.entry.target)", "status": "\(alert.isFiring ? "firing" : "resolved")",
                    "alert": "\(alert.name)", "model": "\(alert.model)", "segment": "\(alert.place)",
                    "since": "\(alert.changeStart)", "likely": "\(alert.likely ?? "")", "link": "\(alert.link)",
                ])
        }
        metrics.counter(.notifications, ["receiver": stored.entry.target, "outcome": "delivered"]).add(1)
        do {
            try await ledger.finish(stored.id, telling: SilenceGate.told(stored.entry), to: stored.entry.target)
            return true
        } catch {
            log.error("outbox cannot be written", metadata: ["reason": "\(error)"])
            return false
        }
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

/// Wakes the loop of each receiver.
struct ReceiverBells: Sendable {
    private let bells: [String: Doorbell]
    private let other = Doorbell()

    init(_ receivers: [String]) {
        bells = Dictionary(receivers.map { ($0, Doorbell()) }, uniquingKeysWith: { a, _ in a })
    }

    func bell(_ receiver: String) -> Doorbell { bells[receiver] ?? other }

    func ring() { for bell in bells.values { bell.ring() } }
}
