import Dispatch
import TestSupport
import Testing

@testable import Monitor

struct StepRunnerTests {
    @Test func `the owner goes on while a job runs, and fetches each outcome once`() async throws {
        try await blocking {
            let gate = DispatchSemaphore(value: 0)
            let runner = StepRunner<Int>(name: "test")
            #expect(!runner.isBusy && runner.wait() == nil && runner.fetch() == nil)
            runner.start {
                gate.wait()
                return 1
            }
            #expect(runner.isBusy && runner.fetch() == nil)
            gate.signal()
            #expect(runner.wait() == 1)
            #expect(!runner.isBusy && runner.wait() == nil && runner.fetch() == nil)
            for i in 2..<100 {
                runner.start { i }
                #expect(runner.wait() == i)
            }
        }
    }

    @Test func `a job in hand is finished though its runner is gone`() async throws {
        try await blocking {
            let gate = DispatchSemaphore(value: 0)
            let ended = DispatchSemaphore(value: 0)
            StepRunner<Void>(name: "test").start {
                gate.wait()
                ended.signal()
            }
            gate.signal()
            #expect(ended.wait(timeout: .now() + 20) == .success)
        }
    }
}
