import Detection
import Statistics
import Values

/// What the detectors of one rule remember: one for each comparison of its expression and each target it is about.
struct RuleDetectorState: Codable, Sendable, Hashable {
    /// Of the rule's expression and labels: another rule begins anew.
    let ruleHash: String
    /// Streams the rule watched last: what the group's budget is shared among.
    var streams = 0
    var targets: [Target] = []
    /// Performance figures; absent in states of older programs, as are those where nothing is asked of any.
    var watches: [Figure]?
    /// The same of older programs, until the figure is looked at again.
    var figures: [OlderFigure]?

    struct Target: Codable, Sendable, Hashable {
        /// Which comparison, column, version and statistic.
        let key: String
        var detector: TargetDetector
        /// What is usual, for a volume.
        var levels: VolumeLevels?
        /// What stands still by nature, for a stuck value.
        var habits: StandingHabits?
        /// End of the last window it saw.
        var seen: Timestamp
    }

    init(ruleHash: String) { self.ruleHash = ruleHash }
}

/// The detectors of one rule at work on one window. A class, because every comparison of an expression adds to it.
final class RuleDetector {
    var state: RuleDetectorState
    let snapshot: Snapshot
    let limit: Double
    private let weight: Double
    private let minimumRows: UInt64
    private var comparisons = 0
    /// Rows over what is usual, by row: the number a verdict about a volume is about.
    private var shares: [Int: Double] = [:]
    private let rows: WindowRows

    /// A target's detector that sees nothing this long is forgotten: its column or version is gone.
    static let patience = Span.days(30)

    init(
        _ state: RuleDetectorState, _ snapshot: Snapshot, rows: WindowRows, minimumRows: UInt64, limit: Double,
        weight: Double
    ) {
        self.rows = rows
        self.state = state
        self.snapshot = snapshot
        self.minimumRows = minimumRows
        self.limit = limit
        self.weight = weight
    }

    /// Judges the samples of one comparison: gives for each the verdict, `nil` where no detector watches such a number.
    func judge(
        _ samples: [Sample], _ op: Expression.Comparator, _ thresholds: [Double]
    ) -> [StreamVerdict?] {
        comparisons += 1
        var verdicts = [StreamVerdict?](repeating: nil, count: samples.count)
        var members: [Judged: [Int]] = [:]
        var figures: [String: [Int]] = [:]
        for i in samples.indices {
            guard samples[i].isJudged, let row = samples[i].row, let metric = samples[i].metric,
                samples[i].segment == snapshot.rows[row].segment
            else { continue }
            guard let watch = Self.watch(metric, op, snapshot.rows[row]) else {
                if Self.isFigure(metric, snapshot.rows[row]) {
                    figures["\(comparisons)\u{1}\(snapshot.rows[row].version)\u{1}\(metric.name)", default: []].append(
                        i)
                }
                continue
            }
            members[Judged(target: rows.targetOfRow[row], watch: Self.name(watch)), default: []].append(i)
        }
        let judged = members.map { judged, members in
            (key: "\(comparisons)\u{1}\(rows.targets[judged.target].name)\u{1}\(judged.watch)", judged.target, members)
        }
        for (key, target, members) in judged.sorted(by: { $0.key < $1.key }) {
            judge(key, rows.targets[target].rows, members, samples, op, thresholds, &verdicts)
        }
        for (key, members) in figures.sorted(by: { $0.key < $1.key }) {
            judgeFigures(key, members, samples, op, thresholds, &verdicts)
        }
        return verdicts
    }

    /// One target, watched in one way.
    private struct Judged: Hashable {
        let target: Int
        let watch: String
    }

