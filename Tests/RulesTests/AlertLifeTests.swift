import Foundation
import Statistics
import TestSupport
import Testing
import Values

@testable import Rules

@Suite struct `An alert's life` {
    /// A timeline: `x` the condition holds, `.` it does not, `?` too few rows, `_` no rows. Gives what was told, a
    /// character a window: `p` pending, `F` firing, `R` resolved, `-` nothing.
    private func run(_ timeline: String, _ keys: String) throws -> String {
        var monitoring = Monitoring(try ruleSet("alert: A, expr: psi > 0.2, min_rows: 40\(keys)"))
        var out = ""
        for (index, c) in timeline.enumerated() {
            let fixture = SnapshotFixture.build {
                switch c {
                case "x": $0.add("amount", [.psi: 0.3])
                case ".": $0.add("amount", [.psi: 0.1])
                case "?": $0.add("amount", [.psi: 0.3], n: 39)
                default: break
                }
            }
            let alerts = monitoring.close(index, fixture)
            #expect(alerts.count <= 1)
            out +=
                alerts.first.map { ["pending": "p", "firing": "F", "resolved": "R"][$0.status.rawValue] ?? "!" } ?? "-"
            // A restart after every window is invisible.
            monitoring.state = try ModelAlertState(decoding: monitoring.state.encoded())
        }
        return out
    }

    @Test(arguments: [
        // Without `for` it fires at once, without `keep_firing_for` it ends at once.
        ("..xx..", "", "--F-R-"),
        ("..xx..", ", for: 0", "--F-R-"),
        ("..xx..", ", for: 1 window", "--F-R-"),
        // N windows: it held in N windows in a row.
        ("xx.xxx", ", for: 3 windows", "p--p-F"),
        ("xxx..", ", for: 2 windows", "pF-R-"),
        // A duration, as Prometheus counts it: from the first window's end.
        ("xxxx..", ", for: 2h", "p-F-R-"),
        ("xxxx..", ", for: 90m", "p-F-R-"),
        // Kept for N windows without the condition; it coming back starts anew.
        ("x....", ", keep_firing_for: 2 windows", "F--R-"),
        ("x..x....", ", keep_firing_for: 2 windows", "F-----R-"),
        ("x....", ", keep_firing_for: 2h", "F--R-"),
        ("x..x....", ", keep_firing_for: 2h", "F-----R-"),
        // Missing rows and few rows neither raise nor resolve, and count for nothing.
        ("x___.", "", "F---R"),
        ("x???.", "", "F---R"),
        ("x_x", ", for: 2 windows", "p-F"),
        ("x__xx", ", for: 2h", "p---F"),
        ("x.__.", ", keep_firing_for: 1 window", "F---R"),
        ("x.__..", ", keep_firing_for: 2h", "F----R"),
        ("???", "", "---"),
        // Missing data can be no condition, or the condition. Few rows are not missing rows.
        ("x_", ", no_data: ok", "FR"),
        ("x?", ", no_data: ok", "F-"),
        ("._.", ", no_data: alert", "-FR"),
        (".__.", ", no_data: alert, for: 2 windows", "-pF" + "R"),
        ("_.?_", ", no_data: alert", "---F"),
    ])
    func `follows the table`(_ timeline: String, _ keys: String, _ expected: String) throws {
        #expect(try run(timeline, keys) == expected, "\(timeline)\(keys)")
    }

    /// Prometheus' `Eval` in its own words, for one instance evaluated every hour. `true` is present.
    private func prometheus(_ timeline: [Bool], hold: Int, keep: Int) -> String {
        var activeAt: Int?
        var fired = false
        var keepSince: Int?
        var out = ""
        for (now, isPresent) in timeline.enumerated() {
            var told: Character = "-"
            if isPresent {
                keepSince = nil
                if activeAt == nil {
                    activeAt = now
                    told = "p"
                }
                if !fired, let since = activeAt, now - since >= hold {
                    fired = true
                    told = "F"
                }
            } else if activeAt != nil {
                if !fired {
                    activeAt = nil
                } else {
                    if keepSince == nil { keepSince = now }
                    if now - (keepSince ?? now) >= keep {
                        activeAt = nil
                        fired = false
                        keepSince = nil
                        told = "R"
                    }
                }
            }
            out.append(told)
        }
        return out
    }

