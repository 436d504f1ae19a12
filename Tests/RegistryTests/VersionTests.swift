import Registry
import Testing
import Values

struct VersionTests {
    @Test func `a version without a label is called by its number`() async throws {
        let registry = try await Fixture.registry(versions: 0)
        var labels: [String] = []
        for label in [nil, "3.2.0", nil, "14", nil, "5", nil] as [String?] {
            let version = try await registry.registerVersion(
                model: "fraud", version: label, source: "x", actor: "ann", at: Fixture.time(1))
            labels.append("\(version.version)#\(version.number)")
        }
        #expect(labels == ["1#1", "3.2.0#2", "3#3", "14#14", "15#15", "5#5", "16#16"])
    }

    @Test func `numbers pass over labels that read as a number they do not have`() async throws {
        let registry = try await Fixture.registry(versions: 0)
        func register(_ label: String?) async throws -> ModelVersion {
            try await registry.registerVersion(
                model: "fraud", version: label, source: "x", actor: "a", at: Fixture.time(1))
        }
        _ = try await register("a")
        #expect(try await register("1").number == 2)
        _ = try await register("b")
        _ = try await register("2")
        #expect(try await register(nil).version == "5")
    }

    @Test func `deleted versions vanish and their labels and numbers stay used`() async throws {
        let registry = try await Fixture.registry(versions: 2)
        try await registry.setAlias(
            model: "fraud", alias: "staging", version: "2", actor: "ann", reason: "try", at: Fixture.time(1))
        try await registry.deleteVersion(
            model: "fraud", version: "2", actor: "ann", reason: "broken", at: Fixture.time(2))
        #expect(try await registry.versions(model: "fraud").map(\.version) == ["1"])
        #expect(try await registry.aliases(model: "fraud").isEmpty)
        #expect(try await registry.aliasHistory(model: "fraud").map(\.to) == ["2", nil])
        let taken = await refusal {
            _ = try await registry.registerVersion(
                model: "fraud", version: "2", source: "x", actor: "ann", at: Fixture.time(3))
        }
        #expect(taken?.code == .alreadyExists)
        let next = try await registry.registerVersion(model: "fraud", source: "x", actor: "ann", at: Fixture.time(3))
        #expect(next.version == "3")
        let gone = await refusal {
            try await registry.promote(model: "fraud", version: "2", actor: "ann", reason: "", at: Fixture.time(4))
        }
        #expect(gone?.code == .notFound)
    }

    @Test func `a version of the warm set is not deleted`() async throws {
        let registry = try await Fixture.registry()
        try await Fixture.promote(registry, "1", "2", "3")
        for version in ["1", "2", "3"] {
            let error = await refusal {
                try await registry.deleteVersion(
                    model: "fraud", version: version, actor: "ann", reason: "", at: Fixture.time(2))
            }
            #expect(error?.code == .refused)
        }
    }

    @Test func `everything registered is read back`() async throws {
        let registry = try await Fixture.registry(versions: 0)
        _ = try await registry.registerModel(
            "churn", description: "who leaves", tags: ["team": "growth", "tier": "1"], actor: "bo",
            at: Fixture.time(5))
        let version = try await registry.registerVersion(
            model: "churn", version: "2024-11", source: "models:/m-1", runID: "r1", description: "first",
            tags: ["auroc": "0.9"], referencePath: "references/churn.json", actor: "bo", at: Fixture.time(6))
        try await registry.setAlias(
            model: "churn", alias: "shadow", version: "2024-11", actor: "bo", reason: "try", at: Fixture.time(7))
        let model = try await registry.model("churn")
        #expect(model.description == "who leaves" && model.tags == ["team": "growth", "tier": "1"])
        #expect(try await registry.models().map(\.name) == ["churn", "fraud"])
        let read = try await registry.version(model: "churn", "2024-11")
        #expect(read.aliases == ["shadow"] && version.aliases.isEmpty)
        #expect(read.referencePath == "references/churn.json" && read.runID == "r1" && read.tags == ["auroc": "0.9"])
        #expect(read.createdAt == Fixture.time(6) && !read.isQuarantined)
    }

    @Test(arguments: ["", "a/b", "a:b", "a\nb", String(repeating: "x", count: 251)])
    func `model names that URIs cannot hold are invalid`(_ name: String) async throws {
        let registry = try await Registry.inMemory()
        let error = await refusal { _ = try await registry.registerModel(name, actor: "ann", at: Fixture.time(0)) }
        #expect(error?.code == .invalid)
    }

    @Test(arguments: ["", "*", "champion", "champion-1", "1\u{0}"])
    func `version labels with another meaning are invalid`(_ label: String) async throws {
        let registry = try await Fixture.registry(versions: 0)
        let error = await refusal {
            _ = try await registry.registerVersion(
                model: "fraud", version: label, source: "x", actor: "ann", at: Fixture.time(0))
        }
        #expect(error?.code == .invalid)
    }

    @Test(arguments: [
        ("champion", RegistryError.Code.refused), ("champion-2", .refused), ("latest", .invalid), ("v12", .invalid),
        ("a b", .invalid), ("", .invalid),
    ])
    func `protected and reserved aliases are not set by hand`(_ alias: String, _ code: RegistryError.Code) async throws
    {
        let registry = try await Fixture.registry()
        try await Fixture.promote(registry, "1")
        let set = await refusal {
            try await registry.setAlias(
                model: "fraud", alias: alias, version: "2", actor: "ann", reason: "", at: Fixture.time(2))
        }
        let deleted = await refusal {
            try await registry.deleteAlias(model: "fraud", alias: alias, actor: "ann", reason: "", at: Fixture.time(2))
        }
        #expect(set?.code == code && deleted?.code == code)
    }

    @Test func `plain aliases move, stay and go`() async throws {
        let registry = try await Fixture.registry()
        func set(_ version: String) async throws -> Int64 {
            try await registry.setAlias(
                model: "fraud", alias: "v2-candidate", version: version, actor: "ann", reason: "r", at: Fixture.time(2))
        }
        let first = try await set("1")
        #expect(try await set("1") == first)
        #expect(try await set("2") > first)
        func delete() async throws -> Bool {
            try await registry.deleteAlias(
                model: "fraud", alias: "v2-candidate", actor: "ann", reason: "r", at: Fixture.time(3))
        }
        #expect(try await delete())
        #expect(try await !delete())
        let moves = try await registry.aliasHistory(model: "fraud", alias: "v2-candidate")
        #expect(moves.map(\.from) == [nil, "1", "2"] && moves.map(\.to) == ["1", "2", nil])
    }

    @Test func `what does not exist is not found, what exists is not made again`() async throws {
        let registry = try await Fixture.registry()
        #expect(await refusal { _ = try await registry.model("nope") }?.code == .notFound)
        #expect(await refusal { _ = try await registry.versions(model: "nope") }?.code == .notFound)
        #expect(await refusal { _ = try await registry.champion(model: "nope") }?.code == .notFound)
        #expect(await refusal { _ = try await registry.version(model: "fraud", "99") }?.code == .notFound)
        let twice = await refusal { _ = try await registry.registerModel("fraud", actor: "ann", at: Fixture.time(0)) }
        #expect(twice?.code == .alreadyExists)
        let nobody = await refusal { _ = try await registry.registerModel("x", actor: "", at: Fixture.time(0)) }
        #expect(nobody?.code == .invalid)
    }
}