    private func judge(
        _ key: String, _ all: [Int], _ members: [Int], _ samples: [Sample], _ op: Expression.Comparator,
        _ thresholds: [Double], _ verdicts: inout [StreamVerdict?]
    ) {
        guard let first = samples[members[0]].row, let metric = samples[members[0]].metric,
            let watch = Self.watch(metric, op, snapshot.rows[first])
        else { return }
        // A version in two roles gives two samples of one row.
        let chosen = Dictionary(
            members.compactMap { i in samples[i].row.map { ($0, i) } }, uniquingKeysWith: { a, _ in a })
        let place = state.targets.firstIndex { $0.key == key }
        var target =
            place.map { state.targets[$0] }
            ?? .init(key: key, detector: TargetDetector(watch: watch), seen: snapshot.window.end)
        // Two that hold its streams would copy them as they change.
        if let place { state.targets[place].detector = TargetDetector(watch: watch) }
        if metric == .volume, target.levels == nil { target.levels = VolumeLevels() }
        if metric == .stuck_rate, target.habits == nil { target.habits = StandingHabits() }
        let echoes = echoes(all, metric)
        let windows = all.map { index -> StreamWindow in
            let segment = snapshot.rows[index].segment
            let n = snapshot.rows[index].n
            let place = chosen[index]
            let asked = echoes.contains(index) ? nil : place
            let gate = Self.gate(
                asked.map { samples[$0].value }, of: snapshot.rows[index].metrics[metric], metric, watch, op,
                asked.map { thresholds[$0] } ?? .nan)
            guard let levels = target.levels else {
                return StreamWindow(
                    segment: segment, counts: StreamCounts.counts(of: snapshot.rows[index], metric),
                    isWatched: place != nil && n >= minimumRows
                        && target.isUnusual(snapshot.rows[index], at: snapshot.window.start),
                    wobble: StreamCounts.wobble(of: snapshot.rows[index], metric),
                    referenceWindows: snapshot.rows[index].wobble.spans, gate: gate)
            }
            let usual = levels.expected(segment, rows: snapshot.rows[index].referenceMetrics[.count] ?? 0)
            if let usual { shares[index] = Double(n) / usual.rows }
            return StreamWindow(
                segment: segment,
                counts: .init(reference: [usual?.rows ?? 0], current: [Double(n)]),
                isWatched: place != nil && usual != nil, dispersion: usual?.dispersion ?? 1, gate: gate)
        }
        let given = target.detector.observe(start: snapshot.window.start, windows, limit: limit, weight: weight)
        target.seen = snapshot.window.end
        if target.levels != nil {
            for (index, verdict) in zip(all, given) {
                target.levels?.note(
                    snapshot.rows[index].segment, rows: Double(snapshot.rows[index].n),
                    expected: snapshot.rows[index].referenceMetrics[.count] ?? 0, in: snapshot.window,
                    isOpen: verdict.isOpen)
            }
        }
        target.noteStanding(snapshot, all, given)
        if let place { state.targets[place] = target } else { state.targets.append(target) }
        let byRow = Dictionary(zip(all, given), uniquingKeysWith: { a, _ in a })
        for i in members { verdicts[i] = samples[i].row.flatMap { byRow[$0] } }
    }

    /// Rows whose rate is that of a segment they merely overlap: it is surely higher there.
    ///
    /// What is broken is broken in all rows of its segment and in none of the reference, so what is left of an overlap that is only
    /// estimated would pass for evidence. Where one segment holds the other, the overlap is exact and the search for the cause decides.
    private func echoes(_ all: [Int], _ metric: Metric) -> Set<Int> {
        guard [.missing_rate, .wrong_type_rate, .added_rate, .stuck_rate].contains(metric) else { return [] }
        let hit = all.compactMap { index -> (index: Int, rate: Double, n: Double)? in
            let counts = StreamCounts.counts(of: snapshot.rows[index], metric)
            guard counts.current[1] > 0 else { return nil }
            return (index, counts.current[1] / counts.rows, counts.rows)
        }
        let highest = hit.filter { $0.n >= Self.leastRows }.sorted { $0.rate > $1.rate }.prefix(Self.maximumHighest)
        return Set(
            hit.filter { low in
                highest.contains { high in
                    let variance = [low, high].reduce(0) { $0 + $1.rate * (1 - $1.rate) / $1.n }
                    let (a, b) = (snapshot.rows[low.index].segment, snapshot.rows[high.index].segment)
                    return high.rate >= 1.3 * low.rate && high.rate - low.rate > 4 * variance.squareRoot()
                        && SegmentRelation.overlap(a, b) != nil && !SegmentRelation.contains(a, b)
                        && !SegmentRelation.contains(b, a)
                }
            }.map(\.index))
    }

