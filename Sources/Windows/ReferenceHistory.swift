import Sketches
import Values

/// The model's past, as counts: what moving references are made of.
///
/// Panes that no window needs any more are added up in pieces of an hour or more. Columns that are firing, or were, take no part for as
/// long as the alert lasted, and while it lasts their reference stands still at what it was when the change began: otherwise a drift
/// would become its own reference and resolve itself.
struct ReferenceHistory {
    /// What must survive a restart besides the pieces.
    struct State: Codable, Sendable, Equatable {
        /// Columns with a firing alert, and since when.
        var firing: [String: Timestamp] = [:]
        /// Times at which a column was firing.
        var excluded: [String: [TimeRange]] = [:]
        /// Start of the first pane that had rows of a version, by version.
        var firstSeen: [String: Timestamp] = [:]
    }

    let span: Span
    let grain: Span
    let calendar: WindowCalendar
    var state: State
    private let plans: GroupPlans
    private var pieces: PaneStore

    /// - Parameter span: how far back any reference looks.
    init(plans: GroupPlans, settings: WindowSettings, span: Span, state: State, stored: [Timestamp: PaneCounts]) {
        self.span = span
        self.plans = plans
        grain = max(.hours(1), settings.pane)
        calendar = settings.calendar
        self.state = state
        pieces = PaneStore(plans: plans)
        for (start, counts) in stored { pieces.restore(counts, at: start) }
    }

    /// The start of the piece that holds a time.
    func piece(_ time: Timestamp) -> Timestamp { calendar.range(of: grain, containing: time).start }

    /// Adds a pane and returns the piece's new totals for what changed.
    mutating func add(_ counts: PaneCounts, from pane: Timestamp) -> (start: Timestamp, changed: PaneCounts) {
        let start = piece(pane)
        for key in counts.keys where key.segment.isAll {
            state.firstSeen[key.version] = min(state.firstSeen[key.version] ?? pane, pane)
        }
        return (start, pieces.merge(counts, into: start))
    }

    /// Drops pieces that lie more than `span` (and what a standing reference needs) before `time`.
    /// - Returns: their starts.
    mutating func expire(before time: Timestamp) -> [Timestamp] {
        // A piece needed by a column whose reference stands still stays, though not for ever: a year-long alert is a new normal.
        let oldest = state.firing.values.min().map { max($0, time - span - span) } ?? time
        let limit = min(oldest, time) - span - grain
        let gone = pieces.starts.filter { $0 < limit }
        for start in gone { pieces.remove(start) }
        for (column, ranges) in state.excluded {
            let kept = ranges.filter { $0.end >= limit }
            state.excluded[column] = kept.isEmpty ? nil : kept
        }
        return gone
    }

    /// Takes note of the columns that fire after a window was judged, and since when the change lasts.
    mutating func note(firing: [String: Timestamp], at end: Timestamp) {
        for (column, since) in state.firing where firing[column] == nil {
            state.excluded[column, default: []].append(TimeRange(start: since, end: end))
        }
        // The estimate of a change's start moves while it is young; the earliest one holds.
        state.firing = firing.reduce(into: [:]) { all, entry in
            all[entry.key] = min(entry.value, state.firing[entry.key] ?? entry.value)
        }
    }

    /// Counts of whole pieces that start within the ranges, all versions together or one of them.
    func sum(_ ranges: [TimeRange], version: String?, open: PaneStore) -> [Segment: Profile] {
        var packed: [Segment: PackedProfile] = [:]
        func add(_ counts: PaneCounts) {
            for (key, profile) in counts where version == nil || key.version == version {
                if packed[key.segment]?.merge(profile) == nil { packed[key.segment] = profile }
            }
        }
        for start in pieces.starts where ranges.contains(where: { $0.contains(start) }) { add(pieces[start] ?? [:]) }
        for start in open.starts where ranges.contains(where: { $0.contains(piece(start)) }) { add(open[start] ?? [:]) }
        return packed.reduce(into: [:]) { $0[$1.key] = $1.value.profile(plans.plan(for: $1.key).layout) }
    }

    /// Of versions that came at once the greater is the newer, as numbers where they are.
    private static func precedes(_ a: String, _ b: String) -> Bool {
        guard let x = UInt64(a), let y = UInt64(b), x != y else { return a < b }
        return x < y
    }

    /// Versions that brought nothing for so long are withdrawn, whoever is said to serve.
    private static let versionPatience = Span.days(1)

    /// The newest version with rows before the window, and the one that was there before it.
    ///
    /// Where the newest was withdrawn, the version that is back and itself: it is compared with what it was before.
    /// - Parameter retired: versions that do not serve any more, as far as anybody said.
    func previousVersion(
        for window: TimeRange, retired: Set<String>, open: PaneStore
    ) -> (previous: String, newest: String)? {
        let time = window.start
        var first = state.firstSeen
        for start in open.starts where start < time {
            for key in (open[start] ?? [:]).keys where key.segment.isAll {
                first[key.version] = min(first[key.version] ?? start, start)
            }
        }
        let order = first.filter { $0.value < time }.sorted {
            $0.value != $1.value ? $0.value < $1.value : Self.precedes($0.key, $1.key)
        }.map(\.key)
        guard order.count > 1 else { return nil }
        let serving = order.last { version in
            let since = retired.contains(version) ? time : min(time, window.end - Self.versionPatience)
            return hasRows(of: version, in: TimeRange(start: since, end: window.end), open: open)
        }
        if let serving, serving != order.last { return (serving, serving) }
        return (order[order.count - 2], order[order.count - 1])
    }

    private func hasRows(of version: String, in range: TimeRange, open: PaneStore) -> Bool {
        func has(_ counts: PaneCounts?) -> Bool {
            (counts ?? [:]).keys.contains { $0.version == version && $0.segment.isAll }
        }
        return open.starts.contains { range.contains($0) && has(open[$0]) }
            || pieces.starts.contains { range.contains($0) && has(pieces[$0]) }
    }
}
