import Events
import Ledger
import Rules
import Statistics
import Values
import Windows

/// What becomes of a verdict: written down, delivered, acted on.
extension Engine {
    func keep(_ snapshot: Snapshot, _ commit: inout LedgerCommit) {
        guard options.keepsSnapshots else { return }
        var lines = [UInt8]()
        snapshot.writeLines(into: &lines)
        commit.snapshots.append(
            .init(model: snapshot.model, window: snapshot.window, revision: snapshot.revision, lines: lines))
    }

    /// Labels changed the performance of a window that closed before, or brought it to where it may be judged.
    func tell(
        _ told: PerformanceWindows.Told, _ index: Int, _ state: inout State, _ commit: inout LedgerCommit,
        _ step: inout Step
    ) {
        let model = models[index]
        let versions = Set(told.rows.map(\.version)).subtracting([SnapshotRow.allVersions]).sorted()
        let snapshot = Snapshot(
            model: model.name, window: told.range, revision: told.revision, versions: versions,
            referenceName: model.snapshots.referenceName, rows: told.rows)
        if told.isPassedOver {
            step.passedOver[model.name, default: 0] += 1
        } else if told.matured {
            let alerts = book.rules.evaluate(
                performance: snapshot, at: told.at, size: told.shape.size, modelWindow: model.window.size,
                roles: book.roles(model: model.name), state: &state.alerts[index]
            ).map { $0.linked(to: options.externalURL) }
            step.alerts += announce(alerts, state.alerts[index], &commit, now: step.now)
        }
        guard told.revision > 1 else { return }
        step.snapshots.append(snapshot)
        keep(snapshot, &commit)
    }

    /// Writes transitions down, with what they set in motion.
    func announce(
        _ alerts: [Alert], _ state: ModelAlertState, _ commit: inout LedgerCommit, now: Timestamp?
    ) -> [Alert] {
        guard !alerts.isEmpty else { return [] }
        var told = alerts
        if options.performs {
            let written = commit.transitions
            var entries = Outgoing.deliveries(
                alerts, siblings: { siblings(of: $0, state, written) }, receivers: options.receivers,
                externalURL: options.externalURL)
            entries += alerts.flatMap(Outgoing.actions)
            commit.outbox += entries.map { entry in now.map { entry.due(by: $0) } ?? entry }
        } else {
            told = alerts.map(Outgoing.withPlannedActions)
        }
        commit.transitions += told
        return told
    }

    /// The other firing alerts of an alert's cause, as they were told last: earlier in this step, or as the ledger has them.
    private func siblings(of alert: Alert, _ state: ModelAlertState, _ written: [Alert]) -> [Alert] {
        guard let cause = alert.cause else { return [] }
        let others = state.firing(ofCause: cause).filter { $0 != alert.fingerprint }
        guard !others.isEmpty else { return [] }
        let recent = Dictionary(written.map { ($0.fingerprint, $0) }, uniquingKeysWith: { _, new in new })
        let stored = (try? ledger.alerts(fingerprints: others.filter { recent[$0] == nil })) ?? [:]
        return others.compactMap { fingerprint in
            if let known = recent[fingerprint] { return known }
            guard let line = stored[fingerprint], let json = try? JSON(parsing: line.utf8),
                let instance = state.instances[fingerprint]
            else { return nil }
            return Alert(
                json, model: alert.model, group: instance.group, rule: instance.rule,
                notify: book.rules.rule(named: instance.rule, group: instance.group)?.notify)
        }
    }
}
