import Detection
import Statistics
import Testing
import Values

@testable import Rules

/// Rules about how many rows come: what is usual, and for how long something else may last.
struct VolumeRuleTests {
    private static let origin = SnapshotFixture.origin

    /// A window's rows where the reference expects 1,000.
    private static func snapshot(_ rows: Double, start: Timestamp, size: Span = .hours(1)) -> Snapshot {
        var fixture = SnapshotFixture()
        let n = UInt64(rows.rounded())
        let counts = Comparison(
            edges: [], categories: ["rows"], reference: [1000], current: [n], referenceNulls: 0, currentNulls: 0)
        var values = MetricValues()
        values[.volume] = rows / 1000
        var usual = MetricValues()
        usual[.count] = 1000
        fixture.rows.append(
            SnapshotRow(
                version: "*", segment: .all, column: "volume", kind: "volume", n: n, null: 0, referenceN: 1000,
                referenceSegment: .all, metrics: values, referenceMetrics: usual, comparison: counts, common: counts))
        return Snapshot(
            model: "fraud", window: TimeRange(start: start, end: start + size), revision: 1, versions: ["14"],
            referenceName: "reference", rows: fixture.rows)
    }

    /// Hours in which an alert is told, with its status.
    private static func told(_ rule: String, _ hours: [Double]) throws -> [String] {
        let rules = try ruleSet("alert: A, expr: \(rule), significance: edetector")
        var state = ModelAlertState(model: "fraud")
        return hours.enumerated().flatMap { hour, rows in
            rules.evaluate(
                snapshot: Self.snapshot(rows, start: Self.origin + .hours(Int64(hour))), modelWindow: .hours(1),
                state: &state
            ).map { "\($0.status.rawValue) \(hour)" }
        }
    }

    private static func level(_ rows: Double, _ hours: Int) -> [Double] {
        (0..<hours).map { rows * (1 + 0.03 * Double($0 % 3 - 1)) }
    }

    @Test(arguments: [2.2, 4], [12, 30, 100])
    func `the end of a surge is no drop, and a drop after it is one`(times: Double, hours: Int) throws {
        let surge = Self.level(500, 48) + Self.level(500 * times, hours) + Self.level(500, 40)
        #expect(try Self.told("volume < 0.6", surge).isEmpty)
        let drop = try Self.told("volume < 0.6", surge + Self.level(100, 5) + Self.level(500, 5))
        #expect(drop == ["firing \(surge.count)", "resolved \(surge.count + 5)"])
    }

    @Test func `rows that become fewer by a tenth each day are a drop once they are too few, though no hour shows it`()
        throws
    {
        let falling = (0..<192).map { hour -> Double in
            let left = 1 - 0.1 * Double(hour) / 24
            return 500 * left * (1 + 0.03 * Double(hour % 3 - 1))
        }
        let told = try Self.told("volume < 0.6", Self.level(500, 240) + falling)
        #expect(told.count == 1)
        let hour = try #require(told.first?.split(separator: " ").last.flatMap { Int($0) })
        #expect(hour >= 13 * 24 && hour < 16 * 24, "\(hour)")
    }

    @Test func `rows that become more day by day, and then are as many as before, were no drop`() throws {
        let rising = (0..<168).map { hour -> Double in 500 * (1 + 0.3 * Double(hour) / 24) }
        let hours = Self.level(500, 240) + rising + Self.level(500, 72)
        #expect(try Self.told("volume < 0.6", hours).isEmpty)
    }

    @Test func `the end of a drop is no surge`() throws {
        let hours = Self.level(500, 48) + Self.level(150, 18) + Self.level(500, 40)
        #expect(try Self.told("volume > 2", hours).isEmpty)
        #expect(try Self.told("volume < 0.6", hours) == ["firing 48", "resolved 66"])
    }

    @Test func `a surge that lasts for over a week is usual, and its end a drop`() throws {
        let hours = Self.level(500, 48) + Self.level(2000, 8 * 24) + Self.level(500, 3)
        #expect(try Self.told("volume < 0.6", hours) == ["firing \(48 + 8 * 24)"])
    }

