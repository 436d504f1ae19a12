import Registry
import Server
import Statistics
import Values

/// A monitored fleet in the middle of an incident: what the page is looked at with, and what the tests ask for.
enum Fixture {
    static let now = Timestamp(rfc3339: "2026-03-01T14:05:12Z") ?? .distantPast
    static let window = TimeRange(
        start: Timestamp(rfc3339: "2026-03-01T13:00:00Z") ?? .distantPast,
        end: Timestamp(rfc3339: "2026-03-01T14:00:00Z") ?? .distantPast)

    /// The models, alerts and snapshots of the incident.
    static func incident() -> FixtureService.State {
        var state = FixtureService.State()
        state.models = [fraud, churn, pricing]
        state.alerts = FixtureAlerts.all
        state.snapshots = """
            {"model":"fraud","version":"*","segment":{},"column":"amount","n":12,"metrics":{"psi":0.31}}
            {"model":"fraud","version":"*","segment":{"country":"BR"},"column":"amount","n":4,"metrics":{"psi":0.5}}

            """
        return state
    }

    /// Models `fraud` (14 rolled back to 13) and `churn`.
    static func registry() async throws -> Registry {
        let registry = try await Registry.inMemory(waitersMaximum: 4)
        let day = now - .days(20)
        _ = try await registry.registerModel("fraud", actor: "ann", at: day)
        for version in ["11", "12", "13", "14"] {
            _ = try await registry.registerVersion(
                model: "fraud", version: version, source: "s3://models/fraud/\(version)", actor: "train-pipeline",
                reason: "weekly training", at: day)
        }
        _ = try await registry.registerModel("churn", actor: "ann", at: day)
        _ = try await registry.registerVersion(
            model: "churn", version: "2.4.0", source: "s3://models/churn/2.4.0", actor: "ann", at: day)
        try await registry.promote(
            model: "churn", version: "2.4.0", actor: "ann", reason: "first release", at: now - .days(18))
        for (i, version) in ["11", "12", "13", "14"].enumerated() {
            try await registry.promote(
                model: "fraud", version: version, actor: "maria", reason: "better AUPR on the last 30 days",
                at: now - .days(Int64(16 - 5 * i)))
        }
        try await registry.rollback(
            model: "fraud", to: "champion-1", actor: "rule:PredictionDriftAfterDeploy",
            reason: "prediction shifted 2 windows in a row, champion-1 did not", at: now - .minutes(4))
        return registry
    }

    static let fraud = ModelOverview(
        name: "fraud", task: "binary", versions: ["13", "14"], referenceName: "fraud v14 training data",
        referenceRows: 50_000, window: window, windowSize: .hours(1), rows: 18_412,
        rowHistory: [
            15_210, 14_820, 13_702, 12_008, 10_911, 10_240, 10_380, 11_250, 12_800, 14_420, 15_950, 17_100, 17_720,
            18_050, 17_900, 17_640, 17_820, 18_100, 18_340, 18_020, 17_900, 18_290, 18_377, 18_412,
        ],
        watermark: now - .minutes(1), lateRows: 31,
        columns: [
            column(
                "amount", edges: [5, 12.5, 20, 35, 60, 110, 240, 480, 1_250],
                reference: [10, 10, 10, 10, 10, 10, 10, 10, 10, 10], current: [5, 6, 7, 8, 9, 9, 10, 12, 14, 20],
                psi: 0.31, rising: true,
                worst: ("BR", 0.62, [2, 2, 3, 4, 6, 8, 11, 16, 21, 27])),
            category(
                "merchant_category",
                [
                    ("grocery", 31, 24), ("fuel", 14, 11), ("travel", 12, 19), ("electronics", 10, 17),
                    ("fashion", 9, 8),
                    ("gaming", 7, 6), ("pharmacy", 6, 5), ("books", 5, 4), ("transit", 3, 3), ("charity", 2, 1),
                    ("(unseen)", 0, 2),
                ], psi: 0.14),
            column(
                "prediction", edges: [0.01, 0.03, 0.06, 0.11, 0.19, 0.33, 0.5, 0.72, 0.9],
                reference: [24, 18, 14, 11, 9, 8, 6, 5, 3, 2], current: [15, 13, 12, 11, 11, 11, 9, 8, 6, 4], psi: 0.17,
                rising: true, worst: ("BR", 0.41, [6, 7, 9, 11, 13, 14, 13, 12, 9, 6])),
            column(
                "income", edges: [18_000, 24_000, 30_000, 38_000, 46_000, 58_000, 75_000, 120_000],
                reference: [11, 11, 11, 11, 11, 11, 11, 11, 12], current: [12, 11, 12, 11, 11, 10, 11, 11, 11],
                psi: 0.11,
                nulls: (0.012, 0.094)),
            column(
                "age", edges: [22, 27, 31, 36, 41, 47, 54, 63], reference: [11, 11, 11, 11, 11, 11, 11, 11, 12],
                current: [11, 12, 11, 11, 10, 11, 11, 11, 12], psi: 0.004),
            category("device", [("android", 52, 53), ("ios", 34, 33), ("web", 14, 14)], psi: 0.001),
            column(
                "account_age_days", edges: [3, 14, 45, 90, 180, 365, 730], reference: [12, 12, 13, 13, 12, 13, 12, 13],
                current: [13, 12, 13, 12, 12, 13, 12, 13], psi: 0.003),
            category("country", [("US", 44, 42), ("BR", 21, 23), ("MX", 18, 18), ("DE", 17, 17)], psi: 0.004),
        ])

