import Actions
import Events
import Ledger
import Logging
import ServiceLifecycle
import Values

/// Repeats what fires to receivers that forget it otherwise: an Alertmanager ends an alert that nobody sends any more. The first delivery
/// and the last go through the outbox as to every receiver; what is between is not worth keeping, for the next comes in a minute.
struct AlertRefresh: Service {
    let ledger: Ledger
    let sender: WebhookSender
    /// Names of the receivers that forget.
    let receivers: [String]
    let externalURL: String
    let clock: WallClock
    let log: Logger

    func run() async throws {
        guard !receivers.isEmpty else { return try await gracefulShutdown() }
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                for receiver in receivers { await refresh(receiver) }
                try? await Task.sleep(for: .microseconds(AlertmanagerPost.interval.microseconds))
            }
        }
    }

    /// Tells a receiver again of the alerts it was told of and that still fire.
    func refresh(_ receiver: String) async {
        do {
            let told = try await ledger.told(to: receiver)
            guard !told.isEmpty else { return }
            let lines = try ledger.alerts(fingerprints: told.keys.sorted())
            let alerts = lines.sorted { $0.key < $1.key }.compactMap { fingerprint, line -> JSON? in
                guard let alert = try? JSON(parsing: line.utf8), alert["status"]?.stringValue == "firing",
                    alert["startsAt"]?.stringValue == told[fingerprint]
                else { return nil }
                return alert
            }
            guard !alerts.isEmpty else { return }
            let body = JSON.members(("alerts", .array(alerts)), ("externalURL", .string(externalURL)))
            let outcome = await sender.attempt(
                PendingDelivery(id: "refresh", receiver: receiver, body: body.bytes, message: body), at: clock.now())
            guard outcome.action != .delivered else { return }
            log.warning(
                "alerts that fire could not be repeated, the next try is in \(AlertmanagerPost.interval)",
                metadata: [
                    "receiver": "\(receiver)", "reason": "\(DeliveryStateMachine.reason(outcome.result))",
                ])
        } catch {
            log.warning("alerts that fire cannot be looked up", metadata: ["reason": "\(error)"])
        }
    }
}
