import Ledger
import Rules
import Statistics
import Values
import Windows

extension Engine {
    /// Compares a closed window with the model's further references, for the rules that name them.
    func compareFurther(
        _ index: Int, _ window: ModelWindows.Closed, _ state: inout State, _ commit: inout LedgerCommit,
        _ step: inout Step
    ) {
        let model = models[index]
        let needed = book.rules.references(model: model.name)
        let roles = book.roles(model: model.name)
        let retired = roles.retired(at: window.range.end)
        for moving in model.configuration.against {
            guard let name = FurtherReference(rawValue: moving.name), needed.contains(name),
                let basis = state.windows[index].basis(moving, model, window.range, retired)
            else { continue }
            var counts = window.counts
            if case .previousVersion = moving {
                let newest = state.windows[index].newestVersion(for: window.range, retired: retired)
                counts = counts.filter { $0.key.version == newest }
            }
            let snapshot = model.snapshots.snapshot(
                model: model.name, window: window.range, revision: 1, counts: counts, against: basis)
            let alerts = book.rules.evaluate(
                snapshot: snapshot, against: name, size: window.shape.size, modelWindow: model.window.size,
                roles: roles, state: &state.alerts[index]
            ).map { $0.linked(to: options.externalURL) }
            step.alerts += announce(alerts, state.alerts[index], &commit, now: step.now)
        }
    }
}

extension ModelWindows {
    /// A moving reference for a window, with its name; `nil` while there is no past.
    func basis(
        _ moving: MovingReference, _ model: MonitoredModel, _ window: TimeRange, _ retired: Set<String> = []
    ) -> (counts: ReferenceCounts, name: String)? {
        reference(moving, for: window, retired: retired).map { ($0, "\(model.name), \(moving.inWords)") }
    }
}
