import Events
import Foundation
import Ledger
import Logging
import Registry
import Rules
import ServiceLifecycle
import Values

/// Does what firing alerts ask for: reads orders from the outbox, checks the guards, lets the registry decide in one transaction, and tells
/// the receivers what came of it. An order that was interrupted finds its decision already made.
struct ActionService: Service {
    let ledger: Ledger
    let registry: Registry
    let engine: Engine
    /// Rules whose firing speaks against every rollback that is `guarded`, as they are when it is judged.
    let dataQualityRules: @Sendable () -> Set<String>
    let receivers: [String]
    let externalURL: String
    let bell: Doorbell
    let deliveries: ReceiverBells
    let clock: WallClock
    let log: Logger

    private static let actor = "holdfast"

    func run() async throws {
        await withGracefulShutdownHandler {
            await cancelWhenGracefulShutdown {
                while !Task.isCancelled {
                    await performDue()
                    await bell.wait(atMost: .seconds(1))
                }
            }
        } onGracefulShutdown: {
            bell.ring()
        }
    }

    private func performDue() async {
        do {
            let now = clock.now()
            let orders = try await ledger.due(.action, to: Self.rollbackTarget, at: now, limit: 50)
            for stored in try await orders + ledger.due(.action, to: Self.followUp, at: now, limit: 50) {
                guard let json = try? JSON(parsing: stored.entry.body), let order = RollbackOrder(json) else {
                    try await ledger.finish(stored.id, dead: "the order cannot be read")
                    continue
                }
                if stored.entry.target == Self.followUp {
                    try await lookAgain(stored, order)
                } else {
                    try await rollback(stored, order)
                }
                deliveries.ring()
            }
        } catch is CancellationError {
            return
        } catch {
            log.error("actions wait", metadata: ["reason": "\(error)"])
        }
    }

    static let rollbackTarget = "rollback"
    private static let followUp = "rollback follow-up"

    private func rollback(_ stored: StoredOutboxEntry, _ order: RollbackOrder) async throws {
        let now = clock.now()
        let model = order.alert.model
        if order.attempt > 1, engine.firingAlerts(model: model)[order.alert.fingerprint] == nil {
            return try await ledger.finish(stored.id)
        }
        if let last = order.judgedThrough, reach(of: order) ?? .distantPast <= last {
            return try await ledger.reschedule(
                stored.id, progress: [], due: now + .seconds(1), note: "waits for the next window")
        }
        let decision = try await decide(stored.entry.key, order, at: now)
        log.notice(
            "rollback \(decision.outcome.rawValue)",
            metadata: [
                "model": "\(model)", "from": "\(decision.from ?? decision.judgedVersion)",
                "to": "\(decision.to ?? order.request.to)", "rule": "\(order.alert.rule)",
                "verdict": "\(decision.verdict?.rawValue ?? "")", "reason": "\(decision.reason)",
            ])
        let again = try nextAttempt(order, decision, now)
        let isGivenUp = try again == nil && mayPass(decision)
        if isGivenUp {
            log.warning(
                "rollback given up", metadata: ["model": "\(model)", "rule": "\(order.alert.rule)"])
        }
        let told = order.alert.replacingActions([Self.describe(decision, givenUpAfter: isGivenUp ? order.attempt : nil)]
        )
        // People hear of an order once when it cannot be judged yet, and of what became of it.
        var entries =
            order.attempt == 1 || again == nil ? deliveries(told, suffix: "-rollback-\(order.attempt)") : []
        if let again { entries.append(again) }
        if decision.outcome == .done {
            entries.append(
                OutboxEntry(
                    kind: .action, key: stored.entry.key + "/follow-up", target: Self.followUp, lane: stored.entry.key,
                    body: stored.entry.body, at: now + order.request.cooldown))
        }
        try await ledger.finish(stored.id, adding: entries, amending: told)
    }

    private func decide(_ key: String, _ order: RollbackOrder, at now: Timestamp) async throws -> Decision {
        let request = order.request
        let model = order.alert.model
        let champion = try await champion(of: model)
        let judged = champion?.champion?.version ?? ""
        let target: String? =
            switch request.to {
            case "champion-1": champion?.champion1?.version
            case "champion-2": champion?.champion2?.version
            default: request.to
            }
        let measurement = RollbackMeasurement(order: order, champion: judged, target: target)
        let trial: RollbackTrial
        do {
            trial = measurement.trial(
                try await ledger.windows(
                    model: model, length: order.window.length, from: order.changeStart,
                    to: order.waitsForLabels
                        ? max(order.window.end, reach(of: order) ?? .distantPast) : .distantFuture,
                    limit: request.windows))
        } catch let error where !(error is CancellationError) {
            trial = measurement.trial([], errors: ["its windows cannot be read: \(error)"])
        }
        return try await registry.decide(
            RollbackProposal(
                idempotencyKey: key, model: model, judgedVersion: judged, target: request.to,
                mode: .init(request.mode), cooldown: request.cooldown, maximum: request.maximum,
                maximumPer: request.maximumPer, vetoes: vetoes(order), trial: trial, evidence: order.json,
                reason: Self.reason(order.alert)),
            actor: Self.actor, at: now)
    }

