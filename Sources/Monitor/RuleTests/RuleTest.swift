import Rules
import Sketches
import Statistics
import StrictYAML
import Values

/// One test of a rule test file: what the windows of a model hold, and which alerts must follow.
struct RuleTest: Sendable {
    /// A column's bins and its reference, unless a series has its own.
    struct Column: Sendable {
        let bins: ColumnBins
        /// Edges between the bins that distances use, as indices into the fine edges.
        let cuts: [Int]
        let reference: ColumnProfile?
        /// Counts a series of this column has in each window.
        let width: Int
        /// One more count is allowed: values the reference never had.
        let allowsUnseen: Bool
    }

    /// What identifies a row of a snapshot.
    struct Row: Hashable, Comparable, Sendable {
        let version: String
        let segment: Segment
        let column: String
        /// Of column `schema`: the field that the model does not list.
        let field: String?

        static func < (a: Row, b: Row) -> Bool {
            (a.version, a.segment, a.column, a.field ?? "") < (b.version, b.segment, b.column, b.field ?? "")
        }
    }

    /// Counts of a row by window, for the real statistics.
    struct Counts: Sendable {
        let column: Column
        let reference: ColumnProfile?
        let windows: [ColumnProfile?]
    }

    /// One metric of a row by window, stated.
    struct Values: Sendable {
        let metric: Metric
        let reference: Double?
        let windows: [Double?]
        /// Rows the row has where nothing else says.
        let rows: UInt64
    }

    struct Series: Sendable {
        enum Content: Sendable {
            case counts(Counts)
            case values(Values)
        }

        let row: Row
        let content: Content

        var length: Int {
            switch content {
            case .counts(let counts): counts.windows.count
            case .values(let values): values.windows.count
            }
        }
    }

    struct Expectation: Sendable {
        enum State: String, CaseIterable, Sendable {
            case pending, firing, recovering
            /// Neither pending nor firing.
            case inactive
        }

        let at: Span
        let alert: String
        let state: State
        /// Labels the instance must have, among others.
        let labels: [String: String]
        let annotations: [String: String]
        /// How many instances must match; `nil` for at least one.
        let count: Int?
        let health: AlertInstance.Health?
        let place: Place
    }

    let name: String
    let model: String
    let every: Span
    let start: Timestamp
    let smoothing: Smoothing
    /// Kinds of columns that only have stated values.
    let kinds: [String: String]
    let series: [Series]
    let roles: RoleHistory
    let expectations: [Expectation]
    let place: Place
}

/// A rule test file, read.
struct RuleTestFile: Sendable {
    let path: String
    let rules: RuleSet
    let tests: [RuleTest]
}
