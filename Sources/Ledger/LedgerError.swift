/// Why the ledger cannot be used, and what to do about it.
package struct LedgerError: Error, Sendable, CustomStringConvertible {
    package let path: String
    package let reason: String

    package var description: String {
        "\(path): \(reason)"
    }

    package static func damaged(_ path: String, _ what: String) -> LedgerError {
        LedgerError(
            path: path,
            reason:
                "the ledger is damaged (\(what)). Nothing was started, so nothing is counted twice. Restore the file from a backup, or move "
                + "it and its -wal, -shm and .mark files away: Holdfast then counts again from the oldest messages the broker still has."
        )
    }

    /// What the engine remembers of a model cannot be written down. Going on would lose it at the next start without a word.
    package static func unstorable(_ path: String, _ model: String, _ why: String) -> LedgerError {
        LedgerError(
            path: path,
            reason:
                "the state of model \(model) cannot be stored: \(why). This is a fault in Holdfast: please report it.")
    }
}
