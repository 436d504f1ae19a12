package import Values

/// What normal looks like: the columns of a model with their bins, and a profile of the reference rows for all traffic
/// and for every segment.
package struct Reference: Sendable {
    /// The reference of one segment.
    package struct Group: Sendable {
        package let segment: Segment
        package let profile: Profile
        /// For each column of the layout, the edges (indices into the fine edges) that divide it for `psi` and its
        /// kin: the segment's own quantiles, which are always fine edges too. Empty for categorical columns.
        package let cuts: [[Int]]
        /// By column: its rows by the cells of the column's season, `nil` where it has none.
        package var seasons: [SeasonCounts?]
        /// Rows by hour of the week, `nil` where the reference rows have no times.
        package var week: WeekRows?
        /// By column: how much its rows differ between spans of time; empty where the reference rows have no times.
        package var wobbles: [SpanWobbles]

        package init(
            segment: Segment, profile: Profile, cuts: [[Int]], seasons: [SeasonCounts?] = [], week: WeekRows? = nil,
            wobbles: [SpanWobbles] = []
        ) {
            self.segment = segment
            self.profile = profile
            self.cuts = cuts
            self.seasons = seasons
            self.week = week
            self.wobbles = wobbles
        }

        package func season(_ column: Int) -> SeasonCounts? { column < seasons.count ? seasons[column] : nil }
        package func wobble(_ column: Int) -> SpanWobbles { column < wobbles.count ? wobbles[column] : SpanWobbles() }
    }

    package let model: String
    package let version: String?
    /// Event time the rows span.
    package let period: TimeRange?
    package let layout: Layout
    /// Segmentations, each one or more dimensions.
    package let segmentations: [[String]]
    /// Number of bins `psi` and its kin use on numeric columns, 10 for deciles.
    package let bins: Int
    /// The season of each column, `nil` where its rows are alike at all times; empty in references of before there were any.
    package let seasons: [Season?]
    /// All traffic first.
    package let groups: [Group]
    private let index: [Segment: Int]

    package init(
        model: String, version: String?, period: TimeRange?, layout: Layout, segmentations: [[String]], bins: Int,
        seasons: [Season?] = [], groups: [Group]
    ) {
        precondition(groups.first?.segment.isAll == true, "the first group is all traffic")
        self.model = model
        self.version = version
        self.period = period
        self.layout = layout
        self.segmentations = segmentations
        self.bins = bins
        self.seasons = seasons
        self.groups = groups
        index = Dictionary(groups.enumerated().map { ($1.segment, $0) }, uniquingKeysWith: { a, _ in a })
    }

    package func season(_ column: Int) -> Season? { column < seasons.count ? seasons[column] : nil }

    package var all: Group { groups[0] }

    package func group(_ segment: Segment) -> Group? { index[segment].map { groups[$0] } }

    /// Fewer reference rows than this say too little: the parent's reference is used instead.
    package static let minimumRows: UInt64 = 30

    /// The group a segment is compared with: its own, or where that has fewer than `minimumRows` rows the first parent
    /// that has enough (one dimension fewer, in the order named), at last all traffic.
    package func comparisonGroup(for segment: Segment) -> Group {
        if let own = group(segment), own.profile.rows >= Self.minimumRows || segment.isAll { return own }
        if segment.parts.count > 1 {
            for drop in segment.parts.indices.reversed() {
                var parts = segment.parts
                parts.remove(at: drop)
                if let parent = group(Segment(parts)), parent.profile.rows >= Self.minimumRows { return parent }
            }
        }
        return all
    }
}
