import Dispatch
import Foundation

/// Runs each job on a thread of its own, so that blocking in a test does not take a thread of the cooperative pool.
private final class BlockingExecutor: TaskExecutor {
    /// At most so many at once: dozens of threads that compute would leave those that wait for an answer none of the processor.
    private static let places = DispatchSemaphore(value: 4)

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let executor = asUnownedTaskExecutor()
        // The job holds the executor through its task until it has run.
        Thread {
            Self.places.wait()
            defer { Self.places.signal() }
            job.runSynchronously(on: executor)
        }.start()
    }
}

/// Runs a blocking test body within its test's task, so that expectations find their test.
package func blocking<T: Sendable>(_ body: @escaping @Sendable () throws -> T) async throws -> T {
    let executor = BlockingExecutor()
    defer { withExtendedLifetime(executor) {} }
    return try await withTaskExecutorPreference(executor) { try body() }
}
