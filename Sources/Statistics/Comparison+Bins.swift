package import Sketches

extension Comparison {
    /// The two histograms in the bins distances use. Numeric: sums of fine bins between the cuts. Categorical: every
    /// category the reference rows have, the rare ones together, and one bin for all values those rows never had.
    package init(column: Layout.Column, cuts: [Int], reference: ColumnProfile, current: ColumnProfile) {
        switch column.bins {
        case .numeric(let bins, _):
            self.init(
                numeric: bins, cuts: cuts, reference: reference, current: current)
        case .categorical(let bins):
            let collapsed = Self.collapse(bins, reference.bins, current.bins)
            self.init(
                edges: [], categories: collapsed.names, reference: collapsed.reference, current: collapsed.current,
                referenceNulls: reference.nulls, currentNulls: current.nulls)
        }
    }

    /// The same in the bins of all traffic (`cuts` of the group `all`), for `SnapshotRow.common`: the same bins
    /// whatever the segment has, so that the histograms of segments add up. Both profiles must be the segment's own,
    /// never a parent's.
    package static func common(
        column: Layout.Column, cuts: [Int], reference: ColumnProfile, current: ColumnProfile
    ) -> Comparison {
        switch column.bins {
        case .numeric(let bins, _):
            Comparison(numeric: bins, cuts: cuts, reference: reference, current: current)
        case .categorical(let bins):
            Comparison(
                edges: [], categories: (0..<bins.count).map(bins.name(of:)), reference: reference.bins,
                current: current.bins, referenceNulls: reference.nulls, currentNulls: current.nulls)
        }
    }

    private init(numeric bins: NumericBins, cuts: [Int], reference: ColumnProfile, current: ColumnProfile) {
        self.init(
            edges: cuts.map { bins.edges[$0] }, categories: [],
            reference: Self.coarse(reference.bins, cuts), current: Self.coarse(current.bins, cuts),
            referenceNulls: reference.nulls, currentNulls: current.nulls)
    }

    /// Sums of fine bins between the cuts: fine bin b lies below edge b, so coarse bin i ends with fine bin `cuts[i]`.
    static func coarse(_ fine: [UInt64], _ cuts: [Int]) -> [UInt64] {
        var result: [UInt64] = []
        result.reserveCapacity(cuts.count + 1)
        var from = 0
        for end in cuts + [fine.count - 1] {
            precondition(end >= from - 1 && end < fine.count, "cuts must ascend within the edges")
            result.append(fine[from..<end + 1].reduce(0, &+))
            from = end + 1
        }
        return result
    }

    /// Categories of all traffic as a group of reference rows knows them: those it never had join the unseen bin, which
    /// is always the last. Without reference rows there is nothing to say a category is unseen, and all are kept.
    static func collapse(
        _ bins: CategoryBins, _ reference: [UInt64], _ current: [UInt64]
    ) -> (names: [String], reference: [UInt64], current: [UInt64]) {
        precondition(reference.count == bins.count && current.count == bins.count, "profile has different bins")
        let isEmpty = !reference.contains { $0 > 0 }
        var names: [String] = []
        var p: [UInt64] = []
        var q: [UInt64] = []
        var unseen: UInt64 = current[bins.unseen]
        for bin in 0..<bins.unseen {
            if reference[bin] > 0 || (isEmpty && (bin < bins.rest || current[bin] > 0)) {
                names.append(bins.name(of: bin))
                p.append(reference[bin])
                q.append(current[bin])
            } else {
                unseen &+= current[bin]
            }
        }
        names.append(bins.name(of: bins.unseen))
        p.append(reference[bins.unseen])
        q.append(unseen)
        return (names, p, q)
    }
}
