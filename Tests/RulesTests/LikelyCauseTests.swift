import Statistics
import Testing
import Values

@testable import Rules

/// What an alert says at three in the morning, and that it says no more than its numbers do.
@Suite struct LikelyCauseTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let metric: Metric
        let build: @Sendable (inout SnapshotFixture) -> Void
        let says: String?

        init(
            _ name: String, _ metric: Metric, says: String?,
            _ build: @escaping @Sendable (inout SnapshotFixture) -> Void
        ) {
            testDescription = name
            self.metric = metric
            self.build = build
            self.says = says
        }
    }

    private static func categories(
        _ names: [String], _ reference: [UInt64], _ current: [UInt64], nulls: (UInt64, UInt64) = (0, 0)
    ) -> Comparison {
        Comparison(
            edges: [], categories: names, reference: reference, current: current, referenceNulls: nulls.0,
            currentNulls: nulls.1)
    }

    private static func deciles(_ current: [UInt64], nulls: (UInt64, UInt64) = (0, 0)) -> Comparison {
        Comparison(
            edges: [10, 20, 30, 40, 50, 60, 70, 80, 90], categories: [],
            reference: [UInt64](repeating: 400, count: 10), current: current, referenceNulls: nulls.0,
            currentNulls: nulls.1)
    }

    /// Uniform on 0…100.
    private static let uniform: [Metric: Double] = [
        .mean: 50, .sd: 28.9, .min: 0.1, .max: 99.9, .p01: 1, .p05: 5, .p10: 10, .p25: 25, .p50: 50, .p75: 75,
        .p90: 90, .p95: 95, .p99: 99,
    ]
    private static func scaled(_ factor: Double) -> [Metric: Double] { uniform.mapValues { $0 * factor } }

    static let cases: [Case] = [
        Case(
            "a unit change", .psi,
            says: "amount is about 100 times the reference: a unit change upstream, not the model"
        ) {
            $0.add("amount", deciles([4, 0, 0, 0, 0, 0, 0, 0, 0, 396]), scaled(100), before: uniform)
        },
        Case(
            "a unit change of the scores blames nobody upstream", .psi,
            says: "prediction is about 100 times the reference: the scale of the scores changed"
        ) {
            $0.add("prediction", deciles([4, 0, 0, 0, 0, 0, 0, 0, 0, 396]), scaled(100), before: uniform)
        },
        Case("the mean alone is no unit", .psi, says: "amount shifted: above 90 10% → 99% of values") {
            var now = uniform
            now[.mean] = 5_000
            $0.add("amount", deciles([4, 0, 0, 0, 0, 0, 0, 0, 0, 396]), now, before: uniform)
        },
        Case(
            "of a shift a unit says more than a field that some rows miss", .psi,
            says: "amount is about 100 times the reference: a unit change upstream, not the model"
        ) {
            $0.add(
                "amount", deciles([4, 0, 0, 0, 0, 0, 0, 0, 0, 396], nulls: (0, 60)), scaled(100), before: uniform)
        },
        Case(
            "how far values lie outside, where nothing says why", .out_of_range_rate,
            says: "amount has values up to 163, where the reference ends at 99.9"
        ) {
            var now = uniform
            now[.max] = 163
            now[.out_of_range_rate] = 0.06
            $0.add("amount", deciles([UInt64](repeating: 40, count: 10)), now, before: uniform)
        },
        Case(
            "a null jump", .null_rate,
            says:
                "income is missing in 63% of rows (8% in the reference): a field that is no longer filled upstream, not the model"
        ) {
            $0.add(
                "income", deciles([UInt64](repeating: 37, count: 10), nulls: (348, 630)), [.null_rate: 0.63],
                before: [.null_rate: 0.08])
        },
        Case("a null rate within noise says nothing", .null_rate, says: nil) {
            $0.add(
                "income", deciles([UInt64](repeating: 9, count: 10), nulls: (348, 12)), [.null_rate: 0.117],
                before: [.null_rate: 0.08])
        },
        Case(
            "a removed field", .null_rate,
            says:
                "income is absent from every one of 500 rows (1% in the reference): the field was removed or renamed upstream, not the model"
        ) {
            $0.add(
                "income", deciles([UInt64](repeating: 0, count: 10), nulls: (40, 500)), [.null_rate: 1],
                before: [.null_rate: 0.01], missing: 500)
        },
        Case(
            "a field of another type", .invalid_rate,
            says: "income is of another type than numeric in 80% of rows (0% in the reference): "
                + "the field changed its type upstream, not the model"
        ) {
            $0.add(
                "income", deciles([UInt64](repeating: 10, count: 10)), [.invalid_rate: 0.8],
                before: [.invalid_rate: 0], wrongType: 80)
        },
        Case(
            "a re-spelled category", .new_category_rate,
            says:
                "shop \"books\" fell from 30% to 0% of values while ones the reference never had rose from 0% to 29%: "
                + "\"books\" is spelled or coded differently upstream, not the model"
        ) {
            $0.add(
                "shop", categories(["food", "books", "tools", "(unseen)"], [5000, 3000, 2000, 0], [255, 0, 98, 147]),
                [.new_category_rate: 0.294])
        },
        Case(
            "new categories beside all the old ones", .new_category_rate,
            says: "20% of shop are values the reference does not have (0% before, 100 rows now): "
                + "something new upstream, or known values in a new spelling; which values is not recorded"
        ) {
            $0.add(
                "shop",
                categories(["food", "books", "tools", "(unseen)"], [5000, 3000, 2000, 0], [200, 120, 80, 100]),
                [.new_category_rate: 0.2])
        },
        Case("a stuck value", .psi, says: "every value of temperature is 13.2: a value stuck upstream, not the model") {
            $0.add(
                "temperature", deciles([0, 300, 0, 0, 0, 0, 0, 0, 0, 0]),
                Dictionary(uniqueKeysWithValues: uniform.keys.map { ($0, $0 == .sd ? 0 : 13.2) }), before: uniform)
        },
        Case(
            "a calendar", .psi,
            says: "month looks like a part of the date (1 to 12 in the reference): a calendar moves by itself: "
                + "such a column needs `month: ignore` or a seasonal reference"
        ) {
            var before = uniform
            (before[.min], before[.max]) = (1, 12)
            $0.add(
                "month", deciles([0, 0, 0, 0, 0, 0, 0, 0, 150, 150]), [.min: 11, .max: 12, .p50: 11.5],
                before: before)
        },
        Case(
            "a median that is noise, and a spread that is not", .psi,
            says: "change spread out: standard deviation 20 → 2,000"
        ) {
            var before = uniform
            (before[.p50], before[.sd]) = (0.0152, 20)
            $0.add(
                "change", deciles([16, 0, 0, 0, 0, 0, 0, 0, 0, 16]), [.p50: -98, .sd: 2000, .min: -5000, .max: 5000],
                before: before)
        },
        Case("a name alone makes no calendar", .psi, says: "day_rate rose: median 50 → 90") {
            $0.add("day_rate", deciles([0, 0, 0, 0, 0, 0, 0, 0, 150, 150]), [.p50: 90], before: uniform)
        },
    ]

    @Test(arguments: cases)
    func `says what was seen and what that usually means`(_ wanted: Case) {
        let fixture = SnapshotFixture.build(wanted.build)
        var book = EvidenceBook(fixture.snapshot(0))
        let likely = LikelyCause(
            row: fixture.rows[0], focus: .all, metric: wanted.metric, report: nil, clues: book.clues(ofRow: 0),
            deploys: [])
        #expect(likely.text == wanted.says)
    }

    @Test func `a release that nothing can be held against is told beside it`() {
        let fixture = SnapshotFixture.build {
            $0.add("score", Self.deciles([0, 0, 0, 0, 0, 0, 0, 0, 150, 150]), [.p50: 90], before: Self.uniform)
        }
        let release = Clue(kind: .deploy, what: "version 2 first seen", at: Timestamp(microseconds: 0))
        let likely = LikelyCause(
            row: fixture.rows[0], focus: .all, metric: .psi, report: nil, clues: [], deploys: [release])
        #expect(
            likely.text == "score rose: median 50 → 90; version 2 first seen at 1970-01-01T00:00:00Z, with no rows of "
                + "another version to hold it against")
    }

    @Test func `few rows say nothing of units or nulls`() {
        let fixture = SnapshotFixture.build {
            $0.add(
                "amount", Self.deciles([0, 0, 0, 0, 0, 0, 0, 0, 0, 9]), Self.scaled(100), before: Self.uniform)
        }
        #expect(ColumnClues(row: fixture.rows[0]).all.isEmpty)
    }

    /// The fault is in one segment: an alert on all traffic says so, with the segment's own numbers.
    @Test func `an alert on all traffic reads the rows of the segment that leads`() throws {
        var monitoring = Monitoring(try ruleSet("alert: A, expr: psi > 0.2"))
        let alerts = monitoring.close(
            0,
            SnapshotFixture.build {
                $0.add("amount", Self.deciles([220] + [UInt64](repeating: 200, count: 8) + [2180]), [.psi: 0.3])
                for country in ["BR", "US"] {
                    let isFaulty = country == "US"
                    let current: [UInt64] =
                        isFaulty ? [20, 0, 0, 0, 0, 0, 0, 0, 0, 1980] : .init(repeating: 200, count: 10)
                    let half = Comparison(
                        edges: Self.deciles([]).edges, categories: [], reference: .init(repeating: 200, count: 10),
                        current: current, referenceNulls: 0, currentNulls: 0)
                    $0.add(
                        "amount", half, Self.scaled(isFaulty ? 100 : 1), before: Self.uniform,
                        in: [("country", country)])
                }
            })
        let context = try #require(alerts.first).context
        #expect(
            context["likely"]
                == "amount is about 100 times the reference in country=US only: a unit change upstream, not the model")
        guard case .array(let correlated)? = context["correlated"] else { return #expect(Bool(false), "no evidence") }
        #expect(correlated.first?["kind"] == "unit_change" && correlated.first?["factor"] == .number(100))
    }
}
