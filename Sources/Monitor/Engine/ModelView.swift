import Server
import Sketches
import Statistics
import Values

/// What the first page shows of a model: its latest snapshot and how the columns fared in the windows before.
struct ModelView: Sendable {
    /// Windows kept for the small charts.
    static let historyWindows = 60

    var latest: Snapshot?
    /// `psi` of all traffic by column, oldest first.
    var history: [String: [Double?]] = [:]
    var rows: [UInt64] = []
    var watermark: Timestamp?
    var lateRows: UInt64 = 0
    var performance: PerformanceOverview?
    var labels: LabelOverview?
    /// The end of the latest window whose performance may be judged.
    var maturedThrough: Timestamp?

    init(_ model: MonitoredModel) {
        for column in model.reference.layout.columns { history[column.name] = [] }
    }

    mutating func take(_ performance: ModelPerformance?) {
        self.performance = performance?.overview(Self.historyWindows)
        labels = performance?.labels
        maturedThrough = performance?.maturedThrough
    }

    mutating func take(_ snapshot: Snapshot) {
        latest = snapshot
        var most: UInt64 = 0
        for row in snapshot.rows
        where row.version == SnapshotRow.allVersions && row.segment.isAll && row.column != SnapshotRow.performanceColumn
            && row.column != SnapshotRow.schemaColumn
        {
            most = max(most, row.n)
            history[row.column, default: []].append(row.metrics[.psi])
        }
        rows.append(most)
        if rows.count > Self.historyWindows { rows.removeFirst() }
        for column in history.keys where history[column, default: []].count > Self.historyWindows {
            history[column]?.removeFirst()
        }
    }
}
