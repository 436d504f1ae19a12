import GRDB
import GRDBSQLite

/// A cached statement of GRDB's, driven through SQLite's own interface: for what is done a thousand times a request.
///
/// GRDB's arguments and rows are values of any type in arrays of their own, which takes longer than SQLite needs to insert a
/// row or to read one. Invariant: it is used inside the closure that lent the database, one execution at a time; each
/// execution begins with `restart` or follows one that ended.
struct RowStatement {
    /// Owns what `handle` points to, and outlives it here.
    private let statement: Statement
    private let handle: SQLiteStatement
    private let connection: SQLiteConnection?

    init(_ db: Database, _ sql: String) throws {
        statement = try db.cachedStatement(sql: sql)
        handle = statement.sqliteStatement
        connection = db.sqliteConnection
        // It may have been left in the middle by an error.
        sqlite3_reset(handle)
    }

    /// Parameters are numbered from 1, as in SQL.
    func bind(_ value: Int64, at index: Int32) { sqlite3_bind_int64(handle, index, value) }
    func bind(_ value: Double, at index: Int32) { sqlite3_bind_double(handle, index, value) }

    func bind(_ value: String, at index: Int32) {
        var value = value
        value.withUTF8 { bytes in
            // An empty buffer may have no address, which SQLite would take for NULL.
            let copied = unsafeBitCast(-1, to: sqlite3_destructor_type.self)
            if let base = bytes.baseAddress, !bytes.isEmpty {
                _ = base.withMemoryRebound(to: CChar.self, capacity: bytes.count) {
                    sqlite3_bind_text(handle, index, $0, Int32(bytes.count), copied)
                }
            } else {
                sqlite3_bind_text(handle, index, "", 0, copied)
            }
        }
    }

    /// Runs a statement that gives no rows.
    func run() throws {
        while try next() {}
    }

    /// Steps to the next row; `false` after the last one, where the statement is ready to be bound anew.
    func next() throws -> Bool {
        switch sqlite3_step(handle) {
        case SQLITE_ROW: return true
        case SQLITE_DONE:
            sqlite3_reset(handle)
            return false
        case let code:
            let message = connection.flatMap { sqlite3_errmsg($0) }.map { String(cString: $0) }
            sqlite3_reset(handle)
            throw DatabaseError(resultCode: ResultCode(rawValue: code), message: message, sql: statement.sql)
        }
    }

    /// Leaves the rows that were not asked for.
    func restart() { sqlite3_reset(handle) }

    /// Columns are numbered from 0, as in SQLite.
    func whole(_ column: Int32) -> Int64 { sqlite3_column_int64(handle, column) }
    func number(_ column: Int32) -> Double { sqlite3_column_double(handle, column) }
    func isNull(_ column: Int32) -> Bool { sqlite3_column_type(handle, column) == SQLITE_NULL }

    func text(_ column: Int32) -> String {
        withText(column) { String(decoding: $0, as: UTF8.self) }
    }

    /// The bytes are SQLite's, until the next step.
    func withText<R>(_ column: Int32, _ body: (UnsafeBufferPointer<UInt8>) throws -> R) rethrows -> R {
        let start = sqlite3_column_text(handle, column)
        return try body(UnsafeBufferPointer(start: start, count: Int(sqlite3_column_bytes(handle, column))))
    }
}
