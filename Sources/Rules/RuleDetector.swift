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
    /// Performance figures; absent in states of older programs.
    var figures: [Figure]?

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
    /// Places of rows by column and version: a target is all segments of one.
    private let rows: [String: [Int]]

    /// A target's detector that sees nothing this long is forgotten: its column or version is gone.
    static let patience = Span.days(30)

    /// The targets of a window and their rows: the same for all rules.
    static func targets(_ snapshot: Snapshot) -> [String: [Int]] {
        Dictionary(grouping: snapshot.rows.indices) { name(snapshot.rows[$0]) }
    }

    /// - Parameter rows: as `targets` gives them.
    init(
        _ state: RuleDetectorState, _ snapshot: Snapshot, rows: [String: [Int]], minimumRows: UInt64, limit: Double,
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
        var targets: [String: [Int]] = [:]
        for (i, sample) in samples.enumerated() {
            guard let row = sample.row.map({ snapshot.rows[$0] }), sample.segment == row.segment,
                let metric = sample.metric, sample.isJudged
            else { continue }
            guard let watch = Self.watch(metric, op, row) else {
                verdicts[i] = judgeFigure(sample, row, op, thresholds[i], comparison: comparisons)
                continue
            }
            let name = Self.name(watch)
            targets["\(comparisons)\u{1}\(Self.name(row))\u{1}\(name)", default: []].append(i)
        }
        for (key, members) in targets.sorted(by: { $0.key < $1.key }) {
            judge(key, members, samples, op, thresholds, &verdicts)
        }
        return verdicts
    }

    private func judge(
        _ key: String, _ members: [Int], _ samples: [Sample], _ op: Expression.Comparator, _ thresholds: [Double],
        _ verdicts: inout [StreamVerdict?]
    ) {
        guard let first = samples[members[0]].row.map({ snapshot.rows[$0] }), let metric = samples[members[0]].metric,
            let watch = Self.watch(metric, op, first)
        else { return }
        let chosen = Dictionary(members.map { (samples[$0].segment, $0) }, uniquingKeysWith: { a, _ in a })
        let all = rows[Self.name(first)] ?? []
        let place = state.targets.firstIndex { $0.key == key }
        var target =
            place.map { state.targets[$0] }
            ?? .init(key: key, detector: TargetDetector(watch: watch), seen: snapshot.window.end)
        if metric == .volume, target.levels == nil { target.levels = VolumeLevels() }
        if metric == .stuck_rate, target.habits == nil { target.habits = StandingHabits() }
        let echoes = echoes(all, metric)
        let windows = all.map { index -> StreamWindow in
            let row = snapshot.rows[index]
            let sample = chosen[row.segment].map { samples[$0] }
            let threshold = chosen[row.segment].map { thresholds[$0] } ?? .nan
            let gate = Self.gate(echoes.contains(index) ? nil : sample, row, metric, watch, op, threshold)
            guard let levels = target.levels else {
                return StreamWindow(
                    segment: row.segment, counts: StreamCounts.counts(of: row, metric),
                    isWatched: sample != nil && row.n >= minimumRows
                        && target.isUnusual(row, at: snapshot.window.start),
                    wobble: StreamCounts.wobble(of: row, metric), referenceWindows: row.wobble.spans, gate: gate)
            }
            let usual = levels.expected(row.segment, rows: row.referenceMetrics[.count] ?? 0)
            if let usual { shares[index] = Double(row.n) / usual.rows }
            return StreamWindow(
                segment: row.segment,
                counts: .init(reference: [usual?.rows ?? 0], current: [Double(row.n)]),
                isWatched: sample != nil && usual != nil, dispersion: usual?.dispersion ?? 1, gate: gate)
        }
        let given = target.detector.observe(start: snapshot.window.start, windows, limit: limit, weight: weight)
        target.seen = snapshot.window.end
        for (index, verdict) in zip(all, given) {
            let row = snapshot.rows[index]
            target.levels?.note(
                row.segment, rows: Double(row.n), expected: row.referenceMetrics[.count] ?? 0, in: snapshot.window,
                isOpen: verdict.isOpen)
        }
        target.noteStanding(all.map { snapshot.rows[$0] }, given, at: snapshot.window.start)
        if let place { state.targets[place] = target } else { state.targets.append(target) }
        let bySegment = Dictionary(zip(windows.map(\.segment), given), uniquingKeysWith: { a, _ in a })
        // A version in two roles gives two samples of one segment.
        for i in members { verdicts[i] = bySegment[samples[i].segment] }
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

    /// The number a verdict was given about, where that is not the sample's own: a volume over the usual one, not over the reference.
    func judgedValue(_ sample: Sample) -> Double? {
        guard sample.metric == .volume, let row = sample.row, snapshot.rows[row].metrics[.volume] == sample.value else {
            return nil
        }
        return shares[row]
    }

    /// Whether the change, merged since its start, passes the rule's number. A number the rule computes from a metric, and
    /// one that merged bins cannot tell, is asked of the window itself.
    private static func gate(
        _ sample: Sample?, _ row: SnapshotRow, _ metric: Metric, _ watch: Watch, _ op: Expression.Comparator,
        _ threshold: Double
    ) -> @Sendable (Watch.Counts, Double) -> Bool {
        guard let sample else { return { _, _ in false } }
        let now = op.holds(sample.value, threshold)
        if case .volume = watch, row.metrics[metric] == sample.value {
            return { counts, _ in
                counts.reference[0] > 0 && op.holds(counts.current[0] / counts.reference[0], threshold)
            }
        }
        guard case .shift = watch, row.metrics[metric] == sample.value else { return { _, _ in now } }
        return { counts, effect in
            DriftMeasure.value(of: metric, counts, debiasedPSI: effect).map { op.holds($0, threshold) } ?? now
        }
    }

    /// What watches a metric, and in which direction; `nil` for what has no detector.
    static func watch(_ metric: Metric, _ op: Expression.Comparator, _ row: SnapshotRow) -> Watch? {
        guard let isRise = op.asksForMore else { return nil }
        if metric.isDistance { return isRise ? .shift(isOrdered: row.common.categories.isEmpty) : nil }
        switch metric {
        case .null_rate, .new_category_rate, .invalid_rate, .out_of_range_rate, .missing_rate, .wrong_type_rate,
            .added_rate:
            return .rate(isRise: isRise)
        case .stuck_rate: return isRise ? .rate(isRise: true) : nil
        case .volume: return .volume(isDrop: !isRise)
        default: return nil
        }
    }

    private static func name(_ row: SnapshotRow) -> String {
        let target = "\(row.column)\u{1}\(row.version)"
        return row.field.map { "\(target)\u{1}\($0.name)" } ?? target
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
        state.figures?.removeAll { snapshot.window.end - $0.seen > Self.patience }
        // The same state is the same bytes, in whatever order targets were first seen.
        state.targets.sort { $0.key < $1.key }
        state.figures?.sort { ($0.key, $0.segment) < ($1.key, $1.segment) }
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
    fileprivate mutating func noteStanding(_ rows: [SnapshotRow], _ given: [StreamVerdict], at time: Timestamp) {
        guard habits != nil, rows.contains(where: { $0.metrics[.stuck_rate] != nil }) else { return }
        let told = zip(rows, given).filter(\.1.isOpen).map(\.0.segment)
        habits?.note(
            rows.filter { row in
                row.stuck != nil && !told.contains { SegmentRelation.contains($0, row.segment) }
            }.map(\.segment), any: rows.contains { $0.stuck != nil }, at: time)
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