    /// The end of the latest window that an order can be judged by.
    private func reach(of order: RollbackOrder) -> Timestamp? {
        let model = order.alert.model
        return order.waitsForLabels ? engine.maturedThrough(model: model) : engine.closedThrough(model: model)
    }

    /// What says that the data is at fault: rules the order names, and in `guarded` every rule about the quality of data.
    private func vetoes(_ order: RollbackOrder) -> [String] {
        let firing = Set(engine.firingAlerts(model: order.alert.model).values)
        var names = order.request.unless.filter(firing.contains)
        if order.request.mode != .auto {
            names += firing.intersection(dataQualityRules()).subtracting(names + [order.alert.rule]).sorted()
        }
        return names.map { "\($0) fires: the data is at fault, not the model" }
    }

    /// An order that is not borne out yet, or that something stands against which may pass, is judged again when the next
    /// window has closed, for a while.
    private func nextAttempt(
        _ order: RollbackOrder, _ decision: Decision, _ now: Timestamp
    ) throws -> OutboxEntry? {
        guard try mayPass(decision), order.attempt < order.request.windows + Self.attemptsBeyond else { return nil }
        var next = order
        next.attempt += 1
        next.judgedThrough = max(order.window.end, reach(of: order) ?? order.window.end)
        let first = decision.idempotencyKey.components(separatedBy: "/again/")[0]
        let key = "\(first)/again/\(next.attempt)"
        return OutboxEntry(
            kind: .action, key: key, target: Self.rollbackTarget, lane: key, body: next.json.bytes, at: now)
    }

    /// Whether what stands against a rollback may be gone in a later window.
    private func mayPass(_ decision: Decision) throws -> Bool {
        try decision.outcome == .refused && (decision.verdict != .degrade || decision.isPutOff())
    }

    /// Windows that an order is judged in beyond those it needs, before it is given up.
    private static let attemptsBeyond = 4

    /// `nil` where the registry does not know the model.
    private func champion(of model: String) async throws -> ChampionState? {
        do {
            return try await registry.champion(model: model)
        } catch let error as RegistryError where error.code == .notFound {
            return nil
        }
    }

    /// At the end of the cooldown: if the rule that asked for the rollback still fires, people must know that it did not help.
    private func lookAgain(_ stored: StoredOutboxEntry, _ order: RollbackOrder) async throws {
        guard engine.firingAlerts(model: order.alert.model)[order.alert.fingerprint] != nil else {
            return try await ledger.finish(stored.id)
        }
        let text = "\(order.alert.rule) still fires \(order.request.cooldown) after the rollback: it did not help"
        let told = order.alert.replacingActions([
            .members(("rollback", "no improvement"), ("reason", .string(text)))
        ])
        try await ledger.finish(stored.id, adding: deliveries(told, suffix: "-no-improvement"))
    }

    private func deliveries(_ alert: Alert, suffix: String) -> [OutboxEntry] {
        (alert.notify ?? receivers).compactMap {
            Outgoing.delivery([alert], to: $0, externalURL: externalURL, suffix: suffix, at: clock.now())
        }
    }

    private static func reason(_ alert: Alert) -> String {
        let summary = alert.annotations["summary"] ?? "\(alert.labels["column"] ?? "") in \(alert.segment)"
        return "\(alert.rule): \(summary)"
    }

    /// - Parameter windows: in how many it was judged, where it is not judged again: from then on it is a person's turn.
    private static func describe(_ decision: Decision, givenUpAfter windows: Int?) -> JSON {
        let advice = windows.map {
            "given up after \($0) windows: if the model is at fault, roll back by hand (`holdfast registry rollback`)"
        }
        let reason = [decision.reason, advice ?? ""].filter { !$0.isEmpty }.joined(separator: "; ")
        return .members(
            ("rollback", .string(decision.outcome.rawValue)),
            ("verdict", decision.verdict.map { .string($0.rawValue) }), ("from", decision.from.map { .string($0) }),
            ("to", decision.to.map { .string($0) }),
            ("reason", reason.isEmpty ? nil : .string(reason)),
            ("decision", .string("\(decision.id)")))
    }
}

extension RollbackProposal.Mode {
    init(_ mode: ActionRequest.Rollback.Mode) {
        switch mode {
        case .dryRun: self = .dryRun
        case .guarded: self = .guarded
        case .auto: self = .auto
        }
    }
}
