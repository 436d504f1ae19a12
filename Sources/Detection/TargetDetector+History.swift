import Values

/// What a detector remembers of past windows while a change may be under way: the newest one by one, older ones added up in spans
/// that double, so that the memory of a change of any length grows with its logarithm.
extension TargetDetector {
    /// Windows kept one by one, for taking segments off each other.
    static let historyWindows = 8
    /// Spans kept of each width beyond; the two oldest become one of twice the width.
    static let historySpans = 2
    /// Windows after which a change is as old as it needs to be.
    static let longestSpan = 512

    /// Puts the window at the end of every stream's history; gives the streams' places.
    mutating func remember(_ start: Timestamp, _ windows: [StreamWindow]) -> [Segment: Int] {
        let index = places(of: windows)
        let count = starts.count
        starts.append(start)
        widths.append(1)
        for i in streams.indices { streams[i].appendEmpty(after: count) }
        for window in windows {
            guard let i = index[window.segment] else { continue }
            streams[i].natural = window.wobble > 0 ? window.wobble : nil
            streams[i].referenceWindows = window.referenceWindows > 0 ? window.referenceWindows : nil
            streams[i].past[count] = window.counts.current
            streams[i].references[count] = window.counts.reference
            // Repeated references are kept once, at the newest window that has them.
            if count > 0, streams[i].references[count - 1] == window.counts.reference {
                streams[i].references[count - 1] = []
            }
        }
        while let place = excess {
            for i in streams.indices { streams[i].addUp(place, watch: watch) }
            starts.remove(at: place + 1)
            widths[place] += widths.remove(at: place + 1)
        }
        while widths.first ?? 0 > Self.longestSpan { keepHistory(starts.count - 1) }
        return index
    }

    private mutating func places(of windows: [StreamWindow]) -> [Segment: Int] {
        var index: [Segment: Int] = [:]
        for (i, stream) in streams.enumerated() { index[stream.segment] = i }
        let isNew = windows.contains { index[$0.segment] == nil }
        for window in windows where index[window.segment] == nil {
            index[window.segment] = streams.count
            streams.append(StreamState(segment: window.segment))
        }
        if isNew {
            // The same state is always the same bytes, in whatever order segments were first seen.
            streams.sort { $0.segment < $1.segment }
            for (i, stream) in streams.enumerated() { index[stream.segment] = i }
        }
        return index
    }

    /// The older of two neighbours that are to become one span, where there are too many of their width.
    private var excess: Int? {
        var width = 1
        while width <= Self.longestSpan {
            let most = width == 1 ? Self.historyWindows : Self.historySpans
            if widths.count(where: { $0 == width }) > most { return widths.firstIndex(of: width) }
            width *= 2
        }
        return nil
    }

    mutating func keepHistory(_ count: Int) {
        let extra = starts.count - count
        guard extra > 0 else { return }
        starts.removeFirst(extra)
        widths.removeFirst(extra)
        for i in streams.indices {
            streams[i].past.removeFirst(extra)
            streams[i].references.removeFirst(extra)
        }
    }

    /// What no open change reaches back to needs no history.
    mutating func forgetQuietHistory() {
        let first = streams.compactMap { $0.alarm == nil ? $0.start : nil }.min()
        let needed = first.map { first in starts.count { $0 >= first } } ?? 0
        keepHistory(needed)
        // Streams the model no longer has, and of which nothing is known, go.
        streams.removeAll {
            $0.alarm == nil && $0.start == nil && $0.wobbles.isEmpty && $0.rank == nil && $0.block == nil
        }
    }
}

extension StreamState {
    /// Counts of one span of the history, `nil` where the segment had none.
    func counts(at place: Int) -> Watch.Counts? {
        let current = past[place]
        guard !current.isEmpty, let reference = references[place...].first(where: { !$0.isEmpty }) else { return nil }
        return Watch.Counts(reference: reference, current: current)
    }

    fileprivate mutating func appendEmpty(after count: Int) {
        while past.count < count {
            past.insert([], at: 0)
            references.insert([], at: 0)
        }
        past.append([])
        references.append([])
    }

    /// Makes the spans at `place` and after it one.
    fileprivate mutating func addUp(_ place: Int, watch: Watch) {
        let parts = [counts(at: place), counts(at: place + 1)].compactMap { $0 }
        let merged = MergedCounts.merge(parts, watch: watch)
        if place > 0, references[place - 1].isEmpty, let before = counts(at: place - 1) {
            references[place - 1] = before.reference == merged?.reference ? [] : before.reference
        }
        past[place] = merged?.current ?? []
        references[place] = merged?.reference ?? []
        past.remove(at: place + 1)
        references.remove(at: place + 1)
        let next = references.dropFirst(place + 1).first { !$0.isEmpty }
        if next == references[place] { references[place] = [] }
    }
}

extension TargetDetector {
    /// States of before spans were added up hold one window in each.
    package init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        self.init(watch: try values.decode(Watch.self, forKey: .watch))
        streams = try values.decode([StreamState].self, forKey: .streams)
        starts = try values.decode([Timestamp].self, forKey: .starts)
        widths = try values.decodeIfPresent([Int].self, forKey: .widths) ?? starts.map { _ in 1 }
        returns = try values.decodeIfPresent(Returns.self, forKey: .returns)
        together = try values.decodeIfPresent(Segment.self, forKey: .together)
    }
}
