import Events
import HTTPTypes
import Hummingbird
import Registry
import Values

/// What fleets say and hear, beside the champion of one model: the stream of all, and their own reports.
extension Routes {
    static func fleet(_ backend: Backend) -> [Route] {
        [
            Route(
                method: .get, path: "/v1/champions/stream",
                summary: "Champions as server-sent events: those now, then each as it moves",
                query: [.init(name: "model", about: "Only of this model")],
                answers: [
                    .init(
                        status: 200,
                        about: "Events `champion`, their id the sequence; Last-Event-ID goes on after one",
                        type: ContentType.eventStream),
                    .init(status: 404, about: "No such model"),
                ]
            ) { try await stream($0, backend.registry) },
            Route(
                method: .post, path: "/v1/models/{model}/fleet",
                summary: "A serving instance tells what it has loaded and what it serves", body: reportFields,
                answers: [
                    .init(status: 200, about: "The versions to have loaded"),
                    .init(status: 400, about: "The body is wrong"), .init(status: 404, about: "No such model"),
                ]
            ) { call in
                let model = try call.named("model")
                let body = try await call.members(reportFields)
                let state = try await backend.registry.report(
                    model: model, instance: body["instance"]?.stringValue ?? "",
                    loaded: (body["loaded"]?.arrayValue ?? []).compactMap(\.stringValue),
                    active: body["active"]?.stringValue, at: backend.service.now())
                return .champion(state)
            },
            Route(
                method: .get, path: "/v1/models/{model}/fleet",
                summary: "Which instances serve a model, and the share of them on its champion",
                answers: [.init(status: 200, about: "Instances"), .init(status: 404, about: "No such model")]
            ) { call in
                .json(try await backend.registry.fleet(model: try call.named("model"), at: backend.service.now()).json)
            },
            Route(
                method: .get, path: "/v1/models/{model}/decisions",
                summary: "Automatic rollbacks that were done, refused or would have run, the newest first",
                answers: [.init(status: 200, about: "Decisions"), .init(status: 404, about: "No such model")]
            ) { call in
                let model = try call.named("model")
                _ = try await backend.registry.model(model)
                let decisions = try await backend.registry.decisions(model: model)
                return .json(["decisions": .array(decisions.map(\.json))])
            },
            Route(
                method: .get, path: "/v1/models/{model}/versions/{version}/lineage",
                summary: "Where a version comes from and what became of it",
                answers: [.init(status: 200, about: "Lineage"), .init(status: 404, about: "No such model or version")]
            ) { call in
                .json(
                    try await backend.registry.lineage(
                        model: try call.named("model"), version: try call.named("version")))
            },
        ]
    }

    private static let reportFields: [Route.Field] = [
        .init(name: "instance", type: "string", about: "a name that stays the same", isRequired: true),
        .init(name: "active", type: "string", about: "the version that answers requests"),
        .init(name: "loaded", type: "array", about: "the versions in memory, as strings"),
    ]

    private static func stream(_ call: Call, _ registry: Registry) async throws -> Response {
        let model = call.query["model"]
        if let model { _ = try await registry.champion(model: model) }
        let newest = try await registry.newestSequence()
        let asked = call.request.headers[.lastEventID].flatMap { Int64($0) } ?? 0
        // An id of another registry, or of one that was restored from a backup: everything is news.
        let start = asked > newest ? 0 : asked
        return Response(
            status: .ok,
            headers: [.contentType: ContentType.eventStream, .cacheControl: "no-store", .connection: "close"],
            body: ResponseBody(asyncSequence: ChampionEvents(registry: registry, model: model, after: start)))
    }
}

extension HTTPField.Name {
    /// A literal that is a valid token, so the name exists.
    fileprivate static let lastEventID = HTTPField.Name("Last-Event-ID")!
}

extension Decision {
    fileprivate var json: JSON {
        .members(
            ("id", .integer(id)), ("at", .time(at)), ("verdict", verdict.map { .string($0.rawValue) } ?? .null),
            ("outcome", .string(outcome.rawValue)), ("mode", .string(mode.rawValue)),
            ("judged_version", .string(judgedVersion)), ("from", from.map { .string($0) } ?? .null),
            ("to", to.map { .string($0) } ?? .null), ("reason", .string(reason)),
            ("sequence", .integer(sequence)))
    }
}
