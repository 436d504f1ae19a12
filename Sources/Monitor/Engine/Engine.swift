import Events
import Ledger
import Rules
import Sketches
import Statistics
import Synchronization
import Values
import Windows

/// The one engine behind `serve`, `replay`, rule tests and the demo: deltas in, snapshots and alerts out, each step durable before
/// anybody hears of it.
///
/// `submit` blocks on the disk and must not run on the cooperative pool. Steps are strictly one after the other.
final class Engine: Sendable {
    let models: [MonitoredModel]
    let ledger: Ledger
    let book: RuleBook
    let options: Options
    private let state: Mutex<State>
    /// What others may look at: a lock that no disk is ever waited for under.
    private let shared: Mutex<Shared>
    /// Called after each durable step, in order, while no other step runs.
    private let published: @Sendable (Step) -> Void
    /// Asked when a step could not be written: true to try again (after waiting), false to give up.
    private let retries: @Sendable (LedgerError) -> Bool
    /// Asked between the pieces of a step.
    private let isStopping: @Sendable () -> Bool

    private struct Shared {
        var views: [ModelView]
        var sources: SourceBook
        /// Rules of firing alerts by fingerprint, by model.
        var firing: [String: [String: String]] = [:]
    }

    struct State {
        var windows: [ModelWindows]
        var alerts: [ModelAlertState]
        var performance: [ModelPerformance?]
        var intakes: [String: Speaker] = [:]
        /// Intakes that divide the sources of one origin among them.
        var groups: [[String]] = []
        var views: [ModelView]
        var lastForget = Timestamp.distantPast
        /// A step was given up on: memory is ahead of the ledger, so nothing more may be written.
        var failure: LedgerError?
    }

    /// What an intake said last.
    struct Speaker {
        var activity: [SourceActivity]
        var sources: [String]
        var hasSources: Bool { !sources.isEmpty }
    }

    init(
        models: [MonitoredModel], rules book: RuleBook, ledger: Ledger, options: Options,
        warn: (String) -> Void, retries: @escaping @Sendable (LedgerError) -> Bool = { _ in false },
        isStopping: @escaping @Sendable () -> Bool = { false },
        published: @escaping @Sendable (Step) -> Void
    ) throws {
        self.models = models
        self.book = book
        self.ledger = ledger
        self.options = options
        self.published = published
        self.retries = retries
        self.isStopping = isStopping
        var windows: [ModelWindows] = []
        var alerts: [ModelAlertState] = []
        var performance: [ModelPerformance?] = []
        for model in models {
            for line in model.warningLines { warn(line) }
            let stored = try ledger.load(
                model: model.name, plans: model.plans, layoutName: model.layoutName)
            if stored.incompatibleRows {
                warn("model \(model.name): reference, panes or segments changed; its open windows start anew")
                try ledger.dropPanes(model: model.name)
            }
            windows.append(
                ModelWindows(
                    plans: model.plans, settings: model.window, shapes: model.shapes,
                    state: stored.windows, panes: stored.panes, lookback: model.lookback,
                    history: stored.history, places: model.places))
            var state =
                try stored.alerts.map { try ModelAlertState(decoding: .init($0)) } ?? ModelAlertState(model: model.name)
            if stored.incompatibleRows { state.forgetVolumes() }
            alerts.append(state)
        }
        performance = try models.map { try ModelPerformance($0, ledger, warn) }
        var views = models.map(ModelView.init)
        for i in views.indices { views[i].take(performance[i]) }
        shared = Mutex(
            Shared(
                views: views,
                sources: SourceBook(offsets: try ledger.offsets(), clocks: windows.map(\.state.clocks)),
                firing: Dictionary(uniqueKeysWithValues: alerts.map { ($0.model, $0.firingRules) })))
        state = Mutex(State(windows: windows, alerts: alerts, performance: performance, views: views))
    }

    /// Intakes that have not said anything yet may bring older rows: nothing closes before each has. They share the sources of one
    /// origin: one without any says nothing of the watermark, but as long as all are without, nothing closes either.
    func hold(_ intakes: [String]) {
        state.withLock { state in
            for intake in intakes { state.intakes[intake] = heldSpeaker }
            state.groups.append(intakes)
        }
    }

    private var heldSpeaker: Speaker {
        Speaker(activity: models.map { _ in SourceActivity(isHeld: true) }, sources: [])
    }

    /// The newest event time of each source, by model, as the ledger has it.
    func clocks() -> [[String: Timestamp]] { shared.withLock { $0.sources.clocks } }

    /// An intake begins to read sources: where the ledger stands with each. Never waits for the disk.
    func take(_ sources: [String], by intake: String, at now: Timestamp) -> [String: SourceBook.Start] {
        shared.withLock { $0.sources.take(sources, by: intake, at: now) }
    }

