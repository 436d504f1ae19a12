import Events
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
        let request = order.request
        let champion = try await champion(of: order.alert.model)
        let judged = champion?.champion?.version ?? ""
        let target: String? =
            switch request.to {
            case "champion-1": champion?.champion1?.version
            case "champion-2": champion?.champion2?.version
            default: request.to
            }
        let decision = try await registry.decide(
            RollbackProposal(
                idempotencyKey: stored.entry.key, model: order.alert.model, judgedVersion: judged, target: request.to,
                mode: .init(request.mode), cooldown: request.cooldown, maximum: request.maximum,
                maximumPer: request.maximumPer,
                vetoes: RollbackGuards.vetoes(
                    order, judged: judged, target: target,
                    firing: Set(engine.firingAlerts(model: order.alert.model).values)),
                evidence: order.json, reason: Self.reason(order.alert)),
            actor: Self.actor, at: now)
        log.notice(
            "rollback \(decision.outcome.rawValue)",
            metadata: [
                "model": "\(order.alert.model)", "from": "\(decision.from ?? judged)",
                "to": "\(decision.to ?? request.to)",
                "rule": "\(order.alert.rule)", "reason": "\(decision.reason)",
            ])
        let told = order.alert.replacingActions([Self.describe(decision)])
        var entries = deliveries(told, suffix: "-rollback")
        if decision.outcome == .done {
            entries.append(
                OutboxEntry(
                    kind: .action, key: stored.entry.key + "/follow-up", target: Self.followUp, lane: stored.entry.key,
                    body: stored.entry.body, at: now + request.cooldown))
        }
        try await ledger.finish(stored.id, adding: entries, amending: told)
    }

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

    private static func describe(_ decision: Decision) -> JSON {
        .members(
            ("rollback", .string(decision.outcome.rawValue)), ("from", decision.from.map { .string($0) }),
            ("to", decision.to.map { .string($0) }),
            ("reason", decision.reason.isEmpty ? nil : .string(decision.reason)),
            ("decision", .string("\(decision.id)")))
    }
}

/// The guards of an automatic rollback that need what the engine knows; cooldown, maximum and the state of the target are the registry's.
enum RollbackGuards {
    /// Fewer rows of a version say nothing about it.
    private static let minimumRows: UInt64 = 30

    static func vetoes(_ order: RollbackOrder, judged: String, target: String?, firing: Set<String>) -> [String] {
        var vetoes = order.request.unless.filter(firing.contains).map {
            "\($0) fires: the data is at fault, not the model"
        }
        let versions = Dictionary(order.versions.map { ($0.name, $0) }, uniquingKeysWith: { a, _ in a })
        if !judged.isEmpty, let reason = notShown(order, judged, versions[judged]) { vetoes.append(reason) }
        if order.request.mode != .auto, let target, let before = versions[target], before.rows >= minimumRows,
            let psi = before.psi, before.significant, psi >= 0.5 * (versions[judged]?.psi ?? 0)
        {
            vetoes.append("version \(target) drifts as much in the same window: the data is at fault, not the model")
        }
        return vetoes
    }
}

extension RollbackGuards {
    /// The champion may have changed since the rows were scored: its own rows must show what the alert says.
    private static func notShown(_ order: RollbackOrder, _ judged: String, _ version: RollbackOrder.Version?) -> String?
    {
        guard let version, version.rows > 0 else {
            let seen = order.versions.map(\.name).joined(separator: ", ")
            return "the window holds no rows of the champion \(judged), only of \(seen)"
        }
        if version.rows < minimumRows {
            return "the window holds only \(version.rows) rows of the champion \(judged)"
        }
        if order.judgesDistance, !version.significant {
            return "the champion \(judged)'s own rows in the window do not drift significantly"
        }
        return nil
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
