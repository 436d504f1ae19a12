package import Statistics
package import Values

/// What the HTTP side asks of the running monitor. `Monitor` implements it for `serve`; tests of routes and pages
/// implement it with fixed values.
package protocol MonitorService: Sendable {
    /// Why the service is not ready yet; empty when it is.
    func notReady() async -> [String]
    /// Prometheus text exposition.
    func metrics() async -> String
    /// Takes native events (single, array or JSON lines) and returns once they are durable.
    func ingest(_ body: [UInt8]) async throws -> IngestResult
    func models() async -> [ModelOverview]
    /// Lines of `snapshots.jsonl` of windows that end within (from, to], oldest first; the newest `limit` windows.
    /// - Parameters:
    ///   - segment: all of a row's dimensions and values; `nil` for every segment.
    func snapshots(
        model: String, column: String?, segment: Segment?, from: Timestamp?, to: Timestamp?, limit: Int
    ) async throws -> [UInt8]
    /// Lines of `alerts.jsonl`: the latest state of open alerts, then of the newest resolved ones.
    func alerts(model: String?, resolved: Int) async throws -> [String]
    /// What was told of one alert and how its metric went; `nil` where nothing is known of it.
    func alert(model: String, fingerprint: String) async throws -> AlertHistory?
    /// All silences in Alertmanager's form, with their state.
    func silences() async throws -> [JSON]
    /// Adds a silence, or replaces the one it names; its id.
    /// - Throws: `SilenceRefused` where it cannot be taken.
    func silence(_ body: JSON, by actor: String) async throws -> String
    /// - Throws: `SilenceRefused` where there is no such silence.
    func endSilence(_ id: String) async throws
    /// Wall clock, for registry changes and pages.
    func now() -> Timestamp
}

/// What became of posted events.
package struct IngestResult: Sendable, Hashable {
    package struct Rejected: Sendable, Hashable {
        /// Number of the event within the request, from 0.
        package let index: Int
        package let reason: String
        package let detail: String

        package init(index: Int, reason: String, detail: String) {
            self.index = index
            self.reason = reason
            self.detail = detail
        }
    }

    package let accepted: Int
    /// The first of them; `rejectedTotal` says how many there were.
    package let rejected: [Rejected]
    package let rejectedTotal: Int

    package init(accepted: Int, rejected: [Rejected], rejectedTotal: Int? = nil) {
        self.accepted = accepted
        self.rejected = rejected
        self.rejectedTotal = rejectedTotal ?? rejected.count
    }
}

/// A model as the first page and `GET /v1/models` show it.
package struct ModelOverview: Sendable {
    package struct Column: Sendable {
        package let name: String
        package let kind: String
        /// All traffic, all versions, in the latest window.
        package let metrics: MetricValues
        package let comparison: Comparison
        /// `psi` of the last windows, oldest first; `nil` where a window had no rows.
        package let history: [Double?]
        /// The single segment (with enough rows and a significant difference) whose `psi` is largest.
        package let worstSegment: (segment: Segment, psi: Double, comparison: Comparison)?

        package init(
            name: String, kind: String, metrics: MetricValues, comparison: Comparison, history: [Double?],
            worstSegment: (segment: Segment, psi: Double, comparison: Comparison)?
        ) {
            self.name = name
            self.kind = kind
            self.metrics = metrics
            self.comparison = comparison
            self.history = history
            self.worstSegment = worstSegment
        }
    }

    package let name: String
    package let task: String
    /// Versions seen in the latest window.
    package let versions: [String]
    package let referenceName: String
    package let referenceRows: UInt64
    /// The latest closed window; `nil` before the first.
    package let window: TimeRange?
    package let windowSize: Span
    /// Rows of the latest window.
    package let rows: UInt64
    /// Rows of the last windows, oldest first.
    package let rowHistory: [UInt64]
    /// Event time up to which all is known.
    package let watermark: Timestamp?
    package let lateRows: UInt64
    /// In the order of the layout.
    package let columns: [Column]
    /// `nil` where the model has no labels and no reference for them.
    package var performance: PerformanceOverview?
    /// The join of its labels; `nil` likewise.
    package var labels: LabelOverview?

    package init(
        name: String, task: String, versions: [String], referenceName: String, referenceRows: UInt64,
        window: TimeRange?, windowSize: Span, rows: UInt64, rowHistory: [UInt64], watermark: Timestamp?,
        lateRows: UInt64, columns: [Column]
    ) {
        self.name = name
        self.task = task
        self.versions = versions
        self.referenceName = referenceName
        self.referenceRows = referenceRows
        self.window = window
        self.windowSize = windowSize
        self.rows = rows
        self.rowHistory = rowHistory
        self.watermark = watermark
        self.lateRows = lateRows
        self.columns = columns
    }
}