    @Test func `a drop is found in windows that overlap, in which it grows little by little`() throws {
        let rules = try ruleSet("alert: A, expr: volume < 0.6, significance: edetector")
        var state = ModelAlertState(model: "fraud")
        // Rows of every five minutes: a day as usual, six hours of less, six as usual.
        let panes = (0..<36 * 12).map { pane in (24 * 12..<30 * 12).contains(pane) ? 200 / 12.0 : 1000 / 12.0 }
        var told: [String] = []
        for end in 12...panes.count {
            let start = Self.origin + .minutes(Int64(end - 12) * 5)
            let rows = panes[(end - 12)..<end].reduce(0, +)
            told += rules.evaluate(
                snapshot: Self.snapshot(rows, start: start), modelWindow: .hours(1), state: &state
            ).map { "\($0.status.rawValue) \((end - 1) / 12)" }
        }
        #expect(told == ["firing 24", "resolved 30"] || told == ["firing 25", "resolved 30"], "\(told)")
    }

    @Test func `a volume that changed for good is the usual one after a week, one that stopped never is`() throws {
        var levels = VolumeLevels()
        func window(_ hour: Int64) -> TimeRange {
            TimeRange(start: Self.origin + .hours(hour), end: Self.origin + .hours(hour + 1))
        }
        for hour in 0..<21 { levels.note(.all, rows: 1_000, expected: 1_000, in: window(Int64(hour))) }
        var stopped = levels
        for hour in 21..<Int64(21 + 24 * 7) {
            levels.note(.all, rows: 500, expected: 1_000, in: window(hour), isOpen: true)
            #expect(try #require(levels.expected(.all, rows: 1_000)).rows == 1_000)
        }
        levels.note(.all, rows: 500, expected: 1_000, in: window(21 + 24 * 7), isOpen: true)
        #expect(try #require(levels.expected(.all, rows: 1_000)).rows == 500)
        for hour in 21..<Int64(24 * 30) {
            stopped.note(.all, rows: 0, expected: 1_000, in: window(hour), isOpen: true)
        }
        #expect(try #require(stopped.expected(.all, rows: 1_000)).rows == 1_000)
    }

    @Test func `a champion that is asked nothing is told in the first window, with the time since when`() throws {
        let rules = try ruleSet("alert: A, expr: 'silence{role=\"champion\"} > 0', significance: none")
        let roles = RoleHistory([.init(role: .champion, version: "2", at: Self.origin)])
        var state = ModelAlertState(model: "fraud")
        var alerts: [Alert] = []
        for hour in 0..<20 {
            let counts: [(String, UInt64)] =
                hour < 14 ? [("*", 900), ("1", 90), ("2", 810)] : [("*", 900), ("1", 900)]
            let fixture = SnapshotFixture.build { fixture in
                for (version, n) in counts { fixture.add("amount", [.psi: 0], version: version, n: n) }
            }
            var snapshot = fixture.snapshot(hour, versions: hour < 14 ? ["1", "2"] : ["1"])
            state.complete(&snapshot, size: .hours(1))
            alerts += rules.evaluate(snapshot: snapshot, modelWindow: .hours(1), roles: roles, state: &state)
        }
        #expect(alerts.count == 1)
        let alert = try #require(alerts.first)
        #expect(alert.at == Self.origin + .hours(15) && alert.context["value"] == .number(3600))
        #expect(alert.context["change_start"] == .time(Self.origin + .hours(14)))
    }

    @Test func `a version whose rows go with all others is not yet missed`() throws {
        let rules = try ruleSet("alert: A, expr: 'silence{version=\"2\"} > 0', significance: none")
        var state = ModelAlertState(model: "fraud")
        for hour in 0..<20 {
            // By night little comes, and none of version 2.
            let counts: [(String, UInt64)] = hour < 14 ? [("*", 900), ("1", 90), ("2", 810)] : [("*", 90), ("1", 90)]
            let fixture = SnapshotFixture.build { fixture in
                for (version, n) in counts { fixture.add("amount", [.psi: 0], version: version, n: n) }
            }
            var snapshot = fixture.snapshot(hour, versions: ["1"])
            state.complete(&snapshot, size: .hours(1))
            #expect(rules.evaluate(snapshot: snapshot, modelWindow: .hours(1), state: &state).isEmpty)
        }
    }
}
