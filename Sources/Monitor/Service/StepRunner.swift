import Dispatch
import Foundation
import Synchronization

/// A thread that does one job at a time for one owner, who goes on with other things meanwhile. It ends with this object; a job in hand
/// is finished first.
final class StepRunner<Outcome: Sendable>: Sendable {
    typealias Job = @Sendable () -> Outcome

    /// What the owner and the thread share. The thread holds this and not the runner, so that a forgotten runner can end it.
    private final class Mailbox: Sendable {
        struct State {
            var job: Job?
            var outcome: Outcome?
        }

        let state = Mutex(State())
        let given = DispatchSemaphore(value: 0)
        let done = DispatchSemaphore(value: 0)

        func serve() {
            while true {
                given.wait()
                // Rung without a job: the end.
                guard let job = state.withLock({ $0.job }) else { return }
                let outcome = job()
                state.withLock { state in
                    state.job = nil
                    state.outcome = outcome
                }
                done.signal()
            }
        }
    }

    private let mailbox = Mailbox()
    /// Whether an outcome is still to be fetched. Only the owner touches it; the mutex lets the type be shared.
    private let isOwing = Mutex(false)

    /// - Parameter name: the thread's, for people who look at a stuck process.
    init(name: String) {
        let mailbox = mailbox
        let thread = Thread { mailbox.serve() }
        thread.name = name
        thread.stackSize = 4 << 20
        thread.start()
    }

    deinit { mailbox.given.signal() }

    /// A job was started and its outcome has not been fetched.
    var isBusy: Bool { isOwing.withLock { $0 } }

    /// Begins a job. The outcome of the one before must have been fetched.
    func start(_ job: @escaping Job) {
        precondition(!isBusy, "one job at a time")
        isOwing.withLock { $0 = true }
        mailbox.state.withLock { $0.job = job }
        mailbox.given.signal()
    }

    /// The outcome, if the job is done.
    func fetch() -> Outcome? { isBusy && mailbox.done.wait(timeout: .now()) == .success ? take() : nil }

    /// The outcome of the job in hand once it is done; `nil` at once where there is none. Blocks.
    func wait() -> Outcome? {
        guard isBusy else { return nil }
        mailbox.done.wait()
        return take()
    }

    private func take() -> Outcome? {
        isOwing.withLock { $0 = false }
        return mailbox.state.withLock { state in
            defer { state.outcome = nil }
            return state.outcome
        }
    }
}
