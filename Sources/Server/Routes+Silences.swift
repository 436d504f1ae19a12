import Events
import HTTPTypes
import Hummingbird
import Values

/// Why a silence was not taken.
package struct SilenceRefused: Error, Sendable {
    package enum Kind: Sendable {
        case invalid, notFound, tooMany
    }

    package let kind: Kind
    package let message: String

    package init(_ kind: Kind, _ message: String) {
        self.kind = kind
        self.message = message
    }
}

/// Silences, in Alertmanager's form.
extension Routes {
    static func silences(_ backend: Backend) -> [Route] {
        [
            Route(
                method: .get, path: "/v1/silences", summary: "Silences with their state, those that end last first",
                answers: [.init(status: 200, about: "Silences in Alertmanager's form")]
            ) { _ in .json(["silences": .array(try await backend.service.silences())]) },
            Route(
                method: .post, path: "/v1/silences",
                summary: "Tells nobody of the alerts whose labels pass every matcher, for a while",
                body: [
                    .init(name: "id", type: "string", about: "the silence to replace; a new one without it"),
                    .init(
                        name: "matchers", type: "array", about: "objects with name, value, isRegex, isEqual",
                        isRequired: true),
                    .init(name: "startsAt", type: "string", about: "now unless told"),
                    .init(name: "endsAt", type: "string", about: "when it ends; or duration"),
                    .init(name: "duration", type: "string", about: "such as 2h, instead of endsAt"),
                    .init(name: "createdBy", type: "string", about: "who asks"),
                    .init(name: "comment", type: "string", about: "why"),
                ],
                answers: [
                    .init(status: 200, about: "Its id, as silenceID"), .init(status: 400, about: "A member is wrong"),
                    .init(status: 404, about: "There is no such silence to replace"),
                ]
            ) { call in
                let body: JSON
                do {
                    body = try JSON(parsing: try await call.bytes(upTo: Limits.requestBytes))
                } catch let error as JSONError {
                    throw Failure.invalid("the body is not JSON: \(error.reason) at byte \(error.offset)")
                }
                return .json([
                    "silenceID": .string(try await told { try await backend.service.silence(body, by: call.actor) })
                ])
            },
            Route(
                method: .delete, path: "/v1/silences/{id}", summary: "Ends a silence now",
                answers: [
                    .init(status: 200, about: "It has ended"), .init(status: 404, about: "There is no such silence"),
                ]
            ) { call in
                let id = try call.named("id")
                try await told { try await backend.service.endSilence(id) }
                return .json(["status": "ok"])
            },
        ]
    }

    private static func told<T>(_ body: () async throws -> T) async throws -> T {
        do {
            return try await body()
        } catch let refused as SilenceRefused {
            switch refused.kind {
            case .invalid: throw Failure.invalid(refused.message)
            case .notFound: throw Failure(.notFound, "not_found", refused.message)
            case .tooMany: throw Failure(.conflict, "conflict", refused.message)
            }
        }
    }
}
