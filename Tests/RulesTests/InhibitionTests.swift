import Statistics
import StrictYAML
import Testing
import Values

@testable import Rules

/// `inhibited_by`: of several alerts about one cause, the one that says most.
struct InhibitionTests {
    private static let rules = [
        "alert: Drift, expr: mean by (country) > 1, significance: none, inhibited_by: [Stuck]",
        "alert: Stuck, expr: sd by (country) > 1, significance: none",
    ]

    private static func hour(_ mean: Double, _ sd: Double, _ country: String = "DE") -> SnapshotFixture {
        SnapshotFixture.build { $0.add("amount", [.mean: mean, .sd: sd], in: [("country", country)]) }
    }

    @Test func `what another alert explains does not begin, not even as that one ends`() throws {
        var monitoring = Monitoring(try ruleSet(Self.rules[0], Self.rules[1]))
        #expect(monitoring.told(0, Self.hour(2, 2)) == ["firing Stuck amount country=DE"])
        #expect(monitoring.told(1, Self.hour(2, 0)) == ["resolved Stuck amount country=DE"])
        #expect(monitoring.told(2, Self.hour(2, 0)) == [])
        #expect(monitoring.told(3, Self.hour(0, 0)) == [])
    }

    @Test func `what goes on for long after it is told after all`() throws {
        var monitoring = Monitoring(try ruleSet(Self.rules[0], Self.rules[1]))
        _ = monitoring.told(0, Self.hour(2, 2))
        for index in 1...3 { _ = monitoring.told(index, Self.hour(2, 0)) }
        #expect(monitoring.told(4, Self.hour(2, 0)) == ["firing Drift amount country=DE"])
    }

    /// An hour of an old change and another alert: 1,000 rows of which so many lie in the upper bin, 400 in the reference.
    private static func shifted(_ upper: UInt64, stuck: Bool) -> SnapshotFixture {
        SnapshotFixture.build { fixture in
            let bins = Comparison(
                edges: [1], categories: [], reference: [6000, 4000], current: [1000 - upper, upper],
                referenceNulls: 0, currentNulls: 0)
            var values = MetricValues()
            values[.psi] = Distances.psi(bins.reference, bins.current, smoothing: .jeffreys)
            values[.sd] = stuck ? 2 : 0
            fixture.rows.append(
                SnapshotRow(
                    version: "*", segment: .all, column: "amount", kind: "numeric", n: 1000, null: 0,
                    referenceN: 10_000, referenceSegment: .all, metrics: values, referenceMetrics: MetricValues(),
                    comparison: bins, common: bins))
        }
    }

    @Test
    func `what was explained while it was there does not begin when it is gone, however slowly its detector closes`()
        throws
    {
        // Twice gone and come back: the third time the detector holds on for long.
        let rules = [
            "alert: Drift, expr: psi > 0.1, significance: edetector, inhibited_by: [Stuck]",
            "alert: Stuck, expr: sd > 1, significance: none",
        ]
        var monitoring = Monitoring(try ruleSet(rules[0], rules[1]))
        var told: [String] = []
        var hour = 0
        func next(_ upper: UInt64, stuck: Bool, _ count: Int) {
            for _ in 0..<count {
                let all = monitoring.told(hour, Self.shifted(upper, stuck: stuck))
                told += all.filter { $0.contains("Drift") }
                hour += 1
            }
        }
        for _ in 0..<3 {
            next(800, stuck: true, 3)
            next(400, stuck: false, 12)
        }
        #expect(told.isEmpty, "\(told)")
        // What does not go away with the other alert is told.
        next(800, stuck: true, 3)
        next(800, stuck: false, 6)
        #expect(told == ["firing Drift amount"], "\(told)")
    }

    @Test func `an alert that was told already goes on, and another segment is another story`() throws {
        var monitoring = Monitoring(try ruleSet(Self.rules[0], Self.rules[1]))
        #expect(monitoring.told(0, Self.hour(2, 0)) == ["firing Drift amount country=DE"])
        #expect(monitoring.told(1, Self.hour(2, 2)) == ["firing Stuck amount country=DE"])
        #expect(monitoring.told(2, Self.hour(2, 0, "BR")) == ["firing Drift amount country=BR"])
    }

    @Test func `the name of an alert that no rule has is a mistake`() throws {
        let rules = try ruleSet("alert: A, expr: psi > 1, inhibited_by: [Stuk]", "alert: Stuck, expr: mean > 1")
        let catalog = ModelCatalog(name: "fraud", columns: [("amount", "numeric")], segmentations: [])
        let problems = rules.check(against: [catalog]).map(\.message)
        #expect(problems.contains { $0.contains("unknown alert `Stuk`") && $0.contains("Stuck") })
    }
}