    static let churn = ModelOverview(
        name: "churn", task: "binary", versions: ["2.4.0"], referenceName: "last 7 days", referenceRows: 84_100,
        window: window, windowSize: .hours(1), rows: 2_204, rowHistory: [2_010, 2_100, 2_180, 2_090, 2_204],
        watermark: now - .minutes(2), lateRows: 0,
        columns: [
            column(
                "tenure_months", edges: [1, 3, 6, 12, 24, 48], reference: [14, 14, 14, 15, 14, 14, 15],
                current: [15, 14, 14, 14, 14, 15, 14], psi: 0.006),
            category("plan", [("basic", 61, 60), ("plus", 29, 30), ("team", 10, 10)], psi: 0.001),
        ])

    static let pricing = ModelOverview(
        name: "pricing", task: "regression", versions: [], referenceName: "pricing v3 reference", referenceRows: 12_000,
        window: nil, windowSize: .hours(6), rows: 0, rowHistory: [], watermark: nil, lateRows: 0, columns: [])

    private static func column(
        _ name: String, edges: [Double], reference: [UInt64], current: [UInt64], psi: Double, rising: Bool = false,
        nulls: (Double, Double) = (0, 0), worst: (String, Double, [UInt64])? = nil
    ) -> ModelOverview.Column {
        let rows = reference.reduce(0, +)
        func comparison(_ current: [UInt64]) -> Comparison {
            Comparison(
                edges: edges, categories: [], reference: reference.map { $0 * 100 }, current: current.map { $0 * 37 },
                referenceNulls: UInt64(Double(rows * 100) * nulls.0), currentNulls: UInt64(Double(rows * 37) * nulls.1))
        }
        return overview(
            name, "numeric", comparison(current), psi: psi, rising: rising, nullRate: nulls.1,
            worst: worst.map { (Segment([Segment.Part("country", $0.0)]), $0.1, comparison($0.2)) })
    }

    private static func category(_ name: String, _ bins: [(String, UInt64, UInt64)], psi: Double)
        -> ModelOverview.Column
    {
        let comparison = Comparison(
            edges: [], categories: bins.map(\.0), reference: bins.map { $0.1 * 500 }, current: bins.map { $0.2 * 180 },
            referenceNulls: 0, currentNulls: 0)
        return overview(name, "categorical", comparison, psi: psi, rising: false, nullRate: 0, worst: nil)
    }

    private static func overview(
        _ name: String, _ kind: String, _ comparison: Comparison, psi: Double, rising: Bool, nullRate: Double,
        worst: (segment: Segment, psi: Double, comparison: Comparison)?
    ) -> ModelOverview.Column {
        var metrics = MetricValues()
        metrics[.psi] = psi
        metrics[.null_rate] = nullRate
        let wave = [0.9, 1.1, 1.0, 0.85, 1.05, 1.15, 0.95, 0.8, 1.0, 1.1, 0.9, 1.0]
        let history: [Double?] = (0..<24).map { i in
            if i == 7 { return nil }
            let calm = min(psi, 0.03) * wave[i % wave.count]
            return rising && i > 19 ? calm + (psi - calm) * Double(i - 19) / 4 : i == 23 ? psi : calm
        }
        return ModelOverview.Column(
            name: name, kind: kind, metrics: metrics, comparison: comparison, history: history, worstSegment: worst)
    }
}
