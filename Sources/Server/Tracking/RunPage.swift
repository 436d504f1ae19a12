import Events
import MLflow
import Mustache
import Values

/// The page of one run: what it was given, how it went, what came of it.
struct RunPage: Sendable {
    struct Metric: Sendable {
        let name: String
        let value: String
        let about: String
        let chart: String?
    }

    struct Version: Sendable {
        let model: String
        let label: String
        let aliases: [String]
        let isQuarantined: Bool
        let modelHref: String
        let lineageHref: String
    }

    let id: String
    let name: String
    let status: String
    let statusKind: String
    let isDeleted: Bool
    let description: String?
    let facts: [TrackingView.Fact]
    let metrics: [Metric]
    let hasMetrics: Bool
    let moreMetrics: String?
    let params: [TrackingView.Fact]
    let tags: [TrackingView.Fact]
    let datasets: [TrackingView.Fact]
    let models: [TrackingView.Fact]
    let versions: [Version]
    let hasLineage: Bool
    /// The folder that is looked into, with the way up.
    let folder: TrackingView.Fact?
    let files: [TrackingView.Fact]
    let isEmpty: Bool
    /// Where the artifacts are if not here.
    let elsewhere: String?

    private static let metricsMaximum = 200
    /// Shown where they belong, or of no use to people.
    private static let hiddenTags: Set = ["mlflow.runName", "mlflow.note.content", "mlflow.log-model.history"]

    /// - Parameter path: the folder of artifacts to look into.
    init(_ id: String, path: String, _ api: MLflowAPI) async throws {
        let run = try await api.ask("GET", "runs/get", [("run_id", id)])["run"] ?? .null
        let info = run["info"] ?? .null
        let experiment = info["experiment_id"]?.stringValue ?? ""
        let experimentName = try await api.ask("GET", "experiments/get", [("experiment_id", experiment)])[
            "experiment"]?[
                "name"]?.stringValue
        self.id = id
        name = info["run_name"]?.stringValue ?? id
        status = (info["status"]?.stringValue ?? "").lowercased()
        statusKind = TrackingView.kind(ofStatus: info["status"]?.stringValue ?? "")
        isDeleted = info["lifecycle_stage"] == "deleted"
        let all = TrackingView.pairs(run["data"]?["tags"])
        description = all.first { $0.name == "mlflow.note.content" }?.value
        tags = all.filter { !Self.hiddenTags.contains($0.name) }
        params = TrackingView.pairs(run["data"]?["params"])
        facts = Self.facts(info, experiment, experimentName ?? experiment, tags)
        let logged = run["data"]?["metrics"]?.arrayValue ?? []
        let curves = try await api.curves(ofRun: id)
        metrics = logged.prefix(Self.metricsMaximum).map { Self.metric($0, curves) }
        hasMetrics = !metrics.isEmpty
        moreMetrics = logged.count > metrics.count ? String(logged.count - metrics.count) : nil
        datasets = (run["inputs"]?["dataset_inputs"]?.arrayValue ?? []).map(Self.dataset)
        models = try await api.models(ofRun: id).map { model in
            let state = model.status.replacing("LOGGED_MODEL_", with: "").lowercased()
            return TrackingView.Fact(name: model.name, value: "\(model.id), \(state), \(Format.time(model.createdAt))")
        }
        versions = try await api.versions(ofRun: id).map(Self.version)
        hasLineage = !(datasets.isEmpty && models.isEmpty && versions.isEmpty)
        let address = info["artifact_uri"]?.stringValue ?? ""
        let isHere = api.path(ofAddress: address) != nil
        elsewhere = isHere ? nil : address
        let listed =
            isHere ? try await api.ask("GET", "artifacts/list", [("run_id", id), ("path", path)])["files"] : nil
        files = (listed?.arrayValue ?? []).map { Self.file($0, id) }
        isEmpty = isHere && files.isEmpty
        folder = path.isEmpty ? nil : Self.folder(path, id)
    }

