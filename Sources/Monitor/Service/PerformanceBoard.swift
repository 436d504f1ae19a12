import Statistics
import Synchronization
import Values

/// What `/metrics` says of each model's performance, all traffic: figures of the newest window that may be judged, counts and estimates
/// of the newest window. Revisions of older windows change nothing.
final class PerformanceBoard: Sendable {
    typealias Series = (labels: [String: String], value: Double)

    private struct Part {
        var end = Timestamp.distantPast
        var series: [Series] = []
    }

    private let models = Mutex<[String: (judged: Part, newest: Part)]>([:])

    /// - Parameter show: told all series of the model, where any changed; one caller at a time.
    func take(_ snapshot: Snapshot, show: ([Series]) -> Void) {
        let rows = snapshot.rows.filter { $0.segment.isAll && $0.performance != nil }
        guard !rows.isEmpty else { return }
        models.withLock { models in
            var known = models[snapshot.model] ?? (Part(), Part())
            let isJudged = rows.contains { $0.performance?.isMature == true }
            if isJudged, snapshot.window.end >= known.judged.end {
                known.judged = Part(end: snapshot.window.end, series: Self.series(snapshot, rows, judged: true))
            }
            if snapshot.window.end >= known.newest.end {
                known.newest = Part(end: snapshot.window.end, series: Self.series(snapshot, rows, judged: false))
            }
            models[snapshot.model] = known
            show(known.judged.series + known.newest.series)
        }
    }

    private static func series(_ snapshot: Snapshot, _ rows: [SnapshotRow], judged: Bool) -> [Series] {
        rows.flatMap { row in
            row.metrics.present.filter { $0.metric.isPerformance && $0.metric.needsMaturity == judged }.map {
                (
                    ["model": snapshot.model, "version": row.version, "metric": $0.metric.name],
                    $0.value
                )
            }
        }
    }
}
