import HTTPTypes
import Hummingbird
import Registry
import ServiceLifecycle

/// The one way in: every request passes the same checks in the same order before any route sees it.
struct Dispatcher: HTTPResponder {
    typealias Context = ConnectionContext

    let routes: RouteTable
    let access: AccessGuard
    let telemetry: ServerTelemetry
    /// Of the event loop that all connections are on.
    let executor: LoopExecutor

    func respond(to request: Request, context: Context) async throws -> Response {
        var response: Response
        do {
            response = try await route(request, Connection(channel: context.channel, executor: executor))
        } catch let failure as Failure {
            response = failure.response(to: request.uri.path)
        } catch let error as RegistryError {
            let failure = Failure(error)
            if error.code == .unavailable { note(request, failure, error.message) }
            response = failure.response(to: request.uri.path)
        } catch is CancellationError {
            response = Failure.later("shutting_down", "the server is stopping: try again", seconds: 1).response
        } catch {
            // What went wrong inside is for the log; the caller can do nothing with it.
            let failure = Failure(.internalServerError, "internal", "the request failed; the server's log says why")
            note(request, failure, String(describing: error))
            response = failure.response(to: request.uri.path)
        }
        for (name, value) in Self.alwaysSent { response.headers[name] = value }
        if response.headers[.cacheControl] == nil { response.headers[.cacheControl] = "no-store" }
        return request.method == .head ? response.createHeadResponse() : response
    }

    private func route(_ request: Request, _ connection: Connection) async throws -> Response {
        try access.checkSender(request)
        let (found, values) = routes.matches(MLflowPath.canonical(request.uri.path))
        let method: HTTPRequest.Method = request.method == .head ? .get : request.method
        let route = found.first { $0.method == method }
        // Without credentials nobody learns which paths there are.
        let caller = route?.access == .open ? .nobody : try access.authenticate(request)
        guard let route else {
            guard !found.isEmpty else {
                throw Failure(.notFound, "not_found", "there is no such path: /openapi.json lists all of them")
            }
            let allowed = RouteTable.methods(found)
            var failure = Failure(
                .methodNotAllowed, "method_not_allowed", "\(request.method) is not possible here: use \(allowed)")
            failure.headers[.allow] = allowed
            throw failure
        }
        guard route.access == .open || caller.role >= route.role else {
            throw Failure(
                .forbidden, "forbidden", "this needs the role \(route.role), and the token has the role \(caller.role)")
        }
        // MLflow's clients send lists as repeated names; its routes read the query themselves.
        let query = MLflowPath.isOne(request.uri.path) ? .empty : try Query(request.uri.query)
        // Probes and pages are asked with all kinds of cache busters; the API is exact.
        if route.path.hasPrefix("/v1/") { try query.checkNames(route.query.map(\.name)) }
        let call = Call(request: request, path: values, query: query, caller: caller, connection: connection)
        if route.isQuick { return try await route.handle(call) }
        return try await withTaskExecutorPreference(globalConcurrentExecutor) { try await route.handle(call) }
    }

    private func note(_ request: Request, _ failure: Failure, _ cause: String) {
        telemetry.failed(request.method.rawValue, request.uri.path, failure, cause: cause)
    }

    private static let alwaysSent: [(HTTPField.Name, String)] = [
        (.xContentTypeOptions, "nosniff"), (HTTPField.Name.referrerPolicy, "no-referrer"),
    ]
}

extension HTTPField.Name {
    /// A literal that is a valid token, so the name exists.
    static let referrerPolicy = HTTPField.Name("Referrer-Policy")!
}
