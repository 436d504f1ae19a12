import Events
import HTTPTypes
import Hummingbird
import Registry
import Values

/// The registry as fleets and operators use it.
extension Routes {
    static func champion(_ backend: Backend) -> [Route] {
        [
            Route(
                method: .get, path: "/v1/models/{model}/champion",
                summary: "Which versions serve now; with wait, as soon as that changes",
                query: [
                    .init(name: "wait", about: "How long to wait for a change, such as 30s; at most 60s"),
                    .init(name: "after", about: "Answer once the sequence is above this one", type: "integer"),
                ],
                answers: [
                    .init(status: 200, about: "The state; its ETag is the sequence"),
                    .init(status: 204, about: "Nothing changed while waiting", type: nil),
                    .init(status: 304, about: "Still what If-None-Match names", type: nil),
                    .init(status: 400, about: "A parameter is wrong"), .init(status: 404, about: "No such model"),
                    .init(status: 503, about: "Too many wait already"),
                ], isQuick: true
            ) { try await readChampion($0, backend.registry) },
            Route(
                method: .get, path: "/v1/models/{model}/versions", summary: "The registered versions of a model",
                answers: [.init(status: 200, about: "By number"), .init(status: 404, about: "No such model")]
            ) { call in
                let versions = try await backend.registry.versions(model: try call.named("model"))
                return .json(["versions": .array(versions.map(\.json))])
            },
        ]
    }

    private static func readChampion(_ call: Call, _ registry: Registry) async throws -> Response {
        let model = try call.named("model")
        let query = try ChampionQuery(call.query, ifNoneMatch: call.request.headers[.ifNoneMatch])
        let present = try await registry.champion(model: model)
        guard let wait = query.wait else {
            return query.known.contains(present.sequence) ? .unchanged(.notModified, present) : .champion(present)
        }
        let base = query.after ?? query.known.max() ?? present.sequence
        // A client that left or a server that stops ends the wait, and with it the registry's waiter.
        let changed = try await call.connection.whileOpen { end in
            try await registry.waitForChange(
                model: model, after: base, timeout: .microseconds(wait.microseconds), until: end)
        }
        return switch changed {
        case .some(let state): .champion(state)
        case nil: .unchanged(query.after == nil && !query.known.isEmpty ? .notModified : .noContent, present)
        }
    }
}

extension Response {
    static func champion(_ state: ChampionState) -> Response {
        var response = Response(state.document, type: ContentType.json)
        response.headers[.eTag] = "\"\(state.sequence)\""
        response.headers[.cacheControl] = "no-cache"
        return response
    }

    fileprivate static func unchanged(_ status: HTTPResponse.Status, _ state: ChampionState) -> Response {
        Response(status: status, headers: [.eTag: "\"\(state.sequence)\"", .cacheControl: "no-cache"])
    }
}

extension ModelVersion {
    var json: JSON {
        .members(
            ("version", .string(version)), ("number", .integer(number)), ("source", .string(source)),
            ("run_id", runID.map { .string($0) }), ("description", .string(description)), ("tags", .sorted(tags)),
            ("reference_path", referencePath.map { .string($0) }), ("created_at", .time(createdAt)),
            ("quarantined", .bool(isQuarantined)), ("aliases", .array(aliases.map { .string($0) })))
    }
}
