import Monitor
import Statistics
import Testing

@Suite struct CompareCountsTests {
    private func counts(_ text: String) throws(Compare.Failure) -> CompareReport {
        try Compare.counts(Array(text.utf8), name: "c.json", options: .init())
    }

    @Test func `open tails and closed bins are told apart and named`() throws {
        let open = try counts(#"{"kind":"numeric","edges":[0,1,2],"reference":[1,2,3,4],"current":[4,3,2,1]}"#)
        #expect(open.notes == ["4 bins, the first and last are open tails"])
        let closed = try counts(#"{"kind":"numeric","edges":[0,1,2],"reference":[10,30],"current":[30,10]}"#)
        #expect(closed.notes == ["2 bins, each between two edges"])
        #expect(closed.columns[0]["wasserstein"] == 0.5)
        #expect(closed.columns[0]["ks"] == 0.5)
        #expect(closed.columns[0]["tvd"] == 0.5)
        #expect(closed.columns[0]["l_infinity"] == 0.5)
    }

    @Test func `mass of an open tail lies at its edge`() throws {
        let report = try counts(#"{"kind":"numeric","edges":[0,10],"reference":[5,0,5],"current":[0,0,10]}"#)
        #expect(report.columns[0]["wasserstein"] == 5)
    }

    @Test func `bins without edges have an order and no distance in units`() throws {
        let report = try counts(#"{"kind":"numeric","reference":[1,2,3],"current":[3,2,1]}"#)
        #expect(report.columns[0]["ks"] != nil)
        #expect(report.columns[0]["wasserstein"] == nil)
    }

    @Test func `categories keep their names and bins`() throws {
        let report = try counts(
            #"{"kind":"categorical","categories":["a","b","c"],"reference":[100,0,50],"current":[10,90,50.0]}"#)
        #expect(report.columns[0].comparison.categories == ["a", "b", "c"])
        #expect(report.columns[0]["ks"] == nil)
        #expect(report.columns[0]["tvd"] == 0.6)
        #expect(report.exitCode == 1)
    }

    @Test func `counts that add up to nothing have no distances`() throws {
        let report = try counts(#"{"kind":"numeric","edges":[1],"reference":[5,5],"current":[0,0]}"#)
        #expect(report.columns[0].metrics.allSatisfy { $0.value == nil })
        #expect(report.exitCode == 0)
        #expect(report.notes.last == "current counts nothing: no distance can be said")
    }

    @Test(arguments: [
        ("", "not JSON"), ("[]", "not a JSON object"), ("{}", "kind must be"),
        (#"{"kind":"numeric","edges":[1],"reference":[5,NaN],"current":[0,0]}"#, "NaN and Infinity"),
        (#"{"kind":"ordinal","reference":[1],"current":[1]}"#, "kind must be"),
        (#"{"kind":"numeric","edges":[1],"current":[1,2]}"#, "reference must be an array"),
        (#"{"kind":"numeric","edges":[1],"reference":[],"current":[]}"#, "reference is empty"),
        (#"{"kind":"numeric","edges":[1],"reference":[1,2],"current":[1]}"#, "over the same bins"),
        (#"{"kind":"numeric","edges":[1],"reference":[1,-2],"current":[1,2]}"#, "reference[1] is -2: expected a count"),
        (#"{"kind":"numeric","edges":[1],"reference":[1,2],"current":[1,2.5]}"#, "current[1] is 2.5: expected a count"),
        (#"{"kind":"numeric","edges":[1],"reference":[1,"2"],"current":[1,2]}"#, "expected a count"),
        (#"{"kind":"numeric","edges":[1],"reference":[1,1e300],"current":[1,2]}"#, "expected a count"),
        (#"{"kind":"numeric","edges":[1,2],"reference":[1,2],"current":[1,2]}"#, "expected 1 edges"),
        (#"{"kind":"numeric","edges":[2,1],"reference":[1,2,3],"current":[1,2,3]}"#, "edges must ascend"),
        (#"{"kind":"numeric","edges":[1,null],"reference":[1,2,3],"current":[1,2,3]}"#, "expected a finite number"),
        (#"{"kind":"categorical","categories":["a"],"reference":[1,2],"current":[1,2]}"#, "categories must be 2 texts"),
    ])
    func `a wrong file says what was expected`(text: String, reason: String) {
        let error = #expect(throws: Compare.Failure.self) { try counts(text) }
        #expect(error?.description.contains(reason) == true, "\(error?.description ?? "")")
    }

    @Test func `a file that is not there is named`() {
        let error = #expect(throws: Compare.Failure.self) {
            try Compare.counts(file: "/nowhere/c.json", options: .init())
        }
        #expect(error?.description.hasPrefix("/nowhere/c.json: ") == true)
    }
}
