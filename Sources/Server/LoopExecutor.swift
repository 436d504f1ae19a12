import NIOCore
import ServiceLifecycle
import Synchronization

/// Runs tasks on the thread of one event loop, so that a request is read, answered and written without a change of threads:
/// waking another thread twice takes longer than all of a small request.
///
/// Jobs wait in a queue of its own, and the loop is asked once for all that came while it was busy: a thousand tasks that are
/// woken together are one of the loop's tasks. The loop must live as long as anything runs here.
final class LoopExecutor: TaskExecutor {
    private struct Queue {
        var jobs: [UnownedJob] = []
        /// Whether the loop was asked to look here and has not found the queue empty since.
        var isAwake = false
    }

    private let loop: any EventLoop
    private let queue = Mutex(Queue())

    init(_ loop: any EventLoop) { self.loop = loop }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let wakes = queue.withLock { queue in
            queue.jobs.append(job)
            defer { queue.isAwake = true }
            return !queue.isAwake
        }
        if wakes { loop.execute { self.drain() } }
    }

    private func drain() {
        var jobs: [UnownedJob] = []
        while true {
            jobs.removeAll(keepingCapacity: true)
            queue.withLock { queue in
                swap(&queue.jobs, &jobs)
                queue.isAwake = !jobs.isEmpty
            }
            if jobs.isEmpty { return }
            for job in jobs { job.runSynchronously(on: asUnownedTaskExecutor()) }
        }
    }
}

/// A service whose tasks run on an event loop, but for those that ask for another place.
struct LoopService<Base: Service>: Service {
    let base: Base
    let executor: LoopExecutor

    func run() async throws {
        try await withTaskExecutorPreference(executor) { try await base.run() }
    }
}
