import Statistics
import Values

/// What a pane of a model's performance holds, or several, without segments.
package struct PaneSummary: Sendable {
    package var predictions: Int64 = 0
    package var labelled: Int64 = 0
    package var corrections: Int64 = 0
    var delays = [DelayCounts(), DelayCounts()]

    package var unlabelled: Int64 { predictions - labelled }
    package var coverage: Double? { predictions > 0 ? Double(labelled) / Double(predictions) : nil }

    mutating func add(_ sketch: PerformanceSketch) {
        predictions += sketch.predictions
        labelled += sketch.labelled
        corrections += sketch.corrections
        for side in delays.indices { delays[side].merge(sketch.delays[side]) }
    }
}

/// All traffic of every pane in order of time, with the sums that each closing window asks for. They follow the panes as these change and
/// age, so that a closing window costs no look at every pane: with windows of minutes and a horizon of weeks there are many thousands.
struct PaneTimeline: Sendable {
    /// Ascending.
    private(set) var starts: [Timestamp] = []
    private var ends: [Timestamp] = []
    private var summaries: [PaneSummary] = []
    /// Predictions without a label, of all panes.
    private(set) var unlabelled: Int64 = 0
    /// Of those, the ones of panes that end by `expiredThrough`.
    private(set) var overdue: Int64 = 0
    private var expiredThrough = Timestamp.distantPast
    private var delays = [DelayProcess(), DelayProcess()]
    /// The instant by whose ages `delays` are counted.
    private var agedTo = Timestamp.distantPast
    private var coverage = CoverageCounts()
    /// `coverage` is of the panes that start by then.
    private var coveredTo = Timestamp.distantPast
    /// Panes that changed since this was last taken.
    private var touched: Set<Timestamp> = []

    subscript(start: Timestamp) -> PaneSummary? {
        let i = place(of: start)
        return i < starts.count && starts[i] == start ? summaries[i] : nil
    }

    var oldest: Timestamp? { starts.first }

    /// Puts a pane's new figures in the place of those it had.
    mutating func set(_ start: Timestamp, end: Timestamp, _ summary: PaneSummary) {
        let i = place(of: start)
        if i < starts.count, starts[i] == start {
            count(i, -1)
            summaries[i] = summary
        } else {
            starts.insert(start, at: i)
            ends.insert(end, at: i)
            summaries.insert(summary, at: i)
        }
        count(i, 1)
        touched.insert(start)
    }

    /// Forgets the panes that end by a time.
    /// - Returns: their starts.
    mutating func forget(through time: Timestamp) -> [Timestamp] {
        let count = ends.partitionPoint { $0 > time }
        guard count > 0 else { return [] }
        for i in 0..<count { self.count(i, -1) }
        let old = Array(starts[..<count])
        starts.removeFirst(count)
        ends.removeFirst(count)
        summaries.removeFirst(count)
        touched.subtract(old)
        return old
    }

    /// The places of the panes that start within a range.
    func places(in range: TimeRange) -> Range<Int> { place(of: range.start)..<place(of: range.end) }

    /// The predictions and labels of a range, delays left out.
    func counts(_ range: TimeRange) -> PaneSummary {
        var sum = PaneSummary()
        for i in places(in: range) {
            sum.predictions += summaries[i].predictions
            sum.labelled += summaries[i].labelled
            sum.corrections += summaries[i].corrections
        }
        return sum
    }

    /// Notes that no label joins predictions of panes that end by a time any more.
    /// - Returns: how many predictions lost their hope by that.
    @discardableResult
    mutating func expire(through time: Timestamp) -> Int64 {
        guard time > expiredThrough else { return 0 }
        let from = ends.partitionPoint { $0 > expiredThrough }
        let to = ends.partitionPoint { $0 > time }
        let lost = (from..<to).reduce(0) { $0 + summaries[$1].unlabelled }
        overdue += lost
        expiredThrough = time
        return lost
    }

    /// The delay that a share of the labels of a class keeps to, as panes of all ages tell at an instant.
    mutating func delay(_ share: Double, side: Int, at now: Timestamp) -> Span? {
        age(to: now)
        return delays[side].quantile(share)
    }

    /// The median coverage of the panes that start by a time; `nil` where none has predictions.
    mutating func coverage(startingBy time: Timestamp) -> Double? {
        let (known, wanted) = (place(after: coveredTo), place(after: time))
        for i in known..<max(known, wanted) { coverage.add(summaries[i].coverage, 1) }
        for i in wanted..<max(known, wanted) where wanted < known { coverage.add(summaries[i].coverage, -1) }
        coveredTo = time
        return coverage.median
    }

    /// The panes that changed since this was last asked, ascending.
    mutating func takeTouched() -> [Timestamp] {
        defer { touched.removeAll(keepingCapacity: true) }
        return touched.sorted()
    }

    /// Adds a pane to the sums, or takes it out of them.
    private mutating func count(_ i: Int, _ times: Int64) {
        let summary = summaries[i]
        unlabelled += times * summary.unlabelled
        if ends[i] <= expiredThrough { overdue += times * summary.unlabelled }
        if starts[i] <= coveredTo { coverage.add(summary.coverage, times) }
        guard agedTo > .distantPast else { return }
        let age = agedTo - starts[i]
        for side in delays.indices { delays[side].add(summary.delays[side], age: age, times: times) }
    }

    /// Lets the panes grow older: of each length of delay those are counted that are old enough to have shown it.
    private mutating func age(to now: Timestamp) {
        if now < agedTo || agedTo == .distantPast {
            // The end of a replay looks back at what was known at the last event.
            delays = delays.map { _ in DelayProcess() }
            agedTo = now
            for i in starts.indices {
                for side in delays.indices { delays[side].add(summaries[i].delays[side], age: now - starts[i]) }
            }
            return
        }
        guard now > agedTo, let first = starts.first else {
            agedTo = now
            return
        }
        for bucket in 0..<DelayCounts.bucketCount {
            let end = DelayCounts.ends[bucket]
            // No pane is old enough for longer delays.
            guard now - end >= first else { break }
            for i in place(after: agedTo - end)..<place(after: now - end) {
                for side in delays.indices { delays[side].add(summaries[i].delays[side], in: bucket) }
            }
        }
        agedTo = now
    }

    private func place(of time: Timestamp) -> Int { starts.partitionPoint { $0 >= time } }
    private func place(after time: Timestamp) -> Int { starts.partitionPoint { $0 > time } }
}

/// How many panes have which coverage, in order: the median of thousands as they come and go.
private struct CoverageCounts: Sendable {
    private var values: [(coverage: Double, count: Int64)] = []
    private var total: Int64 = 0

    mutating func add(_ coverage: Double?, _ times: Int64) {
        guard let coverage else { return }
        let i = values.partitionPoint { $0.coverage >= coverage }
        total += times
        if i < values.count, values[i].coverage == coverage {
            values[i].count += times
            if values[i].count == 0 { values.remove(at: i) }
        } else {
            values.insert((coverage, times), at: i)
        }
    }

    /// The upper one of the two in the middle.
    var median: Double? {
        var left = total / 2
        for value in values {
            if left < value.count { return value.coverage }
            left -= value.count
        }
        return nil
    }
}
