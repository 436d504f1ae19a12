import Sketches
package import Values

extension ModelWindows {
    /// Fewer rows of a column than this make a class of times too thin to stand for itself.
    static let thinReference: UInt64 = 200

    /// What a moving reference is for a window: counts of the past, without the times a column was firing.
    ///
    /// Depends on what was applied and noted before, not on how it was cut into deltas.
    ///
    /// - Returns: `nil` where there is no past to compare with yet.
    package func reference(_ reference: MovingReference, for window: TimeRange) -> ReferenceCounts? {
        guard let history else { return nil }
        var version: String?
        if case .previousVersion = reference {
            guard let pair = history.previousVersion(at: window.start, open: panes) else { return nil }
            version = pair.previous
        }
        let ranges = ReferenceRanges(history: history, window: window)
        let names = plans.shared.columns.map(\.name)
        // Columns that never fired share their times, so nearly always there is one sum for all.
        var sums: [[TimeRange]: [Segment: Profile]] = [:]
        func sum(_ times: [TimeRange]) -> [Segment: Profile] {
            if let known = sums[times] { return known }
            let made = history.sum(times, version: version, open: panes)
            sums[times] = made
            return made
        }
        var columns: [Segment: [ColumnProfile?]] = [:]
        for (c, name) in names.enumerated() {
            let candidates = ranges.candidates(reference, column: name)
            for (rank, times) in candidates.enumerated() {
                var isEnough = true
                for (segment, profile) in sum(times) {
                    let mine = columns[segment]?[c]
                    if let mine, mine.rows >= Self.thinReference { continue }
                    let found = profile.column(plans.plan(for: segment).layout.columns[c])
                    if found.rows > mine?.rows ?? 0 {
                        columns[segment, default: [ColumnProfile?](repeating: nil, count: names.count)][c] = found
                    }
                    isEnough = isEnough && found.rows >= Self.thinReference
                }
                if isEnough, rank > 0 || columns[.all] != nil { break }
            }
        }
        let made = columns.reduce(into: [Segment: [ColumnProfile]]()) { all, entry in
            let layout = plans.plan(for: entry.key).layout
            all[entry.key] = zip(entry.value, layout.columns).map { found, column in
                found
                    ?? ColumnProfile(
                        bins: [UInt64](repeating: 0, count: column.bins.count),
                        moments: column.momentsIndex.map { _ in Moments() })
            }
        }
        let counts = ReferenceCounts(columns: made)
        return counts.isEmpty ? nil : counts
    }

    /// The version whose rows the previous version's are compared with.
    package func newestVersion(at time: Timestamp) -> String? {
        history?.previousVersion(at: time, open: panes)?.newest
    }

    /// Takes note of the columns that fire after a window was judged, with the start of each change, and lets go of the past that no
    /// reference can reach any more.
    /// - Returns: the pieces dropped.
    package mutating func judged(_ window: TimeRange, firing: [String: Timestamp]) -> [Timestamp] {
        guard history != nil else { return [] }
        history?.note(firing: firing, at: window.end)
        let gone = history?.expire(before: window.start) ?? []
        state.references = history?.state
        return gone
    }

    /// New totals of the pieces of history that changed since the last call, to be made durable.
    package mutating func takeHistory() -> [Timestamp: PaneCounts] {
        defer { changedPieces = [:] }
        return changedPieces
    }

    /// A pane no window needs any more becomes part of the past.
    mutating func remember(_ start: Timestamp) {
        guard let counts = panes[start], let (piece, changed) = history?.add(counts, from: start) else { return }
        changedPieces[piece, default: [:]].merge(changed) { _, new in new }
        state.references = history?.state
    }
}
