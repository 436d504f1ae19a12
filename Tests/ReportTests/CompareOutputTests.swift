import Events
import Monitor
import Testing
import Values

@Suite struct CompareOutputTests {
    @Test func `the JSON form is the same bytes every time`() throws {
        let first = try CompareFixture.hotel().jsonText
        for _ in 0..<3 { #expect(try CompareFixture.hotel().jsonText == first) }
    }

    @Test func `the JSON form has the promised members`() throws {
        var options = Compare.Options()
        options.segments = [["hotel"]]
        let report = try CompareFixture.hotel(options)
        let json = try JSON(parsing: report.jsonText.utf8)
        #expect(json["reference"]?["rows"]?.integerValue == 700)
        #expect(json["current"]?["rows"]?.integerValue == 500)
        #expect(json["drifted"]?.integerValue == Int64(report.drifted))
        let columns = try #require(json["columns"]?.arrayValue)
        #expect(columns.count == 27)
        for column in columns {
            for key in [
                "column", "kind", "segment", "n", "reference_n", "null", "reference_null", "metrics", "drifted",
            ] {
                #expect(column[key] != nil, "\(key)")
            }
            #expect(column["reference_segment"] != JSON.null)
        }
        let numeric = columns.filter { $0["kind"]?.stringValue == "numeric" }.map {
            $0["metrics"]?.objectValue?.map(\.key) ?? []
        }
        #expect(Set(numeric).count == 1)
        #expect(columns[0]["segment"]?.objectValue?.isEmpty == true)
    }

    @Test func `most drifted columns come first`() throws {
        let report = try CompareFixture.hotel()
        let psi = report.columns.map { $0.psi ?? -1 }
        #expect(psi == psi.sorted(by: >))
        #expect(report.exitCode == 1)
    }

    @Test(arguments: [60, 80, 120, 200])
    func `the table keeps to the width and uses no colour unasked`(width: Int) throws {
        let text = CompareTable(try CompareFixture.hotel(), style: CompareStyle(width: width, hasColour: false)).text
        #expect(!text.contains("\u{1b}"))
        #expect(!text.contains(" \n"))
        for line in text.split(separator: "\n") where !line.contains("/") { #expect(line.count <= width, "\(line)") }
        #expect(text.contains("drifted (psi > 0.2 and p < 0.001)"))
    }

    @Test func `data cannot write to the terminal or into the page`() throws {
        let name = "<script>alert(1)</script>\\u001b[31m"
        let rows = (0..<40).map { "{\"\(name)\":\"\($0 % 2 == 0 ? "<b>&" : "\\u001b]0;x\\u0007")\"}" }
        let report = try CompareFixture.compare(rows, rows.reversed())
        let text = CompareTable(report, style: CompareStyle(width: 120, hasColour: false)).text
        #expect(!text.contains("\u{1b}") && !text.contains("\u{7}"))
        let page = ComparePage(report).html
        #expect(!page.contains("<script") && !page.contains("<b>&") && page.contains("&lt;b&gt;&amp;"))
        #expect(!page.contains("\u{1b}"))
    }

    @Test func `the page stands alone`() throws {
        let page = ComparePage(try CompareFixture.hotel()).html
        for outside in ["http:", "https:", "src=", "@import", "url("] { #expect(!page.contains(outside), "\(outside)") }
        #expect(page.contains("prefers-color-scheme:dark"))
        #expect(page.split(separator: "<svg").count - 1 == 9)
    }

    @Test func `a smoothing nobody knows is refused`() {
        var options = Compare.Options()
        #expect(throws: (any Error).self) { try options.setSmoothing("lots") }
        #expect(throws: Never.self) { try options.setSmoothing("floor(1e-4)") }
    }
}
