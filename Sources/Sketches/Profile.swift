/// The counts of every column over one group of rows: what a pane, a window or a reference knows of a segment.
///
/// Profiles of one layout form a commutative monoid under `merge`: order and grouping never change a bit.
package struct Profile: Sendable, Hashable {
    package var rows: UInt64 = 0
    package var counts: [UInt64]
    package var moments: [Moments]
    /// Rows with fields that the model does not list. Not part of `encode`: `PackedProfile.stored` keeps them beside it.
    package var fields = FieldCounts()

    package init(_ layout: Layout) {
        counts = [UInt64](repeating: 0, count: layout.codeCount)
        moments = [Moments](repeating: Moments(), count: layout.momentsCount)
    }

    /// Adds another profile of the same layout. O(counters).
    package mutating func merge(_ other: Profile) {
        precondition(counts.count == other.counts.count && moments.count == other.moments.count, "layouts differ")
        rows &+= other.rows
        for i in counts.indices { counts[i] &+= other.counts[i] }
        for i in moments.indices { moments[i].merge(other.moments[i]) }
        fields.merge(other.fields)
    }

    /// Takes a column as another profile of the same layout has it.
    package mutating func take(_ column: Layout.Column, from other: Profile) {
        for i in column.offset..<column.offset + column.codeCount { counts[i] = other.counts[i] }
        if let m = column.momentsIndex { moments[m] = other.moments[m] }
    }

    package func column(_ column: Layout.Column) -> ColumnProfile {
        ColumnProfile(
            bins: Array(counts[column.offset..<column.offset + column.bins.count]),
            null: counts[column.offset + column.code(.null)],
            missing: counts[column.offset + column.code(.missing)],
            invalid: counts[column.offset + column.code(.invalid)],
            wrongType: counts[column.offset + column.code(.wrongType)],
            moments: column.momentsIndex.map { moments[$0] })
    }
}

/// One column of a `Profile`.
package struct ColumnProfile: Sendable, Hashable {
    /// Counts of valid values by bin.
    package var bins: [UInt64]
    package var null: UInt64
    package var missing: UInt64
    package var invalid: UInt64
    package var wrongType: UInt64
    /// Numeric columns only.
    package var moments: Moments?

    package init(
        bins: [UInt64], null: UInt64 = 0, missing: UInt64 = 0, invalid: UInt64 = 0, wrongType: UInt64 = 0,
        moments: Moments? = nil
    ) {
        self.bins = bins
        self.null = null
        self.missing = missing
        self.invalid = invalid
        self.wrongType = wrongType
        self.moments = moments
    }

    /// Rows with a usable value.
    package var valid: UInt64 { bins.reduce(0, &+) }
    /// Rows without a value, said explicitly or not.
    package var nulls: UInt64 { null &+ missing }
    /// Rows whose value cannot be used.
    package var invalids: UInt64 { invalid &+ wrongType }
    /// All rows that have this column.
    package var rows: UInt64 { valid &+ nulls &+ invalids }
}
