package import Values

/// How two segments share rows, from their names alone.
package enum SegmentRelation {
    /// The segment of the rows both have, `nil` where there can be none.
    package static func overlap(_ a: Segment, _ b: Segment) -> Segment? {
        var parts = a.parts
        for part in b.parts {
            if let value = a[part.dimension] {
                if value != part.value { return nil }
            } else {
                parts.append(part)
            }
        }
        return Segment(parts.sorted { $0.dimension < $1.dimension })
    }

    /// Whether every row of `inner` is one of `outer`.
    package static func contains(_ outer: Segment, _ inner: Segment) -> Bool {
        outer.parts.allSatisfy { inner[$0.dimension] == $0.value }
    }

    /// The name under which a cross is looked up, whatever order its dimensions were configured in.
    static func canonical(_ segment: Segment) -> Segment {
        Segment(segment.parts.sorted { $0.dimension < $1.dimension })
    }
}

/// The counts of every segment over one span, for taking segments off each other.
struct SegmentCounts {
    private var counts: [Segment: Watch.Counts] = [:]

    init(_ list: [(segment: Segment, counts: Watch.Counts)]) {
        for entry in list { counts[SegmentRelation.canonical(entry.segment)] = entry.counts }
    }

    subscript(segment: Segment) -> Watch.Counts? { counts[SegmentRelation.canonical(segment)] }

    /// The rows of `segment` that belong to none of `others`.
    ///
    /// Exact where one holds the other or their cross is counted; else the overlap is estimated as `others`' own rows
    /// times the share of them that `segment` should hold, from the crosses of two that are counted. Rows that two of
    /// `others` share are taken off twice at most, and counts never fall below 0.
    func rest(of segment: Segment, without others: [Segment]) -> Watch.Counts? {
        guard var left = self[segment] else { return nil }
        for other in others {
            guard let both = SegmentRelation.overlap(segment, other) else { continue }
            if SegmentRelation.contains(other, segment) {
                return Watch.Counts(
                    reference: left.reference.map { _ in 0 }, current: left.current.map { _ in 0 })
            }
            if let shared = self[both] {
                left = Self.subtract(shared, from: left, 1, 1)
            } else if let theirs = self[other] {
                left = Self.subtract(
                    theirs, from: left, share(of: other, in: segment) { $0.reference.reduce(0, +) },
                    share(of: other, in: segment) { $0.rows })
            }
        }
        return left
    }

    /// Whether `rest` is counted and not estimated.
    func isExact(_ segment: Segment, without others: [Segment]) -> Bool {
        others.allSatisfy { other in
            guard let both = SegmentRelation.overlap(segment, other) else { return true }
            return SegmentRelation.contains(other, segment) || self[both] != nil
        }
    }

    /// Which share of the rows of `other` are in `segment`: P(s)·Π P(s | part)/P(s) over the parts of `other`, which holds
    /// where the dimensions do not act on each other three at a time.
    private func share(of other: Segment, in segment: Segment, _ rows: (Watch.Counts) -> Double) -> Double {
        let own = Segment(segment.parts.filter { other[$0.dimension] == nil })
        guard let all = self[.all].map(rows), all > 0, let mine = self[own].map(rows), mine > 0 else { return 0 }
        var share = mine / all
        for part in other.parts where segment[part.dimension] == nil {
            guard let theirs = self[Segment([part])].map(rows), theirs > 0,
                let cross = self[Segment(own.parts + [part])].map(rows)
            else { continue }
            share *= cross / theirs / (mine / all)
        }
        return min(1, share)
    }

    private static func subtract(
        _ part: Watch.Counts, from whole: Watch.Counts, _ referenceShare: Double, _ currentShare: Double
    ) -> Watch.Counts {
        Watch.Counts(
            reference: zip(whole.reference, part.reference).map { max(0, $0 - $1 * referenceShare) },
            current: zip(whole.current, part.current).map { max(0, $0 - $1 * currentShare) })
    }
}
