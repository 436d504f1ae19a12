import Sketches
import Statistics
import TestSupport
import Testing

/// Which columns stand still, and which only look like it.
struct StuckValueTests {
    /// 200 bins of equal mass between 0 and 1.
    private static let column = Layout(columns: [
        ("x", .numeric(NumericBins(edges: (0...200).map { Double($0) / 200 }), exponent: 40))
    ]).columns[0]

    private static func profile(_ values: [Double]) -> ColumnProfile {
        guard case .numeric(let bins, let exponent) = column.bins else { preconditionFailure("numeric") }
        var counts = [UInt64](repeating: 0, count: bins.count)
        var moments = Moments()
        for value in values {
            counts[bins.index(of: value)] += 1
            moments.add(value, scale: Moments.scale(exponent: exponent))
        }
        return ColumnProfile(bins: counts, moments: moments)
    }

    private static let reference = profile((0..<10_000).map { (Double($0) + 0.5) / 10_000 })

    private static func find(_ values: [Double]) -> StuckValue? {
        StuckValue.find(column: column, reference: reference, current: profile(values))
    }

    private static func uniform(_ n: Int, _ random: inout SeededGenerator) -> [Double] {
        (0..<n).map { _ in Double.random(in: 0..<1, using: &random) }
    }

    @Test(arguments: [0.412, 7.5, -3])
    func `one value in all rows is told exactly, inside and outside the reference`(value: Double) {
        let found = Self.find([Double](repeating: value, count: 20))
        #expect(found?.value == .number(value, isExact: true) && found?.count == 20 && (found?.rate ?? 0) > 0.99)
    }

    @Test func `where windows are much alike by nature, only what nature never did is stuck`() {
        var random = SeededGenerator(seed: 4)
        let half = [Double](repeating: 0.412, count: 100) + Self.uniform(300, &random)
        func find(_ values: [Double], wobble: Double) -> StuckValue? {
            StuckValue.find(
                column: Self.column, reference: Self.reference, current: Self.profile(values), wobble: wobble)
        }
        #expect(find(half, wobble: 0) != nil && find(half, wobble: 0.6) == nil)
        #expect(find([Double](repeating: 0.412, count: 400), wobble: 0.6) != nil)
    }

    @Test func `a value that took over within the window is told by its narrow bin, with its share`() {
        var random = SeededGenerator(seed: 7)
        let found = Self.find(Self.uniform(60, &random) + [Double](repeating: 0.412, count: 40))
        guard case .number(let value, false)? = found?.value else {
            Issue.record("nothing found")
            return
        }
        #expect(abs(value - 0.412) <= 0.005 && abs((found?.rate ?? 0) - 0.4) < 0.03)
    }

    @Test func `varying columns, changed units and few rows are not stuck`() {
        var random = SeededGenerator(seed: 8)
        for n in [15, 100, 5_000] {
            #expect(Self.find(Self.uniform(n, &random)) == nil, "seed \(random.seed) rows \(n)")
        }
        // A hundredth: all rows in the first bins, but varying there.
        #expect(Self.find(Self.uniform(500, &random).map { $0 / 100 }) == nil)
        #expect(Self.find(Self.uniform(500, &random).map { $0 / 1_000 }) == nil)
        #expect(Self.find([Double](repeating: 0.4, count: 14)) == nil)
    }

    @Test func `a category must leave next to nothing else, and not have been nearly all before`() {
        let layout = Layout(columns: [("c", .categorical(CategoryBins(categories: ["a", "b"])))])
        func find(_ before: [UInt64], _ now: [UInt64]) -> StuckValue? {
            StuckValue.find(
                column: layout.columns[0], reference: ColumnProfile(bins: before + [0, 0]),
                current: ColumnProfile(bins: now + [0, 0]))
        }
        #expect(find([600, 400], [0, 100])?.value == .category("b"))
        #expect(find([600, 400], [20, 80]) == nil)
        #expect(find([950, 50], [100, 0]) == nil)
        #expect(find([600, 400], [16, 0]) == nil)
    }
}
