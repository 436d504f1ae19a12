import Sketches
import Values

/// The panes of one model that some window still needs.
///
/// A pane that still takes rows is kept as counters; one that has closed is kept as its encoded bytes, a tenth of the size, because a
/// long window over short panes may need thousands of them.
struct PaneStore {
    private enum Pane {
        case open(PaneCounts)
        case closed([GroupKey: [UInt8]])
    }

    private let layout: Layout
    private let maximumGroups: Int
    private var panes: [Timestamp: Pane] = [:]

    init(layout: Layout) {
        self.layout = layout
        maximumGroups = SegmentLimit.groups(layout)
    }

    var starts: [Timestamp] { panes.keys.sorted() }
    var isEmpty: Bool { panes.isEmpty }

    /// Adds counts and returns the keys they changed. Past the limit of groups a pane's new segments share one, `(other)`, so that a
    /// hostile stream stays within its memory.
    mutating func merge(_ counts: PaneCounts, into start: Timestamp) -> Set<GroupKey> {
        var existing = self[start] ?? [:]
        panes[start] = nil
        var changed: Set<GroupKey> = []
        for (key, profile) in counts {
            let place = existing[key] != nil || existing.count < maximumGroups ? key : Self.folded(key, existing)
            changed.insert(place)
            if existing[place] == nil {
                existing[place] = profile
            } else {
                existing[place]?.merge(profile)
            }
        }
        panes[start] = .open(existing)
        return changed
    }

    private static func folded(_ key: GroupKey, _ existing: PaneCounts) -> GroupKey {
        let isKnown = existing[GroupKey(version: key.version, segment: .all)] != nil
        return GroupKey(version: isKnown ? key.version : SegmentLimit.other, segment: SegmentLimit.folded(key.segment))
    }

    subscript(start: Timestamp) -> PaneCounts? {
        switch panes[start] {
        case .open(let counts): counts
        case .closed(let encoded): encoded.mapValues(decode)
        case nil: nil
        }
    }

    mutating func close(_ start: Timestamp) {
        guard case .open(let counts) = panes[start] else { return }
        panes[start] = .closed(counts.mapValues { $0.encode() })
    }

    mutating func remove(_ start: Timestamp) { panes[start] = nil }

    /// The sum of the panes that start within a range.
    func sum(_ range: TimeRange) -> PaneCounts {
        var total: PaneCounts = [:]
        for start in panes.keys where range.contains(start) {
            for (key, profile) in self[start] ?? [:] {
                if total[key] == nil {
                    total[key] = profile
                } else {
                    total[key]?.merge(profile)
                }
            }
        }
        return total
    }

    private func decode(_ bytes: [UInt8]) -> Profile {
        do {
            return try Profile(decoding: bytes, layout: layout)
        } catch {
            preconditionFailure("a pane encoded by this process cannot be read back: \(error)")
        }
    }
}
