import Registry
import Testing
import Values

/// What fleets report, what is kept with versions, and what is removed for good.
struct FleetTests {
    @Test func `the share of the fleet on the champion is known from fresh reports alone`() async throws {
        let registry = try await Fixture.registry()
        try await Fixture.promote(registry, "1", "2")
        func report(_ instance: String, active: String, at minutes: Int64) async throws {
            let state = try await registry.report(
                model: "fraud", instance: instance, loaded: ["1", "2"], active: active, at: Fixture.time(minutes))
            #expect(state.slots == ["2", "1", nil])
        }
        #expect(try await registry.fleet(model: "fraud", at: Fixture.time(1)).shareOnChampion == nil)
        for (i, active) in ["2", "2", "2", "1"].enumerated() { try await report("pod-\(i)", active: active, at: 10) }
        let fleet = try await registry.fleet(model: "fraud", at: Fixture.time(10))
        #expect(fleet.shareOnChampion == 0.75 && fleet.loaded("1") == 4 && fleet.silent == 0)
        try await report("pod-0", active: "2", at: 12)
        let later = try await registry.fleet(model: "fraud", at: Fixture.time(12))
        #expect(later.shareOnChampion == 1 && later.silent == 3)
        let nameless = await refusal {
            _ = try await registry.report(
                model: "fraud", instance: "", loaded: [], active: nil, at: Fixture.time(1))
        }
        #expect(nameless?.code == .invalid)
    }

    @Test func `one wait hears of every model, in order`() async throws {
        let registry = try await Fixture.registry()
        _ = try await registry.registerModel("churn", actor: "ann", at: Fixture.time(0))
        _ = try await registry.registerVersion(model: "churn", source: "x", actor: "ann", at: Fixture.time(0))
        async let waiting = registry.waitForChanges(after: 0, timeout: .seconds(60))
        while registry.waiterCount == 0 { await Task.yield() }
        try await Fixture.promote(registry, "1")
        let first = try await waiting
        #expect(first.map(\.model) == ["fraud"])
        try await registry.promote(model: "churn", version: "1", actor: "ann", reason: "", at: Fixture.time(1))
        #expect(try await registry.waitForChanges(after: 0, timeout: .seconds(60)).map(\.model) == ["fraud", "churn"])
        let last = try await registry.champion(model: "churn").sequence
        #expect(try await registry.waitForChanges(after: last, timeout: .milliseconds(20)).isEmpty)
        #expect(registry.waiterCount == 0)
        try await registry.advance("kafka", to: last)
        #expect(try await registry.cursor(of: "kafka") == last)
    }

    @Test func `a reference stays with its version and follows the champion`() async throws {
        try await Fixture.withFile { path in
            let missing = await refusal {
                _ = try Registry.storedReference(path: path, model: "fraud", version: "champion")
            }
            #expect(missing?.code == .notFound)
            let registry = try await Registry(path: path)
            try await Fixture.fill(registry)
            try await Fixture.promote(registry, "1", "2")
            let none = await refusal { _ = try await registry.reference(model: "fraud", version: "champion") }
            #expect(none?.message.contains("registry reference") == true)
            for version in ["1", "2"] {
                try await registry.storeReference(
                    Array("reference \(version)".utf8), model: "fraud", version: version, actor: "train", reason: "",
                    at: Fixture.time(2))
            }
            #expect(
                try Registry.storedReference(path: path, model: "fraud", version: "champion")
                    == Array("reference 2".utf8))
            try await registry.rollback(
                model: "fraud", to: "champion-1", actor: "ann", reason: "bad", at: Fixture.time(3))
            #expect(try await registry.reference(model: "fraud", version: "champion") == Array("reference 1".utf8))
        }
    }

    @Test func `purging tells first, then removes what deleted versions left, and keeps their names used`() async throws
    {
        let registry = try await Fixture.registry(versions: 3)
        try await Fixture.promote(registry, "1")
        try await registry.deleteVersion(model: "fraud", version: "2", actor: "ann", reason: "", at: Fixture.time(10))
        try await registry.deleteVersion(model: "fraud", version: "3", actor: "ann", reason: "", at: Fixture.time(100))
        func purge(dryRun: Bool) async throws -> [String] {
            try await registry.purge(
                deletedBefore: Fixture.time(50), dryRun: dryRun, actor: "ann", reason: "old", at: Fixture.time(200)
            ).map(\.version)
        }
        #expect(try await purge(dryRun: true) == ["2"])
        #expect(try await purge(dryRun: false) == ["2"])
        #expect(try await purge(dryRun: false).isEmpty)
        let next = try await registry.registerVersion(
            model: "fraud", source: "x", actor: "ann", at: Fixture.time(201))
        #expect(next.version == "4")
        #expect(try await registry.events().map(\.kind).count { $0 == .versionsPurged } == 1)
    }

    @Test func `a deleted model's champion ends in the feed, under the name it had`() async throws {
        let registry = try await Fixture.registry(versions: 1)
        try await registry.pointAlias(
            model: "fraud", alias: "champion", version: "1", mayPromote: true, actor: "ann", at: Fixture.time(1))
        let before = try await registry.newestSequence()
        try await registry.deleteModel("fraud", actor: "ann", at: Fixture.time(2))
        let ended = try await registry.champions(after: before)
        #expect(ended.map(\.model) == ["fraud"] && ended.map(\.champion) == [nil])
        // A new model of that name is told after it, and no more mixed up with it.
        try await Fixture.fill(registry, versions: 1)
        #expect(try await registry.champions(after: before) == ended)
        try await registry.pointAlias(
            model: "fraud", alias: "champion", version: "1", mayPromote: true, actor: "ann", at: Fixture.time(3))
        #expect(try await registry.champions(after: before).map(\.champion?.version) == [nil, "1"])
    }

    @Test func `lineage tells a version's whole life`() async throws {
        let registry = try await Fixture.registry(versions: 0)
        for run in ["run-a", "run-b"] {
            _ = try await registry.registerVersion(
                model: "fraud", source: "s3://m", runID: run, actor: "train", at: Fixture.time(0))
        }
        try await registry.record(
            [.init(name: "aupr", dataset: "holdout", value: 0.8)], model: "fraud", version: "2", actor: "train",
            reason: "", at: Fixture.time(1))
        try await registry.storeReference(
            [1, 2, 3], model: "fraud", version: "2", actor: "train", reason: "", at: Fixture.time(1))
        try await Fixture.promote(registry, "1", "2")
        _ = try await registry.decide(Fixture.proposal("k", judged: "2"), at: Fixture.time(60))
        let lineage = try await registry.lineage(model: "fraud", version: "2").text
        for part in [
            #""run_id":"run-b""#, #""datasets":["holdout"]"#, #""reference_sha256":"039058c6"#, #""followed_by":"1""#,
            #""ended_by":"holdfast""#, #""verdict":"degrade","outcome":"done""#, #""quarantine":{"#,
        ] {
            #expect(lineage.contains(part), "\(part) in \(lineage)")
        }
    }
}
