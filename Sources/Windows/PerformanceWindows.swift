package import Statistics
package import Values

/// The performance of one model's windows: a first line when a window closes, with what labels are there, and revisions as more come,
/// until the horizon has passed.
///
/// A window is *mature*, and may be judged, when the horizon has passed; or when its youngest predictions are older than 95% of label
/// delays of each class, it has seen windows twice as old, and its coverage is 97% of what such windows have (or what the
/// configuration asks). Until then its metrics are biased by what labels come first.
package struct PerformanceWindows: Sendable {
    /// A window whose performance is told.
    package struct Told: Sendable {
        package let shape: ModelWindows.Shape
        package let range: TimeRange
        package let revision: Int
        package var rows: [SnapshotRow]
        /// The window may be judged from now on.
        package let matured: Bool
        /// A younger window of the size could be judged before: this one comes out of order, and is shown but not judged.
        package let isPassedOver: Bool
        /// When this is told, in event time.
        package let at: Timestamp
    }

    /// What must survive a restart besides the panes.
    package struct State: Codable, Sendable, Equatable {
        /// Windows that labels may still change, by their end.
        var open: [Entry] = []
        /// End of the youngest window that could be judged, by size in microseconds. Absent in states of older programs.
        private var judged: [String: Timestamp]?
        /// Predictions whose horizon passed without a label, of panes that end by a time.
        private var expired: Int64?
        private var expiredThrough: Timestamp?
        /// Absent in states of older programs.
        fileprivate var labels: LabelFlow?
        package init() {}

        /// The end of the latest window that became mature; `nil` before the first.
        package var maturedThrough: Timestamp? { judged?.values.max() }

        /// Notes that nothing joins predictions of panes that end by a time any more.
        fileprivate mutating func expire(_ lost: Int64, by limit: Timestamp) {
            guard limit > expiredThrough ?? .distantPast else { return }
            expired = (expired ?? 0) + lost
            expiredThrough = limit
        }

        fileprivate var expiry: (predictions: Int64, through: Timestamp) {
            (expired ?? 0, expiredThrough ?? .distantPast)
        }

        /// Notes a window that may be judged.
        /// - Returns: whether a younger one was before it.
        mutating func judge(_ entry: Entry) -> Bool {
            var all = judged ?? [:]
            let key = "\(entry.size.microseconds)"
            if let last = all[key], last >= entry.end { return true }
            all[key] = entry.end
            judged = all
            return false
        }
    }

    struct Entry: Codable, Sendable, Equatable {
        let size: Span
        let every: Span
        let start: Timestamp
        let end: Timestamp
        var revision: Int
        var predictions: Int64
        var labelled: Int64
        var corrections: Int64
        var isMature: Bool

        var range: TimeRange { TimeRange(start: start, end: end) }

        /// Notes what is told of it now.
        mutating func take(_ all: PaneSummary, matures: Bool) {
            revision += 1
            predictions = all.predictions
            labelled = all.labelled
            corrections = all.corrections
            isMature = isMature || matures
        }
    }

    /// A window is told anew when its labels have grown by this share since.
    private static let growth = 1.1
    private static let matureShare = 0.97

    package private(set) var state: State
    package private(set) var panes: PerformancePanes
    private let settings: PerformanceSettings
    private let reference: PerformanceReference?
    /// Joined, but by labels of a time that no window has reached; oldest first.
    private var waiting: [(time: Timestamp, change: JoinTable.Change)] = []
    /// So many at the front of `waiting` have been counted.
    private var counted = 0
    /// The length of the longest window that is open or was.
    private var longest: Span

    /// Predictions that may still get their label, and those, since the beginning, that can not any more.
    package var unlabelled: (waiting: Int64, expired: Int64) {
        (max(0, panes.timeline.unlabelled - panes.timeline.overdue), state.expiry.predictions)
    }

    package init(
        _ settings: PerformanceSettings, panes: PerformancePanes, reference: PerformanceReference?,
        state: State = State()
    ) {
        self.settings = settings
        self.panes = panes
        self.reference = reference
        self.state = state
        longest = state.open.map(\.range.length).max() ?? .zero
        self.panes.timeline.expire(through: state.expiry.through)
    }

    /// Takes what the join found.
    /// - Parameter inOrder: labels count only once a window ends after they came, so that a replay, which reads days at once, tells
    ///   what was known at the time. A live stream takes them as they come.
    package mutating func apply(_ changes: [JoinTable.Change], join: LabelJoin, inOrder: Bool) {
        guard inOrder else {
            note(changes)
            panes.apply(changes, cells: join.cells, classes: join.classes)
            return
        }
        var now: [JoinTable.Change] = []
        for change in changes {
            switch change.kind {
            case .prediction: now.append(change)
            case .match, .correction:
                waiting.append((max(change.record.labelTime, change.record.predictionTime), change))
            }
        }
        panes.apply(now, cells: join.cells, classes: join.classes)
        // A stable order: a correction follows the label it corrects.
        waiting = waiting[counted...].enumerated().sorted {
            $0.element.time != $1.element.time ? $0.element.time < $1.element.time : $0.offset < $1.offset
        }.map(\.element)
        counted = 0
    }

    /// The newest windows of a shape that labels may still change, oldest first, with their line of all traffic.
    package func newest(_ count: Int, of shape: ModelWindows.Shape) -> [(range: TimeRange, row: SnapshotRow)] {
        state.open.filter { $0.size == shape.size && $0.every == shape.every }.suffix(count).compactMap { entry in
            let sums = panes.sum(entry.range, isAllOnly: true)
            return rows(sums, isMature: entry.isMature).first.map { (entry.range, $0) }
        }
    }

    private mutating func note(_ changes: [JoinTable.Change]) {
        var flow = state.labels ?? LabelFlow()
        flow.note(
            changes.compactMap { change in
                switch change.kind {
                case .prediction: nil
                case .match, .correction: change.record.labelTime
                }
            })
        state.labels = flow
    }

    /// Says in a closing window's line of all traffic for how long no label has come.
    private func tellSilence(_ rows: inout [SnapshotRow], at time: Timestamp) {
        guard let flow = state.labels, let silence = flow.silence(at: time),
            let all = rows.firstIndex(where: { $0.version == SnapshotRow.allVersions && $0.segment.isAll })
        else { return }
        rows[all].metrics[.label_silence] = silence.seconds
        rows[all].referenceMetrics[.label_silence] = flow.longest.seconds
    }

    private mutating func advance(to time: Timestamp, _ join: LabelJoin) {
        let due = waiting[counted...].firstIndex { $0.time > time } ?? waiting.count
        guard due > counted else { return }
        let changes = waiting[counted..<due].map(\.change)
        note(changes)
        panes.apply(changes, cells: join.cells, classes: join.classes)
        counted = due
    }

    /// A window has closed: its own performance, and that of older ones that changed enough.
    /// - Parameter isCutOff: the input ended, maybe before the window did: nothing is known of the time after its last event.
    package mutating func close(
        _ shape: ModelWindows.Shape, _ range: TimeRange, join: LabelJoin, isCutOff: Bool = false
    ) -> (rows: [SnapshotRow], revisions: [Told]) {
        advance(to: range.end, join)
        let limit = range.end - settings.horizon
        state.expire(panes.timeline.expire(through: limit), by: limit)
        let maturity = maturity(at: range.end)
        var revisions = revise(at: range.end, maturity, join, isLast: false)
        let sums = panes.sum(range)
        guard !sums.isEmpty else { return ([], revisions) }
        let all = panes.counts(range)
        let entry = Entry(
            size: shape.size, every: shape.every, start: range.start, end: range.end, revision: 1,
            predictions: all.predictions, labelled: all.labelled, corrections: all.corrections,
            isMature: maturity.holds(range, all, at: range.end))
        state.open.append(entry)
        longest = max(longest, range.length)
        guard join.clocks.hasLabels || reference != nil else { return ([], []) }
        var rows = rows(sums, isMature: entry.isMature)
        let newest = max(join.clocks.prediction, join.clocks.label)
        tellSilence(&rows, at: isCutOff ? min(range.end, newest) : range.end)
        if entry.isMature {
            revisions.append(
                Told(
                    shape: shape, range: range, revision: 1, rows: rows, matured: true,
                    isPassedOver: state.judge(entry), at: range.end))
        }
        return (rows, revisions)
    }

    /// The end of input: every window as the last label left it.
    package mutating func finish(_ join: LabelJoin) -> [Told] {
        let last = max(join.clocks.prediction, join.clocks.label)
        advance(to: .distantFuture, join)
        return revise(at: last, maturity(at: last), join, isLast: true)
    }

    private mutating func revise(
        at now: Timestamp, _ maturity: Maturity, _ join: LabelJoin, isLast: Bool
    ) -> [Told] {
        var told: [Told] = []
        for i in due(at: now, maturity, hasLabels: join.clocks.hasLabels, isLast: isLast) {
            let entry = state.open[i]
            let isOver = now >= entry.end + settings.horizon
            let all = panes.counts(entry.range)
            let isChanged =
                all.labelled != entry.labelled || all.predictions != entry.predictions
                || all.corrections != entry.corrections
            let matures = !entry.isMature && maturity.holds(entry.range, all, at: now)
            let hasGrown =
                Double(all.labelled) >= Double(entry.labelled) * Self.growth + 1
                || Double(all.predictions) >= Double(entry.predictions) * Self.growth + 1
            guard matures || (isChanged && (hasGrown || isOver || isLast)) else { continue }
            state.open[i].take(all, matures: matures)
            told.append(
                Told(
                    shape: .init(size: entry.size, every: entry.every), range: entry.range,
                    revision: state.open[i].revision,
                    rows: rows(panes.sum(entry.range), isMature: state.open[i].isMature),
                    matured: matures, isPassedOver: matures && state.judge(entry), at: now))
        }
        if let first = state.open.first, now >= first.end + settings.horizon {
            state.open.removeAll { now >= $0.end + settings.horizon }
        }
        return told
    }

    /// The places of the open windows that something may be told of: a pane of theirs changed, or they are old enough to be judged or
    /// to be let go. The others are as they were when they were last looked at, and there may be many thousands.
    private mutating func due(at now: Timestamp, _ maturity: Maturity, hasLabels: Bool, isLast: Bool) -> [Int] {
        // What changes before the first label is looked at when that comes.
        guard hasLabels else { return [] }
        let touched = panes.timeline.takeTouched()
        let open = state.open
        if isLast { return Array(open.indices) }
        var due = Set<Int>()
        // Windows are told in the order of their ends.
        for start in touched {
            var i = open.partitionPoint { $0.end > start }
            while i < open.count, open[i].end <= start + longest {
                if open[i].range.contains(start) { due.insert(i) }
                i += 1
            }
        }
        for i in open.indices {
            if now - open[i].end < maturity.leastAge { break }
            if !open[i].isMature || now >= open[i].end + settings.horizon { due.insert(i) }
        }
        return due.sorted()
    }

    package mutating func takeChanged() -> [Timestamp: PerformancePanes.Pane] { panes.takeChanged() }

    /// Panes that no window can need any more: neither an open one nor one to come.
    package mutating func forget(before time: Timestamp) -> [Timestamp] {
        let needed = state.open.map(\.start).min() ?? time
        let horizon = time - settings.horizon - settings.horizon
        return panes.forget(before: min(needed, min(time, horizon)))
    }
}