    /// Rows of a segment that can explain others, and how many such segments are looked at.
    private static let leastRows = 15.0
    private static let maximumHighest = 64

    /// The number a verdict was given about, where that is not the sample's own: a volume over the usual one, not over the reference;
    /// where an alarm stands for those of its parts, the number of the surest of them.
    func judgedValue(_ sample: Sample) -> Double? {
        if let leading = sample.verdict?.leading, leading != sample.segment, let metric = sample.metric,
            let own = sample.row.map({ snapshot.rows[$0] })
        {
            let row = snapshot.rows.first {
                $0.segment == leading && $0.column == own.column && $0.version == own.version && $0.field == own.field
            }
            return own.metrics[metric] == sample.value ? row?.metrics[metric] : nil
        }
        guard sample.metric == .volume, let row = sample.row, snapshot.rows[row].metrics[.volume] == sample.value else {
            return nil
        }
        return shares[row]
    }

    /// Whether the change, merged since its start, passes the rule's number. A number the rule computes from a metric, and
    /// one that merged bins cannot tell, is asked of the window itself.
    private static func gate(
        _ value: Double?, of own: Double?, _ metric: Metric, _ watch: Watch, _ op: Expression.Comparator,
        _ threshold: Double
    ) -> @Sendable (Watch.Counts, Double) -> Bool {
        guard let value else { return { _, _ in false } }
        let now = op.holds(value, threshold)
        if case .volume = watch, own == value {
            return { counts, _ in
                counts.reference[0] > 0 && op.holds(counts.current[0] / counts.reference[0], threshold)
            }
        }
        guard case .shift = watch, own == value else { return { _, _ in now } }
        return { counts, effect in
            DriftMeasure.value(of: metric, counts, debiasedPSI: effect).map { op.holds($0, threshold) } ?? now
        }
    }

    /// What watches a metric, and in which direction; `nil` for what has no detector.
    static func watch(_ metric: Metric, _ op: Expression.Comparator, _ row: SnapshotRow) -> Watch? {
        guard let isRise = op.asksForMore, let detector = metric.detector else { return nil }
        switch detector {
        case .shift: return isRise ? .shift(isOrdered: row.common.categories.isEmpty) : nil
        case .rate: return .rate(isRise: isRise)
        case .stuck: return isRise ? .rate(isRise: true) : nil
        case .volume: return .volume(isDrop: !isRise)
        case .figure: return nil
        }
    }

    private static func name(_ watch: Watch) -> String {
        switch watch {
        case .shift: "shift"
        case .rate(let isRise): isRise ? "rise" : "fall"
        case .volume(let isDrop): isDrop ? "drop" : "surge"
        }
    }

    /// The state after the window, without what is gone.
    func finished(streams: Int) -> RuleDetectorState {
        var state = state
        state.streams = streams
        state.targets.removeAll { snapshot.window.end - $0.seen > Self.patience }
        state.watches?.removeAll { snapshot.window.end - $0.seen > Self.patience }
        state.figures?.removeAll { snapshot.window.end - $0.seen > Self.patience }
        if state.figures?.isEmpty == true { state.figures = nil }
        // The same state is the same bytes, in whatever order targets were first seen.
        state.targets.sort { $0.key < $1.key }
        state.watches?.sort { $0.key < $1.key }
        return state
    }
}

extension RuleDetectorState.Target {
    /// Whether a row that stands still is worth a look.
    fileprivate func isUnusual(_ row: SnapshotRow, at time: Timestamp) -> Bool {
        guard let habits, row.stuck != nil else { return true }
        return habits.isUnusual(row.segment, at: time)
    }

    /// Takes note of what stands still without being told of.
    fileprivate mutating func noteStanding(_ snapshot: Snapshot, _ rows: [Int], _ given: [StreamVerdict]) {
        guard habits != nil, rows.contains(where: { snapshot.rows[$0].metrics[.stuck_rate] != nil }) else { return }
        let told = zip(rows, given).filter(\.1.isOpen).map { snapshot.rows[$0.0].segment }
        let stuck = rows.filter { snapshot.rows[$0].stuck != nil }.map { snapshot.rows[$0].segment }
        habits?.note(
            stuck.filter { segment in !told.contains { SegmentRelation.contains($0, segment) } }, any: !stuck.isEmpty,
            at: snapshot.window.start)
    }
}

