import HTTPTypes
import Hummingbird
import Values

/// `/openapi.json` (OpenAPI 3.1), made from the route table that also answers the requests.
extension Routes {
    static func openAPI(describing others: [Route]) -> Route {
        let path = "/openapi.json"
        let about = Route(
            method: .get, path: path, summary: "This document", answers: [.init(status: 200, about: "OpenAPI 3.1")]
        ) { _ in .json(.null) }
        let document = OpenAPI.document(others + [about]).bytes
        return Route(method: .get, path: path, summary: about.summary, answers: about.answers) { _ in
            Response(document, type: ContentType.json)
        }
    }
}

enum OpenAPI {
    static func document(_ routes: [Route]) -> JSON {
        var paths: [(path: String, operations: [JSON.Member])] = []
        for route in routes {
            let operation = JSON.Member(route.method.rawValue.lowercased(), Self.operation(route))
            if let i = paths.firstIndex(where: { $0.path == route.path }) {
                paths[i].operations.append(operation)
            } else {
                paths.append((route.path, [operation]))
            }
        }
        return .members(
            ("openapi", "3.1.0"),
            (
                "info",
                .members(
                    ("title", "Holdfast"), ("version", "1"),
                    ("description", "Monitoring of models in production: drift, alerts, champions."))
            ),
            ("paths", .object(paths.map { JSON.Member($0.path, .object($0.operations)) })),
            ("components", components))
    }

    private static func operation(_ route: Route) -> JSON {
        let named = route.parts.filter { $0.hasPrefix("{") }.map { String($0.dropFirst().dropLast()) }
        let parameters =
            named.map { parameter($0, in: "path", "The name of the \($0)", "string", isRequired: true) }
            + route.query.map { parameter($0.name, in: "query", $0.about, $0.type, isRequired: false) }
        return .members(
            ("summary", .string(route.summary)),
            ("security", route.access == .open ? .array([]) : [["token": []], ["password": []]]),
            ("parameters", parameters.isEmpty ? nil : .array(parameters)),
            ("requestBody", route.body.map { body($0) }),
            ("responses", .object(route.answers.map { JSON.Member(String($0.status), answer($0)) })))
    }

    private static func parameter(
        _ name: String, in place: String, _ about: String, _ type: String, isRequired: Bool
    ) -> JSON {
        .members(
            ("name", .string(name)), ("in", .string(place)), ("required", .bool(isRequired)),
            ("description", .string(about)), ("schema", ["type": .string(type)]))
    }

    private static func body(_ fields: [Route.Field]) -> JSON {
        let schema: JSON =
            fields.isEmpty
            ? [:]
            : .members(
                ("type", "object"), ("additionalProperties", false),
                (
                    "properties",
                    .object(
                        fields.map {
                            JSON.Member(
                                $0.name,
                                .members(
                                    ("type", .string($0.type)),
                                    ("items", $0.type == "array" ? ["type": "string"] : nil),
                                    ("description", .string($0.about))))
                        })
                ),
                ("required", .array(fields.filter(\.isRequired).map { .string($0.name) })))
        let media: JSON = ["schema": schema]
        let content: [JSON.Member] =
            [JSON.Member(ContentType.json, media)] + (fields.isEmpty ? [JSON.Member(ContentType.jsonLines, media)] : [])
        return .members(("required", true), ("content", .object(content)))
    }

    private static func answer(_ answer: Route.Answer) -> JSON {
        let schema: JSON =
            answer.status >= 400 && answer.type == ContentType.json
            ? ["schema": ["$ref": "#/components/schemas/Error"]] : [:]
        return .members(
            ("description", .string(answer.about)),
            ("content", answer.type.map { .object([JSON.Member($0, schema)]) }))
    }

    private static let components: JSON = .members(
        (
            "securitySchemes",
            [
                "token": ["type": "http", "scheme": "bearer"],
                "password": ["type": "http", "scheme": "basic", "description": "The token as the password"],
            ]
        ),
        (
            "schemas",
            [
                "Error": .members(
                    ("type", "object"),
                    (
                        "properties",
                        [
                            "error": .members(
                                ("type", "object"),
                                ("properties", ["code": ["type": "string"], "message": ["type": "string"]]))
                        ]
                    ))
            ]
        ))
}
