import Dispatch
package import GRDB
import Values

/// The registry of models, versions and champions, embedded in the program over one SQLite file in WAL mode.
///
/// Invariants: every change is one transaction that writes the new state, its history, an event and an audit entry
/// together; aliases never dangle; a champion is never quarantined. Other processes (the command line) may open
/// the same file at the same time: changes take the write lock first, and what they commit wakes our waiters too.
///
/// SQLite blocks, so it runs on GRDB's own queues (`holdfast.registry`) and never on the cooperative pool.
package final class Registry: Sendable {
    /// The file, for the module that keeps tracking in it.
    package let database: any DatabaseWriter
    let waiters: ChampionWaiters
    /// What fleets ask for all day, by model.
    let present: ReadCache<ChampionState>?
    /// What the secrets of webhooks are kept with; without it there can be none.
    let seal: SecretSeal?

    private init(database: any DatabaseWriter, waiters: ChampionWaiters, seal: SecretSeal?) {
        self.database = database
        self.waiters = waiters
        self.seal = seal
        present = ReadCache(database: database.path)
    }

    /// Opens the file, creating it where it is absent, and brings its schema up to date.
    package convenience init(path: String, waitersMaximum: Int = 10_000, seal: SecretSeal? = nil) async throws {
        let database = try await Self.opening(path) { () throws -> any DatabaseWriter in
            let pool = try DatabasePool(path: path, configuration: Self.configuration)
            try Self.migrate(pool, path: path)
            // A promotion that was answered must survive a power cut, which WAL's usual NORMAL does not promise. Migrations
            // are done again at the next start. Fewer checkpoints: a page that many logged values are on is copied once for
            // all of them; the WAL is 16 MiB then.
            try pool.writeWithoutTransaction {
                try $0.execute(sql: "PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 4000")
            }
            if let seal { try Self.sealSecrets(pool, seal) }
            return pool
        }
        self.init(database: database, waiters: ChampionWaiters(maximum: waitersMaximum, isShared: true), seal: seal)
    }

    /// A registry that lives as long as the value: for tests, replays and the demo.
    package static func inMemory(waitersMaximum: Int = 10_000, seal: SecretSeal? = nil) async throws -> Registry {
        let database = try await Self.opening(":memory:") { () throws -> any DatabaseWriter in
            let queue = try DatabaseQueue(configuration: Self.configuration)
            try Self.migrate(queue, path: ":memory:")
            return queue
        }
        return Registry(
            database: database, waiters: ChampionWaiters(maximum: waitersMaximum, isShared: false), seal: seal)
    }

    static var configuration: Configuration {
        var configuration = Configuration()
        configuration.label = "holdfast.registry"
        // Another process may be writing; its transactions take milliseconds.
        configuration.busyMode = .timeout(10)
        configuration.maximumReaderCount = 4
        return configuration
    }

    private static func migrate(_ writer: any DatabaseWriter, path: String) throws {
        let migrator = Schema.migrator
        if try writer.read(migrator.hasBeenSuperseded) {
            throw RegistryError.ofNewerProgram(path)
        }
        try migrator.migrate(writer)
    }

    /// Opening reads and writes the disk before GRDB's queues exist, so it gets a thread of its own.
    static func opening<T: Sendable>(
        _ path: String, _ body: @escaping @Sendable () throws -> T
    ) async throws -> T {
        try await withCheckedThrowingContinuation { continuation in
            DispatchQueue(label: "holdfast.registry.open").async {
                continuation.resume(with: Result { try Self.translating(path, body) })
            }
        }
    }

    func read<T: Sendable>(_ body: @escaping @Sendable (Database) throws -> T) async throws -> T {
        try await Self.translating { try await self.database.read(body) }
    }

    /// Runs one change in one transaction that holds the write lock from its start, so that what it reads is still
    /// true when it writes. Whatever it throws undoes all of it.
    func change<T: Sendable>(
        actor: String, reason: String, evidence: String? = nil, at: Timestamp,
        _ body: @escaping @Sendable (Change) throws -> T
    ) async throws -> T {
        try Names.checkActor(actor)
        return try await Self.translating { [database, waiters] in
            try await database.write { db in
                try Change.checkEvidence(db, evidence)
                return try body(
                    Change(db: db, waiters: waiters, actor: actor, reason: reason, evidence: evidence, at: at))
            }
        }
    }

    /// Writes what is neither news nor for the audit trail: how far a reader has come.
    func bookkeeping(_ body: @escaping @Sendable (Database) throws -> Void) async throws {
        try await Self.translating { [database] in try await database.write(body) }
    }

    private static func translating<T>(_ path: String, _ body: () throws -> T) throws -> T {
        do { return try body() } catch let error as DatabaseError { throw RegistryError(error, path: path) }
    }

    static func translating<T: Sendable>(_ body: @Sendable () async throws -> T) async throws -> T {
        do {
            return try await body()
        } catch let error as DatabaseError {
            // A cancelled task interrupts its statement; that is not the database's fault.
            if error.isInterruptionError, Task.isCancelled { throw CancellationError() }
            throw RegistryError(error, path: nil)
        }
    }
}

extension RegistryError {
    static func ofNewerProgram(_ path: String) -> RegistryError {
        RegistryError(
            .unavailable,
            "\(path) was written by a newer holdfast: start that version, or point `state` at another folder")
    }

    /// What SQLite says, with what a person can do about it.
    package init(_ error: DatabaseError, path: String?) {
        let file = path.map { "registry database \($0)" } ?? "registry database"
        let advice =
            switch error.resultCode.primaryResultCode {
            case .SQLITE_FULL: "the disk is full: free some space and try again"
            case .SQLITE_BUSY, .SQLITE_LOCKED: "another process holds it for too long: end that one or try again"
            case .SQLITE_CORRUPT, .SQLITE_NOTADB:
                "the file is damaged: restore it and its -wal from a backup; it was left as it is"
            case .SQLITE_CANTOPEN, .SQLITE_READONLY, .SQLITE_PERM, .SQLITE_IOERR:
                "it cannot be opened or written: check that the folder exists, its permissions and the disk"
            default: "unexpected; the change was undone"
            }
        self.init(.unavailable, "\(file): \(advice) (SQLite: \(error.message ?? error.resultCode.description))")
    }
}
