import Foundation
import Statistics
import Testing
import Values

@testable import Rules

/// Releases, traffic and other columns beside a shift, and which alerts are told together.
@Suite struct CauseTests {
    private func bins(_ current: [UInt64]) -> Comparison {
        Comparison(
            edges: [1], categories: [], reference: [600, 400], current: current, referenceNulls: 0, currentNulls: 0)
    }

    private func items(_ alert: Alert?, _ kind: String) -> [JSON] {
        guard case .array(let items)? = alert?.context["correlated"] else { return [] }
        return items.filter { $0["kind"] == .string(kind) }
    }

    /// Two versions in one window, 13 and 14.
    private func release(old: [UInt64], new: [UInt64]) -> SnapshotFixture {
        SnapshotFixture.build {
            $0.add("score", bins(zip(old, new).map { $0 + $1 }), [.psi: 0.4])
            $0.add("score", bins(old), [.psi: 0.1], version: "13")
            $0.add("score", bins(new), [.psi: 0.5], version: "14")
        }
    }

    private func fire(_ fixture: SnapshotFixture, _ moves: [ChampionMove]) throws -> Alert? {
        let rules = try ruleSet("alert: A, expr: psi > 0.2")
        var state = ModelAlertState(model: "fraud")
        return rules.evaluate(
            snapshot: fixture.snapshot(0, versions: ["13", "14"]), modelWindow: SnapshotFixture.hour,
            roles: RoleHistory(
                moves.flatMap {
                    [
                        .init(role: .champion, version: $0.from, at: .distantPast),
                        .init(role: .champion, version: $0.to, at: $0.at),
                    ]
                }), state: &state
        ).first
    }

    private let move = ChampionMove(from: "13", to: "14", at: SnapshotFixture.origin + .minutes(20))