/// What is known of labels at an instant, to tell which windows are mature.
private struct Maturity {
    let horizon: Span
    /// The delay that 95% of the labels of each class keep to; `nil` while no window is twice as old.
    let delay: Span?
    let coverage: Double

    /// Younger windows are not judged, whatever their coverage.
    var leastAge: Span { min(delay ?? horizon, horizon) }

    func holds(_ window: TimeRange, _ counts: PaneSummary, at now: Timestamp) -> Bool {
        let age = now - window.end
        if age >= horizon { return true }
        guard let delay, age >= delay, counts.labelled > 0 else { return false }
        return (counts.coverage ?? 0) >= coverage
    }
}

extension PerformanceWindows {
    private mutating func maturity(at now: Timestamp) -> Maturity {
        let sides = settings.task == .binary ? 0..<2 : 0..<1
        let delays = sides.compactMap { panes.timeline.delay(0.95, side: $0, at: now) }
        let oldest = panes.timeline.oldest.map { now - $0 } ?? .zero
        guard delays.count == sides.count, let delay = delays.max(), oldest >= delay + delay else {
            return Maturity(horizon: settings.horizon, delay: nil, coverage: 1)
        }
        let usual = panes.timeline.coverage(startingBy: now - delay) ?? 1
        return Maturity(
            horizon: settings.horizon, delay: delay, coverage: settings.coverage ?? usual * Self.matureShare)
    }

