import Events
import Monitor
import Testing
import Values

@Suite struct CompareInputTests {
    private let ramp = (0..<200).map(Double.init)

    /// No value of the report is NaN or infinite, in memory or in its JSON.
    private func expectNumbers(_ report: CompareReport) {
        let text = report.jsonText
        for word in [":nan", ":inf", ":-inf", ",nan", ",inf", ",-inf"] { #expect(!text.contains(word)) }
        #expect((try? JSON(parsing: text.utf8)) != nil)
        for column in report.columns {
            #expect(column.metrics.allSatisfy { $0.value?.isFinite ?? true }, "\(column.name)")
        }
    }

    @Test func `identical rows are no distance apart`() throws {
        let rows = CompareFixture.numbers(ramp)
        let column = try CompareFixture.compare(rows, rows).column("x")
        for metric in ["psi", "kl", "js_distance", "ks", "wasserstein", "wasserstein_normed", "energy", "chi2", "tvd"] {
            #expect(column[metric] == 0, "\(metric)")
        }
        #expect(column["ks_p"] == 1)
        #expect(!column.drifted)
    }

    @Test func `disjoint rows are as far apart as can be`() throws {
        let report = try CompareFixture.compare(
            CompareFixture.numbers(ramp), CompareFixture.numbers(ramp.map { $0 + 1_000 }))
        let column = try report.column("x")
        #expect(column["ks"] == 1)
        #expect(column["wasserstein"] == 1_000)
        #expect(column["out_of_range_rate"] == 1)
        #expect(column.drifted)
        #expect(report.exitCode == 1)
    }

    @Test func `a threshold decides together with significance`() throws {
        var options = Compare.Options()
        options.threshold = 100
        let far = CompareFixture.numbers(ramp.map { $0 + 1_000 })
        #expect(try CompareFixture.compare(CompareFixture.numbers(ramp), far, options).exitCode == 0)
        // One row against one: PSI is large and says nothing.
        options.threshold = 0
        let single = try CompareFixture.compare(["{\"x\":1}"], ["{\"x\":2}"], options)
        #expect(single.exitCode == 0)
        #expect(try single.column("x").n == 1)
    }

    @Test func `a column of nulls has counts and no distances`() throws {
        let nulls = [String](repeating: "{\"x\":null}", count: 50)
        for (first, second) in [
            (CompareFixture.numbers(ramp), nulls), (nulls, CompareFixture.numbers(ramp)), (nulls, nulls),
        ] {
            let report = try CompareFixture.compare(first, second)
            let column = try report.column("x")
            #expect(column["psi"] == nil)
            #expect(column["ks"] == nil)
            // Values that vanish or appear altogether are a change that no distance can tell.
            #expect(column.drifted == (first != second))
            expectNumbers(report)
        }
        let column = try CompareFixture.compare(CompareFixture.numbers(ramp), nulls).column("x")
        #expect(column.null == 50)
        #expect(column["null_rate"] == 1)
        #expect(try #require(column["psi_with_nulls"]) > 1)
    }

    @Test func `a constant column is a distribution`() throws {
        let ones = [String](repeating: "{\"x\":1,\"c\":\"a\"}", count: 100)
        let twos = [String](repeating: "{\"x\":2,\"c\":\"b\"}", count: 100)
        for convention in [nil] + CompareConvention.allCases.map(Optional.some) {
            let options = CompareFixture.options(convention)
            let same = try CompareFixture.compare(ones, ones, options)
            #expect(same.drifted == 0)
            let other = try CompareFixture.compare(ones, twos, options)
            #expect(other.drifted == 2, "\(String(describing: convention))")
            #expect(try other.column("c").newCategories == ["b"])
        }
    }

    @Test func `a column of one side is reported and named`() throws {
        let report = try CompareFixture.compare(
            ["{\"x\":1,\"gone\":\"a\"}", "{\"x\":2,\"gone\":\"b\"}"], ["{\"x\":1,\"new\":5}", "{\"x\":2,\"new\":6}"])
        #expect(Set(report.columns.map(\.name)) == ["x", "gone", "new"])
        #expect(try report.column("gone").null == 2)
        #expect(try report.column("new").referenceNull == 2)
        #expect(try report.column("new").isNumeric)
        #expect(report.notes.count == 2)
        #expect(report.notes[0].contains("'gone' is in before only"))
    }

    @Test func `texts in a numeric column are invalid, not values`() throws {
        let mixed =
            CompareFixture.numbers(ramp)
            + ["{\"x\":\"oops\"}", "{\"x\":\"NaN\"}"]
        let column = try CompareFixture.compare(CompareFixture.numbers(ramp), mixed).column("x")
        #expect(column.isNumeric)
        #expect(column["invalid_rate"] == 2.0 / 202)
        #expect(column["ks"] == 0)
    }

    @Test func `extreme magnitudes give no infinity`() throws {
        let huge = CompareFixture.numbers([1e308, -1e308, 1.7e308, -1.7e308, Double.leastNonzeroMagnitude, 0])
        for convention in [nil] + CompareConvention.allCases.map(Optional.some) {
            let report = try CompareFixture.compare(huge, huge.reversed(), CompareFixture.options(convention))
            expectNumbers(report)
        }
    }

    @Test func `a segment is compared with its own reference where that has rows enough`() throws {
        func rows(_ country: String, _ count: Int, from: Int) -> [String] {
            (0..<count).map { "{\"x\":\(from + $0),\"country\":\"\(country)\"}" }
        }
        var options = Compare.Options()
        options.segments = [["country"]]
        let report = try CompareFixture.compare(
            rows("BR", 100, from: 0) + rows("US", 10, from: 0) + rows("FR", 40, from: 0),
            rows("BR", 100, from: 500) + rows("US", 100, from: 0) + rows("MX", 5, from: 0), options)
        func column(_ country: String) throws -> CompareColumn {
            try #require(report.columns.first { $0.name == "x" && $0.segment["country"] == country })
        }
        #expect(try column("BR").referenceN == 100)
        #expect(try column("BR").drifted)
        // Ten rows are too few: all of the reference stands in, and the report says so.
        #expect(try column("US").referenceN == 150)
        #expect(try column("US").referenceSegment.isAll)
        #expect(try column("MX").n == 5)
        #expect(try column("FR").n == 0)
        #expect(try column("FR")["psi"] == nil)
        options.segments = [["planet"]]
        let failure = #expect(throws: Compare.Failure.self) {
            try CompareFixture.compare(rows("BR", 1, from: 0), rows("BR", 1, from: 0), options)
        }
        #expect(failure?.description == "no row has the segment 'planet'; the rows have: x, country")
    }

