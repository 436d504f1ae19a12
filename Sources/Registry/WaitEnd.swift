import Synchronization

/// Ends a wait from outside the task that waits: as cancelling it would, without a task made only to be cancelled.
package final class WaitEnd: Sendable {
    private struct State {
        var isEnded = false
        var told: (@Sendable () -> Void)?
    }

    private let state = Mutex(State())

    package init() {}

    package var isEnded: Bool { state.withLock { $0.isEnded } }

    /// Any thread may call it, and as often as it likes.
    package func end() {
        let told = state.withLock { state in
            state.isEnded = true
            defer { state.told = nil }
            return state.told
        }
        told?()
    }

    /// - Parameter told: called once, at once where the end has come already.
    func onEnd(_ told: @escaping @Sendable () -> Void) {
        let isLate = state.withLock { state in
            if !state.isEnded { state.told = told }
            return state.isEnded
        }
        if isLate { told() }
    }
}
