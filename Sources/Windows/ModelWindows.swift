package import Events
import Sketches
package import Values

/// The windows of one model: takes deltas, says which windows an event time closes, and merges their panes.
///
/// Invariant: every pane that ends at or before `closedThrough` is final; rows that come for it later are counted as late. The
/// result depends only on what was applied before each close, not on how it was cut into deltas.
package struct ModelWindows {
    /// One shape of window over the model's panes.
    package struct Shape: Hashable, Sendable {
        package let size: Span
        package let every: Span
        package init(size: Span, every: Span) {
            self.size = size
            self.every = every
        }
        var key: String { "\(size)/\(every)" }
    }

    /// A window whose end has been reached.
    package struct Closed: Sendable {
        package let shape: Shape
        package let range: TimeRange
        package let counts: WindowCounts
        /// Rows that lost their group because the window had too many.
        package let foldedRows: UInt64
    }

    /// What must survive a restart besides the panes.
    package struct State: Codable, Sendable, Equatable {
        package var closedThrough = Timestamp.distantPast
        /// The start of the next window to close, by shape; absent until the first close.
        package var next: [String: Timestamp] = [:]
        /// Consecutive windows without rows, by shape.
        package var emptyRun: [String: Int] = [:]
        /// The newest event time per source.
        package var clocks: [String: Timestamp] = [:]
        package var lateRows: UInt64 = 0
        /// Of those, what a closed window has told of; absent in states of older programs.
        private var lateTold: UInt64?
        /// What moving references remember; absent without any.
        var references: ReferenceHistory.State?
        /// By axis of `NamePlaces`, names that got their place after others were refused; absent without any.
        var late: [[String]]?

        package init() {}

        /// The rows that came too late since this was last asked.
        package mutating func takeLateRows() -> UInt64 {
            defer { lateTold = lateRows }
            return lateRows - min(lateRows, lateTold ?? lateRows)
        }

        /// Forgets what belongs to panes that are gone.
        package mutating func startAnew() {
            next = [:]
            emptyRun = [:]
            references = nil
        }
    }

    /// After this many empty windows in a row the rest of a gap is passed over: a stream that jumps years must not be
    /// evaluated hour by hour.
    package static let maximumEmptyRun = 500

    package let settings: WindowSettings
    package let shapes: [Shape]
    package internal(set) var state: State
    var panes: PaneStore
    /// The past, for moving references; `nil` without any.
    var history: ReferenceHistory?
    let plans: GroupPlans
    /// Which names are told apart; `nil` where nobody reads events.
    let places: NamePlaces?
    /// By pane and axis, the earliest generation of which rows share `(other)`.
    var refused: [Timestamp: [Int: Int]] = [:]
    /// New totals of the history's pieces since they were last asked for.
    var changedPieces: [Timestamp: PaneCounts] = [:]

    /// - Parameters:
    ///   - lookback: how far back a moving reference looks; `nil` without any.
    ///   - history: its pieces, as they were stored.
    ///   - places: takes its names from the panes.
    package init(
        plans: GroupPlans, settings: WindowSettings, shapes: [Shape], state: State = State(),
        panes stored: [Timestamp: PaneCounts] = [:], lookback: Span? = nil, history: [Timestamp: PaneCounts] = [:],
        places: NamePlaces? = nil
    ) {
        self.places = places
        self.plans = plans
        self.history = lookback.map {
            ReferenceHistory(
                plans: plans, settings: settings, span: $0, state: state.references ?? .init(), stored: history)
        }
        self.settings = settings
        self.shapes = shapes.sorted { ($0.size, $0.every) < ($1.size, $1.every) }
        self.state = state
        panes = PaneStore(plans: plans)
        for (start, counts) in stored {
            panes.restore(counts, at: start)
            note(refusedIn: counts, at: start, generation: 0)
        }
        places?.restore(namesInPanes(), late: state.late ?? [])
    }

    /// What applying a delta changed: the panes whose counts grew, with their new totals for those keys.
    package struct Applied: Sendable {
        package var changed: [Timestamp: PaneCounts] = [:]
        package var lateRows: UInt64 = 0
    }

    /// The rows that came too late since this was last asked.
    package mutating func takeLateRows() -> UInt64 { state.takeLateRows() }

    package mutating func apply(_ delta: PaneDelta) -> Applied {
        var applied = Applied()
        for (start, counts) in delta.panes {
            if paneEnd(start) <= state.closedThrough {
                applied.lateRows += counts.reduce(0) { $1.key.segment.isAll ? $0 + $1.value.rows : $0 }
                continue
            }
            applied.changed[start] = panes.merge(counts, into: start)
            note(refusedIn: counts, at: start, generation: delta.generation)
        }
        if let places {
            if places.expectsNames { places.arrived(names(in: delta.panes.values)) }
            state.late = places.late
        }
        applied.lateRows += delta.lateRows.values.reduce(0, +)
        state.lateRows += applied.lateRows
        state.clocks.merge(delta.clocks, uniquingKeysWith: max)
        return applied
    }

    /// The event time up to which no more rows are expected: the least clock of the sources that are active, less the
    /// lateness. `nil` while an active source has shown no row of this model.
    ///
    /// - Parameters:
    ///   - active: sources that may still have older rows. Where there is none (all idle), the newest clock counts.
    ///   - idle: how long all of them have been silent; time runs on by the wall clock meanwhile.
    package func watermark(active: some Collection<String>, idle: Span) -> Timestamp? {
        var least: Timestamp?
        for source in active {
            guard let clock = state.clocks[source] else { return nil }
            least = min(least ?? clock, clock)
        }
        if let least { return least - settings.lateness }
        return state.clocks.values.max().map { $0 + idle - settings.lateness }
    }

    /// Forgets the clocks of sources that nobody reads and that ended long ago, such as those of a deleted topic.
    /// - Returns: whether there were any.
    package mutating func forgetClocks(before time: Timestamp, except reading: Set<String>) -> Bool {
        let kept = state.clocks.filter { $0.value >= time || reading.contains($0.key) }
        defer { state.clocks = kept }
        return kept.count < state.clocks.count
    }

    /// Closes every window that ends at or before `time`, in order of their ends, and hands each to `body`.
    /// - Returns: the panes that no window needs any more.
    package mutating func close(through time: Timestamp, _ body: (Closed) -> Void) -> [Timestamp] {
        guard time > state.closedThrough, !(panes.isEmpty && state.next.isEmpty) else { return [] }
        while let closed = closeNext(through: time) { body(closed) }
        return endClosing(through: time)
    }

    /// Closes the next window that ends at or before `time`. When there are none left, or later, follows `endClosing`: nothing may be
    /// applied before it.
    package mutating func closeNext(through time: Timestamp) -> Closed? {
        guard time >= state.closedThrough, !(panes.isEmpty && state.next.isEmpty), let (shape, range) = nextWindow(),
            range.end <= time
        else { return nil }
        return close(shape, range, through: time)
    }

    /// The windows that end at or before `time` have been closed.
    /// - Returns: the panes that no window needs any more.
    package mutating func endClosing(through time: Timestamp) -> [Timestamp] {
        guard time >= state.closedThrough, !(panes.isEmpty && state.next.isEmpty) else { return [] }
        state.closedThrough = time
        return retire()
    }

    /// Some windows have been closed of those that end at or before a time: until the rest follows, in this process or the next, rows for
    /// them are late.
    package mutating func pauseClosing(after range: TimeRange) {
        // The last one's end and no further: what ends later is still open, and so may be another shape's that ends then.
        state.closedThrough = max(state.closedThrough, range.end)
    }

    private mutating func close(_ shape: Shape, _ range: TimeRange, through time: Timestamp) -> Closed {
        let sum = sum(range)
        advance(shape, past: range, wasEmpty: sum.counts.isEmpty, through: time)
        return Closed(shape: shape, range: range, counts: sum.counts, foldedRows: sum.foldedRows)
    }

    /// The end of input: closes each shape's windows up to and including the first that reaches past the last row.
    package mutating func finish(_ body: (Closed) -> Void) -> [Timestamp] {
        guard let last = panes.starts.last else { return [] }
        let lastRow = state.clocks.values.max() ?? last
        var end = Timestamp.distantPast
        for shape in shapes {
            let shapeEnd = firstWindow(of: shape, endingAfter: lastRow, from: start(of: shape)).end
            closeShape(shape, through: shapeEnd, body)
            end = max(end, shapeEnd)
        }
        state.closedThrough = max(state.closedThrough, end)
        return retire()
    }

    private mutating func closeShape(_ shape: Shape, through end: Timestamp, _ body: (Closed) -> Void) {
        while true {
            let range = range(of: shape)
            guard range.end <= end else { return }
            body(close(shape, range, through: end))
        }
    }

    /// The window that ends first among all shapes; the shorter one where two end together.
    private func nextWindow() -> (Shape, TimeRange)? {
        shapes.map { ($0, range(of: $0)) }.min { a, b in
            a.1.end != b.1.end ? a.1.end < b.1.end : a.0.size < b.0.size
        }
    }

    private func range(of shape: Shape) -> TimeRange { range(of: shape, from: start(of: shape)) }

    private func range(of shape: Shape, from start: Timestamp) -> TimeRange {
        settings.calendar.window(shape.size, every: shape.every, pane: settings.pane, from: start)
    }

    /// The first window at or after `start` that reaches past `time`. Jumps close to it: years may lie between.
    private func firstWindow(of shape: Shape, endingAfter time: Timestamp, from start: Timestamp) -> TimeRange {
        // A day and a window before `time` no window reaches it, whatever clocks change.
        let near = settings.calendar.range(of: shape.every, containing: time - shape.size - .days(1)).start
        var window = range(of: shape, from: max(start, near))
        while window.end <= time {
            window = range(of: shape, from: settings.calendar.range(of: shape.every, containing: window.start).end)
        }
        return window
    }

    /// Where the next window of a shape begins; at first, with the grid piece that holds the first row.
    private func start(of shape: Shape) -> Timestamp {
        if let known = state.next[shape.key] { return known }
        let first = panes.starts.first ?? state.closedThrough
        return settings.calendar.range(of: shape.every, containing: first).start
    }

    /// - Parameter limit: how far windows are being closed: windows that end later are open and are never passed over.
    private mutating func advance(_ shape: Shape, past range: TimeRange, wasEmpty: Bool, through limit: Timestamp) {
        state.next[shape.key] = settings.calendar.range(of: shape.every, containing: range.start).end
        let run = wasEmpty ? (state.emptyRun[shape.key] ?? 0) + 1 : 0
        state.emptyRun[shape.key] = run
        if run >= Self.maximumEmptyRun, let pane = panes.starts.first(where: { $0 >= range.end }) {
            let next = settings.calendar.range(of: shape.every, containing: range.start).end
            state.next[shape.key] = firstWindow(of: shape, endingAfter: min(pane, limit), from: next).start
            state.emptyRun[shape.key] = 0
        }
    }

    private func paneEnd(_ start: Timestamp) -> Timestamp {
        settings.calendar.range(of: settings.pane, containing: start).end
    }

    /// Drops the panes that no window to come covers.
    private mutating func retire() -> [Timestamp] {
        let needed = shapes.map { start(of: $0) }.min() ?? state.closedThrough
        var dropped: [Timestamp] = []
        for start in panes.starts {
            let end = paneEnd(start)
            if start < needed && end <= state.closedThrough {
                remember(start)
                panes.remove(start)
                refused[start] = nil
                dropped.append(start)
            }
        }
        if !dropped.isEmpty { giveBackPlaces() }
        return dropped
    }
}
