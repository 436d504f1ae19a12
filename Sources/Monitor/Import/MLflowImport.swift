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

    let source: MLflowSource
    let registry: Registry
    let api: MLflowAPI
    let book: ImportBook
    let actor: String
    let clock: WallClock
    let progress: @Sendable (Summary, String) -> Void

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
        try await copyModels(&summary)
        return summary
    }

    /// Does one thing of many. What this side refuses, or the other does not have any more, is left out and said: an import
    /// that stopped at it would stop there again.
    func leavingOut(
        _ what: String, _ summary: inout Summary, _ body: (inout Summary) async throws -> Void
    ) async throws {
        do {
            try await body(&summary)
        } catch let error as RegistryError where error.code != .unavailable {
            summary.leftOut.append("\(what): \(error.message)")
        } catch let error as MLflowError where error.code.status < 500 {
            summary.leftOut.append("\(what): \(error.message)")
        } catch let failure as MLflowSource.Failure where failure.status == 404 {
            summary.leftOut.append("\(what): \(failure)")
        }
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
                try await leavingOut("run \(id)", &summary) { try await copyRun(view, id, to: local, &$0) }
            }
            token = page["next_page_token"].flatMap { $0.stringValue?.isEmpty == false ? $0 : nil }
        } while token != nil
    }

    private func copyRun(_ view: JSON, _ id: String, to local: String, _ summary: inout Summary) async throws {
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
            try await leavingOut("logged model \(id)", &summary) { summary in
                let target = try await api.takeLoggedModel(view, experiment: local)
                try await copyArtifacts(
                    view["info"]?["artifact_uri"]?.stringValue, to: target, "logged model \(id)", &summary)
                try await api.finishLoggedModel(id, status: view["info"]?["status"]?.stringValue ?? "")
                try await book.finish(.loggedModel, id, as: id)
                summary.loggedModels += 1
                progress(summary, "logged model \(id)")
            }
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
                try await leavingOut("artifact \(name) of \(owner)", &summary) { summary in
                    try await api.store(
                        path, limit: .max, isImported: true, try await source.download("\(root)/\(name)"))
                    summary.artifacts += 1
                    summary.artifactBytes += file["file_size"]?.integerValue ?? 0
                    progress(summary, name)
                }
            }
        }
    }
}