    var views: [ModelView] { shared.withLock { $0.views } }

    /// Puts back what the first page showed before a restart.
    func restoreViews(_ views: [ModelView]) {
        // Performance comes from what the join has stored, not from snapshots.
        let restored = state.withLock { state in
            for i in views.indices {
                state.views[i] = views[i]
                state.views[i].take(state.performance[i])
            }
            return state.views
        }
        shared.withLock { $0.views = restored }
    }

    /// The alerts that fire for a model now: their rules by fingerprint.
    func firingAlerts(model: String) -> [String: String] { shared.withLock { $0.firing[model] ?? [:] } }

    /// The end of the latest window of the model's own size; `nil` before the first.
    func closedThrough(model: String) -> Timestamp? {
        guard let index = models.firstIndex(where: { $0.name == model }) else { return nil }
        return shared.withLock { $0.views[index].latest?.window.end }
    }

    /// The end of the latest window whose labels are known well enough to judge it; `nil` where none was yet.
    func maturedThrough(model: String) -> Timestamp? {
        guard let index = models.firstIndex(where: { $0.name == model }) else { return nil }
        return shared.withLock { $0.views[index].maturedThrough }
    }

    /// The same for an intake that alone reads one source, of its own name.
    func submit(_ delta: IntakeDelta, from intake: String, activity: [SourceActivity], now: Timestamp?)
        throws(LedgerError)
    {
        _ = try submit(delta, IntakeReport(activity: activity, reading: [intake]), from: intake, now: now)
    }

    /// Takes a delta, closes the windows that the watermark now passes, lets the rules look, and makes all of it durable.
    ///
    /// - Parameters:
    ///   - report: replaces what the intake said before. One activity per model.
    ///   - intake: who submits.
    ///   - now: wall clock, `nil` in a replay.
    /// - Returns: why the delta was dropped whole, `nil` where it was counted. After a refusal the watermark waits for the intake to begin
    ///   anew.
    func submit(_ delta: IntakeDelta, _ report: IntakeReport, from intake: String, now: Timestamp?)
        throws(LedgerError) -> StaleDelta?
    {
        var stale: StaleDelta?
        try step(delta, now: now) { state in
            stale = shared.withLock { shared in
                if let refusal = shared.sources.refusal(of: delta, report) { return refusal }
                if let now { shared.sources.note(report, from: intake, at: now) }
                return nil
            }
            state.intakes[intake] =
                stale == nil
                ? Speaker(activity: report.activity, sources: report.reading) : heldSpeaker
            return stale == nil
        } through: { state, model in
            watermark(state, model)
        }
        return stale
    }

    /// The end of input of a replay: closes the windows that hold the last rows.
    func finish() throws(LedgerError) {
        try step(IntakeDelta(), now: nil, finishing: true) { _ in
            true
        } through: { _, _ in
            nil
        }
    }

    private func watermark(_ state: borrowing State, _ model: Int) -> Timestamp? {
        let speakers = state.intakes
        guard !speakers.values.contains(where: { $0.activity[model].isHeld }) else { return nil }
        let reading = speakers.values.filter(\.hasSources).map { $0.activity[model] }
        let isUnread = state.groups.contains { group in !group.contains { speakers[$0]?.hasSources == true } }
        guard !reading.isEmpty, !isUnread else { return nil }
        var active = Set(reading.flatMap(\.active))
        active.formUnion(shared.withLock { $0.sources.unspoken })
        return state.windows[model].watermark(active: active, idle: reading.map(\.idle).min() ?? .zero)
    }

    /// Makes a step, in pieces where it closes much: each is durable and told before the next, so that memory holds one at a time, and a
    /// service that is asked to stop does so between two. What is not closed then is closed after the restart.
    private func step(
        _ delta: IntakeDelta, now: Timestamp?, finishing: Bool = false, _ prepare: (inout State) -> Bool,
        through: (borrowing State, Int) -> Timestamp?
    ) throws(LedgerError) {
        let result = state.withLock { state -> Result<Void, LedgerError> in
            if let failure = state.failure { return .failure(failure) }
            guard prepare(&state) else { return .success(()) }
            var delta: IntakeDelta? = delta
            var hasMore = true
            while hasMore {
                do throws(LedgerError) {
                    hasMore = try piece(delta, now: now, finishing: finishing, &state, through: through)
                } catch {
                    state.failure = error
                    return .failure(error)
                }
                delta = nil
                if isStopping() { break }
            }
            return .success(())
        }
        try result.get()
    }

