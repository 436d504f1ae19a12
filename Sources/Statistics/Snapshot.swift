package import Values

/// All statistics of one closed window of one model: what rules, the API, the dashboard, `/metrics`, `replay` and
/// alerts read. Immutable.
package struct Snapshot: Sendable {
    package let model: String
    package let window: TimeRange
    /// 1 for the first evaluation of the window, more where late knowledge revised it.
    package let revision: Int
    /// Model versions with rows in the window, in byte order.
    package let versions: [String]
    /// Name of the reference, for people: `fraud v14 reference`.
    package let referenceName: String
    /// Ordered by version (`*`, all versions together, first), segment, column; after them the rows of the volume.
    package var rows: [SnapshotRow]
    /// What the divergences were smoothed with, for people.
    package var smoothing = Smoothing.jeffreys

    package init(
        model: String, window: TimeRange, revision: Int, versions: [String], referenceName: String,
        rows: [SnapshotRow]
    ) {
        self.model = model
        self.window = window
        self.revision = revision
        self.versions = versions
        self.referenceName = referenceName
        self.rows = rows
    }
}

/// One (version, segment, column) of a snapshot.
package struct SnapshotRow: Sendable {
    /// All versions together.
    package static let allVersions = "*"
    /// The column, and the kind, of the line that holds a window's performance.
    package static let performanceColumn = "performance"
    /// The column, and the kind, of the row that says how many rows came and how many the season lets expect.
    package static let volumeColumn = "volume"
    /// The column, and the kind, of rows about a field of the events that the model does not list.
    package static let schemaColumn = "schema"

    package private(set) var version: String
    package let segment: Segment
    /// A feature's name, or `prediction`.
    package let column: String
    /// `numeric` or `categorical`.
    package let kind: String
    /// Rows of the window that have the column, nulls and invalid values included.
    package let n: UInt64
    package let null: UInt64
    package let referenceN: UInt64
    /// The segment whose reference was used: the row's own, or a parent where its own is too small.
    package let referenceSegment: Segment
    /// The reference segment's own quantiles found no room among the fine bins, so the distances use those of all traffic.
    package var borrowsBins = false
    /// Rows of the window that lack the field; nulls that were said are in `null` only.
    package var missing: UInt64 = 0
    /// Rows of the window with a value of a type the column does not have.
    package var wrongType: UInt64 = 0
    package var metrics: MetricValues
    /// The same metrics of the reference rows, for `reference(x)`; distances are absent.
    package var referenceMetrics: MetricValues
    package let comparison: Comparison
    /// The same histograms in the bins of all traffic, which every segment of a column shares: what attribution
    /// adds up. The reference side is the segment's own rows, even where the distances use a parent's.
    package let common: Comparison
    /// What the column is stuck at; `nil` where it varies.
    package var stuck: StuckValue?
    /// Of rows of column `schema`: the field that the model does not list.
    package var field: UnlistedField?
    /// Of the line `performance` alone.
    package var performance: PerformanceDetail?
    /// `common` against the reference rows of the same times of the week, where the column has a season and the window does
    /// not cover all of it alike; what detectors judge. `nil` where `common` is as good.
    package var alike: Comparison?
    /// How much windows of this length differ although nothing is wrong, as far as the reference shows.
    package var wobble = Wobble()

    package init(
        version: String, segment: Segment, column: String, kind: String, n: UInt64, null: UInt64, referenceN: UInt64,
        referenceSegment: Segment, metrics: MetricValues, referenceMetrics: MetricValues, comparison: Comparison,
        common: Comparison
    ) {
        self.version = version
        self.segment = segment
        self.column = column
        self.kind = kind
        self.n = n
        self.null = null
        self.referenceN = referenceN
        self.referenceSegment = referenceSegment
        self.metrics = metrics
        self.referenceMetrics = referenceMetrics
        self.comparison = comparison
        self.common = common
    }

    /// The same row under another version's name, where a window has only one.
    package func relabelled(version: String) -> SnapshotRow {
        var copy = self
        copy.version = version
        return copy
    }
}

/// A key of `features` that is no column of the model.
package struct UnlistedField: Sendable, Hashable {
    /// `(other)` stands for all beyond the number that is kept.
    package let name: String
    /// Types its values had, as JSON names them, the most frequent first.
    package let types: [String]

    package init(name: String, types: [String]) {
        self.name = name
        self.types = types
    }
}

/// The two histograms behind a row's distances, in the bins the distances use.
package struct Comparison: Sendable, Hashable {
    /// Numeric: the finite edges between the bins (one fewer than bins). Empty for categorical columns.
    package let edges: [Double]
    /// Categorical: a name per bin, the last being unseen values, before it rare ones where there are any. Empty for
    /// numeric columns.
    package let categories: [String]
    package let reference: [UInt64]
    package let current: [UInt64]
    package let referenceNulls: UInt64
    package let currentNulls: UInt64

    package init(
        edges: [Double], categories: [String], reference: [UInt64], current: [UInt64], referenceNulls: UInt64,
        currentNulls: UInt64
    ) {
        self.edges = edges
        self.categories = categories
        self.reference = reference
        self.current = current
        self.referenceNulls = referenceNulls
        self.currentNulls = currentNulls
    }
}
