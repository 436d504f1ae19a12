import HTTPTypes
import Hummingbird
import NIOHTTP1
import Registry
import ServiceLifecycle

/// The one way in: every request passes the same checks in the same order before any route sees it.
struct Dispatcher: HTTPResponder {
    typealias Context = ConnectionContext

    let routes: RouteTable
    let access: AccessGuard
    let telemetry: ServerTelemetry

    func respond(to request: Request, context: Context) async throws -> Response {
        let connection = Connection(channel: context.channel)
        var response: Response
        do {
            response = try await route(request, connection)
        } catch let failure as Failure {
            response = failure.response(to: request.uri.path)
        } catch let error as RegistryError {
            let failure = Failure(error)
            if error.code == .unavailable { note(request, failure, error.message) }
            response = failure.response(to: request.uri.path)
        } catch is CancellationError {
            response = Failure.later("shutting_down", "the server is stopping: try again", seconds: 1).response
        } catch let error as HTTPParserError {
            // What came is not HTTP any more, or ended in the middle. The server around us answers 400 and closes.
            telemetry.left(request.method.rawValue, request.uri.path, cause: String(describing: error))
            throw error
        } catch {
            response = await self.response(to: error, of: request, connection)
        }
        for field in Self.alwaysSent { response.headers.append(field) }
        if !response.headers.contains(.cacheControl) { response.headers.append(Self.notStored) }
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

    /// Of what was neither answered nor refused.
    private func response(to error: any Error, of request: Request, _ connection: Connection) async -> Response {
        if await connection.isLeft {
            // Whatever it was came of the client's leaving, and nobody reads the answer.
            telemetry.left(request.method.rawValue, request.uri.path, cause: String(describing: error))
            return Failure(.clientClosedRequest, "client_left", "the client left before it was answered").response
        }
        // What went wrong inside is for the log; the caller can do nothing with it.
        let failure = Failure(.internalServerError, "internal", "the request failed; the server's log says why")
        note(request, failure, String(describing: error))
        return failure.response(to: request.uri.path)
    }

    private func note(_ request: Request, _ failure: Failure, _ cause: String) {
        telemetry.failed(request.method.rawValue, request.uri.path, failure, cause: cause)
    }

    /// Made once: the text of a field is checked when it is made. No route sends one of them itself.
    private static let alwaysSent = [
        HTTPField(name: .xContentTypeOptions, value: "nosniff"), HTTPField(name: .referrerPolicy, value: "no-referrer"),
    ]
    private static let notStored = HTTPField(name: .cacheControl, value: "no-store")
}

extension HTTPResponse.Status {
    /// As nginx calls it, for those who count statuses.
    static let clientClosedRequest = HTTPResponse.Status(code: 499, reasonPhrase: "Client Closed Request")
}

extension HTTPField.Name {
    /// A literal that is a valid token, so the name exists.
    static let referrerPolicy = HTTPField.Name("Referrer-Policy")!
}