    @Test func `equals Prometheus on random timelines`() throws {
        var random = SeededGenerator(seed: 7)
        for _ in 0..<300 {
            let timeline = (0..<40).map { _ in Int.random(in: 0..<10, using: &random) < 6 }
            let hold = Int.random(in: 0...4, using: &random)
            let keep = Int.random(in: 0...4, using: &random)
            let text = timeline.map { $0 ? "x" : "." }.joined()
            let expected = prometheus(timeline, hold: hold, keep: keep)
            let ours = try run(
                text, ", for: \(hold == 0 ? "0" : "\(hold)h"), keep_firing_for: \(keep == 0 ? "0" : "\(keep)h")")
            #expect(ours == expected, "seed \(random.seed): \(text) for \(hold)h keep \(keep)h")
            // The same in windows: firing in the N-th window is N−1 intervals after the first.
            let inWindows = try run(text, ", for: \(hold + 1) windows, keep_firing_for: \(keep) windows")
            #expect(inWindows == expected, "seed \(random.seed): \(text) for \(hold + 1) keep \(keep) windows")
        }
    }

    @Test func `a late revision of a window changes nothing`() throws {
        var monitoring = Monitoring(try ruleSet("alert: A, expr: psi > 0.2"))
        let over = SnapshotFixture.build { $0.add("amount", [.psi: 0.3]) }
        #expect(monitoring.told(1, SnapshotFixture.build { $0.add("amount", [.psi: 0.1]) }) == [])
        #expect(monitoring.told(1, over) == [])
        #expect(monitoring.told(0, over) == [])
        #expect(monitoring.told(2, over) == ["firing A amount"])
    }

    @Test func `times, identity and revisions are those of the instance`() throws {
        var monitoring = Monitoring(
            try ruleSet(
                "alert: A, expr: psi by (country) > 0.2, for: 2 windows, labels: {severity: page}, notify: [oncall]",
                group: "labels: {team: risk, severity: none}"))
        let over = SnapshotFixture.build { $0.add("amount", [.psi: 0.3], in: [("country", "BR")]) }
        let under = SnapshotFixture.build { $0.add("amount", [.psi: 0.1], in: [("country", "BR")]) }
        let pending = try #require(monitoring.close(0, over).first)
        let firing = try #require(monitoring.close(1, over).first)
        let resolved = try #require(monitoring.close(2, under).first)
        let labels = [
            "alertname": "A", "model": "fraud", "column": "amount", "country": "BR", "severity": "page",
            "team": "risk",
        ]
        for alert in [pending, firing, resolved] {
            #expect(alert.labels == labels)
            #expect(alert.fingerprint == pending.fingerprint && alert.fingerprint.count == 16)
            #expect(alert.startsAt == SnapshotFixture.origin + .hours(1))
            #expect(alert.context["change_start"] == .time(SnapshotFixture.origin))
            #expect(alert.notify == ["oncall"])
        }
        #expect([pending, firing, resolved].map(\.revision) == [1, 2, 3])
        #expect(resolved.endsAt == SnapshotFixture.origin + .hours(3))
        // The next episode goes on counting, so that nobody drops it as old.
        #expect(monitoring.close(3, over).first?.revision == 4)
    }

    @Test func `a changed annotation keeps state, a changed or removed rule ends its alerts`() throws {
        let over = SnapshotFixture.build { $0.add("amount", [.psi: 0.3]) }
        func firing() throws -> Monitoring {
            var monitoring = Monitoring(try ruleSet("alert: A, expr: psi > 0.2, annotations: {a: x}"))
            #expect(monitoring.told(0, over) == ["firing A amount"])
            return monitoring
        }
        var monitoring = try firing()
        monitoring.rules = try ruleSet("alert: A, expr: psi > 0.2, annotations: {a: y}")
        #expect(monitoring.told(1, over) == [])
        #expect(monitoring.state.firing.first?.annotations == ["a": "y"])

        monitoring = try firing()
        monitoring.rules = try ruleSet("alert: A, expr: psi > 0.2, labels: {a: z}")
        #expect(monitoring.told(1, over) == ["firing A amount", "resolved A amount"])

        monitoring = try firing()
        monitoring.rules = try ruleSet("alert: B, expr: psi > 0.25")
        #expect(monitoring.told(1, over) == ["resolved A amount", "firing B amount"])

        monitoring = try firing()
        monitoring.rules = try ruleSet("alert: A, expr: psi > 0.25")
        #expect(monitoring.told(1, over) == [])
    }

