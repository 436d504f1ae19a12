import Events
import Ledger
import Server
import Sketches
import Statistics
import Telemetry
import Values
import Windows

/// The running monitor as the HTTP side sees it.
struct LiveService: MonitorService {
    let engine: Engine
    let ledger: Ledger
    let posted: PostedEvents
    let metricsRegistry: PrometheusRegistry
    let health: Health
    let clock: WallClock

    func notReady() async -> [String] { health.notReady }

    func metrics() async -> String { metricsRegistry.render() }

    func ingest(_ body: [UInt8]) async throws -> IngestResult { try await posted.ingest(body) }

    func now() -> Timestamp { clock.now() }

    func models() async -> [ModelOverview] {
        zip(engine.models, engine.views).map { ModelOverview($0, $1) }
    }

    func alerts(model: String?, resolved: Int) async throws -> [String] {
        try await marked(try await ledger.alerts(model: model, resolved: resolved))
    }

    func alert(model: String, fingerprint: String) async throws -> AlertHistory? {
        try await AlertArchive(ledger: ledger).history(model: model, fingerprint: fingerprint)
    }

    func snapshots(
        model: String, column: String?, segment: Segment?, from: Timestamp?, to: Timestamp?, limit: Int
    ) async throws -> [UInt8] {
        let stored = try await ledger.windows(
            model: model, from: from ?? .distantPast, to: to ?? .distantFuture, limit: limit)
        guard column != nil || segment != nil else { return stored.flatMap(\.lines) }
        // Lines are written by us, so their beginnings can be compared as text.
        let columnText = column.map { #","column":"# + JSON.string($0).text + "," }
        var out = [UInt8]()
        for snapshot in stored {
            for line in snapshot.lines.split(separator: UInt8(ascii: "\n")) {
                let text = String(decoding: line, as: UTF8.self)
                if let columnText, !text.contains(columnText) { continue }
                if let segment, !Self.isOf(segment, line) { continue }
                out += line
                out.append(UInt8(ascii: "\n"))
            }
        }
        return out
    }

    /// Whether a line is of a segment, whatever order its dimensions are named in.
    private static func isOf(_ segment: Segment, _ line: some Sequence<UInt8>) -> Bool {
        guard let json = try? JSON(parsing: line) else { return false }
        let parts = (json["segment"]?.objectValue ?? []).map { Segment.Part($0.key, $0.value.stringValue ?? "") }
        return Set(parts) == Set(segment.parts)
    }
}

extension ModelOverview {
    /// A segment with fewer rows is not shown as the worst.
    private static let minimumSegmentRows: UInt64 = 30

    init(_ model: MonitoredModel, _ view: ModelView) {
        let rows = view.latest?.rows.filter { $0.version == SnapshotRow.allVersions } ?? []
        let byColumn = Dictionary(grouping: rows, by: \.column)
        let columns = model.reference.layout.columns.map { column -> Column in
            let own = byColumn[column.name] ?? []
            let all = own.first { $0.segment.isAll }
            let worst = own.filter {
                !$0.segment.isAll && $0.n >= Self.minimumSegmentRows && ($0.metrics[.psi_p] ?? 1) < 0.001
            }.max { ($0.metrics[.psi] ?? 0) < ($1.metrics[.psi] ?? 0) }
            return Column(
                name: column.name, kind: column.bins.kindName, metrics: all?.metrics ?? MetricValues(),
                comparison: all?.comparison
                    ?? Comparison(
                        edges: [], categories: [], reference: [], current: [], referenceNulls: 0, currentNulls: 0),
                history: view.history[column.name] ?? [],
                worstSegment: worst.map { ($0.segment, $0.metrics[.psi] ?? 0, $0.comparison) })
        }
        self.init(
            name: model.name, task: model.configuration.task.rawValue, versions: view.latest?.versions ?? [],
            referenceName: model.snapshots.referenceName, referenceRows: model.reference.all.profile.rows,
            window: view.latest?.window, windowSize: model.window.size, rows: view.rows.last ?? 0,
            rowHistory: view.rows, watermark: view.watermark, lateRows: view.lateRows, columns: columns)
        performance = view.performance
        labels = view.labels
    }
}
