import Events
import HTTPTypes
import Hummingbird
import Registry
import Values

/// Changes of champions by people and pipelines: promotion through its gate, rollback, holds.
extension Routes {
    static func changes(_ backend: Backend) -> [Route] {
        [
            Route(
                method: .post, path: "/v1/models/{model}/rollback", needs: .promoter,
                summary: "Goes back to an earlier version and puts the present one in quarantine",
                body: rollbackFields, answers: changeAnswers
            ) { try await rollBack($0, backend) },
            Route(
                method: .post, path: "/v1/models/{model}/promote", needs: .promoter,
                summary: "Makes a version the champion, if it passes its gate",
                body: promoteFields, answers: changeAnswers
            ) { try await promote($0, backend) },
            Route(
                method: .post, path: "/v1/models/{model}/hold", needs: .promoter,
                summary: "Stops automatic rollbacks of a model, or allows them again",
                body: holdFields,
                answers: [.init(status: 200, about: "The holds in force"), .init(status: 404, about: "No such model")]
            ) { try await hold($0, backend) },
            Route(
                method: .post, path: "/v1/models/{model}/versions/{version}/approve", needs: .promoter,
                summary: "Says that a version may be promoted", body: whoFields, answers: versionAnswers
            ) { call in
                let (model, version) = (try call.named("model"), try call.named("version"))
                let body = try await call.members(whoFields)
                try await backend.registry.approve(
                    model: model, version: version, actor: call.actor(body), reason: body["reason"]?.stringValue ?? "",
                    at: backend.service.now())
                return try await gate(call, backend)
            },
            Route(
                method: .post, path: "/v1/models/{model}/versions/{version}/metrics",
                summary: "Stores a measurement with a version, for its gate", body: metricFields,
                answers: versionAnswers
            ) { try await measure($0, backend) },
            Route(
                method: .get, path: "/v1/models/{model}/versions/{version}/gate",
                summary: "What the promotion gate says of a version now", answers: versionAnswers
            ) { try await gate($0, backend) },
        ]
    }

    private static let whoFields: [Route.Field] = [
        .init(name: "reason", type: "string", about: "for the audit trail"),
        .init(name: "actor", type: "string", about: "who asks, for the audit trail: beside the name of the token"),
    ]

    private static let rollbackFields: [Route.Field] =
        [
            .init(name: "to", type: "string", about: "champion-1 (unless told), champion-2, or a version"),
            .init(name: "expected_champion", type: "string", about: "do it only while this version is the champion"),
        ] + whoFields

    private static let promoteFields: [Route.Field] =
        [
            .init(name: "version", type: "string", about: "the version to promote", isRequired: true),
            .init(name: "expected_sequence", type: "integer", about: "do it only while the champion has this sequence"),
            .init(name: "force", type: "boolean", about: "though its gate refuses; for the admin role"),
        ] + whoFields

    private static let holdFields: [Route.Field] =
        [.init(name: "hold", type: "boolean", about: "true to stop them, false to allow them", isRequired: true)]
        + whoFields

    private static let metricFields: [Route.Field] =
        [
            .init(name: "name", type: "string", about: "such as aupr", isRequired: true),
            .init(name: "value", type: "number", about: "what was measured", isRequired: true),
            .init(name: "standard_error", type: "number", about: "of the value"),
            .init(name: "dataset", type: "string", about: "what it was measured on"),
        ] + whoFields

    private static let changeAnswers: [Route.Answer] = [
        .init(status: 200, about: "The champion after it"), .init(status: 400, about: "The body is wrong"),
        .init(status: 404, about: "No such model or version"),
        .init(status: 409, about: "The champion is not the expected one"),
        .init(status: 412, about: "The champion is not what If-Match or If-None-Match asks"),
        .init(status: 422, about: "A guard of the registry forbids it"),
    ]

    private static let versionAnswers: [Route.Answer] = [
        .init(status: 200, about: "What the gate says now"), .init(status: 400, about: "The body is wrong"),
        .init(status: 404, about: "No such model or version"),
    ]

