import Registry
import Testing
import Values

struct GateTests {
    private static let policy = PromotionPolicy(
        requirements: [
            .init(metric: "aupr", dataset: "holdout", minimum: 0.8), .init(metric: "latency_p99", maximum: 50),
        ],
        comparison: .init(metric: "aupr", dataset: "holdout", margin: 0.005, confidence: 0.95, lowerIsBetter: false),
        approvals: 1)

    private static func record(
        _ registry: Registry, _ version: String, aupr: Double, error: Double? = 0.002, latency: Double = 20
    ) async throws {
        try await registry.record(
            [
                .init(name: "aupr", dataset: "holdout", value: aupr, standardError: error),
                .init(name: "latency_p99", value: latency),
            ], model: "fraud", version: version, actor: "train", reason: "evaluated", at: Fixture.time(1))
    }

    private static func promote(_ registry: Registry, _ version: String, force: Bool = false) async throws {
        try await registry.promote(
            model: "fraud", version: version, force: force, actor: "maria", reason: "better", at: Fixture.time(3))
    }

    private static func gated() async throws -> Registry {
        let registry = try await Fixture.registry()
        try await Self.record(registry, "1", aupr: 0.82)
        try await Fixture.promote(registry, "1")
        try await registry.setPolicy(
            model: "fraud", policy, actor: "holdfast", reason: "configuration", at: Fixture.time(2))
        return registry
    }

    @Test func `a version that shows what the policy asks for is promoted and the checks are kept`() async throws {
        let registry = try await Self.gated()
        try await Self.record(registry, "2", aupr: 0.84)
        try await registry.approve(
            model: "fraud", version: "2", actor: "ann", reason: "looks good", at: Fixture.time(2))
        try await Self.promote(registry, "2")
        #expect(try await registry.champion(model: "fraud").slots == ["2", "1", nil])
        let promotion = try #require(try await registry.promotions(model: "fraud").first)
        #expect(promotion.outcome == .passed && promotion.checks.count == 4 && promotion.checks.allSatisfy(\.passed))
        #expect(try await registry.champion(model: "fraud").sequence == promotion.sequence)
    }

    @Test func `a version that does not is refused with every reason, and the refusal is kept`() async throws {
        let registry = try await Self.gated()
        try await Self.record(registry, "2", aupr: 0.79, latency: 80)
        // One's own approval is not another's.
        try await registry.approve(model: "fraud", version: "2", actor: "maria", reason: "", at: Fixture.time(2))
        let error = await refusal { try await Self.promote(registry, "2") }
        #expect(error?.code == .refused)
        for part in [
            "aupr >= 0.8 on holdout: 0.79", "latency_p99 <= 50.0: 80.0", "better than",
            "nobody else approved it: maria promotes it",
        ] {
            #expect(error?.message.contains(part) == true, "\(part) in \(error?.message ?? "")")
        }
        #expect(try await registry.champion(model: "fraud").slots == ["1", nil, nil])
        #expect(try await registry.promotions(model: "fraud").map(\.outcome) == [.refused])
        #expect(try await registry.events().last?.kind == .promotionRefused)
        #expect(try await registry.verifyAudit().isIntact)
    }

    @Test func `force promotes all the same and is written down`() async throws {
        let registry = try await Self.gated()
        try await Self.promote(registry, "2", force: true)
        #expect(try await registry.champion(model: "fraud").slots == ["2", "1", nil])
        #expect(try await registry.promotions(model: "fraud").map(\.outcome) == [.forced])
        #expect(try await registry.audit(model: "fraud").contains { $0.action == "promotion.forced" })
    }

    @Test func `what was not measured, or without an error, does not pass`() async throws {
        let registry = try await Self.gated()
        let bare = try #require(try await registry.gate(model: "fraud", version: "2", actor: "maria"))
        #expect(bare.filter { $0.found.contains("not measured") }.count == 3)
        try await registry.record(
            [.init(name: "aupr", dataset: "june", value: 0.9)], model: "fraud", version: "2", actor: "train",
            reason: "evaluated", at: Fixture.time(2))
        let named = try #require(try await registry.gate(model: "fraud", version: "2", actor: "maria"))
        #expect(
            named[0].found
                == "it was not measured for this version on holdout, only on june: store it with `registry measure`")
        try await Self.record(registry, "2", aupr: 0.99, error: nil)
        let checks = try #require(try await registry.gate(model: "fraud", version: "2", actor: "maria"))
        #expect(checks[2].found.contains("standard error is missing") && !checks[2].passed)
    }

    /// One-sided z-tests, confidences from scipy.stats.norm.cdf: the gain beyond the margin over the joined error.
    @Test(arguments: [
        (0.84, 0.002, true), (0.831, 0.002, true), (0.829, 0.002, false), (0.826, 0.002, false), (0.90, 0.08, false),
    ])
    func `better means by the margin and with confidence`(_ aupr: Double, _ error: Double, _ passes: Bool) {
        let check = Self.policy.check(
            [.init(name: "aupr", dataset: "holdout", value: aupr, standardError: error)],
            champion: [.init(name: "aupr", dataset: "holdout", value: 0.82, standardError: 0.002)], approvers: [])[2]
        #expect(check.passed == passes, "\(check.found)")
    }

    @Test func `a first champion needs no other to be better than, and lower is better where told`() {
        #expect(Self.policy.check([], champion: nil, approvers: [])[2].passed)
        let loss = PromotionPolicy(
            comparison: .init(metric: "log_loss", margin: 0, confidence: 0.95, lowerIsBetter: true))
        func passes(_ new: Double) -> Bool {
            loss.check(
                [.init(name: "log_loss", value: new, standardError: 0.01)],
                champion: [.init(name: "log_loss", value: 0.4, standardError: 0.01)], approvers: [])[0].passed
        }
        #expect(passes(0.3) && !passes(0.5) && !passes(0.39))
    }

    @Test func `a tag can stand for a metric, and models without a policy are promoted as ever`() async throws {
        let registry = try await Fixture.registry(versions: 0)
        _ = try await registry.registerVersion(
            model: "fraud", source: "x", tags: ["holdfast.metric.auroc": "0.91"], actor: "ann", at: Fixture.time(1))
        #expect(try await registry.metrics(model: "fraud", version: "1") == [.init(name: "auroc", value: 0.91)])
        try await Self.promote(registry, "1")
        #expect(try await registry.promotions(model: "fraud").isEmpty)
        let nan = await refusal {
            try await registry.record(
                [.init(name: "x", value: .nan)], model: "fraud", version: "1", actor: "a", reason: "",
                at: Fixture.time(1))
        }
        #expect(nan?.code == .invalid)
    }
}