    @Test func `a limit tells once and erases nothing`() throws {
        var monitoring = Monitoring(try ruleSet("alert: A, expr: psi > 0.2", group: "limit: 2"))
        func fixture(_ columns: [String], over: Int) -> SnapshotFixture {
            SnapshotFixture.build {
                for (i, column) in columns.enumerated() { $0.add(column, [.psi: i < over ? 0.3 : 0.1]) }
            }
        }
        #expect(monitoring.told(0, fixture(["c"], over: 1)) == ["firing A c"])
        let names = ["a", "b", "c", "d"]
        let alerts = monitoring.close(1, fixture(names, over: 4))
        #expect(alerts.map(\.rule) == ["A", "RuleLimitExceeded"])
        #expect(alerts.last?.annotations["summary"]?.contains("2 more hold") == true)
        #expect(monitoring.told(2, fixture(names, over: 4)) == [])
        #expect(monitoring.state.firing.count == 3)
        #expect(monitoring.told(3, fixture(["c", "d"], over: 2)).contains("resolved RuleLimitExceeded") == false)
        #expect(monitoring.told(4, fixture(names, over: 0)).contains("resolved RuleLimitExceeded"))
    }

    @Test func `rows that stay away count towards the limit where that is the condition`() throws {
        var monitoring = Monitoring(try ruleSet("alert: A, expr: psi > 0.2, no_data: alert", group: "limit: 2"))
        let names = ["a", "b", "c", "d"]
        func fixture(_ columns: [String]) -> SnapshotFixture {
            SnapshotFixture.build { for column in columns { $0.add(column, [.psi: 0.1]) } }
        }
        #expect(monitoring.told(0, fixture(names)) == [])
        let alerts = monitoring.close(1, fixture([]))
        #expect(alerts.map(\.rule) == ["A", "A", "RuleLimitExceeded"])
        #expect(alerts.last?.annotations["summary"]?.contains("2 more hold") == true)
        // Those that come back make room for those that found none.
        let fired = alerts.compactMap { $0.labels["column"] }
        #expect(
            monitoring.close(2, fixture(fired)).map(\.status) == [.resolved, .resolved, .firing, .firing, .resolved])
        #expect(monitoring.state.firing.count == 2)
    }

    @Test func `state is the same bytes every time`() throws {
        var monitoring = Monitoring(try ruleSet("alert: A, expr: psi > 0.2"))
        _ = monitoring.close(0, SnapshotFixture.build { for i in 0..<20 { $0.add("c\(i)", [.psi: 0.3]) } })
        let bytes = try monitoring.state.encoded()
        let again = try ModelAlertState(decoding: bytes)
        #expect(again == monitoring.state)
        #expect(try again.encoded() == bytes)
    }

    @Test func `rules of another window size wait for it`() throws {
        var monitoring = Monitoring(try ruleSet("alert: A, expr: psi > 0.2, window: 24h", "alert: B, expr: psi > 0.2"))
        let over = SnapshotFixture.build { $0.add("amount", [.psi: 0.3]) }
        #expect(monitoring.told(23, over) == ["firing B amount"])
        let day = over.snapshot(0, size: .hours(24))
        let alerts = monitoring.rules.evaluate(
            snapshot: day, modelWindow: SnapshotFixture.hour, state: &monitoring.state)
        #expect(alerts.map(\.rule) == ["A"])
        #expect(alerts.first?.context["also_firing"] == .array([.string("B/amount")]))
    }
}
