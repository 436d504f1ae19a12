import Events
import MLflow
import Mustache
import Values

/// The page of one experiment: its runs as a table that can be sorted by what most of them have.
struct ExperimentPage: Sendable {
    struct Head: Sendable {
        let name: String
        let href: String?
        let arrow: String?
        let kind: String
    }

    struct Run: Sendable {
        let name: String
        let href: String
        let status: String
        let kind: String
        let started: String
        let lasted: String
        let metrics: [String]
        let params: [String]
    }

    let id: String
    let name: String
    let isDeleted: Bool
    let facts: [TrackingView.Fact]
    let heads: [Head]
    let runs: [Run]
    let hasRuns: Bool
    let range: String
    let previous: String?
    let next: String?

    private static let pageSize = 100
    private static let metricsMaximum = 6
    private static let paramsMaximum = 4

    /// - Parameters:
    ///   - order: as `order_by` of a search, `metrics.auc DESC`.
    ///   - filter: as of a search.
    ///   - token: where the page begins.
    init(_ id: String, order: String, filter: String, token: String, _ api: MLflowAPI) async throws {
        let experiment =
            try await api.ask("GET", "experiments/get", [("experiment_id", id)])["experiment"] ?? .null
        self.id = id
        name = experiment["name"]?.stringValue ?? id
        isDeleted = experiment["lifecycle_stage"] == "deleted"
        var query = [
            (name: "experiment_ids", value: id), ("max_results", String(Self.pageSize)), ("filter", filter),
            ("page_token", token), ("run_view_type", isDeleted ? "ALL" : "ACTIVE_ONLY"),
        ]
        if !order.isEmpty { query.append(("order_by", order)) }
        let found = try await api.ask("POST", "runs/search", query)
        let all = found["runs"]?.arrayValue ?? []
        let metrics = Self.common(all, "metrics", Self.metricsMaximum)
        let params = Self.common(all, "params", Self.paramsMaximum)
        facts = Self.facts(experiment)
        runs = all.map { Self.run($0, metrics, params) }
        hasRuns = !runs.isEmpty
        func address(_ order: String, _ token: String = "") -> String {
            let parts = [("order", order), ("filter", filter), ("page_token", token)].filter { !$0.1.isEmpty }
            let query = parts.map { "\($0.0)=\(PercentCoding.encode($0.1))" }.joined(separator: "&")
            return Self.address(id) + (query.isEmpty ? "" : "?\(query)")
        }
        func head(_ name: String, _ field: String?, kind: String = "") -> Head {
            guard let field else { return Head(name: name, href: nil, arrow: nil, kind: kind) }
            let (down, up) = ("\(field) DESC", "\(field) ASC")
            return Head(
                name: name, href: address(order == down ? up : down),
                arrow: order == down ? "↓" : order == up ? "↑" : nil, kind: kind)
        }
        heads =
            [
                head("run", "attributes.run_name"), head("state", "attributes.status"),
                head("started", "attributes.start_time"), head("lasted", nil, kind: "num"),
            ] + metrics.map { head($0, Self.field("metrics", $0), kind: "num") }
            + params.map { head($0, Self.field("params", $0)) }
        range = "\(runs.count) shown" + (filter.isEmpty ? "" : ", of those where \(filter)")
        previous = token.isEmpty ? nil : address(order)
        next = found["next_page_token"]?.stringValue.map { address(order, $0) }
    }

    var document: String { TrackingView.page(name, Self.template.render(self)) }

    static func address(_ id: String) -> String { "/experiments/\(PercentCoding.encode(id))" }

    private static let template = Markup.template(TrackingTemplate.experiment)

    /// How a search names it; what its grammar cannot quote is not sorted by.
    private static func field(_ entity: String, _ key: String) -> String? {
        key.contains("`") ? nil : "\(entity).`\(key)`"
    }

    /// The keys that most of the runs have, those of equally many by name.
    private static func common(_ runs: [JSON], _ kind: String, _ maximum: Int) -> [String] {
        var counts: [String: Int] = [:]
        for run in runs {
            for item in run["data"]?[kind]?.arrayValue ?? [] { counts[item["key"]?.stringValue ?? "", default: 0] += 1 }
        }
        return counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.prefix(maximum).map(\.key)
    }

    private static func facts(_ experiment: JSON) -> [TrackingView.Fact] {
        var facts = [TrackingView.Fact(name: "artifacts", value: experiment["artifact_location"]?.stringValue ?? "")]
        if let made = TrackingView.time(experiment["creation_time"]) {
            facts.append(TrackingView.Fact(name: "made", value: Format.time(made)))
        }
        return facts + TrackingView.pairs(experiment["tags"]).prefix(8)
    }

    private static func run(_ run: JSON, _ metrics: [String], _ params: [String]) -> Run {
        let info = run["info"] ?? .null
        let id = info["run_id"]?.stringValue ?? ""
        let status = info["status"]?.stringValue ?? ""
        let (start, end) = (TrackingView.time(info["start_time"]), TrackingView.time(info["end_time"]))
        func values(_ kind: String, _ keys: [String], _ text: (JSON?) -> String) -> [String] {
            let items = run["data"]?[kind]?.arrayValue ?? []
            return keys.map { key in text(items.first { $0["key"]?.stringValue == key }?["value"]) }
        }
        return Run(
            name: info["run_name"]?.stringValue ?? id, href: RunPage.address(id), status: status.lowercased(),
            kind: ["FINISHED": "ok", "FAILED": "bad", "KILLED": "bad"][status] ?? "none",
            started: start.map { Format.time($0) } ?? "", lasted: TrackingView.duration(start, end) ?? "",
            metrics: values("metrics", metrics) {
                $0 == nil ? "" : $0 == "NaN" ? "NaN" : Format.number($0?.numberValue)
            },
            params: values("params", params) { TrackingView.cut($0?.stringValue ?? "", 40) })
    }
}

/// All experiments, the newest first.
struct ExperimentsPage: Sendable {
    struct Experiment: Sendable {
        let id: String
        let name: String
        let href: String
        let made: String
        let changed: String
    }

    let experiments: [Experiment]
    let next: String?

    init(token: String, _ api: MLflowAPI) async throws {
        let found = try await api.ask("GET", "experiments/search", [("max_results", "200"), ("page_token", token)])
        experiments = (found["experiments"]?.arrayValue ?? []).map { experiment in
            func time(_ key: String) -> String { TrackingView.time(experiment[key]).map { Format.time($0) } ?? "" }
            let id = experiment["experiment_id"]?.stringValue ?? ""
            return Experiment(
                id: id, name: experiment["name"]?.stringValue ?? id, href: ExperimentPage.address(id),
                made: time("creation_time"), changed: time("last_update_time"))
        }
        next = found["next_page_token"]?.stringValue.map { "/experiments?page_token=\(PercentCoding.encode($0))" }
    }

    var document: String { TrackingView.page("Experiments", Self.template.render(self)) }

    private static let template = Markup.template(TrackingTemplate.experiments)
}
