import Events
package import Rules
package import Values

/// Why a document is no silence, for whoever sent it.
package struct SilenceProblem: Error, Sendable, CustomStringConvertible {
    package let description: String
}

extension Silence {
    private static let keys = [
        "id", "matchers", "startsAt", "endsAt", "duration", "createdBy", "comment", "updatedAt", "status",
    ]
    /// Matchers of one silence at most.
    private static let maximumMatchers = 50
    private static let maximumText = 10_000

    /// Reads Alertmanager's form. `startsAt` is now unless told; instead of `endsAt` there may be a `duration` such as `2h`.
    /// - Parameter id: of a new silence, where the document names none.
    package init(_ json: JSON, id: String, createdBy: String, at now: Timestamp) throws(SilenceProblem) {
        guard let members = json.objectValue else { throw SilenceProblem(description: "expected one JSON object") }
        if let unknown = members.first(where: { !Self.keys.contains($0.key) }) {
            throw SilenceProblem(
                description: "unknown key `\(unknown.key)`: use matchers, startsAt, endsAt, createdBy, comment")
        }
        let start = try Self.time(json["startsAt"], "startsAt") ?? now
        self.init(
            id: try Self.text(json["id"], "id").flatMap { $0.isEmpty ? nil : $0 } ?? id,
            matchers: try Self.matchers(json["matchers"]),
            startsAt: start, endsAt: try Self.end(json, from: start),
            createdBy: try Self.text(json["createdBy"], "createdBy") ?? createdBy,
            comment: try Self.text(json["comment"], "comment") ?? "",
            updatedAt: try Self.time(json["updatedAt"], "updatedAt") ?? now)
        guard endsAt > startsAt else { throw SilenceProblem(description: "`endsAt` must be after `startsAt`") }
    }

    private static func end(_ json: JSON, from start: Timestamp) throws(SilenceProblem) -> Timestamp {
        if let end = try time(json["endsAt"], "endsAt") { return end }
        guard let text = try text(json["duration"], "duration") else {
            throw SilenceProblem(description: "`endsAt` is missing: a time such as `2026-01-01T12:00:00Z`")
        }
        guard let span = Span(parsing: text), span > .zero, span <= .days(3_660) else {
            throw SilenceProblem(
                description: "`duration`: expected a duration such as `2h`, found `\(text.prefix(40))`")
        }
        return start + span
    }

    private static func matchers(_ json: JSON?) throws(SilenceProblem) -> [Matcher] {
        guard let list = json?.arrayValue, !list.isEmpty else {
            throw SilenceProblem(
                description:
                    "`matchers` is missing: a list such as [{\"name\": \"alertname\", \"value\": \"FeatureDrift\"}]")
        }
        guard list.count <= maximumMatchers else {
            throw SilenceProblem(description: "more than \(maximumMatchers) matchers")
        }
        var out: [Matcher] = []
        for (i, item) in list.enumerated() {
            guard let name = try text(item["name"], "matchers[\(i)].name"),
                let value = try text(item["value"], "matchers[\(i)].value")
            else { throw SilenceProblem(description: "`matchers[\(i)]` needs `name` and `value`") }
            let matcher = Matcher(
                name: name, value: value, isRegex: try flag(item["isRegex"], "matchers[\(i)].isRegex") ?? false,
                isEqual: try flag(item["isEqual"], "matchers[\(i)].isEqual") ?? true)
            if let problem = matcher.problem { throw SilenceProblem(description: "`matchers[\(i)]`: \(problem)") }
            out.append(matcher)
        }
        // As in Alertmanager: such a silence would hide everything.
        if out.allSatisfy(\.passesNothing) {
            throw SilenceProblem(description: "at least one matcher must ask for a label that is there")
        }
        return out
    }

    private static func text(_ json: JSON?, _ name: String) throws(SilenceProblem) -> String? {
        guard let json, json != .null else { return nil }
        guard let text = json.stringValue, text.utf8.count <= maximumText else {
            throw SilenceProblem(description: "`\(name)` must be a text of at most \(maximumText) bytes")
        }
        return text
    }

    private static func flag(_ json: JSON?, _ name: String) throws(SilenceProblem) -> Bool? {
        switch json {
        case nil, .null?: return nil
        case .bool(let value)?: return value
        default: throw SilenceProblem(description: "`\(name)` must be true or false")
        }
    }

    private static func time(_ json: JSON?, _ name: String) throws(SilenceProblem) -> Timestamp? {
        guard let text = try text(json, name) else { return nil }
        guard let time = Timestamp(rfc3339: text) else {
            throw SilenceProblem(
                description: "`\(name)`: expected a time such as `2026-01-01T12:00:00Z`, found `\(text.prefix(40))`")
        }
        return time
    }
}
