import Synchronization

/// All series of the process, by family. Handles are looked up once and kept: an update then takes no lock of the
/// registry's (counters and gauges take none at all).
///
/// A family holds at most `seriesPerFamilyMax` series. Beyond that a handle still works but is not rendered, and
/// `holdfast_series_refused_total` says so: a runaway label must not take the scraper down with it.
package final class PrometheusRegistry: Sendable {
    enum Cell: Sendable {
        case counter(ValueCell)
        case gauge(GaugeCell)
        case histogram(HistogramCell)

        var identity: ObjectIdentifier {
            switch self {
            case .counter(let cell): ObjectIdentifier(cell)
            case .gauge(let cell): ObjectIdentifier(cell)
            case .histogram(let cell): ObjectIdentifier(cell)
            }
        }
    }

    struct Family: Sendable {
        let kind: MetricKind
        let help: String
        var series: [LabelSet: Cell] = [:]
    }

    private struct State {
        var families: [String: Family] = [:]
        var help: [String: String] = [:]
        /// Refused series by family and reason. Kept apart, so that counting them cannot itself hit a limit.
        var refused: [String: [String: UInt64]] = [:]
    }

    package static let defaultBuckets: [Double] = [
        0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
    ]

    private let state = Mutex(State())
    private let seriesPerFamilyMax: Int

    package init(seriesPerFamilyMax: Int = 2_000) {
        precondition(seriesPerFamilyMax > 0)
        self.seriesPerFamilyMax = seriesPerFamilyMax
    }

    /// The help text of a metric that is not in `MetricName`; to be said before its first series.
    package func describe(_ name: String, _ help: String) {
        state.withLock { $0.help[LabelSet.validName(name, allowsColon: true)] = help }
    }

    package func counter(_ name: MetricName, _ labels: [String: String] = [:]) -> ValueCell {
        counter(named: name.rawValue, Self.pairs(labels))
    }

    package func gauge(_ name: MetricName, _ labels: [String: String] = [:]) -> ValueCell {
        gauge(named: name.rawValue, Self.pairs(labels)).cell
    }

    package func histogram(_ name: MetricName, _ labels: [String: String] = [:]) -> HistogramCell {
        histogram(named: name.rawValue, Self.pairs(labels))
    }

    func counter(named name: String, _ labels: [(String, String)]) -> ValueCell {
        let full = name.hasSuffix("_total") ? name : name + "_total"
        let cell = series(full, .counter, labels) { .counter(ValueCell()) }
        guard case .counter(let counter) = cell else { return ValueCell() }
        return counter
    }

    func gauge(named name: String, _ labels: [(String, String)]) -> GaugeCell {
        let cell = series(name, .gauge, labels) { .gauge(GaugeCell()) }
        guard case .gauge(let gauge) = cell else { return GaugeCell() }
        return gauge
    }

    func histogram(named name: String, _ labels: [(String, String)]) -> HistogramCell {
        let bounds = MetricName(rawValue: name)?.buckets ?? Self.defaultBuckets
        let cell = series(name, .histogram, labels) { .histogram(HistogramCell(bounds: bounds)) }
        guard case .histogram(let histogram) = cell else { return HistogramCell(bounds: bounds) }
        return histogram
    }

    /// The cell of the series, made where there is none; `nil` where it may not be: the caller hands out one that
    /// nobody renders.
    private func series(
        _ name: String, _ kind: MetricKind, _ dimensions: [(String, String)], make: () -> Cell
    ) -> Cell? {
        let name = LabelSet.validName(name, allowsColon: true)
        let labels = LabelSet(dimensions)
        return state.withLock { state in
            Self.series(name, kind, labels, in: &state, limit: seriesPerFamilyMax, make: make)
        }
    }

    private static func series(
        _ name: String, _ kind: MetricKind, _ labels: LabelSet, in state: inout State, limit: Int, make: () -> Cell
    ) -> Cell? {
        if let known = state.families[name] {
            guard known.kind == kind else {
                state.refused[name, default: [:]]["type", default: 0] += 1
                return nil
            }
            if let cell = known.series[labels] { return cell }
            guard known.series.count < limit else {
                state.refused[name, default: [:]]["limit", default: 0] += 1
                return nil
            }
        } else {
            // Ours alone to write: it is rendered from the refusals themselves.
            guard name != MetricName.seriesRefused.rawValue else { return nil }
            let help = MetricName(rawValue: name)?.help ?? state.help[name] ?? "Not described."
            state.families[name] = Family(kind: kind, help: help)
        }
        let cell = make()
        state.families[name]?.series[labels] = cell
        return cell
    }

    /// Puts the given gauges in the place of all series of the family that have the labels `scope`, in one step: a
    /// scrape sees the old ones or the new ones. What a closed window has no value for any more is thereby gone.
    ///
    /// - Parameter values: each with the labels it has beyond `scope`.
    package func replaceGauges(
        _ name: MetricName, scope: [String: String], with values: [(labels: [String: String], value: Double)]
    ) {
        precondition(name.kind == .gauge, "\(name.rawValue) is not a gauge")
        let wanted = LabelSet(Self.pairs(scope))
        let series = values.map {
            (labels: LabelSet(Self.pairs(scope.merging($0.labels) { scoped, _ in scoped })), value: $0.value)
        }
        state.withLock { state in
            var kept = Set<LabelSet>()
            let old = state.families[name.rawValue]?.series ?? [:]
            // Those that stay keep their cells, so that handles to them stay good.
            let staying = Set(series.map(\.labels))
            for labels in old.keys where labels.contains(wanted) && !staying.contains(labels) {
                state.families[name.rawValue]?.series[labels] = nil
            }
            for (labels, value) in series where kept.insert(labels).inserted {
                let cell = Self.series(name.rawValue, .gauge, labels, in: &state, limit: seriesPerFamilyMax) {
                    .gauge(GaugeCell())
                }
                if case .gauge(let gauge)? = cell { gauge.cell.set(value) }
            }
            if state.families[name.rawValue]?.series.isEmpty == true { state.families[name.rawValue] = nil }
        }
    }

    /// Drops every series of the family that has all the given labels: what a model or a column that is gone would
    /// otherwise go on reporting for ever. A handle kept from before writes to nowhere; ask for it anew.
    ///
    /// - Returns: how many were dropped.
    @discardableResult
    package func remove(_ name: MetricName, where labels: [String: String]) -> Int {
        remove(named: name.rawValue, where: labels)
    }

    @discardableResult
    package func remove(named name: String, where labels: [String: String]) -> Int {
        let wanted = LabelSet(Self.pairs(labels))
        return drop(named: LabelSet.validName(name, allowsColon: true)) { labels, _ in labels.contains(wanted) }
    }

    /// The same for the labels of every family: `removeEverywhere(where: ["model": "fraud"])`.
    @discardableResult
    package func removeEverywhere(where labels: [String: String]) -> Int {
        precondition(!labels.isEmpty, "without labels this would drop every series")
        let wanted = LabelSet(Self.pairs(labels))
        let names = state.withLock { Array($0.families.keys) }
        return names.reduce(0) { count, name in
            count + drop(named: name) { labels, _ in labels.contains(wanted) }
        }
    }

    /// Drops the series behind a handle of swift-metrics.
    func remove(identity: ObjectIdentifier) {
        let names = state.withLock { Array($0.families.keys) }
        for name in names where drop(named: name, where: { $1.identity == identity }) > 0 { return }
    }

    private func drop(named name: String, where matches: (LabelSet, Cell) -> Bool) -> Int {
        state.withLock { state in
            guard var family = state.families[name] else { return 0 }
            let before = family.series.count
            family.series = family.series.filter { !matches($0.key, $0.value) }
            let dropped = before - family.series.count
            // An empty family is forgotten: its lines without series would only puzzle a reader.
            state.families[name] = family.series.isEmpty ? nil : family
            return dropped
        }
    }

    /// Everything in the Prometheus text exposition format 0.0.4, ordered by name and labels: the same values are the
    /// same bytes.
    package func render() -> String {
        // Copied out first: rendering may take milliseconds, and handles are made under the same lock.
        let (families, refused) = state.withLock { ($0.families, $0.refused) }
        var all = families
        if !refused.isEmpty {
            var family = Family(kind: .counter, help: MetricName.seriesRefused.help)
            for (name, reasons) in refused {
                for (reason, count) in reasons {
                    let cell = ValueCell()
                    cell.set(Double(count))
                    family.series[LabelSet([("metric", name), ("reason", reason)])] = .counter(cell)
                }
            }
            all[MetricName.seriesRefused.rawValue] = family
        }
        var text = ExpositionText()
        for (name, family) in all.sorted(by: { $0.key < $1.key }) { text.add(name, family) }
        return text.out
    }

    private static func pairs(_ labels: [String: String]) -> [(String, String)] { labels.map { ($0.key, $0.value) } }
}