    /// - Parameter delta: `nil` after the first piece.
    /// - Returns: whether windows are left to close.
    private func piece(
        _ delta: IntakeDelta?, now: Timestamp?, finishing: Bool, _ state: inout State,
        through: (borrowing State, Int) -> Timestamp?
    ) throws(LedgerError) -> Bool {
        var commit = LedgerCommit()
        var step = Step()
        step.now = now
        if let delta { step.take(delta, &commit) }
        var hasMore = false
        for index in models.indices {
            var changed = false
            if let delta {
                changed = apply(delta, index, &state, &commit, &step)
                try join(delta, index, &state, inOrder: now == nil)
            }
            let watermark = through(state, index)
            let closing = close(index, through: watermark, finishing, &state, &commit, &step)
            changed = closing.changed || changed
            step.warnings += state.performance[index]?.takeWarnings() ?? []
            hasMore = closing.hasMore || hasMore
            do {
                if changed { commit.states[models[index].name] = try modelState(index, state, step) }
                if let join = try state.performance[index]?.takeCommit() {
                    commit.joins[models[index].name] = join
                    state.views[index].labels = state.performance[index]?.labels
                    step.labels[models[index].name] = state.views[index].labels
                }
            } catch {
                throw LedgerError.unstorable(ledger.path, models[index].name, "\(error)")
            }
            if changed {
                let alerts = state.alerts[index]
                if step.snapshots.contains(where: { $0.model == alerts.model }) {
                    commit.openAlerts[alerts.model] = alerts.open
                }
                step.alertStates[alerts.model] = ["pending": alerts.pending.count, "firing": alerts.firing.count]
            }
            if let watermark, !closing.hasMore { step.watermarks[models[index].name] = watermark }
        }
        forget(&state, &commit, now)
        guard !commit.isEmpty else { return hasMore }
        try write(commit)
        shared.withLock { shared in
            shared.views = state.views
            if let delta { shared.sources.stored(delta, clocks: state.windows.map(\.state.clocks)) }
            for alerts in state.alerts { shared.firing[alerts.model] = alerts.firingRules }
        }
        published(step)
        return hasMore
    }

    /// The counts have already moved on in memory, so a step that cannot be written is tried until it is, or the process ends and
    /// reads the same messages again.
    private func write(_ commit: LedgerCommit) throws(LedgerError) {
        let layouts = Dictionary(uniqueKeysWithValues: models.map { ($0.name, $0.layoutName) })
        while true {
            do throws(LedgerError) {
                return try ledger.commit(commit, layouts: layouts)
            } catch {
                guard retries(error) else { throw error }
            }
        }
    }

    private func apply(
        _ delta: IntakeDelta, _ index: Int, _ state: inout State, _ commit: inout LedgerCommit, _ step: inout Step
    ) -> Bool {
        guard delta.models.indices.contains(index), !delta.models[index].isEmpty else { return false }
        let applied = state.windows[index].apply(delta.models[index])
        let name = models[index].name
        if !applied.changed.isEmpty { commit.panes[name] = applied.changed }
        if applied.lateRows > 0 { step.lateRows[name] = applied.lateRows }
        return true
    }

    private func join(
        _ delta: IntakeDelta, _ index: Int, _ state: inout State, inOrder: Bool
    ) throws(LedgerError) {
        guard delta.joins.indices.contains(index) else { return }
        try state.performance[index]?.apply(delta.joins[index], inOrder: inOrder, ledger)
    }

    private func modelState(_ index: Int, _ state: borrowing State, _ step: Step) throws -> LedgerCommit.ModelState {
        let evaluated = step.snapshots.contains { $0.model == models[index].name }
        let alerts = evaluated ? [UInt8](try state.alerts[index].encoded()) : nil
        return .init(windows: state.windows[index].state, alerts: alerts)
    }

    private func forget(_ state: inout State, _ commit: inout LedgerCommit, _ now: Timestamp?) {
        guard options.keepsSnapshots, let now, now - state.lastForget > .hours(1) else { return }
        state.lastForget = now
        // By event time: a stream of old events keeps its snapshots as long as a live one.
        let newest = state.windows.map(\.state.closedThrough).max()
        guard let newest, newest > .distantPast else { return }
        let time = min(newest, now) - options.retention
        commit.forgetBefore = time
        var reading = Set(state.intakes.values.flatMap(\.sources))
        reading.formUnion(shared.withLock { $0.sources.unspoken })
        for (index, model) in models.enumerated()
        where state.windows[index].forgetClocks(before: time, except: reading) {
            let alerts = commit.states[model.name]?.alerts
            commit.states[model.name] = .init(windows: state.windows[index].state, alerts: alerts)
        }
    }
}
