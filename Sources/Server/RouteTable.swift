import HTTPTypes
import Values

/// All routes, looked up by path and then by method, so that a wrong method on a known path can be told from an
/// unknown path.
struct RouteTable: Sendable {
    let routes: [Route]
    private let patterns: [(parts: [Substring], route: Route)]
    /// Most requests are for paths that are one route's own, letter by letter.
    private let literal: [String: [Route]]

    init(_ routes: [Route]) {
        self.routes = routes
        patterns = routes.map { ($0.parts, $0) }
        literal = Dictionary(grouping: routes.filter { !$0.path.contains("{") }, by: \.path)
    }

    /// The routes of a path by any method, with the decoded values of its parts in braces. Empty where nothing is
    /// there, which includes paths that do not decode.
    func matches(_ path: String) -> (routes: [Route], values: [String: String]) {
        if let routes = literal[path] { return (routes, [:]) }
        var decoded: [String] = []
        for part in path.split(separator: "/") {
            guard let text = PercentCoding.decode(part), text.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7f }) else {
                return ([], [:])
            }
            decoded.append(text)
        }
        var found: [Route] = []
        var values: [String: String] = [:]
        for (parts, route) in patterns {
            var captured: [String: String] = [:]
            // `{name...}` at the end takes all parts that are left, at least one.
            let takesRest = parts.last?.hasSuffix("...}") == true
            guard takesRest ? decoded.count >= parts.count : decoded.count == parts.count else { continue }
            let fits = zip(parts, decoded).allSatisfy { pattern, text in
                guard pattern.hasPrefix("{") else { return pattern == text }
                if pattern.hasSuffix("...}") {
                    captured[String(pattern.dropFirst().dropLast(4))] =
                        decoded[(parts.count - 1)...].joined(separator: "/")
                    return true
                }
                captured[String(pattern.dropFirst().dropLast())] = text
                return true
            }
            if fits {
                found.append(route)
                values.merge(captured) { _, new in new }
            }
        }
        return (found, values)
    }

    /// For `Allow`: what the routes of one path take.
    static func methods(_ routes: [Route]) -> String {
        var names = routes.map(\.method.rawValue)
        if names.contains("GET") { names.append("HEAD") }
        return names.sorted().joined(separator: ", ")
    }
}
