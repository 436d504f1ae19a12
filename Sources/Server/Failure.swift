import HTTPTypes
import Hummingbird
import Registry
import Values

/// Why a request was not done: `{"error":{"code","message"}}` with its status. Thrown anywhere, rendered once.
struct Failure: Error, Hashable, Sendable {
    let status: HTTPResponse.Status
    let code: String
    /// For a person: what is wrong and what to do.
    let message: String
    var headers = HTTPFields()

    init(_ status: HTTPResponse.Status, _ code: String, _ message: String) {
        self.status = status
        self.code = code
        self.message = message
    }

    /// One that may succeed later.
    static func later(_ code: String, _ message: String, seconds: Int) -> Failure {
        var failure = Failure(.serviceUnavailable, code, message)
        failure.headers[.retryAfter] = String(seconds)
        return failure
    }

    static func invalid(_ message: String) -> Failure { Failure(.badRequest, "invalid", message) }

    static func tooLarge(_ maximum: Int) -> Failure {
        Failure(
            .contentTooLarge, "too_large",
            "the body is larger than \(maximum) bytes, the most taken at once: send it in parts")
    }

    init(_ error: RegistryError) {
        let status: HTTPResponse.Status =
            switch error.code {
            case .notFound: .notFound
            case .alreadyExists, .conflict: .conflict
            case .invalid: .badRequest
            case .refused: .unprocessableContent
            case .unavailable: .serviceUnavailable
            }
        self.init(status, error.code.rawValue, error.message)
        if error.code == .unavailable { headers[.retryAfter] = "1" }
    }

    /// As the clients of a path read it.
    func response(to path: String) -> Response {
        guard MLflowPath.isOne(path) else { return response }
        var mlflow = Response.mlflow(MLflowPath.code(of: self), message, status: status)
        for field in headers { mlflow.headers.append(field) }
        return mlflow
    }

    var response: Response {
        var response = Response.json(
            ["error": .members(("code", .string(code)), ("message", .string(message)))], status: status)
        for field in headers { response.headers.append(field) }
        return response
    }
}
