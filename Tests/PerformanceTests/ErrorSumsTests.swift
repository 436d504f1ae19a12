import Sketches
import Statistics
import TestSupport
import Testing
import Values

/// Errors of a regression model whose values are not what its reference has.
struct ErrorSumsTests {
    private struct Figures {
        var mae = 0.0
        var rmse = 0.0
        var bias = 0.0
        var r2 = 0.0

        init(_ rows: [(value: Double, label: Double)]) {
            // In units of the largest, so that no square overflows.
            let unit = rows.reduce(0) { max($0, abs($1.value), abs($1.label)) }
            let n = Double(rows.count)
            let errors = rows.map { $0.value / unit - $0.label / unit }
            mae = errors.reduce(0) { $0 + abs($1) } / n * unit
            bias = errors.reduce(0, +) / n * unit
            let squares = errors.reduce(0) { $0 + $1 * $1 }
            rmse = (squares / n).squareRoot() * unit
            let mean = rows.reduce(0) { $0 + $1.label / unit } / n
            r2 = 1 - squares / rows.reduce(0) { $0 + ($1.label / unit - mean) * ($1.label / unit - mean) }
        }
    }

    private static func sums(_ rows: [(value: Double, label: Double)], exponent: Int) -> ErrorSums {
        var sums = ErrorSums(exponent: exponent)
        for row in rows { sums.add(value: row.value, label: row.label) }
        return sums
    }

    @Test(arguments: [50.0, 1e4, 1e9, 1e30, 1e150, 1e300])
    func `a value far beyond the reference leaves every figure as it is`(outlier: Double) {
        var random = SeededGenerator(seed: 71)
        var rows = (0..<2_000).map { _ -> (value: Double, label: Double) in
            let label = Double.random(in: -1...1, using: &random)
            return (label + Double.random(in: -0.1...0.1, using: &random), label)
        }
        rows[7].label = outlier
        rows[1_200].value = -outlier
        rows[1_500] = (outlier, outlier * 1.01)
        let exponent = Moments.exponent(forMagnitude: 1)
        let ours = Self.sums(rows, exponent: exponent)
        let theirs = Figures(rows)
        #expect(ours.rows == 2_000)
        #expect(agree(ours.mae, theirs.mae, relative: 1e-8))
        #expect(agree(ours.rmse, theirs.rmse, relative: 1e-8))
        #expect(agree(ours.bias, theirs.bias, relative: 1e-7))
        #expect(agree(ours.r2, theirs.r2, relative: 1e-8))
        #expect(ours.mape != nil)
    }

    @Test func `labels far from zero and near each other keep their spread`() {
        var random = SeededGenerator(seed: 72)
        // The reference had values around 1; these are all around a million.
        let rows = (0..<3_000).map { _ -> (value: Double, label: Double) in
            let label = 1e6 + Double.random(in: -1...1, using: &random)
            return (label + Double.random(in: -0.5...0.5, using: &random), label)
        }
        let ours = Self.sums(rows, exponent: Moments.exponent(forMagnitude: 1))
        let near = Figures(rows.map { ($0.value - 1e6, $0.label - 1e6) })
        #expect(agree(ours.r2, near.r2, relative: 1e-4) && agree(ours.mae, near.mae, relative: 1e-4))
    }

    @Test func `merging, taking back and bytes keep what is far`() throws {
        var random = SeededGenerator(seed: 73)
        let rows = (0..<300).map { i -> (value: Double, label: Double) in
            let size = [1.0, 1.0, 1e5, 1e40, 1e290][i % 5]
            return (Double.random(in: -size...size, using: &random), Double.random(in: -size...size, using: &random))
        }
        func sketch(_ rows: some Sequence<(value: Double, label: Double)>) -> PerformanceSketch {
            var sketch = PerformanceSketch(.regression, exponent: 40)
            for row in rows { Self.add(row, to: &sketch) }
            return sketch
        }
        let whole = sketch(rows)
        var merged = sketch(rows[..<100])
        merged.merge(sketch(rows[100...].shuffled(using: &random)))
        #expect(merged.encode() == whole.encode())
        #expect(try PerformanceSketch(decoding: whole.encode()) == whole)
        let kept = sketch(rows.prefix(1))
        var passing = kept
        for row in rows { Self.add(row, to: &passing) }
        for row in rows { Self.add(row, to: &passing, times: -1) }
        #expect(passing == kept && passing.encode().first == 1, "no room is kept for what is gone")
    }

    @Test func `rows that an older program left out of its sums are counted as unusable`() throws {
        var sketch = PerformanceSketch(.regression, exponent: 20)
        for i in 0..<3 {
            sketch.add(
                PerformancePair(.regression(value: Double(i) + 1, label: Double(i)), delay: .zero), delayed: false)
        }
        var bytes = sketch.encode()
        // Format, task, five counts, two lists of delays, level and number of scores, exponent, rows, and then those left out: one.
        #expect(bytes[12] == 6 && bytes[13] == 0)
        bytes[12] = 8
        bytes[13] = 2
        let read = try PerformanceSketch(decoding: bytes)
        #expect(read.errors.rows == 3 && read.unusable == 1 && read.metrics[.mae] == 1)
    }

    private static func add(
        _ row: (value: Double, label: Double), to sketch: inout PerformanceSketch, times: Int64 = 1
    ) {
        sketch.add(
            PerformancePair(.regression(value: row.value, label: row.label), delay: .zero), delayed: false,
            times: times)
    }
}
