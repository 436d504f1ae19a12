import NIOCore
import ServiceLifecycle

/// Runs tasks on the thread of one event loop, so that a request is read, answered and written without a change of threads:
/// waking another thread twice takes longer than all of a small request.
///
/// The loop must live as long as anything runs here.
final class LoopExecutor: TaskExecutor {
    private let loop: any EventLoop

    init(_ loop: any EventLoop) { self.loop = loop }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        loop.execute { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
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