    var document: String { TrackingView.page(name, Self.template.render(self)) }

    static func address(_ id: String) -> String { "/runs/\(PercentCoding.encode(id))" }

    private static let template = Markup.template(TrackingTemplate.run)

    private static func facts(
        _ info: JSON, _ experiment: String, _ name: String, _ tags: [TrackingView.Fact]
    ) -> [TrackingView.Fact] {
        let (start, end) = (TrackingView.time(info["start_time"]), TrackingView.time(info["end_time"]))
        func tag(_ name: String) -> String? { tags.first { $0.name == name }?.value }
        let rows: [(String, String?, String?)] = [
            ("experiment", name, "/experiments/\(PercentCoding.encode(experiment))"),
            ("started", start.map { Format.time($0) }, nil), ("lasted", TrackingView.duration(start, end), nil),
            ("user", info["user_id"]?.stringValue, nil), ("source", tag("mlflow.source.name"), nil),
            ("commit", tag("mlflow.source.git.commit").map { String($0.prefix(10)) }, nil),
            ("part of", tag("mlflow.parentRunId"), tag("mlflow.parentRunId").map(address)),
        ]
        return rows.compactMap { name, value, href in
            guard let value, !value.isEmpty else { return nil }
            return TrackingView.Fact(name: name, value: value, href: href)
        }
    }

    private static func metric(_ json: JSON, _ curves: [String: [Double?]]) -> Metric {
        let name = json["key"]?.stringValue ?? ""
        let points = curves[name] ?? []
        let isNaN = json["value"] == "NaN"
        let step = json["step"]?.integerValue ?? 0
        return Metric(
            name: name, value: isNaN ? "NaN" : Format.number(json["value"]?.numberValue),
            about: points.count > 1 ? "step \(step)" : step == 0 ? "logged once" : "logged once, at step \(step)",
            chart: points.count > 1
                ? Sparkline(values: points, fitsRange: true, about: "\(name) over its steps").markup : nil)
    }

    private static func dataset(_ input: JSON) -> TrackingView.Fact {
        let dataset = input["dataset"] ?? .null
        let context = (input["tags"]?.arrayValue ?? []).first { $0["key"] == "mlflow.data.context" }?["value"]
        let parts = [context?.stringValue, dataset["source_type"]?.stringValue, dataset["digest"]?.stringValue]
        return TrackingView.Fact(
            name: dataset["name"]?.stringValue ?? "", value: parts.compactMap(\.self).joined(separator: ", "))
    }

    private static func version(_ version: RunVersion) -> Version {
        Version(
            model: version.model, label: version.label, aliases: version.aliases, isQuarantined: version.isQuarantined,
            modelHref: RegistryPages.address(version.model),
            lineageHref: RegistryPages.lineage(version.model, version.label))
    }

    private static func file(_ file: JSON, _ id: String) -> TrackingView.Fact {
        let path = file["path"]?.stringValue ?? ""
        let name = path.split(separator: "/").last.map(String.init) ?? path
        let encoded = PercentCoding.encode(path)
        guard file["is_dir"] != true else {
            return TrackingView.Fact(name: "\(name)/", value: "", href: "\(address(id))?path=\(encoded)")
        }
        let size = file["file_size"]?.integerValue.map { "\(Format.number(Double($0))) bytes" } ?? ""
        return TrackingView.Fact(
            name: name, value: size, href: "/get-artifact?run_id=\(PercentCoding.encode(id))&path=\(encoded)")
    }

    private static func folder(_ path: String, _ id: String) -> TrackingView.Fact {
        let above = path.split(separator: "/").dropLast().joined(separator: "/")
        let query = above.isEmpty ? "" : "?path=\(PercentCoding.encode(above))"
        return TrackingView.Fact(name: path, value: "", href: address(id) + query)
    }
}
