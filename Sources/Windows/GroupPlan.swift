package import Sketches

/// Which of the shared fine bins one group of rows keeps apart.
///
/// Rows are binned once, by edges fine enough for every segment's own quantiles. A segment needs only a few of them: those that divide
/// its own reference and all traffic's for `psi` and its kin, the tails, and enough others that no bin hides more than 1/240 of
/// its reference from `ks`. Counting in these takes a sixth of the memory, and everything after counting a sixth of the time.
package final class GroupPlan: Sendable {
    /// What the group's counters mean. Columns are the shared layout's, with some of its edges.
    package let layout: Layout
    /// By column, the edges of `layout` that divide it for `psi`; empty for categorical columns.
    package let cuts: [[Int]]
    /// The same for the bins of all traffic.
    package let commonCuts: [[Int]]
    /// By column, whether `cuts` are all traffic's for want of the group's own.
    package let borrowsCuts: [Bool]

    /// `CodeRanks` words of each column of which a group may keep fewer bins; of all others the shared codes are every group's own. One code
    /// past a column's last is for rows that do not have the column.
    ///
    /// Written once, before anybody else sees it; counting reads it without a retain or a check.
    nonisolated(unsafe) let ranks: UnsafePointer<UInt64>
    /// By column, the place of its first counter; each column has one more than the layout says, for rows that do not have it.
    nonisolated(unsafe) let bases: UnsafePointer<UInt32>
    /// Counters in all.
    let width: Int

    /// Every fine bin is kept where a column has at most this many.
    private static let fewBins = 320

    /// By column, its first word among the `ranks` of every plan of the layout; −1 where it has none.
    static func firstWords(_ shared: Layout) -> [Int] {
        var next = 0
        return shared.columns.map { column in
            guard isRanked(column) else { return -1 }
            defer { next += CodeRanks.words(column.codeCount + 1) }
            return next
        }
    }

    private static func isRanked(_ column: Layout.Column) -> Bool {
        column.bins.isNumeric && column.bins.count > fewBins
    }

    /// The share of the group's own reference that one bin may hide from `ks`; a little less than 1/240, which is promised.
    private static let ownResolution = 256.0
    /// The same of all traffic's reference, where the group itself has no rows.
    private static let commonResolution = 48.0

    /// - Parameter group: whose reference decides; `nil` keeps every bin.
    init(_ shared: Layout, group: Reference.Group?, all: Reference.Group?) {
        var columns: [(name: String, bins: ColumnBins)] = []
        var cuts: [[Int]] = []
        var commonCuts: [[Int]] = []
        var ranks: [UInt64] = []
        var borrowsCuts: [Bool] = []
        for (c, column) in shared.columns.enumerated() {
            let common = all?.cuts[c] ?? []
            let own = group.map { $0.cuts[c].isEmpty ? common : $0.cuts[c] } ?? []
            borrowsCuts.append(column.bins.isNumeric && group?.cuts[c].isEmpty ?? false)
            var kept = Array(0..<column.bins.count - 1)
            var bins = column.bins
            if case .numeric(let fine, let exponent) = column.bins, Self.isRanked(column), let group, let all {
                kept = Self.kept(column, fine, group.profile, all.profile, required: own + common)
                bins = .numeric(NumericBins(edges: kept.map { fine.edges[$0] }), exponent: exponent)
                let places = Dictionary(uniqueKeysWithValues: kept.enumerated().map { ($1, $0) })
                cuts.append(own.compactMap { places[$0] })
                commonCuts.append(common.compactMap { places[$0] })
            } else {
                cuts.append(own)
                commonCuts.append(common)
            }
            columns.append((column.name, bins))
            guard Self.isRanked(column) else { continue }
            var codes: [UInt16] = []
            var code = 0
            for bin in 0..<column.bins.count {
                codes.append(UInt16(code))
                if code < kept.count, kept[code] == bin { code += 1 }
            }
            for special in 0...SpecialCode.allCases.count { codes.append(UInt16(bins.count + special)) }
            ranks += CodeRanks.encoded(codes)
        }
        layout = Layout(columns: columns)
        self.cuts = cuts
        self.commonCuts = commonCuts
        self.borrowsCuts = borrowsCuts
        self.ranks = Self.owned(ranks)
        bases = Self.owned(layout.columns.enumerated().map { UInt32($1.offset + $0) })
        width = layout.codeCount + layout.columns.count
    }

    deinit {
        ranks.deallocate()
        bases.deallocate()
    }

    private static func owned<T: BitwiseCopyable>(_ values: [T]) -> UnsafePointer<T> {
        let buffer = UnsafeMutableBufferPointer<T>.allocate(capacity: max(1, values.count))
        _ = buffer.update(fromContentsOf: values)
        guard let start = buffer.baseAddress else { preconditionFailure("a buffer of some size has a start") }
        return UnsafePointer(start)
    }

    /// The edges (indices) a column keeps: the required ones, those outside the range of all traffic, and as few others as the
    /// resolutions allow.
    private static func kept(
        _ column: Layout.Column, _ bins: NumericBins, _ own: Profile, _ all: Profile, required: [Int]
    ) -> [Int] {
        let required = Set(required)
        let ownCounts = own.column(column).bins
        let allCounts = all.column(column).bins
        let ownLimit = Double(ownCounts.reduce(0, &+)) / ownResolution
        let allLimit = Double(allCounts.reduce(0, &+)) / commonResolution
        let range = column.momentsIndex.map { all.moments[$0] }
        var kept: [Int] = []
        var ownHeld = 0.0
        var allHeld = 0.0
        for edge in bins.edges.indices {
            ownHeld += Double(ownCounts[edge])
            allHeld += Double(allCounts[edge])
            let value = bins.edges[edge]
            let isTail = range.map { value < $0.minimum || value >= $0.maximum } ?? false
            let next = edge + 1
            let isFull =
                ownHeld + Double(ownCounts[next]) > ownLimit || allHeld + Double(allCounts[next]) > allLimit
            guard isTail || isFull || required.contains(edge) else { continue }
            kept.append(edge)
            ownHeld = 0
            allHeld = 0
        }
        return kept
    }

    /// A profile counted by this plan, as nearly as another plan can tell: a bin goes where its upper edge lies, so what the two plans cut
    /// alike stays exact and the rest is off by no more than a bin.
    func recounted(_ profile: Profile, as other: GroupPlan) -> Profile {
        var result = Profile(other.layout)
        result.rows = profile.rows
        result.moments = profile.moments
        for (from, to) in zip(layout.columns, other.layout.columns) {
            for code in 0..<from.codeCount {
                var place = code
                if case .numeric(let bins, _) = from.bins, case .numeric(let target, _) = to.bins {
                    if code >= bins.count {
                        place = target.count + code - bins.count
                    } else {
                        place = code < bins.edges.count ? target.index(of: bins.edges[code]) : target.count - 1
                    }
                }
                result.counts[to.offset + place] &+= profile.counts[from.offset + code]
            }
        }
        return result
    }

    /// A profile in the shared layout, counted as this plan counts. `moments` stay as they are.
    func coarsened(_ profile: Profile, _ shared: Layout) -> Profile {
        var result = Profile(layout)
        result.rows = profile.rows
        result.moments = profile.moments
        let words = Self.firstWords(shared)
        for (c, column) in shared.columns.enumerated() {
            for code in 0..<column.codeCount {
                let own =
                    words[c] < 0 ? code : CodeRanks.own(CodeRanks.tag(UInt16(code)), ranks + words[c])
                result.counts[layout.columns[c].offset + own] &+= profile.counts[column.offset + code]
            }
        }
        return result
    }
}
