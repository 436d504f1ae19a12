/// Why a request of an MLflow client was not done, by the code that its clients look at.
package struct MLflowError: Error, Hashable, Sendable, CustomStringConvertible {
    /// MLflow's names; the status follows from them, also where that is odd.
    package enum Code: String, Sendable, CaseIterable {
        case invalidParameterValue = "INVALID_PARAMETER_VALUE"
        case resourceAlreadyExists = "RESOURCE_ALREADY_EXISTS"
        case unauthenticated = "UNAUTHENTICATED"
        case permissionDenied = "PERMISSION_DENIED"
        case resourceDoesNotExist = "RESOURCE_DOES_NOT_EXIST"
        case endpointNotFound = "ENDPOINT_NOT_FOUND"
        case resourceConflict = "RESOURCE_CONFLICT"
        case resourceExhausted = "RESOURCE_EXHAUSTED"
        case internalError = "INTERNAL_ERROR"
        case invalidState = "INVALID_STATE"
        case temporarilyUnavailable = "TEMPORARILY_UNAVAILABLE"

        /// The HTTP status that clients expect with it.
        package var status: Int {
            switch self {
            case .invalidParameterValue, .resourceAlreadyExists: 400
            case .unauthenticated: 401
            case .permissionDenied: 403
            case .resourceDoesNotExist, .endpointNotFound: 404
            case .resourceConflict: 409
            case .resourceExhausted: 429
            case .internalError, .invalidState: 500
            case .temporarilyUnavailable: 503
            }
        }
    }

    package let code: Code
    package let message: String

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    static func invalid(_ message: String) -> MLflowError { MLflowError(.invalidParameterValue, message) }
    static func missing(_ message: String) -> MLflowError { MLflowError(.resourceDoesNotExist, message) }

    package var description: String { message }
}
