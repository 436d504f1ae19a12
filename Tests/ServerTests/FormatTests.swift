import Statistics
import Testing
import Values

@testable import Server

/// Numbers, charts and the pieces of requests, without a server.
struct FormatTests {
    @Test(arguments: [
        (0.0, "0"), (0.05213, "0.0521"), (0.2, "0.2"), (0.41273, "0.413"), (12.5, "12.5"), (480, "480"),
        (1_250, "1,250"), (18_000, "18k"), (3_140_000, "3.1M"), (-0.25, "−0.25"), (-1_250, "−1,250"), (1e-9, "1e-09"),
        (.nan, "–"), (.infinity, "–"), (1e300, "1e+300"), (999.6, "1000"),
    ])
    func `numbers are short`(value: Double, text: String) { #expect(Format.number(value) == text) }

    @Test(arguments: [(0.0, "0%"), (0.0004, "<0.1%"), (0.012, "1.2%"), (0.0996, "10%"), (0.78, "78%"), (1.4, "140%")])
    func `shares are percent`(value: Double, text: String) { #expect(Format.percent(value) == text) }

    @Test func `times leave out what they need not say`() {
        #expect(Format.window(Fixture.window) == "2026-03-01 13:00–14:00 UTC")
        let night = TimeRange(start: Fixture.window.end, end: Fixture.window.end + .hours(12))
        #expect(Format.window(night) == "2026-03-01 14:00 – 2026-03-02 02:00 UTC")
        #expect(Format.time(Fixture.now) == "2026-03-01 14:05:12 UTC")
        #expect(Format.duration(.seconds(7_500)) == "2 h 5 min" && Format.duration(.zero) == "0 s")
        #expect(Format.count(1_234_567) == "1,234,567" && Format.count(7) == "7")
    }

    @Test func `many categories become eight and the others`() throws {
        func histogram(_ count: UInt64) -> Histogram? {
            Histogram(
                Comparison(
                    edges: [], categories: (0..<count).map { "c\($0)" }, reference: (0..<count).map { $0 + 1 },
                    current: (0..<count).map { _ in 1 }, referenceNulls: 0, currentNulls: 0))
        }
        let many = try #require(histogram(30))
        #expect(many.bins.count == 9 && many.bins.last?.label == "22 others" && many.bins.first?.label == "c29")
        #expect(abs(many.bins.reduce(0) { $0 + $1.reference } - 1) < 1e-12)
        #expect(histogram(9)?.bins.count == 9 && histogram(0) == nil)
    }

    @Test func `bins are named by their edges`() throws {
        let histogram = try #require(
            Histogram(
                Comparison(
                    edges: [1, 20_000], categories: [], reference: [1, 1, 2], current: [0, 0, 0], referenceNulls: 0,
                    currentNulls: 0)))
        #expect(histogram.bins.map(\.label) == ["up to 1", "1 to 20k", "above 20k"])
        #expect(histogram.bins.map(\.current) == [0, 0, 0])
        #expect(histogram.markup(.paired).contains("<title>1 to 20k: reference 25%, now 0%</title>"))
    }

    @Test func `a sparkline leaves gaps and needs a value`() {
        #expect(Sparkline(values: [nil, nil], about: "").markup == nil)
        #expect(Sparkline(values: [], about: "").markup == nil)
        let markup = Sparkline(values: [1, nil, 1, 1], threshold: 0.2, about: "x").markup
        #expect(markup?.contains("class=\"limit\"") == true)
        #expect(markup?.contains(#"d="M0.00 2.96h0M133.33 2.96h0L200.00 2.96""#) == true, "\(markup ?? "")")
    }

    @Test(
        arguments: [
            ("a%20b", "a b"), ("a+b", "a b"), ("%C3%A9", "é"), ("100%25", "100%"), ("%2525", "%25"), ("%", nil),
            ("%f", nil),
            ("%zz", nil), ("%ff", nil),
        ] as [(String, String?)])
    func `percent encoding is undone once`(text: String, decoded: String?) {
        #expect(PercentCoding.decode(text, plusIsSpace: true) == decoded)
    }

    @Test func `waits are cut to a minute`() throws {
        #expect(try ChampionQuery(try Query("wait=1h"), ifNoneMatch: nil).wait == .seconds(60))
        #expect(try ChampionQuery(try Query("wait=5"), ifNoneMatch: nil).wait == .seconds(5))
        #expect(try ChampionQuery(try Query(nil), ifNoneMatch: "W/\"3\", \"x\", \"7\", 9, *").known == [3, 7])
    }
}
