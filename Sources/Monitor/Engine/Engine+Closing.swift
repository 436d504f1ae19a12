import Ledger
import Rules
import Statistics
import Values
import Windows

/// What happens when windows end: snapshot, verdict, and what is kept of both.
extension Engine {
    /// What closing changed of a model, and whether windows are left that end by then.
    typealias Closing = (changed: Bool, hasMore: Bool)

    func close(
        _ index: Int, through watermark: Timestamp?, _ finishing: Bool, _ state: inout State,
        _ commit: inout LedgerCommit, _ step: inout Step
    ) -> Closing {
        let before = state.windows[index].state
        var dropped: [Timestamp] = []
        var hasMore = false
        var hasClosed = false
        if let watermark {
            while let window = state.windows[index].closeNext(through: watermark) {
                judge(window, index, &state, &commit, &step, isCutOff: finishing)
                hasClosed = true
                hasMore = step.rows >= options.pieceRows
                guard hasMore else { continue }
                state.windows[index].pauseClosing(after: window.range)
                break
            }
            if !hasMore { dropped += state.windows[index].endClosing(through: watermark) }
        }
        if finishing {
            var closed: [ModelWindows.Closed] = []
            dropped += state.windows[index].finish { closed.append($0) }
            for window in closed { judge(window, index, &state, &commit, &step, isCutOff: true) }
            hasClosed = hasClosed || !closed.isEmpty
            for told in state.performance[index]?.finish() ?? [] { tell(told, index, &state, &commit, &step) }
        }
        let model = models[index]
        if !dropped.isEmpty { state.performance[index]?.forget(before: state.windows[index].state.closedThrough) }
        if hasClosed, options.keepsSnapshots { state.views[index].take(state.performance[index]) }
        if !hasMore { state.views[index].watermark = watermark ?? state.views[index].watermark }
        state.views[index].lateRows = state.windows[index].state.lateRows
        if !dropped.isEmpty { commit.droppedPanes[model.name] = dropped }
        let history = state.windows[index].takeHistory()
        if !history.isEmpty { commit.history[model.name] = history }
        // A pane that was changed and dropped in the same step must not come back.
        for start in dropped { commit.panes[model.name]?[start] = nil }
        let changed = hasClosed || !dropped.isEmpty || state.windows[index].state.next != before.next
        return (changed, hasMore)
    }

    /// - Parameter isCutOff: the input ends here, so the window may be cut short.
    private func judge(
        _ window: ModelWindows.Closed, _ index: Int, _ state: inout State, _ commit: inout LedgerCommit,
        _ step: inout Step, isCutOff: Bool
    ) {
        options.watch?(window.range.end)
        let model = models[index]
        // Where the input ends, time is known to have come as far as its last row.
        let lastRow = isCutOff ? state.windows[index].state.clocks.values.max() : nil
        let seen = lastRow.map { min($0, window.range.end) } ?? window.range.end
        let performance = state.performance[index]?.close(window.shape, window.range, isCutOff: isCutOff)
        var snapshot = model.snapshots.snapshot(
            model: model.name, window: window.range, seen: seen, revision: 1, counts: window.counts,
            against: model.configuration.moving.flatMap { state.windows[index].basis($0, model, window.range) }
        ).adding(performance?.rows ?? [])
        state.alerts[index].complete(
            &snapshot, size: window.shape.size, seen: seen,
            late: window.shape == model.shapes[0] ? state.windows[index].takeLateRows() : nil)
        let alerts = book.rules.evaluate(
            snapshot: snapshot, size: window.shape.size, modelWindow: model.window.size,
            roles: book.roles(model: model.name), state: &state.alerts[index]
        ).map { $0.linked(to: options.externalURL) }
        step.snapshots.append(snapshot)
        step.rows += snapshot.rows.count
        step.alerts += announce(alerts, state.alerts[index], &commit, now: step.now)
        compareFurther(index, window, &state, &commit, &step)
        if window.foldedRows > 0, window.shape == model.shapes[0] {
            let key = SegmentOverflowKey(model: model.name, dimension: SegmentOverflowKey.combination)
            step.segmentOverflow[key, default: 0] += window.foldedRows
        }
        if window.shape == model.shapes[0] {
            let gone = state.windows[index].judged(window.range, firing: state.alerts[index].firingColumns)
            if !gone.isEmpty { commit.droppedHistory[model.name, default: []] += gone }
            state.views[index].take(snapshot)
            step.ownSnapshots.insert(step.snapshots.count - 1)
        }
        keep(snapshot, &commit)
        for told in performance?.revisions ?? [] { tell(told, index, &state, &commit, &step) }
    }
}
