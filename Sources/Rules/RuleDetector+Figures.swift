import Detection
import Statistics
import Values

/// Performance figures that a rule compares with a number, judged by the evidence of all mature windows: one watch over all segments of a
/// figure, so that what one segment explains is told of that segment alone.
extension RuleDetectorState {
    struct Figure: Codable, Sendable, Hashable {
        /// Which comparison, version and figure.
        let key: String
        var watch = ConceptWatch()
        /// End of the last window whose rows were counted as evidence.
        var counted: Timestamp?
        /// End of the last window it saw.
        var seen: Timestamp
    }

    /// A segment's stream, as programs wrote it whose segments knew nothing of each other.
    struct OlderFigure: Codable, Sendable, Hashable {
        let key: String
        let segment: Segment
        let stream: ConceptWatch.OlderFigure
        let seen: Timestamp
    }

    /// The watch of a figure as it was left.
    fileprivate mutating func takeFigure(_ key: String, at end: Timestamp) -> Figure {
        if let place = watches?.firstIndex(where: { $0.key == key }), let known = watches?.remove(at: place) {
            return known
        }
        var figure = Figure(key: key, seen: end)
        for older in figures ?? [] where older.key == key {
            figure.watch.adopt(older.stream, of: older.segment, seen: older.seen)
            figure.counted = max(figure.counted ?? older.seen, older.seen)
        }
        figures?.removeAll { $0.key == key }
        return figure
    }
}

extension RuleDetector {
    /// Whether a metric is a figure whose windows add up to evidence in this row.
    static func isFigure(_ metric: Metric, _ row: SnapshotRow) -> Bool {
        guard case .figure? = metric.detector else { return false }
        return row.performance?.reference != nil
    }

    /// Judges all segments of a figure; leaves `nil` where the window alone decides: for a number the rule computes, where the reference
    /// itself is past the rule's number, and while no window had enough labels.
    func judgeFigures(
        _ key: String, _ members: [Int], _ samples: [Sample], _ op: Expression.Comparator, _ thresholds: [Double],
        _ verdicts: inout [StreamVerdict?]
    ) {
        var windows: [Segment: ConceptWindow] = [:]
        let asked = members.filter { Self.isAsked(samples[$0], snapshot, op, thresholds[$0]) }
        for i in asked where windows[samples[i].segment] == nil {
            windows[samples[i].segment] = window(samples[i], op, thresholds[i])
        }
        let segments = Set(asked.map { samples[$0].segment }).sorted()
        guard !segments.isEmpty else { return }
        var figure = state.takeFigure(key, at: snapshot.window.end)
        // Rows are evidence once: a window that overlaps the last one adds nothing.
        let isNew = figure.counted.map { snapshot.window.start >= $0 } ?? true
        if isNew, !windows.isEmpty { figure.counted = snapshot.window.end }
        let found =
            isNew
            ? figure.watch.observe(
                snapshot.window, segments.compactMap { windows[$0] }, segments: segments, limit: limit)
            : figure.watch.standing(segments, limit: limit)
        figure.seen = snapshot.window.end
        if !figure.watch.isEmpty { state.watches = (state.watches ?? []) + [figure] }
        for i in asked { verdicts[i] = found[samples[i].segment].map(StreamVerdict.init) }
    }

    private static func isAsked(
        _ sample: Sample, _ snapshot: Snapshot, _ op: Expression.Comparator, _ threshold: Double
    ) -> Bool {
        guard let metric = sample.metric, let row = sample.row.map({ snapshot.rows[$0] }),
            case .figure(let statistic)? = metric.detector, op.asksForMore == statistic.isRise,
            sample.truth == .holds, row.metrics[metric] == sample.value, let before = row.referenceMetrics[metric]
        else { return false }
        return !op.holds(before, threshold)
    }

    private func window(_ sample: Sample, _ op: Expression.Comparator, _ threshold: Double) -> ConceptWindow? {
        guard let metric = sample.metric, let row = sample.row.map({ snapshot.rows[$0] }),
            case .figure(let statistic)? = metric.detector, let before = row.referenceMetrics[metric],
            let detail = row.performance,
            let baseline = detail.baseline ?? detail.reference.map({ PerformanceBaseline($0) })
        else { return nil }
        let holds: @Sendable (Double) -> Bool = { op.holds(statistic.figure(before, worseBy: max(0, $0)), threshold) }
        return ConceptWindow(
            row.segment, statistic, detail.sketch, baseline,
            // Of many looks the luckiest must not do: the number is passed by one standard error.
            gate: { effect, error in effect > 0 && holds(effect - error) }, lasts: holds)
    }
}
