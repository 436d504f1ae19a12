package import Statistics
package import Values

/// What `holdfast compare` found: two sets of rows, column by column, as a value. Text, JSON and HTML are made of it.
///
/// Every metric is finite or absent. Columns stand by segment, all traffic first, and within one most drifted first.
package struct CompareReport: Sendable {
    /// One of the two inputs.
    package struct Side: Sendable, Hashable {
        package let file: String
        package let rows: UInt64
    }

    package let reference: Side
    package let current: Side
    package let columns: [CompareColumn]
    /// PSI above this, and beyond noise, is drift.
    package let threshold: Double
    /// Whose formulas the distances follow; `nil` for ours.
    package let convention: CompareConvention?
    /// What a person should know of how the input was read.
    package let notes: [String]

    init(
        reference: Side, current: Side, columns: [CompareColumn], options: Compare.Options, notes: [String]
    ) {
        self.reference = reference
        self.current = current
        self.columns = columns.sorted(by: CompareColumn.precedes)
        threshold = options.threshold
        convention = options.convention
        self.notes = notes
    }

    /// Rows of the report over the thresholds.
    package var drifted: Int { columns.count { $0.drifted } }

    /// The status of the process: 1 where a column is over the thresholds.
    package var exitCode: Int32 { drifted > 0 ? 1 : 0 }

    /// The rows of one segment at a time, in order.
    var sections: [(segment: Segment, columns: [CompareColumn])] {
        var list: [(segment: Segment, columns: [CompareColumn])] = []
        for column in columns {
            if list.last?.segment == column.segment {
                list[list.count - 1].columns.append(column)
            } else {
                list.append((column.segment, [column]))
            }
        }
        return list
    }

    /// The JSON form on one line.
    package var jsonText: String { json.text + "\n" }

    /// The machine-readable form. The members of `metrics` are always the same for one kind of column: a metric that
    /// cannot be said is `null`.
    package var json: JSON {
        func side(_ side: Side) -> JSON {
            .members(("file", .string(side.file)), ("rows", .integer(Int64(clamping: side.rows))))
        }
        return .members(
            ("reference", side(reference)), ("current", side(current)),
            ("convention", convention.map { .string($0.rawValue) }), ("threshold", .number(threshold)),
            ("columns", .array(columns.map(\.json))), ("drifted", .int(drifted)),
            ("notes", notes.isEmpty ? nil : .array(notes.map { .string($0) })))
    }
}

/// A metric by name; `nil` where it cannot be said from these rows.
package struct CompareMetric: Sendable, Hashable {
    package let name: String
    package let value: Double?

    init(_ name: String, _ value: Double?) {
        self.name = name
        // Never NaN, infinite or negative zero in output.
        self.value = value.flatMap { $0.isFinite ? $0 + 0 : nil }
    }
}

/// One column in one segment.
package struct CompareColumn: Sendable {
    package let name: String
    package let isNumeric: Bool
    package let segment: Segment
    /// The segment whose reference rows were used: the column's own, or all traffic where its own are too few.
    package let referenceSegment: Segment
    package let n: UInt64
    package let referenceN: UInt64
    package let null: UInt64
    package let referenceNull: UInt64
    package let metrics: [CompareMetric]
    /// What describes the reference rows alone.
    package let referenceMetrics: [CompareMetric]
    /// The histograms behind `psi` and its kin.
    package let comparison: Comparison
    /// Categories the reference never had, most frequent first.
    package let newCategories: [String]
    /// The shape to draw: shares of both sides by bin.
    package let chart: CompareChart
    package let psi: Double?
    package let psiP: Double?
    package let drifted: Bool

    package subscript(metric: String) -> Double? { metrics.first { $0.name == metric }?.value }

    func reference(_ metric: String) -> Double? { referenceMetrics.first { $0.name == metric }?.value }

    /// Segments in order; then drifted ones, then by PSI, then by name.
    static func precedes(_ a: CompareColumn, _ b: CompareColumn) -> Bool {
        if a.segment != b.segment { return a.segment < b.segment }
        if a.drifted != b.drifted { return a.drifted }
        let psi = (a.psi ?? -1, b.psi ?? -1)
        return psi.0 != psi.1 ? psi.0 > psi.1 : a.name < b.name
    }

    var json: JSON {
        func object(_ metrics: [CompareMetric]) -> JSON {
            .object(metrics.map { JSON.Member($0.name, $0.value.map { .number($0) } ?? .null) })
        }
        func count(_ value: UInt64) -> JSON { .integer(Int64(clamping: value)) }
        func counts(_ values: [UInt64]) -> JSON { .array(values.map(count)) }
        // Spelled out: a bare `nil` here would be JSON's null, which is a member.
        let parent: JSON? = referenceSegment == segment ? Optional.none : .some(referenceSegment.json)
        let bins: JSON =
            isNumeric ? .numbers(comparison.edges) : .array(comparison.categories.map { .string($0) })
        let histogram = JSON.members(
            (isNumeric ? "edges" : "categories", bins), ("reference", counts(comparison.reference)),
            ("current", counts(comparison.current)))
        return .members(
            ("column", .string(name)), ("kind", .string(isNumeric ? "numeric" : "categorical")),
            ("segment", segment.json),
            ("reference_segment", parent),
            ("n", count(n)), ("reference_n", count(referenceN)), ("null", count(null)),
            ("reference_null", count(referenceNull)), ("metrics", object(metrics)),
            ("reference_metrics", object(referenceMetrics)), ("histogram", histogram),
            ("new_categories", isNumeric ? nil : .array(newCategories.map { .string($0) })),
            ("drifted", .bool(drifted)))
    }
}
