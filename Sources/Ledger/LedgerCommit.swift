package import Rules
package import Values
package import Windows

/// Everything one step of the engine changes. It is written in one transaction or not at all.
package struct LedgerCommit: Sendable {
    package struct Snapshot: Sendable {
        package let model: String
        package let window: TimeRange
        package let revision: Int
        /// Lines of `snapshots.jsonl`.
        package let lines: [UInt8]

        package init(model: String, window: TimeRange, revision: Int, lines: [UInt8]) {
            self.model = model
            self.window = window
            self.revision = revision
            self.lines = lines
        }
    }

    package struct ModelState: Sendable {
        package let windows: ModelWindows.State
        /// The rule engine's state of the model, as it encodes itself; `nil` where it did not change.
        package let alerts: [UInt8]?

        package init(windows: ModelWindows.State, alerts: [UInt8]?) {
            self.windows = windows
            self.alerts = alerts
        }
    }

    /// For each source, the offset to read next.
    package var offsets: [String: Int64] = [:]
    /// New totals of changed counters, by model and pane.
    package var panes: [String: [Timestamp: PaneCounts]] = [:]
    /// Panes no window needs any more.
    package var droppedPanes: [String: [Timestamp]] = [:]
    /// The same of the past that moving references are made of.
    package var history: [String: [Timestamp: PaneCounts]] = [:]
    package var droppedHistory: [String: [Timestamp]] = [:]
    package var states: [String: ModelState] = [:]
    package var snapshots: [Snapshot] = []
    package var transitions: [Alert] = []
    /// Of models whose rules have looked: fingerprints of the alerts that are open now. Others of theirs are no longer shown as open.
    package var openAlerts: [String: Set<String>] = [:]
    package var outbox: [OutboxEntry] = []
    /// By model.
    package var joins: [String: JoinCommit] = [:]
    /// Snapshots of windows that ended before this are forgotten.
    package var forgetBefore: Timestamp?

    package init() {}

    package var isEmpty: Bool {
        offsets.isEmpty && panes.isEmpty && droppedPanes.isEmpty && states.isEmpty && snapshots.isEmpty
            && transitions.isEmpty && outbox.isEmpty && joins.isEmpty
    }
}

/// Something to be done outside once its transaction is durable: a delivery to a receiver, or an action.
package struct OutboxEntry: Sendable, Hashable {
    package enum Kind: String, Sendable {
        case delivery, action
    }

    package let kind: Kind
    /// Unique for ever: `webhook-id` of a delivery, idempotency key of an action. An entry whose key is known is not added again.
    package let key: String
    /// Receiver's name, or the action's.
    package let target: String
    /// Entries of one lane to one target go out strictly in order.
    package let lane: String
    package let body: [UInt8]
    package let at: Timestamp

    package init(kind: Kind, key: String, target: String, lane: String, body: [UInt8], at: Timestamp) {
        self.kind = kind
        self.key = key
        self.target = target
        self.lane = lane
        self.body = body
        self.at = at
    }
}

extension OutboxEntry {
    /// The same, due now at the latest: event time may run ahead of the clock.
    package func due(by now: Timestamp) -> OutboxEntry {
        at <= now ? self : OutboxEntry(kind: kind, key: key, target: target, lane: lane, body: body, at: now)
    }
}

/// An outbox entry as it lies in the ledger.
package struct StoredOutboxEntry: Sendable {
    package let id: Int64
    package let entry: OutboxEntry
    /// The delivery machine's own state, as it encodes itself; empty before the first attempt.
    package let progress: [UInt8]
    package let due: Timestamp

    package init(id: Int64, entry: OutboxEntry, progress: [UInt8], due: Timestamp) {
        self.id = id
        self.entry = entry
        self.progress = progress
        self.due = due
    }
}
