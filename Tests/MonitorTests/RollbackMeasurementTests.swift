import Events
import Registry
import Rules
import Testing
import Values

@testable import Monitor

/// What a rollback is judged by, from lines as the ledger keeps them.
struct RollbackMeasurementTests {
    private static func time(_ hours: Int64) -> Timestamp { Timestamp(microseconds: 0) + .hours(hours) }

    private static func order(
        windows: Int = 2, column: String = "amount", metric: String = "psi (nats, jeffreys, 10 bins)",
        value: Double = 0.4, threshold: Double = 0.25
    ) -> RollbackOrder {
        let window = JSON.members(("start", .time(time(10))), ("end", .time(time(11))))
        return RollbackOrder(
            alert: Alert(
                status: .firing, at: time(11), labels: ["column": column, "country": "BR"], annotations: [:],
                startsAt: time(11), endsAt: nil, fingerprint: "f",
                segment: Segment([Segment.Part("country", "BR")]),
                context: .members(
                    ("metric", .string(metric)), ("value", .number(value)), ("threshold", .number(threshold)),
                    ("change_start", .time(time(10))), ("window", window)),
                revision: 1, model: "pay", group: "g", rule: "Drift", notify: nil, actions: []),
            request: .init(
                to: "champion-1", mode: .guarded, unless: [], maximum: 1, maximumPer: .days(1), cooldown: .hours(1),
                windows: windows))
    }

    private static func line(
        _ version: String, _ column: String, psi: Double, country: String = "BR", rows: Int64 = 100
    ) -> String {
        JSON.members(
            ("model", "pay"), ("version", .string(version)), ("window", .object([])),
            ("segment", .object([.init("country", .string(country))])), ("column", .string(column)),
            ("kind", "numeric"), ("n", .integer(rows)),
            ("metrics", .members(("psi", .number(psi)), ("psi_p", .number(psi > 0.1 ? 1e-9 : 0.5))))
        ).text
    }

    private static func window(
        _ from: Int64, _ to: Int64, revision: Int = 1, _ lines: String...
    ) -> (window: TimeRange, revision: Int, lines: [UInt8]) {
        (TimeRange(start: time(from), end: time(to)), revision, Array(lines.joined(separator: "\n").utf8))
    }

    private static func performance(_ version: String, auroc: Double, isMature: Bool) -> String {
        JSON.members(
            ("model", "pay"), ("version", .string(version)), ("window", .object([])),
            ("segment", .object([.init("country", "BR")])), ("column", "performance"), ("kind", "performance"),
            ("n", 100), ("metrics", .members(("mature", isMature ? 1 : 0), ("auroc", .number(auroc))))
        ).text
    }

    @Test(
        "windows of the alert's size since the change began count"
    )
    func windows() {
        let trial = RollbackMeasurement(order: Self.order(), champion: "14", target: "13").trial([
            Self.window(9, 10, Self.line("14", "amount", psi: 0.01)),
            Self.window(10, 11, Self.line("14", "amount", psi: 0.3)),
            Self.window(0, 11, Self.line("14", "amount", psi: 0.02)),
            Self.window(
                11, 12, revision: 3, Self.line("14", "amount", psi: 0.35), Self.line("13", "amount", psi: 0.02),
                Self.performance("14", auroc: 0.6, isMature: true)),
        ])
        #expect(trial.windows.map(\.end) == [Self.time(11), Self.time(12)])
        #expect(trial.windows.map { $0.champion?.value } == [0.3, 0.35])
        #expect(trial.windows.map { $0.target?.value } == [nil, 0.02])
        #expect(trial.metric == "psi" && trial.threshold == 0.25 && trial.failsAbove && trial.subject == .input)
        #expect(trial.verdict(of: "14").verdict == .degrade)
    }

    @Test("performance is read from mature windows alone, and the inputs beside it")
    func performance() {
        let order = Self.order(column: "performance", metric: "auroc", value: 0.6, threshold: 0.8)
        let trial = RollbackMeasurement(order: order, champion: "14", target: "13").trial([
            Self.window(
                10, 11, revision: 2, Self.line("14", "amount", psi: 0.02),
                Self.performance("14", auroc: 0.6, isMature: true)),
            Self.window(
                11, 12, revision: 2, Self.line("14", "amount", psi: 0.03),
                Self.performance("14", auroc: 0.61, isMature: true)),
            Self.window(
                12, 13, Self.line("14", "amount", psi: 0.02), Self.performance("14", auroc: 0.95, isMature: false)),
        ])
        #expect(trial.windows.map(\.end) == [Self.time(11), Self.time(12)])
        #expect(trial.windows.map { $0.champion?.value } == [0.6, 0.61])
        #expect(trial.windows.map { $0.inputs.map(\.column) } == [["amount"], ["amount"]])
        #expect(!trial.failsAbove && trial.verdict(of: "14").verdict == .degrade)
    }

    @Test("rows of other segments and columns are not the alert's; inputs are those of the champion, the worst first")
    func rows() {
        let trial = RollbackMeasurement(order: Self.order(column: "prediction"), champion: "14", target: "13").trial([
            Self.window(
                10, 11, Self.line("14", "prediction", psi: 0.4), Self.line("14", "prediction", psi: 0.9, country: "US"),
                Self.line("14", "amount", psi: 0.02), Self.line("14", "age", psi: 0.6),
                Self.line("13", "income", psi: 0.7), Self.line("14", "amount", psi: 0.8, country: "US"), "{broken")
        ])
        #expect(trial.subject == .output && trial.windows[0].champion?.value == 0.4)
        #expect(trial.windows[0].inputs.map(\.column) == ["age", "amount"])
    }

    @Test("an order survives the outbox")
    func order() throws {
        var order = Self.order(windows: 3)
        order.attempt = 2
        order.judgedThrough = Self.time(12)
        let read = try #require(RollbackOrder(try JSON(parsing: order.json.bytes)))
        #expect(read.json == order.json)
        #expect(read.request == order.request && read.attempt == 2 && read.judgedThrough == Self.time(12))
        #expect(read.window.length == .hours(1))
    }
}
