import Events
import HTTPTypes
import Hummingbird
import MLflow
import Values

/// MLflow's REST interface, in the same table as everything else: nothing of it can be reached past the checks.
extension Routes {
    static func mlflow(_ backend: Backend) -> [Route] {
        guard let api = backend.mlflow else { return [] }
        return probes() + Endpoint.all.map { route($0, api, backend) } + artifacts(api, backend)
    }

    /// What clients ask before they begin.
    private static func probes() -> [Route] {
        [
            Route(
                method: .get, path: "/health", access: .open,
                summary: "Whether the process answers, for MLflow's clients",
                answers: [.init(status: 200, about: "It does", type: "text/plain")]
            ) { _ in Response("OK".utf8, type: ContentType.text) },
            Route(
                method: .get, path: "/version", summary: "The newest MLflow client this was tested with",
                answers: [.init(status: 200, about: "A version", type: "text/plain")]
            ) { _ in Response(MLflowAPI.testedVersion.utf8, type: ContentType.text) },
            Route(
                method: .get, path: "/api/3.0/mlflow/server-info",
                summary: "What this server can do, for MLflow's clients",
                answers: [.init(status: 200, about: "Capabilities")]
            ) { _ in
                .json(
                    .members(
                        ("store_type", "SqlStore"), ("workspaces_enabled", false), ("trace_archival_enabled", false),
                        ("multipart_uploads_enabled", false), ("multipart_downloads_enabled", false),
                        ("presigned_upload_run_id_supported", false), ("presigned_upload_model_id_supported", false),
                        ("features_enabled", [:])))
            },
        ]
    }

    private static func route(_ endpoint: Endpoint, _ api: MLflowAPI, _ backend: Backend) -> Route {
        let method = HTTPRequest.Method(endpoint.method) ?? .get
        return Route(
            method: method, path: endpoint.path,
            needs: endpoint.administers ? .admin : endpoint.changes ? .editor : .viewer, summary: endpoint.summary,
            body: method == .get ? nil : [],
            answers: [
                .init(status: 200, about: "Done"), .init(status: 400, about: "Refused, with MLflow's error code"),
            ] + (endpoint.compares ? conditions(method) : []), isQuick: true
        ) { call in
            try await answering(call, backend) {
                let body = try await call.bytes(upTo: Limits.mlflowBytes)
                guard body.count > Limits.quickBytes else { return try await answer(call, body, endpoint, api) }
                return try await withTaskExecutorPreference(globalConcurrentExecutor) {
                    try await answer(call, body, endpoint, api)
                }
            }
        }
    }

    private static func conditions(_ method: HTTPRequest.Method) -> [Route.Answer] {
        method == .get
            ? [.init(status: 304, about: "Still what If-None-Match names", type: nil)]
            : [.init(status: 412, about: "It is not what If-Match or If-None-Match asks")]
    }

    private static func answer(
        _ call: Call, _ body: [UInt8], _ endpoint: Endpoint, _ api: MLflowAPI
    ) async throws -> Response {
        let fields = try Fields(body: Self.document(body), query: try Query.pairs(call.request.uri.query))
        let reads = endpoint.method == "GET"
        let expecting = endpoint.compares && !reads ? try call.expecting() : nil
        let answer: Answer
        do {
            answer = try await api.answer(
                endpoint,
                MLflowCall(
                    fields: fields, path: call.path, actor: actor(of: call), user: call.caller.user ?? "",
                    mayPromote: call.role >= .promoter, expecting: expecting))
        } catch let error as MLflowError where error.code == .resourceConflict && expecting != nil {
            return .mlflow(error.code, error.message, status: .preconditionFailed)
        }
        guard let tag = answer.tag else { return Response(answer.bytes, type: ContentType.json) }
        var response =
            reads && call.knows(tag) ? Response(status: .notModified) : Response(answer.bytes, type: ContentType.json)
        response.headers[.eTag] = "\"\(tag)\""
        response.headers[.cacheControl] = "no-cache"
        return response
    }

    /// Who is written into the audit trail: whose token it is, and the user name of Basic credentials.
    static func actor(of call: Call) -> String { call.actor(through: "mlflow") }

    private static func document(_ body: [UInt8]) throws -> JSON? {
        guard !body.isEmpty else { return nil }
        do {
            return try body.withUnsafeBytes { try JSON(parsing: $0) }
        } catch let error as JSONError {
            throw MLflowError(
                .invalidParameterValue, "The request body is not JSON: \(error.reason) at byte \(error.offset)")
        }
    }

    /// Errors in MLflow's form, whatever they are of.
    static func answering(
        _ call: Call, _ backend: Backend, _ body: () async throws -> Response
    ) async throws -> Response {
        do {
            return try await body()
        } catch let error as MLflowError {
            if error.code.status >= 500 {
                backend.telemetry.failed(
                    call.request.method.rawValue, call.request.uri.path,
                    Failure(.init(code: error.code.status), error.code.rawValue, error.message), cause: error.message)
            }
            return .mlflow(error)
        }
    }
}

extension ContentType {
    static let text = "text/plain; charset=utf-8"
}
