import Events
import Registry
import Testing
import Values

@testable import Monitor

/// Events of the registry as they are told to other systems.
struct RegistryNewsTests {
    private static let at = Timestamp(microseconds: 0)

    /// A clean-up script: everything is gone before anybody was told of it.
    private static func registry() async throws -> Registry {
        let registry = try await Registry.inMemory()
        for model in ["gone", "old"] {
            _ = try await registry.registerModel(model, actor: "ann", at: at)
            _ = try await registry.registerVersion(model: model, source: "s3://x", actor: "ann", at: at)
            try await registry.setAlias(
                model: model, alias: "best", version: "1", actor: "ann", reason: "", at: at)
        }
        try await registry.deleteModel("gone", actor: "ann", at: at)
        try await registry.rename(model: "old", to: "new", actor: "ann", at: at)
        return registry
    }

    @Test("a model that was deleted or renamed since is told of all the same, and the end of its aliases")
    func gone() async throws {
        let registry = try await Self.registry()
        var told: [String] = []
        for event in try await registry.events() {
            for body in try await RegistryNews.bodies(event, registry) {
                guard body["entity"]?.stringValue == "model_version_alias" else { continue }
                let data = body["data"]
                told.append(
                    "\(data?["name"]?.stringValue ?? "") \(data?["alias"]?.stringValue ?? "") "
                        + "\(body["action"]?.stringValue ?? "")")
            }
        }
        #expect(told == ["gone best created", "old best created", "gone best deleted"])
    }

    @Test("tags of versions are news, and what happens to prompts is told as theirs")
    func tags() async throws {
        let registry = try await Registry.inMemory()
        let prompt = ["mlflow.prompt.is_prompt": "true"]
        _ = try await registry.registerModel("m", actor: "ann", at: Self.at)
        _ = try await registry.registerModel("p", tags: prompt, actor: "ann", at: Self.at)
        for model in ["m", "p"] {
            _ = try await registry.registerVersion(model: model, source: "s3://x", actor: "ann", at: Self.at)
            try await registry.edit(
                model: model, version: "1", tags: ["kept": "yes", "gone": nil], actor: "ann", at: Self.at)
            try await registry.edit(model: model, tags: ["team": "risk"], actor: "ann", at: Self.at)
            try await registry.setAlias(
                model: model, alias: "best", version: "1", actor: "ann", reason: "", at: Self.at)
        }
        var told: [String] = []
        for event in try await registry.events() {
            for body in try await RegistryNews.bodies(event, registry) {
                let (entity, action) = (body["entity"]?.stringValue ?? "", body["action"]?.stringValue ?? "")
                told.append("\(entity).\(action) \(body["data"]?["key"]?.stringValue ?? "")")
            }
        }
        #expect(
            told.sorted() == [
                "model_version.created ", "model_version_alias.created ", "model_version_tag.deleted gone",
                "model_version_tag.set kept", "prompt.created ", "prompt_alias.created ", "prompt_tag.set team",
                "prompt_version.created ", "prompt_version_tag.deleted gone", "prompt_version_tag.set kept",
                "registered_model.created ",
            ])
    }

    @Test("a receiver begins at what is new once, and misses nothing after a restart")
    func cursor() async throws {
        let registry = try await Registry.inMemory()
        try await registry.beginCursor(of: "a")
        _ = try await registry.registerModel("m", actor: "ann", at: Self.at)
        try await registry.beginCursor(of: "a")
        #expect(try await registry.cursor(of: "a") == 0)
        try await registry.beginCursor(of: "b")
        #expect(try await registry.cursor(of: "b") == registry.newestSequence())
    }
}
