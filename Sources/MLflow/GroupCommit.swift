import Dispatch
import GRDB
import Synchronization

/// Writes of many requests in one transaction: what queues up while one is being made durable goes into the next together.
///
/// Invariants: an answer is given only after its transaction is on disk; a write that throws undoes itself alone; the queue
/// has an end, after which clients are told to come back. SQLite's write lock is taken per transaction, so the registry's
/// own changes get their turn between two.
final class GroupCommit: Sendable {
    private struct Item: Sendable {
        /// Runs inside the transaction; a second time where the first was undone.
        let write: @Sendable (Database) -> (any Error)?
        /// Tells the caller; with an error where the transaction did not become durable.
        let finish: @Sendable ((any Error)?) -> Void
    }

    private struct State {
        var waiting: [Item] = []
        var isRunning = false
        /// How many clients seem to write at the same time: those of the last transaction and those that came meanwhile.
        var company = 0
        /// How long the last transaction took.
        var nanoseconds: UInt64 = 0
        /// Who is to be told when that many wait.
        var gathering: (count: Int, told: DispatchSemaphore)?
    }

    private let database: any DatabaseWriter
    private let maximum: Int
    private let state = Mutex(State())
    private static let transactionMaximum = 256
    private static let patienceMaximum: UInt64 = 4_000_000

    init(_ database: any DatabaseWriter, maximum: Int = 4_096) {
        self.database = database
        self.maximum = maximum
    }

    func write<T: Sendable>(_ body: @escaping @Sendable (Database) throws -> T) async throws -> T {
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<T, any Error>) in
            let slot = Slot<T>()
            let item = Item { db in
                do {
                    slot.result = .success(try body(db))
                    return nil
                } catch {
                    slot.result = .failure(error)
                    return error
                }
            } finish: { error in
                if let error {
                    continuation.resume(throwing: error)
                } else {
                    continuation.resume(
                        with: slot.result ?? .failure(MLflowError(.internalError, "the write was not run")))
                }
            }
            enqueue(item)
        }
    }

    /// One caller's result. The worker alone touches it until `finish`, which is after it.
    private final class Slot<T: Sendable>: @unchecked Sendable {
        var result: Result<T, any Error>?
    }

    private func enqueue(_ item: Item) {
        let verdict: (isFull: Bool, starts: Bool) = state.withLock { state in
            guard state.waiting.count < maximum else { return (true, false) }
            state.waiting.append(item)
            if let (count, told) = state.gathering, state.waiting.count >= count {
                state.gathering = nil
                told.signal()
            }
            defer { state.isRunning = true }
            return (false, !state.isRunning)
        }
        if verdict.isFull {
            item.finish(MLflowError(.resourceExhausted, "\(maximum) writes are waiting already: try again shortly"))
        } else if verdict.starts {
            start()
        }
    }

    private func start() {
        database.asyncWriteWithoutTransaction { [self] db in
            gather()
            let items = state.withLock { state in
                let items = Array(state.waiting.prefix(Self.transactionMaximum))
                state.waiting.removeFirst(items.count)
                return items
            }
            let begun = DispatchTime.now().uptimeNanoseconds
            let failure = Self.commit(items, db)
            let nanoseconds = DispatchTime.now().uptimeNanoseconds - begun
            let hasMore = state.withLock { state in
                state.company = items.count + state.waiting.count
                state.nanoseconds = nanoseconds
                state.isRunning = !state.waiting.isEmpty
                return state.isRunning
            }
            if hasMore { start() }
            for item in items { item.finish(failure) }
        }
    }

    /// Waits a little for the clients that were just answered, where their next writes can be made durable together with
    /// those that wait already. Otherwise the clients fall into two groups, each of which waits for the other's disk write.
    private func gather() {
        let told = DispatchSemaphore(value: 0)
        let patience: UInt64? = state.withLock { state in
            guard state.waiting.count < min(state.company, Self.transactionMaximum) else { return nil }
            state.gathering = (min(state.company, Self.transactionMaximum), told)
            return min(state.nanoseconds / 2, Self.patienceMaximum)
        }
        guard let patience else { return }
        _ = told.wait(timeout: .now() + .nanoseconds(Int(patience)))
        state.withLock { $0.gathering = nil }
    }

    private static func commit(_ items: [Item], _ db: Database) -> (any Error)? {
        do {
            if try !together(items, db) { try apart(items, db) }
            return nil
        } catch {
            return error
        }
    }

    /// `false` where one failed after it had changed something, and all was undone. Most that fail find that what they are
    /// about is not there, before they change anything.
    private static func together(_ items: [Item], _ db: Database) throws -> Bool {
        var isWhole = true
        try db.inTransaction(.immediate) {
            for item in items {
                let before = db.totalChangesCount
                guard let error = item.write(db) else { continue }
                // A full disk ends the transaction itself.
                guard db.isInsideTransaction else { throw error }
                guard db.totalChangesCount == before else {
                    isWhole = false
                    return .rollback
                }
            }
            return .commit
        }
        return isWhole
    }

    /// Each with a savepoint of its own to go back to.
    private static func apart(_ items: [Item], _ db: Database) throws {
        try db.inTransaction(.immediate) {
            for item in items {
                try db.inSavepoint { item.write(db) == nil ? .commit : .rollback }
            }
            return .commit
        }
    }
}
