import Events
import Foundation
import MLflow
import Registry
import Values

/// Registered models, their versions and aliases.
extension MLflowImport {
    /// A version as the other server has it.
    private struct Version {
        let model: String
        let number: Int64
        let view: JSON
        let created: Int64

        init?(model: String, _ view: JSON) {
            guard let number = view["version"].flatMap({ MLflowImport.number($0) }) else { return nil }
            self.model = model
            self.number = number
            self.view = view
            created = view["creation_timestamp"].flatMap { MLflowImport.number($0) } ?? 0
        }
    }

    /// All versions in the order they were made, as one may be a copy of another model's; then the aliases.
    func copyModels(_ summary: inout Summary) async throws {
        var names: [String] = []
        var versions: [Version] = []
        // A server's own search leaves prompts out, which are models with a tag.
        for filter in ["", "tags.`mlflow.prompt.is_prompt` = 'true'"] {
            let query = [("max_results", "100")] + (filter.isEmpty ? [] : [("filter", filter)])
            for view in try await source.all(
                "/api/2.0/mlflow/registered-models/search", "registered_models", query: query)
            {
                guard let name = view["name"]?.stringValue else { continue }
                try await leavingOut("model \(name)", &summary) { summary in
                    try await copyModel(name, view, &summary)
                    names.append(name)
                    versions += try await self.versions(of: name, isPrompt: !filter.isEmpty, &summary)
                }
            }
        }
        versions.sort { ($0.created, $0.model, $0.number) < ($1.created, $1.model, $1.number) }
        for version in versions {
            try await leavingOut("version \(version.number) of \(version.model)", &summary) {
                try await copy(version, &$0)
            }
        }
        for name in names {
            try await leavingOut("aliases of \(name)", &summary) { try await copyAliases(of: name, &$0) }
        }
    }

    private func copyModel(_ name: String, _ view: JSON, _ summary: inout Summary) async throws {
        guard !(try await registry.models().contains { $0.name == name }) else { return }
        _ = try await registry.registerModel(
            name, description: view["description"]?.stringValue ?? "", tags: Self.tags(view), actor: actor,
            reason: "imported from \(source.url)", at: clock.now())
        summary.models += 1
        progress(summary, "model \(name)")
    }

    private func versions(of name: String, isPrompt: Bool, _ summary: inout Summary) async throws -> [Version] {
        // MLflow's filters know no escape, but two kinds of quotes.
        let mark = name.contains("'") ? "\"" : "'"
        let named = "name = \(mark)\(name)\(mark)"
        let views = try await source.all(
            "/api/2.0/mlflow/model-versions/search", "model_versions",
            query: [
                ("filter", isPrompt ? named + " AND tags.`mlflow.prompt.is_prompt` = 'true'" : named),
                ("max_results", "1000"),
            ])
        return views.compactMap { view in
            guard let version = Version(model: name, view), (1...Self.numberMaximum).contains(version.number) else {
                summary.leftOut.append("version \(view["version"]?.text ?? "") of \(name): MLflow has no such number")
                return nil
            }
            return version
        }
    }

    /// MLflow's are 32 bits wide; half of them, so that there is always a number after it.
    private static let numberMaximum = Int64(Int32.max / 2 - 1)

    private func copyAliases(of name: String, _ summary: inout Summary) async throws {
        // Searches leave aliases out on some servers; one model alone has them.
        let model = try await source.get("/api/2.0/mlflow/registered-models/get", [("name", name)])
        for alias in model["registered_model"]?["aliases"]?.arrayValue ?? [] {
            guard let text = alias["alias"]?.stringValue, let number = alias["version"].flatMap({ Self.number($0) })
            else { continue }
            try await leavingOut("alias \(text) of \(name)", &summary) { _ in
                try await registry.pointAlias(
                    model: name, alias: text, version: try await registry.label(model: name, number: number),
                    mayPromote: false, actor: actor, reason: "imported from \(source.url)", at: clock.now())
            }
        }
    }

    private func copy(_ version: Version, _ summary: inout Summary) async throws {
        let (model, number, view) = (version.model, version.number, version.view)
        let key = "\(model)/\(number)"
        if try await book.local(.version, key) != nil {
            summary.known += 1
            return
        }
        do {
            try await register(version)
        } catch let error as RegistryError where error.code == .alreadyExists {
            // An import that was stopped between the version and the note that it is there goes on here.
            let address = try await address(of: version)
            let present = try await registry.versions(model: model)
            guard present.contains(where: { $0.version == String(number) && $0.source == address }) else { throw error }
        }
        try await api.date(model: model, number: number, view: view)
        try await book.finish(.version, key, as: key)
        summary.versions += 1
        progress(summary, "version \(number) of \(model)")
    }

    private func address(of version: Version) async throws -> String {
        let address = try await api.localAddress(version.view["source"]?.stringValue ?? "")
        return address.isEmpty ? "unknown" : address
    }

    private func register(_ version: Version) async throws {
        func text(_ key: String) -> String? { version.view[key]?.stringValue.flatMap { $0.isEmpty ? nil : $0 } }
        _ = try await registry.registerVersion(
            model: version.model, version: String(version.number), source: try await address(of: version),
            runID: text("run_id"), description: text("description") ?? "", tags: Self.tags(version.view),
            origin: VersionOrigin(
                runLink: text("run_link"), loggedModel: text("model_id"), user: text("user_id") ?? "",
                mayBeOrphaned: true),
            actor: actor, reason: "imported from \(source.url)", at: clock.now())
    }

    private static func tags(_ view: JSON) -> [String: String] {
        var tags: [String: String] = [:]
        for tag in view["tags"]?.arrayValue ?? [] {
            if let key = tag["key"]?.stringValue, !key.isEmpty { tags[key] = tag["value"]?.stringValue ?? "" }
        }
        return tags
    }

    private static func number(_ value: JSON) -> Int64? {
        value.integerValue ?? value.stringValue.flatMap { Int64($0) }
    }
}
