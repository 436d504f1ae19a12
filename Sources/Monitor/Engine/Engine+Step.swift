import Ledger
import Rules
import Server
import Statistics
import Values

extension Engine {
    /// What one step brought.
    struct Step: Sendable {
        var snapshots: [Snapshot] = []
        /// Rows of the snapshots of windows that closed.
        var rows = 0
        /// Places in `snapshots` of the models' own windows; the others are of sizes that rules ask for.
        var ownSnapshots: Set<Int> = []
        var alerts: [Alert] = []
        var events: [EventKey: UInt64] = [:]
        var rejected: [RejectedKey: UInt64] = [:]
        var unknownKeys: UInt64 = 0
        var segmentOverflow: [SegmentOverflowKey: UInt64] = [:]
        /// Per model: rows that came too late.
        var lateRows: [String: UInt64] = [:]
        /// Per model: windows whose labels came after those of younger windows, so that their performance was not judged.
        var passedOver: [String: UInt64] = [:]
        /// What is worth a line in the log, once for a model.
        var warnings: [String] = []
        /// Per model: the join, where it changed.
        var labels: [String: LabelOverview] = [:]
        var watermarks: [String: Timestamp] = [:]
        /// Alert instances by model and state, of models whose windows closed.
        var alertStates: [String: [String: Int]] = [:]
        var now: Timestamp?

        mutating func take(_ delta: IntakeDelta, _ commit: inout LedgerCommit) {
            commit.offsets = delta.offsets
            events = delta.events
            rejected = delta.rejected
            unknownKeys = delta.unknownKeys
            segmentOverflow = delta.segmentOverflow
        }
    }

    struct Options: Sendable {
        /// Deliver alerts and perform actions; a replay only writes what would have happened.
        var performs: Bool
        /// Keep snapshots in the ledger for the API.
        var keepsSnapshots: Bool
        var receivers: [String]
        var externalURL: String
        var retention: Span
        /// Told of each window as it closes, by its end, before its step is stored: for a display of progress.
        var watch: (@Sendable (Timestamp) -> Void)?
        /// Once the snapshots of a piece of a step have so many rows, what else closes is left for the next.
        var pieceRows = 50_000
    }
}
