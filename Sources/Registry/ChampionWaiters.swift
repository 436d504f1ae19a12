import Synchronization
import Values

/// Everyone who waits for a champion to change, by model.
///
/// Invariants: a continuation is resumed exactly once, by whoever takes it out of the table under the lock, and
/// always outside the lock; a ticket is either in the table or finished. Publishing costs the waiters of one model. One
/// alarm serves all: it is set to a time no later than the first deadline of those who wait.
final class ChampionWaiters: Sendable {
    struct Ticket: Hashable {
        let id: UInt64
        let model: String
    }

    private struct Waiter {
        let after: Int64
        let deadline: ContinuousClock.Instant
        /// `nil` until its task suspends; an outcome that comes before is kept instead.
        var continuation: CheckedContinuation<ChampionState?, Never>?
        var outcome: ChampionState??
    }

    private struct State {
        var nextID: UInt64 = 0
        var waiters: [String: [UInt64: Waiter]] = [:]
        var count = 0
        var watch: Task<Void, Never>?
        var alarm: (task: Task<Void, Never>, at: ContinuousClock.Instant)?
    }

    /// Deadlines are put off to the next multiple of this, so that many waiters of all times cost few alarms.
    private static let grain = Duration.milliseconds(50)
    private let begin = ContinuousClock.now
    private let state = Mutex(State())
    private let maximum: Int
    /// Whether other processes may change what is waited for.
    private let isShared: Bool

    init(maximum: Int, isShared: Bool) {
        self.maximum = maximum
        self.isShared = isShared
    }

    /// How many wait now.
    var count: Int { state.withLock { $0.count } }

    /// The models that somebody waits for.
    var models: [String] { state.withLock { Array($0.waiters.keys) } }

    /// Takes a place. The first one in starts `watch`, the last one out ends it; both under the lock, so that there is
    /// a watch exactly while there are waiters.
    ///
    /// - Parameter timeout: the ticket is finished with `nil` then, or up to a `grain` later.
    func enter(
        model: String, after: Int64, timeout: Duration, watch: @escaping @Sendable () async -> Void
    ) throws -> Ticket {
        let grains = ((ContinuousClock.now + max(.zero, timeout)) - begin) / Self.grain
        let deadline = begin + Self.grain * Int64(grains.rounded(.up))
        return try state.withLock { state in
            guard state.count < maximum else {
                throw RegistryError(
                    .unavailable,
                    "\(maximum) clients wait for champion changes already, the most allowed: try again later")
            }
            let ticket = Ticket(id: state.nextID, model: model)
            state.nextID += 1
            state.count += 1
            state.waiters[model, default: [:]][ticket.id] = Waiter(after: after, deadline: deadline)
            if isShared, state.watch == nil { state.watch = Task { await watch() } }
            setAlarm(&state, for: deadline)
            return ticket
        }
    }

    private func setAlarm(_ state: inout State, for deadline: ContinuousClock.Instant) {
        if let alarm = state.alarm {
            if alarm.at <= deadline { return }
            alarm.task.cancel()
        }
        state.alarm = (
            Task {
                do { try await Task.sleep(until: deadline, clock: .continuous) } catch { return }
                expire()
            }, deadline
        )
    }

    private func expire() {
        let now = ContinuousClock.now
        let late = state.withLock { state in
            state.alarm = nil
            var late: [CheckedContinuation<ChampionState?, Never>] = []
            var next: ContinuousClock.Instant?
            for (model, waiters) in state.waiters {
                for (id, waiter) in waiters where waiter.outcome == nil {
                    if waiter.deadline > now {
                        next = min(next ?? waiter.deadline, waiter.deadline)
                    } else if let continuation = Self.settle(&state, model, id, nil) {
                        late.append(continuation)
                    }
                }
            }
            if let next { setAlarm(&state, for: next) }
            return late
        }
        for continuation in late { continuation.resume(returning: nil) }
    }

    /// Suspends until the ticket is finished; at once where it already is.
    func wait(_ ticket: Ticket) async -> ChampionState? {
        await withCheckedContinuation { continuation in
            let outcome: ChampionState?? = state.withLock { state in
                guard let waiter = state.waiters[ticket.model]?[ticket.id] else { return .some(nil) }
                if waiter.outcome == nil { state.waiters[ticket.model]?[ticket.id]?.continuation = continuation }
                return waiter.outcome
            }
            if let outcome { continuation.resume(returning: outcome) }
        }
    }

    /// Ends the wait of one ticket: with a state, or with `nil` for a timeout or a cancellation. The first one wins.
    func finish(_ ticket: Ticket, with result: ChampionState?) {
        let continuation = state.withLock { state in
            Self.settle(&state, ticket.model, ticket.id, result)
        }
        continuation?.resume(returning: result)
    }

    /// Wakes all who wait for this model, or for any, with an older sequence.
    func publish(_ champion: ChampionState) {
        let woken = state.withLock { state in
            [champion.model, Registry.everyModel].flatMap { key in
                (state.waiters[key] ?? [:]).compactMap { id, waiter in
                    waiter.after < champion.sequence ? Self.settle(&state, key, id, champion) : nil
                }
            }
        }
        for continuation in woken { continuation.resume(returning: champion) }
    }

    /// Gives the place back.
    func leave(_ ticket: Ticket) {
        let idle: [Task<Void, Never>] = state.withLock { state in
            state.waiters[ticket.model]?[ticket.id] = nil
            if state.waiters[ticket.model]?.isEmpty == true { state.waiters[ticket.model] = nil }
            state.count -= 1
            guard state.count == 0 else { return [] }
            defer { (state.watch, state.alarm) = (nil, nil) }
            return [state.watch, state.alarm?.task].compactMap(\.self)
        }
        for task in idle { task.cancel() }
    }

    private static func settle(
        _ state: inout State, _ model: String, _ id: UInt64, _ result: ChampionState?
    ) -> CheckedContinuation<ChampionState?, Never>? {
        guard var waiter = state.waiters[model]?[id], waiter.outcome == nil else { return nil }
        let continuation = waiter.continuation
        waiter.continuation = nil
        waiter.outcome = .some(result)
        state.waiters[model]?[id] = waiter
        return continuation
    }
}
