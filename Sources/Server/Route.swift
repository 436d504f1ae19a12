import HTTPTypes
import Hummingbird
import Values

/// One endpoint: how it is reached, what it says of itself, and what answers it. `/openapi.json` is made from the same
/// value, so that the two cannot drift apart.
struct Route: Sendable {
    enum Access: Sendable {
        /// Probes ask without credentials.
        case open
        case token
    }

    struct Parameter: Sendable {
        let name: String
        let about: String
        var type = "string"
    }

    struct Answer: Sendable {
        let status: Int
        let about: String
        var type: String? = ContentType.json
    }

    /// A member of a JSON body.
    struct Field: Sendable {
        let name: String
        let type: String
        let about: String
        var isRequired = false
    }

    let method: HTTPRequest.Method
    /// `/v1/models/{model}/champion`: a part in braces takes any one part of a path.
    let path: String
    var access = Access.token
    /// The least role that may ask; where not told, a viewer may read and an editor may send.
    var needs: Role?
    let summary: String
    var query: [Parameter] = []
    /// Members of the JSON object it takes; `nil` where there is no body, empty where the body is not one object.
    var body: [Field]?
    var answers: [Answer]
    /// Whether it only asks and waits: those are answered on the thread of their connection, which others share.
    var isQuick = false
    let handle: @Sendable (Call) async throws -> Response

    var role: Role { needs ?? (method == .get ? .viewer : .editor) }

    var parts: [Substring] { path.split(separator: "/") }
}

/// One request on its way through a route.
struct Call: Sendable {
    let request: Request
    /// What the parts in braces stand for, decoded.
    let path: [String: String]
    let query: Query
    let caller: AccessGuard.Caller
    let connection: Connection
    var role: Role { caller.role }

    /// The part of the path that a route's own pattern promises.
    func named(_ name: String) throws(Failure) -> String {
        guard let value = path[name] else {
            throw Failure(.internalServerError, "internal", "the route has no part called \(name)")
        }
        return value
    }

    /// Who is written into the audit trail where the request does not say.
    var actor: String { actor(through: "http") }

    /// Whose token it is counts; the name that the request gives itself stands after it, as anyone may give any.
    func actor(through door: String, saying claim: String? = nil) -> String {
        let claim = claim ?? caller.user
        guard let name = caller.name else { return claim.map { "\(door):\($0)" } ?? door }
        return claim.map { $0 == name ? "\(door):\(name)" : "\(door):\(name) as \($0)" } ?? "\(door):\(name)"
    }
}
