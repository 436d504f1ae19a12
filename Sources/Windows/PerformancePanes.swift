import Events
import Sketches
package import Statistics
package import Values

/// Performance by pane, version and segment, of one model: predictions and labels go to the pane of the *prediction's* event time,
/// whenever they come.
///
/// Sketches wait as bytes, and are unpacked only where something changes or a window is asked for.
package struct PerformancePanes: Sendable {
    /// The sketches of a pane, as bytes (`PerformanceSketch.encode`).
    package typealias Pane = [GroupKey: [UInt8]]

    private let settings: PerformanceSettings
    private let calendar: WindowCalendar
    private let pane: Span
    /// For each segmentation the dimensions it crosses, as places in a cell's values, and their names.
    private let segmentations: [[(place: Int, name: String)]]
    private var panes: [Timestamp: Pane]
    /// All traffic of each pane, and the sums that closing windows ask for.
    var timeline = PaneTimeline()
    /// What the next `takeChanged` hands out.
    private var changed: [Timestamp: Set<GroupKey>] = [:]
    /// The keys each cell's rows count in, by the cell's number. A number may come to stand for another cell.
    private var keys: [(cell: JoinCell, keys: [GroupKey])] = []

    /// Groups a pane may have; past it, new ones share `(other)`.
    private static let maximumGroups = 20_000

    package init(
        _ settings: PerformanceSettings, windows: WindowSettings, shapes: [ModelWindows.Shape], dimensions: [String],
        segmentations: [[String]],
        stored: [Timestamp: Pane] = [:]
    ) {
        self.settings = settings
        calendar = windows.calendar
        pane = windows.performancePane(shapes)
        panes = stored
        self.segmentations = segmentations.map { names in
            names.compactMap { name in dimensions.firstIndex(of: name).map { ($0, name) } }
        }
        for start in stored.keys.sorted() { summarise(start) }
    }

    private mutating func summarise(_ start: Timestamp) {
        var summary = PaneSummary()
        for (key, bytes) in panes[start] ?? [:] where key.segment.isAll {
            if let sketch = try? PerformanceSketch(decoding: bytes) { summary.add(sketch) }
        }
        timeline.set(start, end: calendar.range(of: pane, containing: start).end, summary)
    }

    package var isEmpty: Bool { panes.isEmpty }

    package func paneStart(_ time: Timestamp) -> Timestamp { calendar.range(of: pane, containing: time).start }

    /// Counts what changed.
    package mutating func apply(_ changes: [JoinTable.Change], cells: [JoinCell], classes: [String]) {
        guard !changes.isEmpty else { return }
        while keys.count < cells.count { keys.append((cells[keys.count], groupKeys(cells[keys.count]))) }
        let reader = OutcomeReader(settings, classes: classes)
        var byPane: [Timestamp: [UInt32: [Int]]] = [:]
        var range = TimeRange(start: .distantFuture, end: .distantFuture)
        for (i, change) in changes.enumerated() {
            let time = change.record.predictionTime
            if !range.contains(time) { range = calendar.range(of: pane, containing: time) }
            byPane[range.start, default: [:]][change.record.cell, default: []].append(i)
        }
        // In order, so that which groups find a place does not depend on how a dictionary lies in memory.
        for (start, byCell) in byPane.sorted(by: { $0.key < $1.key }) {
            var touched: [GroupKey: PerformanceSketch] = [:]
            for (cell, indices) in byCell.sorted(by: { $0.key < $1.key }) {
                let own = cells[Int(cell)]
                if keys[Int(cell)].cell != own { keys[Int(cell)] = (own, groupKeys(own)) }
                for key in keys[Int(cell)].keys {
                    let place = place(key, start, touched)
                    var sketch = touched.removeValue(forKey: place) ?? self.sketch(place, start)
                    for i in indices { reader.count(changes[i], in: &sketch, delayed: key.segment.isAll) }
                    touched[place] = sketch
                }
            }
            for (key, sketch) in touched {
                panes[start, default: [:]][key] = sketch.encode()
                changed[start, default: []].insert(key)
            }
            summarise(start)
        }
    }

    private func place(_ key: GroupKey, _ start: Timestamp, _ touched: [GroupKey: PerformanceSketch]) -> GroupKey {
        guard !key.segment.isAll, (panes[start]?.count ?? 0) + touched.count > Self.maximumGroups,
            panes[start]?[key] == nil, touched[key] == nil
        else { return key }
        return GroupKey(version: key.version, segment: SegmentLimit.folded(key.segment))
    }

    private func groupKeys(_ cell: JoinCell) -> [GroupKey] {
        var found = [GroupKey(version: cell.version, segment: .all)]
        for parts in segmentations {
            let made = parts.compactMap { part in cell.values[part.place].map { Segment.Part(part.name, $0) } }
            if made.count == parts.count { found.append(GroupKey(version: cell.version, segment: Segment(made))) }
        }
        return found
    }

    private func sketch(_ key: GroupKey, _ start: Timestamp) -> PerformanceSketch {
        panes[start]?[key].flatMap { try? PerformanceSketch(decoding: $0) } ?? empty
    }

    private var empty: PerformanceSketch {
        PerformanceSketch(settings.task, exponent: settings.exponent, cutoff: settings.cutoff)
    }

    /// The sum of the panes that start within a range.
    /// - Parameter isAllOnly: leave segments out.
    package func sum(_ range: TimeRange, isAllOnly: Bool = false) -> [GroupKey: PerformanceSketch] {
        var sums: [GroupKey: PerformanceSketch] = [:]
        for start in timeline.starts[timeline.places(in: range)] {
            for (key, bytes) in panes[start] ?? [:] where !isAllOnly || key.segment.isAll {
                guard let sketch = try? PerformanceSketch(decoding: bytes) else { continue }
                if sums[key]?.merge(sketch) == nil { sums[key] = sketch }
            }
        }
        return sums
    }

    /// The predictions and labels of a range, delays left out.
    package func counts(_ range: TimeRange) -> PaneSummary { timeline.counts(range) }

    /// What changed since the last time, with its bytes now.
    package mutating func takeChanged() -> [Timestamp: Pane] {
        defer { changed = [:] }
        return changed.reduce(into: [:]) { all, entry in
            all[entry.key] = entry.value.reduce(into: [:]) { $0[$1] = panes[entry.key]?[$1] }
        }
    }

    /// Forgets panes before a time and says which.
    package mutating func forget(before time: Timestamp) -> [Timestamp] {
        let old = timeline.forget(through: time)
        for start in old {
            panes[start] = nil
            changed[start] = nil
        }
        return old
    }
}

