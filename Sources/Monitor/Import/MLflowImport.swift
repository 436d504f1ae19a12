import Events
import Foundation
import MLflow
package import Registry
import Values

/// `holdfast registry import`: copies experiments, runs with all metric values, logged models, registered models, versions,
/// aliases and artifacts from an MLflow server. What is copied whole is remembered, so that an import that was stopped goes on.
package struct MLflowImport: Sendable {
    /// What was copied, this time.
    package struct Summary: Sendable, Hashable {
        package var experiments = 0
        package var runs = 0
        package var metricValues = 0
        package var loggedModels = 0
        package var models = 0
        package var versions = 0
        package var artifacts = 0
        package var artifactBytes: Int64 = 0
        /// What was there from an earlier import.
        package var known = 0
        /// What could not be copied, each in a sentence.
        package var leftOut: [String] = []
    }

    private let source: MLflowSource
    private let registry: Registry
    private let api: MLflowAPI
    private let book: ImportBook
    private let actor: String
    private let clock: WallClock
    private let progress: @Sendable (Summary, String) -> Void

    /// - Parameters:
    ///   - state: the folder of the registry it copies into.
    ///   - url: the other server.
    ///   - progress: told after each thing that was copied, with what it was.
    package init(
        registry: Registry, state: String, url: String, username: String?, secret: String?, actor: String,
        clock: WallClock = .system, progress: @escaping @Sendable (Summary, String) -> Void
    ) {
        let address = url.hasSuffix("/") ? String(url.dropLast()) : url
        source = MLflowSource(url: address, username: username, secret: secret)
        self.registry = registry
        self.actor = actor
        self.clock = clock
        self.progress = progress
        api = MLflowService.make(registry: registry, state: state, clock: clock)
        book = ImportBook(api, source: address)
    }

    /// Copies all that is not copied yet. Throws where the other server does not answer; call it again to go on.
    package func run() async throws -> Summary {
        var summary = Summary()
        for view in try await source.all(
            "/api/2.0/mlflow/experiments/search", "experiments",
            [JSON.Member("max_results", 1_000), JSON.Member("view_type", "ALL")])
        {
            let id = view["experiment_id"]?.stringValue ?? ""
            let local = try await api.takeExperiment(view)
            if try await book.local(.experiment, id) == nil { summary.experiments += 1 }
            try await copyRuns(of: id, to: local, &summary)
            try await copyLoggedModels(of: id, to: local, &summary)
            try await book.finish(.experiment, id, as: local)
            progress(summary, "experiment \(view["name"]?.stringValue ?? id)")
        }
        // A server's own search leaves prompts out, which are models with a tag.
        for filter in ["", "tags.`mlflow.prompt.is_prompt` = 'true'"] {
            let query = [("max_results", "100")] + (filter.isEmpty ? [] : [("filter", filter)])
            for view in try await source.all(
                "/api/2.0/mlflow/registered-models/search", "registered_models", query: query)
            {
                try await copyModel(view, isPrompt: !filter.isEmpty, &summary)
            }
        }
        return summary
    }

    private func copyRuns(of experiment: String, to local: String, _ summary: inout Summary) async throws {
        var token: JSON?
        repeat {
            let page = try await source.post(
                "/api/2.0/mlflow/runs/search",
                .members(
                    ("experiment_ids", .array([.string(experiment)])), ("run_view_type", "ALL"), ("max_results", 200),
                    ("order_by", ["attributes.start_time ASC"]), ("page_token", token)))
            for view in page["runs"]?.arrayValue ?? [] {
                let id = view["info"]?["run_id"]?.stringValue ?? ""
                if try await book.local(.run, id) != nil {
                    summary.known += 1
                    continue
                }
                var history: [JSON] = []
                for metric in view["data"]?["metrics"]?.arrayValue ?? [] {
                    history += try await source.all(
                        "/api/2.0/mlflow/metrics/get-history", "metrics",
                        query: [("run_id", id), ("metric_key", metric["key"]?.stringValue ?? "")])
                }
                let target = try await api.takeRun(view, history: history, experiment: local)
                try await copyArtifacts(view["info"]?["artifact_uri"]?.stringValue, to: target, "run \(id)", &summary)
                try await book.finish(.run, id, as: id)
                summary.runs += 1
                summary.metricValues += history.count
                progress(summary, "run \(id)")
            }
            token = page["next_page_token"].flatMap { $0.stringValue?.isEmpty == false ? $0 : nil }
        } while token != nil
    }

    private func copyLoggedModels(of experiment: String, to local: String, _ summary: inout Summary) async throws {
        let views: [JSON]
        do {
            views = try await source.all(
                "/api/2.0/mlflow/logged-models/search", "models",
                [JSON.Member("experiment_ids", .array([.string(experiment)])), JSON.Member("max_results", 50)])
        } catch let failure as MLflowSource.Failure where failure.status == 404 {
            // Servers before 3.0 have none.
            return
        }
        for view in views {
            let id = view["info"]?["model_id"]?.stringValue ?? ""
            if try await book.local(.loggedModel, id) != nil {
                summary.known += 1
                continue
            }
            let target = try await api.takeLoggedModel(view, experiment: local)
            try await copyArtifacts(
                view["info"]?["artifact_uri"]?.stringValue, to: target, "logged model \(id)", &summary)
            try await api.finishLoggedModel(id, status: view["info"]?["status"]?.stringValue ?? "")
            try await book.finish(.loggedModel, id, as: id)
            summary.loggedModels += 1
            progress(summary, "logged model \(id)")
        }
    }

    private func copyArtifacts(
        _ address: String?, to target: ArtifactPath?, _ owner: String, _ summary: inout Summary
    ) async throws {
        guard let target, let address, let root = api.path(ofAddress: address) else {
            if let address, !address.isEmpty {
                summary.leftOut.append(
                    "the artifacts of \(owner) are not kept by the server but at \(address): they stay there")
            }
            return
        }
        var folders = [""]
        while let folder = folders.popLast() {
            let listed = try await source.get(
                "/api/2.0/mlflow-artifacts/artifacts", [("path", folder.isEmpty ? root : "\(root)/\(folder)")])
            for file in listed["files"]?.arrayValue ?? [] {
                let name = (folder.isEmpty ? "" : folder + "/") + (file["path"]?.stringValue ?? "")
                if file["is_dir"] == .bool(true) {
                    folders.append(name)
                    continue
                }
                let path: ArtifactPath
                do {
                    path = try ArtifactPath("\(target.text)/\(name)")
                } catch {
                    summary.leftOut.append("artifact \(name) of \(owner): its name is not one that can be kept")
                    continue
                }
                try await api.store(path, limit: .max, isImported: true, try await source.download("\(root)/\(name)"))
                summary.artifacts += 1
                summary.artifactBytes += file["file_size"]?.integerValue ?? 0
                progress(summary, name)
            }
        }
    }

    private func copyModel(_ view: JSON, isPrompt: Bool, _ summary: inout Summary) async throws {
        guard let name = view["name"]?.stringValue else { return }
        let known = Set(try await registry.models().map(\.name))
        if !known.contains(name) {
            _ = try await registry.registerModel(
                name, description: view["description"]?.stringValue ?? "", tags: Self.tags(view), actor: actor,
                reason: "imported from \(source.url)", at: clock.now())
            summary.models += 1
        }
        // MLflow's filters know no escape, but two kinds of quotes.
        let mark = name.contains("'") ? "\"" : "'"
        let named = "name = \(mark)\(name)\(mark)"
        let versions = try await source.all(
            "/api/2.0/mlflow/model-versions/search", "model_versions",
            query: [
                ("filter", isPrompt ? named + " AND tags.`mlflow.prompt.is_prompt` = 'true'" : named),
                ("max_results", "1000"),
            ])
        let numbered = versions.compactMap { version in
            version["version"].flatMap { Self.number($0) }.map { (number: $0, view: version) }
        }
        for (number, version) in numbered.sorted(by: { $0.number < $1.number }) {
            try await copyVersion(name, number, version, &summary)
        }
        // Searches leave aliases out on some servers; one model alone has them.
        let model = try await source.get("/api/2.0/mlflow/registered-models/get", [("name", name)])
        for alias in model["registered_model"]?["aliases"]?.arrayValue ?? [] {
            guard let text = alias["alias"]?.stringValue, let number = alias["version"].flatMap({ Self.number($0) })
            else { continue }
            do {
                try await registry.pointAlias(
                    model: name, alias: text, version: try await registry.label(model: name, number: number),
                    mayPromote: false, actor: actor, reason: "imported from \(source.url)", at: clock.now())
            } catch let error as RegistryError {
                summary.leftOut.append("alias \(text) of \(name): \(error.message)")
            }
        }
        progress(summary, "model \(name)")
    }

    private func copyVersion(_ model: String, _ number: Int64, _ view: JSON, _ summary: inout Summary) async throws {
        let key = "\(model)/\(number)"
        if try await book.local(.version, key) != nil {
            summary.known += 1
            return
        }
        let address = try await api.localAddress(view["source"]?.stringValue ?? "")
        do {
            _ = try await registry.registerVersion(
                model: model, version: String(number), source: address.isEmpty ? "unknown" : address,
                runID: view["run_id"]?.stringValue.flatMap { $0.isEmpty ? nil : $0 },
                description: view["description"]?.stringValue ?? "", tags: Self.tags(view),
                origin: VersionOrigin(
                    runLink: view["run_link"]?.stringValue.flatMap { $0.isEmpty ? nil : $0 },
                    loggedModel: view["model_id"]?.stringValue.flatMap { $0.isEmpty ? nil : $0 },
                    user: view["user_id"]?.stringValue ?? ""),
                actor: actor, reason: "imported from \(source.url)", at: clock.now())
        } catch let error as RegistryError where error.code == .alreadyExists || error.code == .invalid {
            summary.leftOut.append("version \(number) of \(model): \(error.message)")
            return
        }
        try await api.date(model: model, number: number, view: view)
        try await book.finish(.version, key, as: key)
        summary.versions += 1
        progress(summary, "version \(number) of \(model)")
    }

    private static func tags(_ view: JSON) -> [String: String] {
        var tags: [String: String] = [:]
        for tag in view["tags"]?.arrayValue ?? [] {
            if let key = tag["key"]?.stringValue { tags[key] = tag["value"]?.stringValue ?? "" }
        }
        return tags
    }

    private static func number(_ value: JSON) -> Int64? {
        value.integerValue ?? value.stringValue.flatMap { Int64($0) }
    }
}
