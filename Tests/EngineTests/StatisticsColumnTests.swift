import Sketches
import Statistics
import Testing

@Suite struct StatisticsColumnTests {
    private let layout = Layout(columns: [
        ("country", .categorical(CategoryBins(categories: ["BR", "US", "MX"], rare: ["FR"]))),
        ("amount", .numeric(NumericBins(edges: [(0.0).nextDown, 1, 2, 3, 4, 10]), exponent: 30)),
    ])

    @Test func `a category the segment's reference never had is unseen`() {
        let reference = ColumnProfile(bins: [60, 40, 0, 0, 0])
        let current = ColumnProfile(bins: [30, 40, 20, 5, 5])
        let result = columnMetrics(
            column: layout.columns[0], cuts: [], reference: reference, current: current, smoothing: .floor(1e-4))
        #expect(result.comparison.categories == ["BR", "US", "(unseen)"])
        #expect(result.comparison.current == [30, 40, 30])
        #expect(result.metrics[.new_category_rate] == 0.3)
        #expect(result.metrics[.cardinality] == 5)
        #expect(columnDescription(column: layout.columns[0], profile: reference)[.new_category_rate] == 0)
    }

    @Test func `rare categories have a bin where the reference has them`() {
        let result = columnMetrics(
            column: layout.columns[0], cuts: [], reference: ColumnProfile(bins: [60, 0, 1, 2, 0]),
            current: ColumnProfile(bins: [1, 1, 0, 1, 0]), smoothing: .jeffreys)
        #expect(result.comparison.categories == ["BR", "MX", "(rare)", "(unseen)"])
        #expect(result.comparison.current == [1, 0, 1, 1])
        let common = Comparison.common(
            column: layout.columns[0], cuts: [], reference: ColumnProfile(bins: [60, 0, 1, 2, 0]),
            current: ColumnProfile(bins: [1, 1, 0, 1, 0]))
        #expect(common.categories.count == 5)
        #expect(common.current == [1, 1, 0, 1, 0])
    }

    @Test func `without values there are counts and no distances`() {
        let metrics = columnMetrics(
            column: layout.columns[0], cuts: [], reference: ColumnProfile(bins: [1, 2, 3, 0, 0]),
            current: ColumnProfile(bins: [0, 0, 0, 0, 0], null: 3, missing: 1), smoothing: .jeffreys
        ).metrics
        #expect(
            metrics.present.map(\.metric) == [
                .count, .psi_with_nulls, .null_rate, .invalid_rate, .missing_rate, .wrong_type_rate,
            ])
        #expect(metrics[.count] == 4)
        #expect(metrics[.null_rate] == 1)
        let nothing = columnMetrics(
            column: layout.columns[0], cuts: [], reference: ColumnProfile(bins: [0, 0, 0, 0, 0]),
            current: ColumnProfile(bins: [0, 0, 0, 0, 0]), smoothing: .jeffreys)
        #expect(nothing.metrics.present.map(\.metric) == [.count])
    }

    @Test func `coarse bins are sums of fine ones and the tails are out of range`() throws {
        var reference = ColumnProfile(bins: [0, 10, 10, 10, 10, 20, 0], moments: Moments())
        var current = ColumnProfile(
            bins: [3, 1, 2, 3, 4, 5, 2], null: 4, invalid: 2, wrongType: 4, moments: Moments())
        for value in [0, 10] { reference.moments?.add(Double(value), scale: Moments.scale(exponent: 30)) }
        for value in [-5, 20] { current.moments?.add(Double(value), scale: Moments.scale(exponent: 30)) }
        let result = columnMetrics(
            column: layout.columns[1], cuts: [1, 3], reference: reference, current: current, smoothing: .jeffreys)
        #expect(result.comparison.edges == [1, 3])
        #expect(result.comparison.reference == [10, 20, 30])
        #expect(result.comparison.current == [4, 5, 11])
        #expect(result.metrics[.out_of_range_rate] == 0.25)
        #expect(result.metrics[.null_rate] == 4.0 / 30)
        #expect(result.metrics[.invalid_rate] == 6.0 / 30)
        #expect(result.metrics[.min] == -5)
        #expect(columnDescription(column: layout.columns[1], profile: reference)[.out_of_range_rate] == 0)
        #expect(try #require(result.metrics[.psi_with_nulls]) > (try #require(result.metrics[.psi])))
    }

    @Test(arguments: ["jeffreys", "laplace", "none", "floor(0.0001)"])
    func `a smoothing reads back from its own text`(text: String) throws {
        #expect(try Smoothing(parsing: text).description == text)
    }

    @Test(arguments: [
        "", "Jeffreys", "floor", "floor()", "floor(0)", "floor(-1)", "floor(nan)", "floor(0.5)", "floor(1e-4",
    ])
    func `a text that names no smoothing says what to write`(text: String) {
        let error = #expect(throws: SmoothingError.self) { try Smoothing(parsing: text) }
        #expect(error?.description.contains("floor(1e-4)") == true)
    }

    @Test func `without smoothing an empty bin leaves psi and kl unsaid`() {
        #expect(Distances.psi([5, 0], [5, 5], smoothing: .none) == nil)
        #expect(Distances.kl([5, 0], [5, 5], smoothing: .none) == nil)
        #expect(Distances.kl([5, 5], [5, 0], smoothing: .none) != nil)
        #expect(Distances.psi([5, 0, 3], [5, 0, 9], smoothing: .none) != nil)
    }
}
