import HTTPTypes
import Hummingbird
import MLflow
import Values

/// The part of the paths whose clients are MLflow's.
enum MLflowPath {
    static func isOne(_ path: String) -> Bool { path.hasPrefix("/api/") || path.hasPrefix(browser) }

    /// MLflow's user interface and the scripts that were learned from it ask for the same under another name.
    static func canonical(_ path: String) -> String {
        path.hasPrefix(browser) ? "/api/" + path.dropFirst(browser.count) : path
    }

    private static let browser = "/ajax-api/"

    /// The code that MLflow's clients know for a failure of the server around it.
    static func code(of failure: Failure) -> MLflowError.Code {
        switch failure.status {
        case .unauthorized: .unauthenticated
        case .forbidden, .misdirectedRequest: .permissionDenied
        case .notFound, .methodNotAllowed: .endpointNotFound
        case .serviceUnavailable: .temporarilyUnavailable
        case .internalServerError: .internalError
        default: .invalidParameterValue
        }
    }
}

extension Response {
    /// `{"error_code","message"}`, which is all that MLflow's clients read of an error.
    static func mlflow(_ code: MLflowError.Code, _ message: String, status: HTTPResponse.Status) -> Response {
        .json(.members(("error_code", .string(code.rawValue)), ("message", .string(message))), status: status)
    }

    static func mlflow(_ error: MLflowError) -> Response {
        var response = mlflow(error.code, error.message, status: .init(code: error.code.status))
        // Nothing was done; clients wait this long before they ask again.
        if [.resourceExhausted, .temporarilyUnavailable].contains(error.code) { response.headers[.retryAfter] = "1" }
        return response
    }
}
