import GRDB
import Values

/// How a fleet learns of a new champion within milliseconds.
extension Registry {
    /// How often commits of other processes are looked for while somebody waits.
    private static let watchInterval = Duration.milliseconds(200)

    /// The versions that serve a model now.
    package func champion(model: String) async throws -> ChampionState {
        guard let present else { return try await storedChampion(model) }
        return try await present.value(model) { try await storedChampion(model) }
    }

    private func storedChampion(_ model: String) async throws -> ChampionState {
        try await read { db in
            guard let state = try ChampionState.fetch(db, model: model) else { throw RegistryError.noModel(model) }
            return state
        }
    }

    /// Answers as soon as the champion's sequence is above `sequence`: at once where it already is, on the commit
    /// where this process makes it, within a fifth of a second where another one does. `nil` after `timeout`.
    /// Throws `CancellationError` when its task is cancelled or `end` comes, and `unavailable` where too many wait already.
    package func waitForChange(
        model: String, after sequence: Int64, timeout: Duration, until end: WaitEnd? = nil
    ) async throws -> ChampionState? {
        try await wait(key: model, after: sequence, timeout: timeout, until: end) { try await champion(model: model) }
    }

    /// - Parameters:
    ///   - key: the model, or `everyModel`.
    ///   - present: the state now.
    func wait(
        key: String, after sequence: Int64, timeout: Duration, until end: WaitEnd? = nil,
        present: () async throws -> ChampionState?
    ) async throws -> ChampionState? {
        let ticket = try waiters.enter(model: key, after: sequence, timeout: timeout) {
            await self.watchOtherProcesses()
        }
        defer { waiters.leave(ticket) }
        end?.onEnd { [waiters] in waiters.finish(ticket, with: nil) }
        // Looked up only now that commits reach the ticket: one in between is seen here or there, never missed.
        if let present = try await present(), present.sequence > sequence { return present }
        let changed = await withTaskCancellationHandler {
            await waiters.wait(ticket)
        } onCancel: {
            waiters.finish(ticket, with: nil)
        }
        if changed == nil {
            if end?.isEnded == true { throw CancellationError() }
            try Task.checkCancellation()
        }
        return changed
    }

    /// How many clients wait now, for metrics.
    package var waiterCount: Int { waiters.count }

    /// One task for all waiters. `PRAGMA data_version` of the writing connection changes with commits of every other
    /// connection and costs one look at shared memory; only when it moved are the champions read again.
    private func watchOtherProcesses() async {
        var seen: Int64?
        while !Task.isCancelled {
            do {
                let version = try await database.writeWithoutTransaction {
                    try Int64.fetchOne($0, sql: "PRAGMA data_version")
                }
                if version != seen {
                    for state in try await presentStates(of: waiters.models) { waiters.publish(state) }
                    // Only after the waiters were told: a read that failed is then done again.
                    seen = version
                }
                try await Task.sleep(for: Self.watchInterval)
            } catch is CancellationError {
                return
            } catch {
                // A database that cannot be read now may be readable later; until then the waiters' own timeouts hold.
                try? await Task.sleep(for: Self.watchInterval)
            }
        }
    }

    private func presentStates(of models: [String]) async throws -> [ChampionState] {
        try await read { db in
            if models.contains(Self.everyModel) { return try Self.champions(db, after: 0, withEnded: true) }
            // One that somebody waits for and is not there any more was deleted or has another name.
            let newest = try Int64.fetchOne(db, sql: "SELECT MAX(seq) FROM event") ?? 0
            return try models.map { try ChampionState.fetch(db, model: $0) ?? .ended($0, at: newest) }
        }
    }
}
