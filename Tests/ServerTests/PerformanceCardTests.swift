import Events
import Statistics
import Testing
import Values

@testable import Server

/// The picture of a model's performance.
struct PerformanceCardTests {
    private static let start = Fixture.window.start

    private static func overview(points: Int, mature: Int, labels: Bool = true) -> PerformanceOverview {
        PerformanceOverview(
            metric: .auroc, reference: 0.78,
            points: (0..<points).map { i in
                .init(
                    window: TimeRange(start: start + .days(Int64(i)), end: start + .days(Int64(i) + 1)),
                    value: labels ? 0.78 - Double(i) * 0.01 : nil, coverage: i < mature ? 0.97 : 0.3,
                    isMature: i < mature, estimate: (0.77, 0.74, 0.8))
            },
            reliability: labels
                ? [.init(score: 0.05, positives: 0.04, rows: 900), .init(score: 0.6, positives: 0.7, rows: 40)] : [],
            reliabilityWindow: labels ? TimeRange(start: start, end: start + .days(1)) : nil)
    }

    @Test func `the figure is the newest judged window's, and early ones are drawn apart`() throws {
        let card = try #require(PerformanceCard(Self.overview(points: 10, mature: 6)))
        #expect(card.value == "0.730" && card.coverage == "30%")
        #expect(card.estimate == "0.770 (0.740 to 0.800)")
        #expect(card.chart.contains("class=\"line\"") && card.chart.contains("class=\"early\""))
        #expect(card.chart.contains("class=\"band\"") && card.chart.contains("class=\"level\""))
        #expect(card.chart.contains("labels still coming"))
        #expect(!card.chart.contains("style=") && !card.chart.contains("−"))
        #expect(card.reliability?.contains("900 rows with a mean score of 0.050") == true)
    }

    @Test func `a figure of a few early labels does not squeeze the others`() throws {
        let whole = Self.overview(points: 4, mature: 4)
        let early = PerformanceOverview.Point(
            window: TimeRange(start: Self.start + .days(4), end: Self.start + .days(5)), value: 0.2, coverage: 0.01,
            isMature: false, estimate: nil)
        let card = try #require(
            PerformanceCard(
                PerformanceOverview(
                    metric: .auroc, reference: 0.78, points: whole.points + [early], reliability: [],
                    reliabilityWindow: nil)))
        #expect(card.scale == PerformanceCard(whole)?.scale && card.scale == "0.740 to 0.800")
        // It stands on the lower edge.
        #expect(card.chart.contains(#"M270.00 100.00h0"#))
    }

    @Test func `before any label the estimate stands alone, and without either there is no picture`() throws {
        let card = try #require(PerformanceCard(Self.overview(points: 3, mature: 0, labels: false)))
        #expect(card.value == "–" && card.about == "no labels yet" && card.reliability == nil)
        let nothing = PerformanceOverview(
            metric: .auroc, reference: nil, points: [], reliability: [], reliabilityWindow: nil)
        #expect(PerformanceCard(nothing)?.value == nil)
    }

    @Test func `the page and the API say what became of predictions and labels`() async throws {
        var labels = LabelOverview()
        labels.joined = 9_000
        labels.waiting = 1_200
        labels.orphans = 7
        labels.bytes = 490_000
        var state = Fixture.incident()
        state.models[0].labels = labels
        try await withServer(state) { client, _, _ in
            let page = try await client.get("/")
            #expect(page.body.contains("9,000 joined, 1,200 waiting, 7 without a prediction"))
            let json = try JSON(parsing: try await client.get("/v1/models").body.utf8)
            let found = json["models"]?.arrayValue?.first?["labels"]
            #expect(found?["joined"] == .integer(9_000) && found?["waiting"] == .integer(1_200))
            #expect(found?["without_prediction"] == .integer(7) && found?["too_late"] == .integer(0))
            #expect(found?["bytes"] == .integer(490_000))
        }
    }

    @Test func `the page shows it`() async throws {
        var state = Fixture.incident()
        state.models[0].performance = Self.overview(points: 10, mature: 6)
        try await withServer(state) { client, _, _ in
            let page = try await client.get("/")
            #expect(page.body.contains("class=\"performance\"") && page.body.contains("class=\"reliable\""))
            #expect(page.body.contains("0.730"))
        }
    }
}
