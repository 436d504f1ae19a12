import Values

/// The values an expression had in past windows, by instance: what `avg_over` and its kin look back on. Holds no more
/// than the rules ask for.
struct RuleHistory: Codable, Sendable, Hashable {
    /// Values of one expression over all its instances that are remembered at most; about 5 MB of state.
    static let maximumPoints = 200_000

    struct Series: Codable, Sendable, Hashable {
        let labels: [String: String]
        let segment: Segment
        /// Window ends, ascending, with the values beside them.
        var at: [Timestamp]
        var values: [Double]
    }

    /// Ordered by labels, so that equal histories are equal bytes.
    private(set) var series: [Series] = []

    /// Where a rule's history is kept: rules that look at the same windows with the same patience share it.
    static func key(_ history: Expression.History, clock: String, minimumRows: UInt64) -> String {
        "\(clock)/\(minimumRows)/\(history.text)"
    }

    /// Adds the values of the window that ended at `at` and forgets those that ended `memory` before it.
    mutating func record(
        _ samples: [Sample], at: Timestamp, memory: Span
    ) throws(EvaluationError) {
        var places = Dictionary(
            series.enumerated().map { ($1.labels, $0) }, uniquingKeysWith: { first, _ in first })
        var added = false
        for sample in samples where sample.truth == .holds && sample.value.isFinite {
            if let place = places[sample.labels] {
                // Another rule with the same expression was here already.
                guard series[place].at.last.map({ $0 < at }) ?? true else { continue }
                series[place].at.append(at)
                series[place].values.append(sample.value)
            } else {
                places[sample.labels] = series.count
                series.append(
                    Series(labels: sample.labels, segment: sample.segment, at: [at], values: [sample.value]))
                added = true
            }
        }
        for i in series.indices {
            let old = series[i].at.prefix { $0 <= at - memory }.count
            series[i].at.removeFirst(old)
            series[i].values.removeFirst(old)
        }
        series.removeAll { $0.at.isEmpty }
        if added { series.sort { Self.order($0.labels) < Self.order($1.labels) } }
        let points = series.reduce(0) { $0 + $1.at.count }
        guard points > Self.maximumPoints else { return }
        series = []
        throw EvaluationError(
            message: "looks back on more than \(Self.maximumPoints) values: shorten the time or name fewer segments")
    }

    private static func order(_ labels: [String: String]) -> String {
        labels.sorted { $0.key < $1.key }.map { "\($0.key)\u{0}\($0.value)" }.joined(separator: "\u{1}")
    }

    /// What the function makes of each instance, of those of this window and of those that were there before.
    func samples(_ history: Expression.History, now: [Sample], at: Timestamp) -> [Sample] {
        let known = Dictionary(series.map { ($0.labels, $0) }, uniquingKeysWith: { first, _ in first })
        var out = now.map { sample in
            var out = sample
            // A detector watches windows, not what is made of several.
            out.isJudged = false
            guard sample.truth == .holds else { return out }
            if let series = known[sample.labels], let value = value(history, series, at) {
                out.value = value
            } else {
                // A value there is, but not the one `delta` would compare it with.
                out.value = .nan
                out.truth = .insufficient
            }
            return out
        }
        let present = Set(now.map(\.labels))
        for series in series where !present.contains(series.labels) {
            // An instance that is gone says nothing new, so it neither raises nor resolves.
            out.append(Sample(labels: series.labels, segment: series.segment, value: .nan, truth: .noData))
        }
        return out
    }

    private func value(_ history: Expression.History, _ series: Series, _ at: Timestamp) -> Double? {
        let from = series.at.prefix { $0 <= at - history.span }.count
        switch history.function {
        case .average: return mean(series.values[from...])
        case .maximum: return series.values[from...].max()
        case .minimum: return series.values[from...].min()
        case .delta:
            guard from > 0, let now = series.values.last else { return nil }
            return now - series.values[from - 1]
        }
    }

    private func mean(_ values: ArraySlice<Double>) -> Double? {
        values.isEmpty ? nil : values.reduce(0, +) / Double(values.count)
    }
}
