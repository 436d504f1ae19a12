import Events
import Sketches
import Values

/// Which names are told apart, and where a name's rows may have gone to `(other)` in part.
extension ModelWindows {
    /// The sum of a window's panes. A name of which some rows may have gone to `(other)` goes there whole: a segment that silently
    /// misses some of its rows would be compared as if it had them all.
    func sum(_ range: TimeRange) -> (counts: WindowCounts, foldedRows: UInt64) {
        guard let places, let view = places.view else { return panes.sum(range) }
        var earliest: [Int: Int] = [:]
        for (start, axes) in refused where range.contains(start) { earliest.merge(axes, uniquingKeysWith: min) }
        guard !earliest.isEmpty else { return panes.sum(range) }
        let dimensions = places.dimensions
        let last = dimensions.count
        return panes.sum(range) { key in
            var key = key
            if view.isPartial(key.version, axis: last, refused: earliest[last]) {
                key = GroupKey(version: SegmentLimit.other, segment: key.segment)
            }
            var parts = key.segment.parts
            for i in parts.indices {
                guard let axis = dimensions.firstIndex(of: parts[i].dimension) else { continue }
                if view.isPartial(parts[i].value, axis: axis, refused: earliest[axis]) {
                    parts[i].value = SegmentLimit.other
                }
            }
            return parts == key.segment.parts ? key : GroupKey(version: key.version, segment: Segment(parts))
        }
    }

    /// Remembers of which generation rows share `(other)` in a pane.
    mutating func note(refusedIn counts: PaneCounts, at start: Timestamp, generation: Int) {
        guard let places else { return }
        func note(_ axis: Int) {
            let known = refused[start]?[axis]
            if known.map({ generation < $0 }) ?? true { refused[start, default: [:]][axis] = generation }
        }
        for key in counts.keys {
            if key.version == SegmentLimit.other { note(places.dimensions.count) }
            for part in key.segment.parts where part.value == SegmentLimit.other {
                if let axis = places.dimensions.firstIndex(of: part.dimension) { note(axis) }
            }
        }
    }

    /// By axis, the names that have rows in an open pane.
    func namesInPanes() -> [Set<String>] { names(in: panes.starts.lazy.compactMap { panes[$0] }) }

    func names(in counts: some Sequence<PaneCounts>) -> [Set<String>] {
        guard let places else { return [] }
        let last = places.dimensions.count
        var names = [Set<String>](repeating: [], count: last + 1)
        for groups in counts {
            for key in groups.keys {
                names[last].insert(key.version)
                for part in key.segment.parts {
                    if let axis = places.dimensions.firstIndex(of: part.dimension) { names[axis].insert(part.value) }
                }
            }
        }
        return names
    }

    /// Panes are gone: where places are wanted, those of names that went with them are given back.
    func giveBackPlaces() {
        guard let places, places.isWanted else { return }
        places.giveBack(except: namesInPanes())
    }
}