    private func rows(_ sums: [GroupKey: PerformanceSketch], isMature: Bool) -> [SnapshotRow] {
        var together: [Segment: PerformanceSketch] = [:]
        for (key, sketch) in sums {
            if together[key.segment]?.merge(sketch) == nil { together[key.segment] = sketch }
        }
        let versions = Set(sums.keys.map(\.version)).sorted()
        var rows = together.sorted { $0.key < $1.key }.map {
            row(version: SnapshotRow.allVersions, $0.key, $0.value, isMature)
        }
        if versions.count == 1 {
            rows += rows.map { $0.relabelled(version: versions[0]) }
        } else {
            rows += sums.sorted { $0.key < $1.key }.map {
                row(version: $0.key.version, $0.key.segment, $0.value, isMature)
            }
        }
        return rows
    }

    private func row(
        version: String, _ segment: Segment, _ sketch: PerformanceSketch, _ isMature: Bool
    ) -> SnapshotRow {
        var metrics = sketch.metrics
        metrics[.mature] = isMature ? 1 : 0
        let estimates = reference?.estimates(sketch, segment: segment, threshold: settings.threshold) ?? []
        for estimate in estimates { metrics[estimate.metric] = estimate.value }
        let before = reference?.comparison(for: segment)
        var row = SnapshotRow(
            version: version, segment: segment, column: SnapshotRow.performanceColumn,
            kind: SnapshotRow.performanceColumn, n: UInt64(max(0, sketch.predictions)), null: 0,
            referenceN: UInt64(max(0, before?.sketch.labelled ?? 0)), referenceSegment: before?.segment ?? segment,
            metrics: metrics, referenceMetrics: before.map { reference?.metrics(of: $0.segment) ?? .init() } ?? .init(),
            comparison: .none, common: .none)
        row.performance = PerformanceDetail(sketch: sketch, isMature: isMature, estimates: estimates)
        row.performance?.reference = before?.sketch
        return row
    }
}

extension Comparison {
    /// Of a line that compares no histograms.
    fileprivate static let none = Comparison(
        edges: [], categories: [], reference: [], current: [], referenceNulls: 0, currentNulls: 0)
}
