package import Statistics
package import Values

/// Who brought rows so far, so that silence can be told from quiet: the metric `silence` of the rows about volume. Bounded; one for each
/// window size.
///
/// A group (all traffic, a segment, a version) is silent from its first window without rows if so many were to be expected that
/// none is no chance, if it never was without rows for so long in the last days, and if what it is part of brings rows: a model
/// that stops is one event and not a hundred.
struct Presence: Codable, Sendable, Hashable {
    private struct Group: Codable, Sendable, Hashable {
        let version: String
        let segment: Segment
        let first: Timestamp
        /// End of the last window with rows.
        var last: Timestamp
        /// Windows with rows so far, up to `least`.
        var windows = 1
        /// Rows of a window with rows, and what the reference let expect of it; recent windows count most.
        var rows: Double
        var expected: Double?
        /// The longest time without rows that ended lately, and when it ended.
        var longest = Span.zero
        var longestAt: Timestamp?
        /// Start of the first window without rows, while none come.
        var since: Timestamp?
        var isSilent = false
    }

    private var at = Timestamp.distantPast
    private var fields = KnownFields()
    /// Ordered, so that equal states are equal bytes.
    private var groups: [Group] = []

    /// Windows with rows that a group needs to be known.
    private static let least = 3
    /// Where the reference does not say when rows are to be expected, a group must have been watched through a day and a night.
    private static let leastWatched = Span.hours(25)
    /// Where all traffic brings this share of its usual rows and a version none, it is not the time of day.
    private static let leastElsewhere = 0.75
    /// Rows to expect of a window for none to be no chance, whatever the dispersion: Poisson's law says e^−25.
    private static let leastExpected = 25.0
    /// Weight of the newest window in the usual number of rows.
    private static let newest = 0.2
    /// How long a pause is remembered as usual: longer than a week.
    private static let memory = Span.days(8)
    /// A group that stays away so long is gone.
    private static let patience = Span.days(30)
    /// Versions remembered at most.
    private static let maximumVersions = 64

    /// Takes a window in and adds `silence` to its rows about volume; rows for versions that brought none.
    /// - Parameter seen: how far time has come: the window's end, or less where the input ended before it.
    mutating func complete(_ snapshot: inout Snapshot, seen: Timestamp) {
        guard snapshot.window.end > at else { return }
        at = snapshot.window.end
        fields.complete(&snapshot)
        addRows(&snapshot)
        let places = snapshot.rows.indices.filter { snapshot.rows[$0].column == SnapshotRow.volumeColumn }
        let quiet = places.compactMap { place -> Segment? in
            let row = snapshot.rows[place]
            return row.n == 0 && row.version == SnapshotRow.allVersions ? row.segment : nil
        }
        let share = share(of: snapshot)
        var index = Dictionary(
            uniqueKeysWithValues: groups.enumerated().map { (Key(version: $1.version, segment: $1.segment), $0) })
        for place in places {
            let row = snapshot.rows[place]
            // A rule test may state it.
            guard row.metrics[.silence] == nil else { continue }
            let key = Key(version: row.version, segment: row.segment)
            if row.n > 0 {
                snapshot.rows[place].metrics[.silence] = 0
                if let i = index[key] {
                    Self.note(row, snapshot.window, &groups[i])
                } else {
                    index[key] = groups.count
                    groups.append(
                        Group(
                            version: row.version, segment: row.segment, first: snapshot.window.start,
                            last: snapshot.window.end, rows: Double(row.n),
                            expected: row.referenceMetrics[.count]))
                }
            } else if let i = index[key] {
                let isPart = quiet.contains { whole in
                    (whole != row.segment || row.version != SnapshotRow.allVersions)
                        && whole.parts.allSatisfy { row.segment[$0.dimension] == $0.value }
                }
                snapshot.rows[place].metrics[.silence] = Self.silence(
                    row, snapshot.window, seen: seen, isPart: isPart, share: share, &groups[i])
            }
        }
        groups.removeAll { snapshot.window.end - $0.last > Self.patience }
        groups.sort { ($0.version, $0.segment) < ($1.version, $1.segment) }
    }

    private struct Key: Hashable {
        let version: String
        let segment: Segment
    }

    private static func note(_ row: SnapshotRow, _ window: TimeRange, _ group: inout Group) {
        if let since = group.since {
            let pause = window.start - since
            if pause > longest(group, at: window.end) {
                group.longest = pause
                group.longestAt = window.end
            }
        }
        group.since = nil
        group.isSilent = false
        group.last = window.end
        group.windows = min(group.windows + 1, least)
        group.rows += newest * (Double(row.n) - group.rows)
        guard let expected = row.referenceMetrics[.count] else { return }
        group.expected = group.expected.map { $0 + newest * (expected - $0) } ?? expected
    }

    private static func longest(_ group: Group, at time: Timestamp) -> Span {
        guard let ended = group.longestAt, time - ended <= memory else { return .zero }
        return group.longest
    }