    @Test func `a release is compared with the version before in the same window`() throws {
        let guilty = try fire(release(old: [600, 400], new: [100, 900]), [move])
        let item = try #require(items(guilty, "deploy").first)
        #expect(item["what"] == "champion 13 → 14" && item["windows_before"] == 0 && item["old_rows"] == 1000)
        guard case .number(let distance)? = item["new_vs_old"] else { return #expect(Bool(false)) }
        #expect(distance > 1)
        guard case .string(let likely)? = guilty?.context["likely"] else { return #expect(Bool(false)) }
        #expect(likely.contains(": it came with version 14: 13 in the same window differs from it by PSI"))

        let innocent = try fire(release(old: [100, 900], new: [110, 890]), [move])
        guard case .string(let other)? = innocent?.context["likely"] else { return #expect(Bool(false)) }
        #expect(other.hasSuffix(": version 13 shows the same in the same window, so not the release of 14"))
    }

    @Test func `a release long before, or without rows to compare, blames nobody`() throws {
        let old = ChampionMove(from: "13", to: "14", at: SnapshotFixture.origin - .hours(3))
        #expect(items(try fire(release(old: [600, 400], new: [100, 900]), [old]), "deploy").isEmpty)
        let alone = try fire(release(old: [3, 2], new: [100, 900]), [move])
        let item = try #require(items(alone, "deploy").first)
        #expect(item["new_vs_old"] == nil)
    }

    @Test func `a version that first has rows is a release too, where no registry tells`() throws {
        let rules = try ruleSet("alert: A, expr: psi > 0.2")
        var state = ModelAlertState(model: "fraud")
        func close(_ index: Int, _ fixture: SnapshotFixture, _ versions: [String]) -> Alert? {
            rules.evaluate(
                snapshot: fixture.snapshot(index, versions: versions), modelWindow: SnapshotFixture.hour, state: &state
            ).first
        }
        let calm = SnapshotFixture.build {
            $0.add("score", bins([600, 400]), [.psi: 0.0])
            $0.add("score", bins([600, 400]), [.psi: 0.0], version: "13")
        }
        #expect(close(0, calm, ["13"]) == nil)
        let alert = close(1, release(old: [600, 400], new: [100, 900]), ["13", "14"])
        #expect(items(alert, "deploy").first?["what"] == "version 14 first seen")
    }

    @Test func `traffic far from that of earlier windows is told, ordinary traffic is not`() throws {
        let rules = try ruleSet("alert: A, expr: psi > 0.2")
        for (rows, expected) in [(UInt64(3000), 1), (1100, 0), (300, 1)] {
            var state = ModelAlertState(model: "fraud")
            for index in 0..<5 {
                let calm = SnapshotFixture.build { $0.add("a", bins([500 + UInt64(index), 500]), [.psi: 0]) }
                _ = rules.evaluate(
                    snapshot: calm.snapshot(index), modelWindow: SnapshotFixture.hour, state: &state)
            }
            let loud = SnapshotFixture.build { $0.add("a", bins([rows / 2, rows - rows / 2]), [.psi: 0.4]) }
            let alert = rules.evaluate(
                snapshot: loud.snapshot(5), modelWindow: SnapshotFixture.hour, state: &state
            ).first
            #expect(items(alert, "volume_change").count == expected, "\(rows) rows")
        }
    }

    /// Three columns that all shift in country=BR, and one that shifts everywhere.
    private func shifts(_ columns: [String]) -> SnapshotFixture {
        SnapshotFixture.build {
            for column in columns {
                let everywhere = column == "everywhere"
                $0.add(column, bins(everywhere ? [200, 1800] : [700, 1300]), [.psi: 0.4])
                $0.add(column, bins([100, 900]), [.psi: 0.8], in: [("country", "BR")])
                $0.add(column, bins(everywhere ? [100, 900] : [600, 400]), [.psi: 0.1], in: [("country", "US")])
            }
        }
    }

    @Test func `alerts that begin together and share their leading segment have one cause, whatever their rules`()
        throws
    {
        var monitoring = Monitoring(
            try ruleSet("alert: A, expr: psi > 0.2", "alert: B, expr: psi > 0.2, labels: {x: y}"))
        let first = monitoring.close(0, shifts(["amount", "income"]))
        let later = monitoring.close(1, shifts(["amount", "income", "age", "everywhere"]))
        let late = monitoring.close(4, shifts(["amount", "income", "age", "everywhere", "debt"]))
        func causes(_ alerts: [Alert], _ rule: String) -> [String: String] {
            Dictionary(
                alerts.filter { $0.rule == rule }.map { ($0.labels["column"] ?? "", $0.cause ?? "") },
                uniquingKeysWith: { a, _ in a })
        }
        let a = causes(first, "A")
        #expect(Set(a.values).count == 1 && a.count == 2)
        let next = causes(later, "A")
        #expect(next["age"] == a["amount"])
        #expect(next["everywhere"] != a["amount"])
        #expect(causes(late, "A")["debt"] != a["amount"], "it began three windows later")
        #expect(causes(first, "B")["amount"] == a["amount"], "another rule sees the same")
        let amount = try #require(a["amount"])
        #expect(monitoring.state.firing(ofCause: amount).count == 6)
        // Each names the others that moved with it.
        let age = later.first { $0.labels["column"] == "age" && $0.rule == "A" }
        #expect(
            items(age, "moved_together").first?["what"]
                == "amount, income shifted too, since the same time and led by country=BR")
    }

    @Test func `state of an older program is read, and state survives a restart`() throws {
        var monitoring = Monitoring(try ruleSet("alert: A, expr: psi > 0.2"))
        _ = monitoring.close(0, shifts(["amount"]))
        let copy = try ModelAlertState(decoding: monitoring.state.encoded())
        #expect(copy == monitoring.state)
        let older = #"{"errors":{},"evaluated":{},"instances":{},"model":"fraud","retired":{}}"#
        #expect(try ModelAlertState(decoding: .init(older.utf8)).instances.isEmpty)
    }
}
