import Actions
import Events
import Ledger
import Rules
import Values

/// What transitions set in motion, as outbox entries of the step that caused them.
enum Outgoing {
    /// One entry for each receiver and cause: alerts of a group that began within a window of each other and are led by one segment go in
    /// one delivery, those among them that fire on without a change too. Each receiver is told of those whose rule names it.
    /// - Parameter siblings: the other firing alerts of an alert's cause, as they were told last.
    static func deliveries(
        _ alerts: [Alert], siblings: (Alert) -> [Alert] = { _ in [] }, receivers: [String], externalURL: String
    ) -> [OutboxEntry] {
        var groups: [(key: String, alerts: [Alert])] = []
        for alert in alerts where alert.status != .pending {
            let key = "\(alert.group)\u{0}\(alert.cause ?? alert.fingerprint)"
            if let i = groups.firstIndex(where: { $0.key == key }) {
                groups[i].alerts.append(alert)
            } else {
                groups.append((key, [alert]))
            }
        }
        return groups.flatMap { group in
            let changed = Set(group.alerts.map(\.fingerprint))
            let all = group.alerts + siblings(group.alerts[0]).filter { !changed.contains($0.fingerprint) }
            let told = group.alerts.flatMap { $0.notify ?? receivers }
            return told.indices.filter { !told[..<$0].contains(told[$0]) }.compactMap { place in
                let own = all.filter { ($0.notify ?? receivers).contains(told[place]) }
                return delivery(own, to: told[place], externalURL: externalURL)
            }
        }
    }

    /// - Parameter suffix: tells a follow-up to the same revision apart.
    static func delivery(
        _ alerts: [Alert], to receiver: String, externalURL: String, suffix: String = "", at now: Timestamp? = nil
    ) -> OutboxEntry? {
        guard let body = AlertmanagerBody(receiver: receiver, alerts: alerts, externalURL: externalURL),
            let at = now ?? alerts.map(\.at).max()
        else { return nil }
        return OutboxEntry(
            kind: .delivery, key: body.deliveryID + suffix, target: receiver,
            lane: "\(alerts[0].model)/\(alerts[0].group)", body: body.bytes, at: at)
    }

    /// One entry for each action a firing alert asks for, keyed so that it is done once: by the alert, which is of one rule, segment
    /// and version, and the start of the change.
    static func actions(_ alert: Alert) -> [OutboxEntry] {
        guard alert.status == .firing else { return [] }
        return alert.actions.map { action in
            switch action {
            case .rollback(let rollback):
                let start = alert.context["change_start"]?.stringValue ?? alert.startsAt.rfc3339
                let key = "rollback/\(alert.model)/\(alert.group)/\(alert.rule)/\(alert.fingerprint)/\(start)"
                return OutboxEntry(
                    kind: .action, key: key, target: ActionService.rollbackTarget, lane: key,
                    body: RollbackOrder(alert: alert, request: rollback).json.bytes,
                    at: alert.at)
            case .retrain(let retrain): return order(retrain, alert)
            }
        }
    }

    /// The order to start a pipeline, with what the alert knows as its parameters: a webhook like any other, sent once for a rule, a model,
    /// a version and the start of the change: one training serves all segments.
    private static func order(_ retrain: ActionRequest.Retrain, _ alert: Alert) -> OutboxEntry {
        let start = alert.context["change_start"]?.stringValue ?? alert.startsAt.rfc3339
        let key =
            "retrain_"
            + Fingerprint.hex(
                of: [
                    alert.model, alert.group, alert.rule, alert.labels["version"] ?? "", start, retrain.pipeline,
                ])
        let body = JSON.members(
            ("type", .string("retrain")), ("pipeline", .string(retrain.pipeline)), ("model", .string(alert.model)),
            ("version", alert.labels["version"].map { .string($0) }), ("rule", .string(alert.rule)),
            ("change_start", .string(start)), ("alert", alert.json))
        return OutboxEntry(
            kind: .delivery, key: key, target: retrain.receiver, lane: key, body: body.bytes, at: alert.at)
    }

    static func withPlannedActions(_ alert: Alert) -> Alert {
        guard alert.status == .firing, !alert.actions.isEmpty else { return alert }
        let planned = alert.actions.map { action -> JSON in
            switch action {
            case .rollback(let rollback): .members(("rollback", "would run"), ("to", .string(rollback.to)))
            case .retrain(let retrain): .members(("retrain", "would start"), ("pipeline", .string(retrain.pipeline)))
            }
        }
        return alert.replacingActions(planned)
    }
}

extension Alert {
    /// The alert with what became of its actions in its context.
    func replacingActions(_ actions: [JSON]) -> Alert {
        guard case .object(var members) = context else { return self }
        members.removeAll { $0.key == "actions" }
        members.append(.init("actions", .array(actions)))
        var copy = self
        copy.context = .object(members)
        return copy
    }
}
