package import Values

/// How many rows a stream brings, against what its reference's season lets expect: learned from its own past, because a
/// reference may be a sample, or of a busier time. Constant size for each segment.
package struct VolumeLevels: Sendable, Hashable, Codable {
    private struct Level: Sendable, Hashable, Codable {
        let segment: Segment
        /// Rows over expected rows of past windows without an alarm, oldest first.
        var ratios: [Double]
        /// Since an alarm is open, and what windows brought meanwhile.
        var openSince: Timestamp?
        var openRatios: [Double]?
    }

    private var levels: [Level] = []

    /// Windows the level is learned from, and how many it needs to be believed.
    static let window = 21
    static let least = 3
    /// Windows the spread needs; before them it is taken to be `usualSpread` of the level.
    static let leastForSpread = 7
    static let usualSpread = 0.15
    /// No stream is steadier than this from window to window.
    static let leastSpread = 0.05

    /// An alarm that lasts this long is a level of its own: what is usual is learned anew.
    static let patience = Span.days(7)

    package init() {}

    /// The rows to expect and their dispersion (variance over mean), where the reference expects `rows`; `nil` while too
    /// few windows were seen.
    package func expected(_ segment: Segment, rows: Double) -> (rows: Double, dispersion: Double)? {
        guard let ratios = levels.first(where: { $0.segment == segment })?.ratios, ratios.count >= Self.least else {
            return nil
        }
        let level = Self.median(ratios)
        guard level > 0 else { return nil }
        var spread = Self.usualSpread
        if ratios.count >= Self.leastForSpread {
            // 1.4826 times the median deviation is the standard deviation of a normal law.
            spread = max(Self.leastSpread, 1.4826 * Self.median(ratios.map { abs($0 - level) }) / level)
        }
        let expected = level * rows
        return (expected, max(1, expected * spread * spread))
    }

    /// Takes a window's rows in; not while an alarm is open, whose level is not the usual one.
    package mutating func note(_ segment: Segment, rows: Double, expected: Double) {
        guard expected > 0 else { return }
        let ratio = (rows / expected * 1e4).rounded() / 1e4
        if let i = levels.firstIndex(where: { $0.segment == segment }) {
            levels[i].openSince = nil
            levels[i].openRatios = nil
            levels[i].ratios.append(ratio)
            if levels[i].ratios.count > Self.window { levels[i].ratios.removeFirst() }
        } else {
            levels.append(Level(segment: segment, ratios: [ratio]))
            levels.sort { $0.segment < $1.segment }
        }
    }

    /// Takes a window's rows in while an alarm is open. They become the usual level once it has lasted: a stream that changed for good
    /// would be an alarm for ever. One that stopped is none, because nothing is no level.
    package mutating func noteOpen(_ segment: Segment, rows: Double, expected: Double, at time: Timestamp) {
        guard expected > 0, let i = levels.firstIndex(where: { $0.segment == segment }) else { return }
        let since = levels[i].openSince ?? time
        var ratios = levels[i].openRatios ?? []
        ratios.append((rows / expected * 1e4).rounded() / 1e4)
        if ratios.count > Self.window { ratios.removeFirst() }
        guard time - since >= Self.patience, ratios.count >= Self.leastForSpread, Self.median(ratios) > 0 else {
            levels[i].openSince = since
            levels[i].openRatios = ratios
            return
        }
        levels[i] = Level(segment: segment, ratios: ratios)
    }

    private static func median(_ values: [Double]) -> Double {
        let sorted = values.sorted()
        let middle = sorted.count / 2
        return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
    }
}