    @Test func `identifiers are left out and named`() throws {
        let rows = (0..<10_001).map { "{\"x\":\($0 % 7),\"transaction\":\"t\($0)\"}" }
        let report = try CompareFixture.compare(rows, rows)
        #expect(report.columns.map(\.name) == ["x"])
        #expect(report.notes[0].contains("identifier"))
    }

    @Test func `hundreds of thousands of rows are not quadratic`() throws {
        let values = (0..<120_000).map { Double(($0 &* 7_919) % 100_003) / 7 }
        let report = try CompareFixture.compare(
            CompareFixture.numbers(values), CompareFixture.numbers(values.reversed()))
        #expect(try report.column("x")["energy"] == 0)
    }

    @Test(arguments: [
        ("", ".csv"), ("a,b\n", ".csv"), ("", ".jsonl"), ("nonsense\n", ".jsonl"), ("PAR1....PAR1", ".parquet"),
    ])
    func `files without rows are refused by name`(text: String, suffix: String) throws {
        try CompareFixture.withFile(text, suffix) { path in
            for files in [
                (path, CompareFixture.path("hotel-current.csv")), (CompareFixture.path("hotel-current.csv"), path),
            ] {
                let error = #expect(throws: (any Error).self) {
                    try Compare.files(reference: files.0, current: files.1, options: .init())
                }
                #expect("\(error.map { "\($0)" } ?? "")".hasPrefix(path))
            }
        }
    }
}
