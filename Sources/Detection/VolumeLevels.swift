package import Values

/// How many rows a stream brings, against what its reference's season lets expect: learned from its own past, because a
/// reference may be a sample, or of a busier time. Constant size for each segment.
package struct VolumeLevels: Sendable, Hashable, Codable {
    private struct Level: Sendable, Hashable, Codable {
        let segment: Segment
        /// Rows over expected rows of past windows that departed from none before them, oldest first.
        var ratios: [Double]
        /// Since when windows depart from that, and what they brought.
        var openSince: Timestamp?
        var openRatios: [Double]?
        /// End of the last window taken in; absent in states of older programs.
        var until: Timestamp?
        /// The same ratios of whole days, oldest first, and the day that is not over yet; of windows shorter than a day, and absent
        /// in states of older programs.
        var days: [Double]?
        var day: Day?

        mutating func add(_ rows: Double, _ expected: Double, _ length: Span) {
            guard length < .days(1) else { return }
            var now = day ?? Day()
            now.rows += rows
            now.expected += expected
            now.covered = now.covered + length
            if now.covered >= .days(1) {
                var known = days ?? []
                VolumeLevels.add((now.rows / now.expected * 1e4).rounded() / 1e4, to: &known)
                days = known
                now = Day()
            }
            day = now
        }
    }

    /// Windows that make a day when they are done: what a day brings does not depend on how it is cut.
    private struct Day: Sendable, Hashable, Codable {
        var rows = 0.0
        var expected = 0.0
        var covered = Span.zero
    }

    private var levels: [Level] = []

    /// Windows the level is learned from, and how many it needs to be believed; the same of days, where windows are shorter: what
    /// falls by a tenth each day falls by nothing from hour to hour, and would be usual before anybody is told.
    static let window = 21
    static let least = 3
    /// Windows the spread needs; before them it is taken to be `usualSpread` of the level.
    static let leastForSpread = 7
    static let usualSpread = 0.15
    /// No stream is steadier than this from window to window.
    static let leastSpread = 0.05

    /// A departure, up or down, that lasts this long is a level of its own: what is usual is learned anew.
    static let patience = Span.days(7)
    /// So far below the level, or as many times above it, and so many standard deviations, a window is a departure.
    static let departure = 0.6
    static let departureErrors = 3.0

    package init() {}

    /// The rows to expect and their dispersion (variance over mean), where the reference expects `rows`; `nil` while too
    /// few windows were seen.
    package func expected(_ segment: Segment, rows: Double) -> (rows: Double, dispersion: Double)? {
        guard let known = levels.first(where: { $0.segment == segment }), known.ratios.count >= Self.least else {
            return nil
        }
        let ratios = known.ratios
        let days = known.days ?? []
        let ofWindows = Self.median(ratios)
        let level = days.count >= Self.least ? Self.median(days) : ofWindows
        guard level > 0 else { return nil }
        var spread = Self.usualSpread
        if ratios.count >= Self.leastForSpread {
            spread = max(Self.leastSpread, Self.spread(ratios, around: ofWindows) / level)
            // Days that differ, as windows of one day do not show.
            if days.count >= Self.leastForSpread { spread = max(spread, Self.spread(days, around: level) / level) }
        }
        let expected = level * rows
        return (expected, max(1, expected * spread * spread))
    }

    /// Takes a window's rows in, of windows that overlap only those that share none: they are evidence once.
    ///
    /// A departure, be it an alarm of this rule's or what no rule asks about, becomes the usual level once it has lasted: otherwise the
    /// end of a surge would be a drop, and a stream that changed for good an alarm for ever. One that stopped is no level, because
    /// nothing is none.
    package mutating func note(
        _ segment: Segment, rows: Double, expected: Double, in window: TimeRange, isOpen: Bool = false
    ) {
        guard expected > 0 else { return }
        let ratio = (rows / expected * 1e4).rounded() / 1e4
        guard let i = levels.firstIndex(where: { $0.segment == segment }) else {
            guard !isOpen else { return }
            levels.append(Level(segment: segment, ratios: [ratio], until: window.end))
            levels.sort { $0.segment < $1.segment }
            return
        }
        let departs = isOpen || isDeparture(segment, rows, expected)
        levels[i].openSince = departs ? levels[i].openSince ?? window.end : nil
        if !departs { levels[i].openRatios = nil }
        if let until = levels[i].until, window.start < until { return }
        levels[i].until = window.end
        guard departs else {
            Self.add(ratio, to: &levels[i].ratios)
            levels[i].add(rows, expected, window.length)
            return
        }
        var ratios = levels[i].openRatios ?? []
        Self.add(ratio, to: &ratios)
        if window.end - (levels[i].openSince ?? window.end) >= Self.patience, ratios.count >= Self.leastForSpread,
            Self.median(ratios) > 0
        {
            levels[i] = Level(segment: segment, ratios: ratios, until: window.end)
        } else {
            levels[i].openRatios = ratios
        }
    }

    private func isDeparture(_ segment: Segment, _ rows: Double, _ expected: Double) -> Bool {
        guard let usual = self.expected(segment, rows: expected) else { return false }
        let share = rows / usual.rows
        return (share < Self.departure || share > 1 / Self.departure)
            && abs(rows - usual.rows) > Self.departureErrors * (usual.rows * usual.dispersion).squareRoot()
    }

    private static func add(_ ratio: Double, to ratios: inout [Double]) {
        ratios.append(ratio)
        if ratios.count > window { ratios.removeFirst() }
    }

    /// A standard deviation: 1.4826 times the median deviation is that of a normal law.
    private static func spread(_ ratios: [Double], around level: Double) -> Double {
        1.4826 * median(ratios.map { abs($0 - level) })
    }

    private static func median(_ values: [Double]) -> Double {
        let sorted = values.sorted()
        let middle = sorted.count / 2
        return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
    }
}