    private static func rollBack(_ call: Call, _ backend: Backend) async throws -> Response {
        let model = try call.named("model")
        let body = try await call.members(rollbackFields)
        let expecting = try call.expecting()
        return try await call.comparing {
            .champion(
                try await backend.registry.rollback(
                    model: model, to: body["to"]?.stringValue ?? "champion-1",
                    expectedChampion: body["expected_champion"]?.stringValue, expecting: expecting,
                    actor: call.actor(body), reason: body["reason"]?.stringValue ?? "", at: backend.service.now()))
        }
    }

    private static func promote(_ call: Call, _ backend: Backend) async throws -> Response {
        let model = try call.named("model")
        let body = try await call.members(promoteFields)
        let force = body["force"] == .bool(true)
        guard !force || call.role >= .admin else {
            throw Failure(
                .forbidden, "forbidden", "only the admin role may pass a gate by force: yours is \(call.role)")
        }
        let reason = body["reason"]?.stringValue ?? ""
        guard !force || !reason.allSatisfy(\.isWhitespace) else {
            throw Failure.invalid("force needs a reason, which is written into the audit trail: add \"reason\"")
        }
        let expecting = try call.expecting() ?? body["expected_sequence"]?.integerValue.map { SequenceCondition.at($0) }
        return try await call.comparing {
            .champion(
                try await backend.registry.promote(
                    model: model, version: body["version"]?.stringValue ?? "", expecting: expecting,
                    force: force, actor: call.actor(body), reason: reason, at: backend.service.now()))
        }
    }

    private static func hold(_ call: Call, _ backend: Backend) async throws -> Response {
        let model = try call.named("model")
        let body = try await call.members(holdFields)
        let reason = body["reason"]?.stringValue ?? ""
        if body["hold"] == .bool(true) {
            try await backend.registry.hold(
                model: model, actor: call.actor(body), reason: reason, at: backend.service.now())
        } else {
            try await backend.registry.release(
                model: model, actor: call.actor(body), reason: reason, at: backend.service.now())
        }
        let holds = try await backend.registry.holds()
        return .json([
            "holds": .array(
                holds.map {
                    .members(
                        ("model", .string($0.model ?? "*")), ("actor", .string($0.actor)),
                        ("reason", .string($0.reason)), ("at", .time($0.at)))
                })
        ])
    }

    private static func measure(_ call: Call, _ backend: Backend) async throws -> Response {
        let (model, version) = (try call.named("model"), try call.named("version"))
        let body = try await call.members(metricFields)
        try await backend.registry.record(
            [
                VersionMetric(
                    name: body["name"]?.stringValue ?? "", dataset: body["dataset"]?.stringValue ?? "",
                    value: body["value"]?.numberValue ?? .nan, standardError: body["standard_error"]?.numberValue)
            ], model: model, version: version, actor: call.actor(body), reason: body["reason"]?.stringValue ?? "",
            at: backend.service.now())
        return try await gate(call, backend)
    }

    private static func gate(_ call: Call, _ backend: Backend) async throws -> Response {
        let checks = try await backend.registry.gate(
            model: try call.named("model"), version: try call.named("version"), actor: call.actor)
        return .json(
            .members(
                ("gated", .bool(checks != nil)), ("passes", .bool(checks?.allSatisfy(\.passed) ?? true)),
                ("checks", .array((checks ?? []).map(\.json)))))
    }
}

extension Call {
    /// Who acts: as the token says; as the request says only where there are no tokens.
    func actor(_ body: [String: JSON]) -> String {
        let claim = body["actor"]?.stringValue
        return caller.name == nil ? claim ?? actor : actor(through: "http", saying: claim)
    }

    /// A comparison asked for by header is answered as HTTP has it: 412.
    fileprivate func comparing(_ body: () async throws -> Response) async throws -> Response {
        do {
            return try await body()
        } catch let error as RegistryError where error.code == .conflict && isConditional {
            throw Failure(.preconditionFailed, error.code.rawValue, error.message)
        }
    }
}