extension Expression.Comparator {
    /// Whether it asks for a larger number, `nil` for an equal one.
    var asksForMore: Bool? {
        switch self {
        case .greater, .greaterOrEqual: true
        case .less, .lessOrEqual: false
        case .equal, .notEqual: nil
        }
    }
}

/// A row's counts as detectors take them.
enum StreamCounts {
    /// How much windows of these counts differ although nothing is wrong.
    static func wobble(of row: SnapshotRow, _ metric: Metric) -> Double {
        switch metric {
        case .null_rate, .missing_rate: row.wobble.null
        case .new_category_rate: row.wobble.novelty.wobble
        // Rows of one booking, or of one reading, leave the range together.
        case .out_of_range_rate: max(row.wobble.novelty.wobble, row.wobble.standing)
        case .stuck_rate: row.wobble.standing
        default: metric.isDistance ? row.wobble.shift : 0
        }
    }

    static func counts(of row: SnapshotRow, _ metric: Metric) -> Watch.Counts {
        let common = row.alike ?? row.common
        let reference = common.reference.map { Double($0) }
        let current = common.current.map { Double($0) }
        let m = reference.reduce(0, +)
        let n = current.reduce(0, +)
        switch metric {
        case .null_rate:
            let nulls = Double(common.currentNulls)
            return .init(
                reference: [m, Double(common.referenceNulls)], current: [max(0, Double(row.n) - nulls), nulls])
        case .missing_rate:
            // Nulls of the reference count as absent too: the file it was built from may have spelled out what events leave out.
            let missing = Double(row.missing)
            return .init(
                reference: [m, Double(common.referenceNulls)], current: [max(0, Double(row.n) - missing), missing])
        case .stuck_rate:
            guard let stuck = row.stuck else { return .init(reference: [m, 0], current: [n, 0]) }
            // It was sought in all rows of the reference group, which may be a wider one; these may be of the window's times only.
            let sought = Double(row.comparison.reference.reduce(0, &+))
            let share = sought > 0 ? min(1, Double(stuck.referenceCount) / sought) : 0
            let (now, before) = (Double(stuck.count), share * m)
            return .init(reference: [m - before, before], current: [max(0, n - now), now])
        case .added_rate:
            let hits = ((row.metrics[metric] ?? 0) * Double(row.n)).rounded()
            return .init(reference: [Double(row.referenceN), 0], current: [Double(row.n) - hits, hits])
        case .wrong_type_rate:
            let before = ((row.referenceMetrics[.invalid_rate] ?? 0) * Double(row.referenceN)).rounded()
            let wrong = Double(row.wrongType)
            return .init(
                reference: [Double(row.referenceN) - before, before], current: [max(0, Double(row.n) - wrong), wrong])
        case .new_category_rate:
            var unseen = current.last ?? 0
            var once = 0.0
            for (p, q) in zip(reference, current).dropLast() {
                if p == 0 { unseen += q }
                if p == 1 { once += 1 }
            }
            // Good and Turing: what has not been seen yet is as frequent as what has been seen once. New values that come
            // together, as a day's do, say so more plainly.
            once = min(m, max(once, row.wobble.novelty.share * m))
            return .init(reference: [max(0, m - once), min(once, m)], current: [n - unseen, unseen])
        case .invalid_rate:
            let rows = Double(row.n)
            let invalid = ((row.metrics[metric] ?? 0) * rows).rounded()
            let before = ((row.referenceMetrics[metric] ?? 0) * Double(row.referenceN)).rounded()
            return .init(
                reference: [Double(row.referenceN) - before, before], current: [rows - invalid, invalid])
        case .out_of_range_rate:
            let outside = ((row.metrics[metric] ?? 0) * n).rounded()
            // A new row is beyond the least or the greatest of m with probability 2/(m + 1); more where rows come in spans
            // that differ.
            let beyond = min(m, max(2, row.wobble.novelty.share * m))
            return .init(reference: [max(0, m - beyond), beyond], current: [n - outside, outside])
        default:
            return .init(reference: reference, current: current)
        }
    }
}
