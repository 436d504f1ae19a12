import Foundation
import Kafka
import Ledger
import Logging
import Values

/// One step of a worker, on a thread that may wait for a disk or a broker: dead letters first, then counts and offsets in one
/// transaction.
struct KafkaStep: Sendable {
    enum Outcome: Sendable {
        case stored
        /// The counts do not go on where the ledger stands.
        case refused(StaleDelta)
        /// Nothing of it is written, and the service stops: all of it is read again after a restart.
        case givenUp
    }

    let letters: DeadLetters
    let delta: IntakeDelta
    let report: IntakeReport

    /// Tries until it works or the service stops.
    func run(_ parts: KafkaWorker.Parts, isStopping: @Sendable () -> Bool) -> Outcome {
        let begun = parts.clock.now()
        let worked = ThreadClock.nanoseconds
        defer {
            parts.metrics.step((parts.clock.now() - begun).seconds, worker: parts.name)
            var times = WorkTimes()
            times[.step] = ThreadClock.nanoseconds - worked
            parts.metrics.worked(times, worker: parts.name)
        }
        guard settle(parts, isStopping) else { return .givenUp }
        do throws(LedgerError) {
            guard let stale = try parts.engine.submit(delta, report, from: parts.name, now: parts.clock.now()) else {
                return .stored
            }
            parts.metrics.refused(worker: parts.name)
            parts.log.error(
                "counts were dropped: their messages are read again from where the ledger stands",
                metadata: ["worker": "\(parts.name)", "reason": "\(stale)"])
            return .refused(stale)
        } catch {
            parts.log.critical(
                "the last step was not written; it is read again after a restart", metadata: ["reason": "\(error)"])
            return .givenUp
        }
    }

    /// - Returns: whether all letters have arrived.
    private func settle(_ parts: KafkaWorker.Parts, _ isStopping: () -> Bool) -> Bool {
        var letters = letters
        let part = "\(parts.name) dead letters"
        // A shutdown must not wait longer than this for a broker.
        while let reason = letters.settle(timeoutMilliseconds: 2_000) {
            parts.health.set(part, reason)
            parts.log.error("dead letters wait", metadata: ["worker": "\(parts.name)", "reason": "\(reason)"])
            if isStopping() { return false }
            // Some refusals come at once.
            Thread.sleep(forTimeInterval: 0.2)
        }
        parts.health.set(part, nil)
        return true
    }
}