    /// Seconds without rows, `nil` where nothing is known of the group or its whole is silent.
    private static func silence(
        _ row: SnapshotRow, _ window: TimeRange, seen: Timestamp, isPart: Bool, share: Double, _ group: inout Group
    ) -> Double? {
        let since = group.since ?? window.start
        group.since = since
        let pause = max(.zero, seen - since)
        if !group.isSilent, !isPart {
            let isElsewhere = row.version != SnapshotRow.allVersions && share >= leastElsewhere
            let isKnown =
                group.windows >= least
                && (row.referenceMetrics[.count] != nil || isElsewhere || window.end - group.first >= leastWatched)
            let expected = usual(row, group) * (row.version == SnapshotRow.allVersions && row.segment.isAll ? 1 : share)
            group.isSilent = isKnown && pause > longest(group, at: window.end) && expected >= leastExpected
        }
        return group.isSilent && !isPart ? pause.seconds : nil
    }

    /// How much of its usual rows all traffic brings, up to 1: where little comes, none of a part is no news.
    private func share(of snapshot: Snapshot) -> Double {
        let all = snapshot.rows.first {
            $0.column == SnapshotRow.volumeColumn && $0.version == SnapshotRow.allVersions && $0.segment.isAll
        }
        guard let all, let group = groups.first(where: { $0.version == all.version && $0.segment.isAll }) else {
            return 1
        }
        let usual = Self.usual(all, group)
        return usual > 0 ? min(1, Double(all.n) / usual) : 1
    }

    /// Rows to expect of a window: as many as came lately, at this time of the week.
    private static func usual(_ row: SnapshotRow, _ group: Group) -> Double {
        guard let now = row.referenceMetrics[.count], let before = group.expected, before > 0 else { return group.rows }
        return group.rows * min(1, now / before)
    }

    /// Rows about volume where the snapshot has none: of each version, and where the reference does not say how many to expect of each
    /// segment too; also of those that brought nothing.
    private func addRows(_ snapshot: inout Snapshot) {
        let isExpected = snapshot.rows.contains {
            $0.column == SnapshotRow.volumeColumn && $0.version == SnapshotRow.allVersions
        }
        func isWanted(_ key: Key) -> Bool {
            key.version == SnapshotRow.allVersions ? !isExpected : key.segment.isAll
        }
        var counts: [Key: UInt64] = [:]
        let versions = groups.filter { $0.version != SnapshotRow.allVersions }.sorted { $0.last > $1.last }
        for group in groups.filter({ $0.version == SnapshotRow.allVersions }) + versions.prefix(Self.maximumVersions) {
            counts[Key(version: group.version, segment: group.segment)] = 0
        }
        for row in snapshot.rows
        where row.column != SnapshotRow.schemaColumn && row.column != SnapshotRow.performanceColumn {
            let key = Key(version: row.version, segment: row.segment)
            counts[key] = max(counts[key] ?? 0, row.n)
        }
        let nothing = Comparison(
            edges: [], categories: [], reference: [], current: [], referenceNulls: 0, currentNulls: 0)
        for (key, n) in counts.sorted(by: { ($0.key.version, $0.key.segment) < ($1.key.version, $1.key.segment) })
        where isWanted(key) {
            snapshot.rows.append(
                SnapshotRow(
                    version: key.version, segment: key.segment, column: SnapshotRow.volumeColumn,
                    kind: SnapshotRow.volumeColumn, n: n, null: 0, referenceN: 0, referenceSegment: key.segment,
                    metrics: MetricValues(), referenceMetrics: MetricValues(), comparison: nothing, common: nothing))
        }
    }
}

extension ModelAlertState {
    /// Adds to a window's snapshot what only those before it can tell, `silence` and which fields are new, and takes the window in.
    ///
    /// - Parameters:
    ///   - size: the nominal size of the window.
    ///   - seen: how far time has come, where the input ended before the window.
    ///   - late: rows that came since the window before, for windows that had closed; `nil` where that is not known.
    package mutating func complete(
        _ snapshot: inout Snapshot, size: Span, seen: Timestamp? = nil, late: UInt64? = nil
    ) {
        let clock = "\(size.microseconds)"
        var known = presence?[clock] ?? Presence()
        known.complete(&snapshot, seen: seen ?? snapshot.window.end)
        if let late { snapshot.tell(late: late) }
        presence = presence ?? [:]
        presence?[clock] = known
    }
}

extension Snapshot {
    /// Says which share of the rows that came were too late for their windows: where a clock at their source stands still, events keep
    /// coming and none is of the time.
    fileprivate mutating func tell(late: UInt64) {
        let all = rows.firstIndex {
            $0.column == SnapshotRow.volumeColumn && $0.version == SnapshotRow.allVersions && $0.segment.isAll
        }
        guard let all, rows[all].n + late > 0 else { return }
        rows[all].metrics[.late_rate] = Double(late) / Double(rows[all].n + late)
    }
}
