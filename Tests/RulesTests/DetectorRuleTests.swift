import Foundation
import Statistics
import Testing
import Values

@testable import Rules

/// Rules that believe the evidence of many windows (`significance: edetector`, the default).
struct DetectorRuleTests {
    /// An hour of `rows` rows of which the share `high` lies in the upper bin, where the reference has 0.4.
    private static func hour(_ high: Double, rows: UInt64 = 1000) -> SnapshotFixture {
        SnapshotFixture.build { fixture in
            let upper = UInt64(Double(rows) * high)
            let bins = Comparison(
                edges: [1], categories: [], reference: [6000, 4000], current: [rows - upper, upper],
                referenceNulls: 10, currentNulls: 0)
            var values = MetricValues()
            values[.psi] = Distances.psi(bins.reference, bins.current, smoothing: .jeffreys)
            fixture.rows.append(
                SnapshotRow(
                    version: "*", segment: .all, column: "amount", kind: "numeric", n: rows, null: 0,
                    referenceN: 10_010, referenceSegment: .all, metrics: values, referenceMetrics: MetricValues(),
                    comparison: bins, common: bins))
        }
    }

    private static let shares = [0.4, 0.42, 0.39, 0.7, 0.72, 0.7, 0.41, 0.4, 0.4, 0.4]

    @Test func `an alert holds from the evidence of a shift until the evidence that it is gone`() throws {
        var monitoring = Monitoring(try ruleSet("alert: A, expr: psi > 0.1, significance: edetector"))
        let told = Self.shares.enumerated().map { monitoring.told($0, Self.hour($1)) }
        #expect(told[..<3].allSatisfy(\.isEmpty) && told[3] == ["firing A amount"])
        #expect(told[4...5].allSatisfy(\.isEmpty) && told[6] == ["resolved A amount"])
        #expect(told[7...].joined().isEmpty)
    }

    @Test func `the number of a rule is the effect: evidence of a smaller one is no alert`() throws {
        var monitoring = Monitoring(try ruleSet("alert: A, expr: psi > 0.9, significance: edetector"))
        for (index, share) in Self.shares.enumerated() {
            let told = monitoring.told(index, Self.hour(share))
            #expect(told.isEmpty)
        }
    }

    @Test func `a restart between any two windows changes nothing`() throws {
        let rules = try ruleSet("alert: A, expr: psi > 0.1, significance: edetector")
        var one = Monitoring(rules)
        var other = Monitoring(rules)
        for (index, share) in Self.shares.enumerated() {
            let told = one.close(index, Self.hour(share))
            #expect(told == other.close(index, Self.hour(share)))
            let bytes = try other.state.encoded()
            other.state = try ModelAlertState(decoding: bytes)
            #expect(try one.state.encoded() == bytes)
        }
    }

    @Test func `a smaller budget of false alerts asks for more evidence`() throws {
        func threshold(_ budget: String) throws -> Double {
            var monitoring = Monitoring(
                try ruleSet("alert: A, expr: psi > 0.1, significance: edetector", group: "budget: {\(budget)}"))
            let alerts = Self.shares.enumerated().flatMap { monitoring.close($0, Self.hour($1)) }
            guard case .number(let value) = alerts.first?.context["evidence"]?["ln_threshold"] else { return .nan }
            return value
        }
        let tight = try threshold("false_alerts: 1, per: 300d")
        let loose = try threshold("false_alerts: 1, per: 30d")
        #expect(abs(tight - loose - 2.302585) < 1e-5)
    }

    @Test func `an alert that stands for several segments says the number of the clearest, and whose it is`() throws {
        var monitoring = Monitoring(
            try ruleSet(
                "alert: A, expr: (psi or psi by (*)) > 0.1, significance: edetector, "
                    + "annotations: {summary: 'PSI {{ $value | printf \"%.1f\" }}{{ $parts }}'}"))
        func hour(_ broken: Set<String>) -> SnapshotFixture {
            SnapshotFixture.build { fixture in
                func add(_ segment: [(String, String)], _ rows: UInt64, _ upper: UInt64) {
                    let bins = Comparison(
                        edges: [1], categories: [], reference: [rows * 6, rows * 4], current: [rows - upper, upper],
                        referenceNulls: 0, currentNulls: 0)
                    let psi = Distances.psi(bins.reference, bins.current, smoothing: .jeffreys) ?? .nan
                    fixture.add("amount", bins, [.psi: psi], in: segment)
                }
                let names = ["a", "b", "c", "d", "e", "f"]
                // All traffic has much else besides, so that it shows nothing itself.
                add([], 100_000, 40_000)
                for name in names { add([("airline", name)], 500, broken.contains(name) ? 480 : 200) }
            }
        }
        for index in 0..<3 { #expect(monitoring.close(index, hour([])).isEmpty) }
        let alerts = (3..<5).flatMap { monitoring.close($0, hour(["b", "c", "e"])) }
        let whole = try #require(alerts.first { $0.segment.isAll })
        #expect(whole.annotations["summary"] == "PSI 2.0 (of airline=b, the clearest of 3 segments)")
        guard case .number(let value) = whole.context["value"] else {
            Issue.record("the alert has no value")
            return
        }
        #expect(value > 1 && whole.context["evidence"]?["of"] != nil)
    }

    /// Rows of a day where the reference has 1,000.
    private static func day(_ rows: UInt64) -> SnapshotFixture {
        SnapshotFixture.build { fixture in
            let counts = Comparison(
                edges: [], categories: ["rows"], reference: [1000], current: [rows], referenceNulls: 0, currentNulls: 0)
            var values = MetricValues()
            values[.volume] = Double(rows) / 1000
            var usual = MetricValues()
            usual[.count] = 1000
            fixture.rows.append(
                SnapshotRow(
                    version: "*", segment: .all, column: "volume", kind: "volume", n: rows, null: 0, referenceN: 1000,
                    referenceSegment: .all, metrics: values, referenceMetrics: usual, comparison: counts,
                    common: counts))
        }
    }

    @Test
    func `a volume is compared with the level of the windows before: rows that stay away, all of them too, are a drop`()
        throws
    {
        var monitoring = Monitoring(try ruleSet("alert: A, expr: volume < 0.6, significance: edetector"))
        let days: [UInt64] = [300, 310, 290, 305, 900, 300, 90, 0, 295, 300]
        let alerts = days.enumerated().map { monitoring.close($0, Self.day($1)) }
        let told = alerts.map { $0.map { "\($0.status.rawValue) \($0.rule) \($0.labels["column"] ?? "")" } }
        guard case .number(let share) = alerts[6].first?.context["value"] else {
            Issue.record("the alert has no value")
            return
        }
        #expect(abs(share - 90 / 300.0) < 1e-4, "the value is over the usual level, as the verdict is")
        #expect(told[..<6].joined().isEmpty, "a third of the reference is usual here, and a surge is no drop")
        #expect(told[6] == ["firing A volume"])
        #expect(told[7].isEmpty && told[8] == ["resolved A volume"] && told[9].isEmpty)
    }
}
