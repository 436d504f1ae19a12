import Sketches
package import Values

extension ModelWindows {
    /// Fewer rows of a column than this make a class of times too thin to stand for itself.
    static let thinReference: UInt64 = 200

    /// What a moving reference is for a window: counts of the past, without the times a column was firing.
    ///
    /// Depends on what was applied and noted before, not on how it was cut into deltas.
    ///
    /// - Parameter retired: versions that do not serve any more, as far as anybody said.
    /// - Returns: `nil` where there is no past to compare with yet.
    package func reference(
        _ reference: MovingReference, for window: TimeRange, retired: Set<String> = []
    ) -> ReferenceCounts? {
        guard let history else { return nil }
        var version: String?
        if case .previousVersion = reference {
            guard let pair = history.previousVersion(for: window, retired: retired, open: panes) else { return nil }
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
        var chosen: [Segment: [Choice]] = [:]
        for (c, name) in names.enumerated() {
            let candidates = ranges.candidates(reference, column: name)
            for (rank, times) in candidates.enumerated() {
                var isEnough = true
                for (segment, profile) in sum(times) {
                    let mine = chosen[segment]?[c].rows ?? 0
                    if mine >= Self.thinReference { continue }
                    let rows = profile.column(plans.plan(for: segment).layout.columns[c]).rows
                    if rows > mine {
                        chosen[segment, default: [Choice](repeating: Choice(), count: names.count)][c] = Choice(
                            rows: rows, times: times)
                    }
                    isEnough = isEnough && rows >= Self.thinReference
                }
                if isEnough, rank > 0 || chosen[.all] != nil { break }
            }
        }
        var profiles: [Segment: Profile] = [:]
        for (segment, choices) in chosen {
            let layout = plans.plan(for: segment).layout
            var whole = Profile(layout)
            for (choice, column) in zip(choices, layout.columns) {
                guard let source = sum(choice.times)[segment] else { continue }
                whole.take(column, from: source)
                whole.rows = max(whole.rows, source.rows)
            }
            profiles[segment] = whole
        }
        let counts = ReferenceCounts(plans: plans, profiles: profiles)
        return counts.isEmpty ? nil : counts
    }

    /// The times a column of a segment is taken from, and how many rows it has there.
    private struct Choice {
        var rows: UInt64 = 0
        var times: [TimeRange] = []
    }

    /// The version whose rows the previous version's are compared with: the newest or, where that was withdrawn, the one that is back.
    package func newestVersion(for window: TimeRange, retired: Set<String> = []) -> String? {
        history?.previousVersion(for: window, retired: retired, open: panes)?.newest
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
