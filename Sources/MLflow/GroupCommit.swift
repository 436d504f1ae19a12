import GRDB
import Synchronization

/// Writes of many requests in one transaction: what queues up while one is being made durable goes into the next together.
///
/// Invariants: an answer is given only after its transaction is on disk; a write that throws undoes itself alone; the queue
/// has an end, after which clients are told to come back. SQLite's write lock is taken per transaction, so the registry's
/// own changes get their turn between two.
final class GroupCommit: Sendable {
    private struct Item: Sendable {
        /// Runs inside the transaction.
        let write: @Sendable (Database) -> (any Error)?
        /// Tells the caller; with an error where the transaction did not become durable.
        let finish: @Sendable ((any Error)?) -> Void
    }

    private struct State {
        var waiting: [Item] = []
        var isRunning = false
    }

    private let database: any DatabaseWriter
    private let maximum: Int
    private let state = Mutex(State())
    private static let transactionMaximum = 256

    init(_ database: any DatabaseWriter, maximum: Int = 4_096) {
        self.database = database
        self.maximum = maximum
    }

    func write<T: Sendable>(_ body: @escaping @Sendable (Database) throws -> T) async throws -> T {
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<T, any Error>) in
            let result = Slot<T>()
            let item = Item { db in
                do {
                    result.value = try body(db)
                    return nil
                } catch {
                    result.failure = error
                    return error
                }
            } finish: { error in
                if let error {
                    continuation.resume(throwing: error)
                } else if let failure = result.failure {
                    continuation.resume(throwing: failure)
                } else if let value = result.value {
                    continuation.resume(returning: value)
                } else {
                    continuation.resume(throwing: MLflowError(.internalError, "the write was not run"))
                }
            }
            enqueue(item)
        }
    }

    /// One caller's result. The worker alone touches it until `finish`, which is after it.
    private final class Slot<T: Sendable>: @unchecked Sendable {
        var value: T?
        var failure: (any Error)?
    }

    private func enqueue(_ item: Item) {
        let verdict: (isFull: Bool, starts: Bool) = state.withLock { state in
            guard state.waiting.count < maximum else { return (true, false) }
            state.waiting.append(item)
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
            let items = state.withLock { state in
                let items = Array(state.waiting.prefix(Self.transactionMaximum))
                state.waiting.removeFirst(items.count)
                return items
            }
            let failure = Self.commit(items, db)
            let hasMore = state.withLock { state in
                state.isRunning = !state.waiting.isEmpty
                return state.isRunning
            }
            if hasMore { start() }
            for item in items { item.finish(failure) }
        }
    }

    private static func commit(_ items: [Item], _ db: Database) -> (any Error)? {
        do {
            try db.inTransaction(.immediate) {
                for item in items {
                    try db.inSavepoint { item.write(db) == nil ? .commit : .rollback }
                }
                return .commit
            }
            return nil
        } catch {
            return error
        }
    }
}
