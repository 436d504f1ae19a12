import Detection
import Testing
import Values

@testable import Rules
@testable import Statistics

/// What a detector is told of a value that is stuck.
struct StuckEvidenceTests {
    private static let wide = Comparison(
        edges: [1, 2], categories: [], reference: [40_000, 2000, 8000], current: [0, 60, 40], referenceNulls: 0,
        currentNulls: 0)

    private static func row(own reference: [UInt64]) -> SnapshotRow {
        var row = SnapshotRow(
            version: "*", segment: .all, column: "pressure", kind: "numeric", n: 100, null: 0, referenceN: 50_000,
            referenceSegment: .all, metrics: MetricValues(), referenceMetrics: MetricValues(), comparison: wide,
            common: Comparison(
                edges: [1, 2], categories: [], reference: reference, current: [0, 60, 40], referenceNulls: 0,
                currentNulls: 0))
        row.stuck = StuckValue(value: .number(1.5, isExact: false), count: 60, referenceCount: 2000, rate: 0.58)
        return row
    }

    @Test func `the reference's share of the value is that of the rows it was sought in, however many are compared`() {
        let counts = StreamCounts.counts(of: Self.row(own: [400, 20, 80]), .stuck_rate)
        #expect(counts.current == [40, 60] && counts.reference == [480, 20])
    }

    @Test func `rows that stand at one value by nature are one reading, not many`() {
        var row = Self.row(own: [400, 20, 80])
        row.wobble = Wobble(standing: 0.3)
        #expect(StreamCounts.wobble(of: row, .stuck_rate) == 0.3)
        #expect(StreamCounts.wobble(of: row, .out_of_range_rate) == 0.3, "and they leave a range together")
    }
}
