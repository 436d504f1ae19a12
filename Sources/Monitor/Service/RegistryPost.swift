import Actions
import Logging
import Values

/// Sends one piece of the registry's news until it is taken or cannot be; what nobody will ever take does not hold up what
/// comes after.
struct RegistryPost: Sendable {
    let sender: WebhookSender
    let clock: WallClock
    let log: Logger
    /// Asked before each try: a receiver may have gone while it was down.
    var isWanted: @Sendable () async -> Bool = { true }

    /// - Returns: `false` where it is not wanted any more.
    func send(_ delivery: PendingDelivery) async throws -> Bool {
        var delivery = delivery
        while true {
            try Task.checkCancellation()
            guard await isWanted() else { return false }
            let outcome = await sender.attempt(delivery, at: clock.now())
            delivery.attempts = outcome.attempts
            delivery.firstAttempt = outcome.firstAttempt
            switch outcome.action {
            case .delivered: return true
            case .deliverAgain(let at):
                let wait = max(Span.milliseconds(100), at - clock.now())
                try await Task.sleep(for: .microseconds(wait.microseconds))
            case .dead, .disableReceiver:
                log.error(
                    "a registry event was given up",
                    metadata: [
                        "receiver": "\(delivery.receiver)", "id": "\(delivery.id)", "reason": "\(outcome.result)",
                    ])
                return true
            }
        }
    }
}
