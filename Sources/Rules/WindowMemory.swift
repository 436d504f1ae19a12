package import Values

/// What rules keep of the windows they have seen, so that an alert can say what changed beside it: rows, and when a version first had any.
/// Bounded; one for each window size.
package struct WindowMemory: Codable, Sendable, Hashable {
    /// A week of hours, and half a year of days.
    static let maximumWindows = 192
    static let maximumVersions = 64

    /// Ends of the last windows, oldest first, and the rows of each.
    private(set) var ends: [Timestamp] = []
    private(set) var rows: [UInt64] = []
    /// The start of the first window a version had rows in; those of the very first window are absent, for nothing was there to compare.
    private(set) var appeared: [String: Timestamp] = [:]
    private var known: [String] = []

    mutating func note(_ window: TimeRange, rows count: UInt64, versions: [String]) {
        let isFirst = ends.isEmpty
        for version in versions where !known.contains(version) {
            known.append(version)
            if !isFirst { appeared[version] = window.start }
        }
        if known.count > Self.maximumVersions {
            for version in known.prefix(known.count - Self.maximumVersions) { appeared[version] = nil }
            known.removeFirst(known.count - Self.maximumVersions)
        }
        ends.append(window.end)
        rows.append(count)
        if ends.count > Self.maximumWindows {
            ends.removeFirst(ends.count - Self.maximumWindows)
            rows.removeFirst(rows.count - Self.maximumWindows)
        }
    }

    /// Rows of earlier windows to compare a window with: the same hour of the week where there is one, otherwise the same hour of earlier
    /// days, otherwise whatever came before.
    func usual(at end: Timestamp) -> [UInt64] {
        for period in [Span.days(7), .days(1)] {
            let same = zip(ends, rows).filter { earlier, _ in
                earlier < end && (end - earlier).microseconds % period.microseconds == 0
            }
            if same.count >= 2 { return same.map(\.1) }
        }
        return zip(ends, rows).filter { $0.0 < end }.map(\.1)
    }
}

/// A change of the champion, as the registry tells it.
package struct ChampionMove: Sendable, Hashable {
    package let from: String?
    package let to: String?
    package let at: Timestamp

    package init(from: String?, to: String?, at: Timestamp) {
        self.from = from
        self.to = to
        self.at = at
    }
}

/// Alerts of one rule that began within a window of each other and are led by one segment: told together.
package struct AlertCause: Codable, Sendable, Hashable {
    /// 16 hexadecimal digits.
    package let id: String
    /// The segment that leads the shift.
    package let segment: Segment
    package let start: Timestamp
}
