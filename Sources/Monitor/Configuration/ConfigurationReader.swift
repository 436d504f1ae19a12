import Actions
import Foundation
import Kafka
import Rules
import Server
package import StrictYAML
import Values

/// Reads `holdfast.yaml` and the rule files it names. Everything that is wrong is reported at once, each with its place.
package struct ConfigurationReader {
    static let topLevel = [
        "state", "kafka", "topics", "schema_registry", "workers", "dead_letters", "models", "rules", "receivers",
        "registry", "pipelines",
        "http",
        "external_url", "retention",
    ]

    /// More threads than this no topic of one small machine needs.
    private static let workers = 1...64

    private let folder: URL
    private let path: String
    private let environment: [String: String]
    var problems = ProblemCollector()

    package init(path: String, environment: [String: String] = ProcessInfo.processInfo.environment) {
        self.path = path
        folder = URL(filePath: path).deletingLastPathComponent()
        self.environment = environment
    }

    /// - Throws: every problem found, at least one.
    package static func read(_ path: String) throws(Problems) -> Configuration {
        var reader = ConfigurationReader(path: path)
        guard let configuration = reader.read() else {
            if reader.problems.isEmpty {
                reader.problems.add("cannot be read as a configuration", at: Place(file: path, line: 1, column: 1))
            }
            throw reader.problems.problems
        }
        return configuration
    }

    /// The configuration with the rules of other files, for trying them on past data. `rules:` of the file is read too, as it may be wrong.
    package static func read(_ path: String, rules patterns: [String]) throws(Problems) -> Configuration {
        let configuration = try read(path)
        guard !patterns.isEmpty else { return configuration }
        var problems = ProblemCollector()
        var files: [(file: String, text: String)] = []
        for pattern in patterns { ruleFiles(pattern, Place(file: pattern, line: 1, column: 1), &files, &problems) }
        let rules = RuleSet.read(files, &problems)
        try problems.throwIfAny()
        return configuration.replacingRules(rules)
    }

    /// Rule files by a shell pattern, without the rule tests that lie beside them.
    private static func ruleFiles(
        _ pattern: String, _ place: Place, _ files: inout [(file: String, text: String)],
        _ problems: inout ProblemCollector
    ) {
        let paths = Glob.paths(pattern).filter { !$0.hasSuffix("_test.yaml") && !$0.hasSuffix("_test.yml") }
        if paths.isEmpty { problems.add("no file matches `\(pattern)`", at: place) }
        for path in paths where !files.contains(where: { $0.file == path }) {
            let place = Place(file: path, line: 1, column: 1)
            if let contents = Self.contents(path, place, &problems) { files.append((path, contents)) }
        }
    }

    private mutating func read() -> Configuration? {
        let start = Place(file: path, line: 1, column: 1)
        guard let text = Self.contents(path, start, &problems) else { return nil }
        guard
            let root = YAMLValue.parse(
                text: text, file: path, expanding: Self.resolver(environment, folder), collector: &problems),
            let map = root.mapping(allowed: Self.topLevel, &problems)
        else { return nil }
        refuseLater(map)
        let receivers = readReceivers(map["receivers"])
        let models = readModels(map)
        let rules = readRules(map["rules"])
        let http = readHTTP(map["http"])
        let registry = readRegistry(map["registry"])
        if registry.topic != nil, map["kafka"] == nil {
            problems.add("`topic` needs a `kafka` section", at: map.keyPlace("registry"))
        }
        let configuration = Configuration(
            path: path, statePath: resolve(map["state"].flatMap { $0.nonEmptyString(&problems) } ?? "state"),
            kafka: readKafka(map["kafka"]), topics: readTopics(map),
            schemaRegistry: readSchemaRegistry(map["schema_registry"]),
            workers: map["workers"].flatMap { $0.int(in: Self.workers, &problems) } ?? 1,
            deadLetterTopic: readDeadLetters(map["dead_letters"]), models: models, rules: rules, receivers: receivers,
            http: http, registry: registry,
            externalURL: readExternalURL(map["external_url"])
                ?? "http://\(http.host):\(http.port)",
            retention: map["retention"].flatMap { $0.duration(in: Span.hours(1)...Span.days(3_650), &problems) }
                ?? .days(30))
        return problems.isEmpty ? configuration : nil
    }

    static func contents(_ path: String, _ place: Place, _ problems: inout ProblemCollector) -> String? {
        guard let data = FileManager.default.contents(atPath: path) else {
            let exists = FileManager.default.fileExists(atPath: path)
            problems.add(exists ? "cannot be read; is it a file, and readable?" : "there is no such file", at: place)
            return nil
        }
        guard let text = String(validating: data, as: UTF8.self) else {
            problems.add("is not UTF-8 text", at: place)
            return nil
        }
        return text
    }

    static func resolver(_ environment: [String: String], _ folder: URL) -> Expansion.Resolver {
        { variable in
            switch variable {
            case .environment(let name): return environment[name]
            case .file(let path):
                let url = URL(filePath: path, relativeTo: folder)
                guard let data = FileManager.default.contents(atPath: url.path) else { return nil }
                return String(validating: data, as: UTF8.self)?.trimmingCharacters(in: .newlines)
            }
        }
    }

    func resolve(_ path: String) -> String {
        path.hasPrefix("/") ? path : folder.appending(path: path).standardizedFileURL.path
    }

    /// Settings that have a place in the file's form, but nothing behind them in this version.
    private mutating func refuseLater(_ map: YAMLMapping) {
        if let pipelines = map["pipelines"], let list = pipelines.list(&problems), !list.isEmpty {
            problems.add(
                "pipelines are not available in this version; leave the key out", at: map.keyPlace("pipelines"))
        }
    }

    private mutating func readKafka(_ value: YAMLValue?) -> [(String, String)]? {
        guard let value, let map = value.anyMapping(&problems) else { return nil }
        var properties: [(String, String)] = []
        for entry in map.entries {
            if let text = entry.value.string(&problems) { properties.append((entry.key, text)) }
        }
        if map["bootstrap.servers"] == nil && map["metadata.broker.list"] == nil {
            problems.add("kafka needs `bootstrap.servers`, such as `localhost:9092`", at: map.place)
        }
        if map["group.id"] == nil { properties.append(("group.id", "holdfast")) }
        do throws(KafkaConfigurationError) {
            _ = try KafkaConfiguration(properties: properties)
        } catch {
            for problem in error.problems {
                problems.add("`\(problem.property)`: \(problem.reason)", at: map.keyPlace(problem.property))
            }
        }
        return properties
    }

    private mutating func readExternalURL(_ value: YAMLValue?) -> String? {
        guard let value, let text = value.nonEmptyString(&problems) else { return nil }
        guard let url = URL(string: text), ["http", "https"].contains(url.scheme?.lowercased()),
            url.host?.isEmpty == false
        else {
            problems.add(
                "expected a URL such as `https://holdfast.example`: links in alerts begin with it", at: value.place)
            return nil
        }
        return text
    }

    private mutating func readDeadLetters(_ value: YAMLValue?) -> String {
        guard let map = value?.mapping(allowed: ["topic"], &problems) else { return "holdfast-dead-letters" }
        return map.required("topic", &problems)?.nonEmptyString(&problems) ?? ""
    }

    private mutating func readRules(_ value: YAMLValue?) -> RuleSet {
        guard let value else { return .empty }
        var files: [(file: String, text: String)] = []
        for pattern in value.list(&problems) ?? [] {
            guard let text = pattern.nonEmptyString(&problems) else { continue }
            Self.ruleFiles(resolve(text), pattern.place, &files, &problems)
        }
        return RuleSet.read(files, &problems)
    }

    private mutating func readHTTP(_ value: YAMLValue?) -> Configuration.HTTP {
        let standard = Configuration.HTTP(host: "127.0.0.1", port: 8080, tokens: [], roles: [:], names: [:])
        guard let value, let map = value.mapping(allowed: ["listen", "tokens"], &problems) else { return standard }
        let (tokens, roles, names) = readTokens(map["tokens"])
        if tokens.contains(where: { $0.utf8.count < 16 }) {
            problems.add("a token must be at least 16 characters long", at: map.keyPlace("tokens"))
        }
        guard let listen = map["listen"], let text = listen.nonEmptyString(&problems) else {
            return Configuration.HTTP(
                host: standard.host, port: standard.port, tokens: tokens, roles: roles, names: names)
        }
        guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]),
            (0...65_535).contains(port)
        else {
            problems.add("expected HOST:PORT, such as `127.0.0.1:8080`", at: listen.place)
            return standard
        }
        var host = String(text[..<colon]).trimmingCharacters(in: CharacterSet(charactersIn: "[]"))
        if host.isEmpty { host = "0.0.0.0" }
        let loopback = host == "localhost" || host == "::1" || host.hasPrefix("127.")
        if !loopback && tokens.isEmpty {
            problems.add(
                "`\(host)` is reachable from other machines: set `tokens: [${HOLDFAST_TOKEN}]`, or listen on 127.0.0.1",
                at: listen.place)
        }
        return Configuration.HTTP(host: host, port: port, tokens: tokens, roles: roles, names: names)
    }

    /// Each a text, which may do everything, or `{token: …, role: viewer, name: ann}`.
    private mutating func readTokens(_ value: YAMLValue?) -> ([String], [String: Role], names: [String: String]) {
        guard let value else { return ([], [:], [:]) }
        var tokens: [String] = []
        var roles: [String: Role] = [:]
        var names: [String: String] = [:]
        // One token may stand without a list.
        let items: [YAMLValue] = if case .list(let list) = value.content { list } else { [value] }
        for item in items {
            var text = item
            var role: Role?
            var name: String?
            if case .mapping = item.content {
                guard let map = item.mapping(allowed: ["token", "role", "name"], &problems),
                    let token = map.required("token", &problems)
                else { continue }
                text = token
                role = map.required("role", &problems)?.enumeration(Role.self, &problems)
                name = map["name"]?.string(&problems)
                if let given = name, given.isEmpty || !given.utf8.allSatisfy(Self.isOfName) {
                    problems.add(
                        "`\(given)` cannot name a token: use letters, digits and `.`, `-`, `_`, `@`",
                        at: map.keyPlace("name"))
                }
            }
            guard let token = text.string(&problems) else { continue }
            tokens.append(token)
            roles[token] = role
            names[token] = name
        }
        return (tokens, roles, names)
    }

    private static func isOfName(_ byte: UInt8) -> Bool {
        (byte | 0x20) &- UInt8(ascii: "a") < 26 || byte &- UInt8(ascii: "0") < 10 || ".-_@".utf8.contains(byte)
    }
}