extension WindowSettings {
    /// Performance is kept in pieces as long as all windows allow: it is kept for much longer than counts.
    /// - Parameter shapes: the model's own windows, and those that rules ask for.
    package func performancePane(_ shapes: [ModelWindows.Shape]) -> Span {
        let isWhole = shapes.allSatisfy {
            $0.size.microseconds % every.microseconds == 0 && $0.every.microseconds % every.microseconds == 0
        }
        return isWhole ? every : pane
    }
}

/// Reads the join's numbers as what they mean.
private struct OutcomeReader {
    private let settings: PerformanceSettings
    private let classes: [String]
    private let isPositive: [Bool]

    init(_ settings: PerformanceSettings, classes: [String]) {
        self.settings = settings
        self.classes = classes
        let vocabulary = settings.vocabulary
        isPositive = classes.map { vocabulary.isPositive($0) }
    }

    func count(_ change: JoinTable.Change, in sketch: inout PerformanceSketch, delayed: Bool) {
        let record = change.record
        switch change.kind {
        case .prediction:
            sketch.add(prediction: record.score.isFinite ? record.score : nil)
            guard !change.classScores.isEmpty, settings.task == .multiclass, record.predicted >= 0 else { return }
            sketch.classScores.add(
                change.classScores.map { (classes[Int($0.number)], $0.score) }, chosen: classes[Int(record.predicted)])
        case .match: add(record, record.label, record.delay, 1, &sketch, delayed)
        case .correction(let label, let delay):
            add(record, label, delay, -1, &sketch, delayed)
            add(record, record.label, record.delay, 1, &sketch, delayed)
            sketch.corrections += 1
        }
    }

    private func add(
        _ record: JoinRecord, _ label: Double, _ delay: Int, _ times: Int64, _ sketch: inout PerformanceSketch,
        _ delayed: Bool
    ) {
        guard !label.isNaN else { return }
        let score = record.score.isFinite ? record.score : nil
        let outcome: PerformancePair.Outcome
        switch settings.task {
        case .binary:
            let predicted =
                record.predicted >= 0 ? isPositive[Int(record.predicted)] : score.map { $0 >= settings.threshold }
            outcome = .binary(score: score, predicted: predicted, label: isPositive[Int(label)])
        case .multiclass:
            let predicted = record.predicted >= 0 ? classes[Int(record.predicted)] : ""
            outcome = .classes(predicted: predicted, label: classes[Int(label)])
        case .regression: outcome = .regression(value: score ?? .nan, label: label)
        case .ranking:
            // Without an identity nobody knows of which query it is.
            outcome = .ranking(
                query: IdentityHash.query(of: record.id), score: score ?? .nan,
                relevance: record.id == 0 ? .nan : label)
        }
        sketch.add(PerformancePair(outcome, delayBucket: delay), delayed: delayed, times: times)
    }
}
