import Events
import Foundation
import StrictYAML

extension ConfigurationReader {
    mutating func readTopics(_ map: YAMLMapping) -> [Configuration.Topic] {
        var topics: [Configuration.Topic] = []
        for item in map["topics"]?.list(&problems) ?? [] {
            guard let entry = item.mapping(allowed: ["name", "format", "model", "version"], &problems),
                let name = entry.required("name", &problems)?.nonEmptyString(&problems)
            else { continue }
            let format = entry["format"]?.enumeration(Configuration.Topic.Format.self, &problems) ?? .json
            if format == .avro, map["schema_registry"] == nil {
                problems.add(
                    "the format `avro` needs a registry of schemas: `schema_registry: {url: \"http://registry:8081\"}`",
                    at: entry["format"]?.place ?? item.place)
            }
            if topics.contains(where: { $0.name == name }) {
                problems.add("topic `\(name)` stands twice", at: item.place)
            }
            topics.append(
                Configuration.Topic(
                    name: name, format: format,
                    defaults: TopicDefaults(
                        model: entry["model"]?.nonEmptyString(&problems),
                        version: entry["version"]?.nonEmptyString(&problems))))
        }
        if !topics.isEmpty, map["kafka"] == nil {
            problems.add("topics need a `kafka` section with `bootstrap.servers`", at: map.keyPlace("topics"))
        }
        return topics
    }

    mutating func readSchemaRegistry(_ value: YAMLValue?) -> Configuration.SchemaRegistry? {
        guard let map = value?.mapping(allowed: ["url", "username", "password"], &problems),
            let address = map.required("url", &problems), let text = address.nonEmptyString(&problems)
        else { return nil }
        let username = map["username"]?.nonEmptyString(&problems)
        let password = map["password"]?.nonEmptyString(&problems)
        if password != nil, map["username"] == nil {
            problems.add("a password needs a `username`", at: map.keyPlace("password"))
        }
        if username?.contains(":") == true {
            problems.add("HTTP knows no user name with a colon", at: map.keyPlace("username"))
        }
        // The text may hold a secret, so it is not repeated.
        guard text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }), let url = URL(string: text),
            ["http", "https"].contains(url.scheme?.lowercased()), url.host?.isEmpty == false
        else {
            problems.add("expected a URL such as `http://registry:8081`", at: address.place)
            return nil
        }
        if url.user != nil || url.password != nil {
            problems.add("user and password stand beside the URL: `username`, `password`", at: address.place)
        }
        if url.query != nil || url.fragment != nil {
            problems.add("the URL of a registry has no `?` and no `#`", at: address.place)
        }
        let base = String(text.reversed().drop { $0 == "/" }.reversed())
        return Configuration.SchemaRegistry(url: base, username: username, password: password)
    }
}
