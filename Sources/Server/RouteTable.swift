import HTTPTypes
import Values

/// All routes, looked up by path and then by method, so that a wrong method on a known path can be told from an
/// unknown path.
struct RouteTable: Sendable {
    let routes: [Route]
    /// Most requests are for paths that are one route's own, letter by letter.
    private let literal: [String: [Route]]
    /// The others, part by part.
    private let root: Node

    /// What can follow the parts of a path that were read so far.
    private struct Node: Sendable {
        /// By the part itself.
        var parts: [String: Node] = [:]
        /// After a part in braces; at most one.
        var any: [Node] = []
        /// Routes that end here.
        var ends: [Route] = []
        /// Routes whose `{name...}` takes all parts that are left, at least one.
        var rests: [Route] = []

        mutating func add(_ route: Route, _ rest: ArraySlice<Substring>) {
            guard let part = rest.first else { return ends.append(route) }
            if part.hasSuffix("...}") {
                rests.append(route)
            } else if part.hasPrefix("{") {
                if any.isEmpty { any = [Node()] }
                any[0].add(route, rest.dropFirst())
            } else {
                parts[String(part), default: Node()].add(route, rest.dropFirst())
            }
        }

        func find(_ rest: ArraySlice<String>, _ found: inout [Route]) {
            guard let part = rest.first else {
                found += ends
                return
            }
            found += rests
            parts[part]?.find(rest.dropFirst(), &found)
            any.first?.find(rest.dropFirst(), &found)
        }
    }

    init(_ routes: [Route]) {
        self.routes = routes
        literal = Dictionary(grouping: routes.filter { !$0.path.contains("{") }, by: \.path)
        root = routes.reduce(into: Node()) { $0.add($1, $1.parts[...]) }
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
        root.find(decoded[...], &found)
        var values: [String: String] = [:]
        for route in found {
            for (i, part) in route.parts.enumerated() where part.hasPrefix("{") {
                if part.hasSuffix("...}") {
                    values[String(part.dropFirst().dropLast(4))] = decoded[i...].joined(separator: "/")
                } else {
                    values[String(part.dropFirst().dropLast())] = decoded[i]
                }
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
