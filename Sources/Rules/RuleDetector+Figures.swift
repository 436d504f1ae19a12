import Detection
import Statistics
import Values

/// Performance figures that a rule compares with a number, judged by the evidence of all mature windows.
extension RuleDetectorState {
    struct Figure: Codable, Sendable, Hashable {
        /// Which comparison, version and figure.
        let key: String
        let segment: Segment
        var stream: FigureStream
        /// End of the last window it saw.
        var seen: Timestamp
    }
}

extension RuleDetector {
    /// Whether a metric is a figure whose windows add up to evidence in this row.
    static func isFigure(_ metric: Metric, _ row: SnapshotRow) -> Bool {
        FigureStream.isRise(metric) != nil && row.performance?.reference != nil
    }

    /// Judges a figure; `nil` where the window alone decides: for a number the rule computes, where the reference itself is past
    /// the rule's number, and while no window had enough labels.
    func judgeFigure(
        _ sample: Sample, _ row: SnapshotRow, _ op: Expression.Comparator, _ threshold: Double, comparison: Int
    ) -> StreamVerdict? {
        guard let metric = sample.metric, let isRise = FigureStream.isRise(metric), op.asksForMore == isRise,
            sample.truth == .holds, row.metrics[metric] == sample.value, let detail = row.performance,
            let reference = detail.reference, let value = row.referenceMetrics[metric], !op.holds(value, threshold)
        else { return nil }
        let key = "\(comparison)\u{1}\(row.version)\u{1}\(metric.name)"
        var figures = state.figures ?? []
        let place = figures.firstIndex { $0.key == key && $0.segment == row.segment }
        guard var stream = place.map({ figures[$0].stream }) ?? FigureStream(metric) else { return nil }
        let verdict = stream.observe(
            snapshot.window, detail.sketch, reference, value: value, limit: limit,
            holds: { op.holds($0, threshold) })
        let figure = RuleDetectorState.Figure(
            key: key, segment: row.segment, stream: stream, seen: snapshot.window.end)
        if let place { figures[place] = figure } else { figures.append(figure) }
        state.figures = figures
        return verdict
    }
}
