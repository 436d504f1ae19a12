import Events
import Files
import Monitor
import Sketches
import Testing
import Values
import Windows

@Suite struct ReferenceReportTests {
    private func reference() throws -> Reference {
        var options = ReferenceBuilder.Options()
        options.model = "hotel"
        options.segmentations = [["hotel"], ["hotel", "meal"]]
        var builder = ReferenceBuilder(
            try TableReader.read([CompareFixture.path("hotel-reference.csv")]).table, options)
        return try builder.build()
    }

    private let style = CompareStyle(width: 110, hasColour: false)

    @Test func `all columns are shown with their shapes`() throws {
        let text = try ReferenceReport(reference()).text(style: style)
        #expect(text.hasPrefix("hotel\nrows      700\n"))
        for column in ["lead_time", "adr", "agent", "prediction"] { #expect(text.contains(column)) }
        #expect(text.contains("█"))
        for line in text.split(separator: "\n") { #expect(line.count <= 110, "\(line)") }
    }

    @Test func `JSON has one member for each column and no NaN`() throws {
        let json = try JSON(parsing: ReferenceReport(reference()).jsonText.utf8)
        #expect(json["rows"]?.integerValue == 700)
        let columns = try #require(json["columns"]?.arrayValue)
        #expect(columns.count == 9)
        let adr = try #require(columns.first { $0["column"]?.stringValue == "adr" })
        #expect(adr["histogram"]?["edges"]?.arrayValue?.count == 9)
        #expect(adr["histogram"]?["counts"]?.arrayValue?.compactMap(\.integerValue).reduce(0, +) == 700)
        #expect(adr["metrics"]?["p50"]?.numberValue != nil)
    }

    @Test func `a segment is found in any order`() throws {
        let report = try ReferenceReport(reference(), segment: "meal=BB,hotel=City Hotel", column: "adr")
        let json = try JSON(parsing: report.jsonText.utf8)
        #expect(json["segment"]?["hotel"]?.stringValue == "City Hotel")
        #expect(json["columns"]?.arrayValue?.count == 1)
        #expect(report.text(style: style).contains("hotel=City Hotel, meal=BB"))
    }

    @Test(arguments: [("hotel=Nowhere", "it has: hotel=City Hotel"), ("hotel", "write dimension=value")])
    func `a segment that is not there says what is`(segment: String, reason: String) throws {
        let reference = try reference()
        let error = #expect(throws: ReferenceReport.Failure.self) { try ReferenceReport(reference, segment: segment) }
        #expect(error?.description.contains(reason) == true)
    }

    @Test func `a column that is not there says what is`() throws {
        let reference = try reference()
        let error = #expect(throws: ReferenceReport.Failure.self) { try ReferenceReport(reference, column: "price") }
        #expect(error?.description.contains("it has: lead_time, adr") == true)
    }

    @Test func `a column of one value has a shape`() throws {
        var options = ReferenceBuilder.Options()
        options.model = "m"
        var builder = ReferenceBuilder(try CompareFixture.table(["{\"x\":1}", "{\"x\":1}"]), options)
        let text = try ReferenceReport(builder.build()).text(style: style)
        #expect(text.contains("█"))
    }
}
