package import Actions
package import Events
package import Rules
package import Statistics
package import StrictYAML
package import Values
package import Windows

/// `holdfast.yaml`, read and checked. Paths are absolute or relative to the configuration file's folder, already resolved.
package struct Configuration: Sendable {
    package struct Topic: Sendable {
        /// How the messages of a topic are written.
        package enum Format: String, CaseIterable, Sendable {
            case json, avro
        }

        /// A name, or a regular expression for names if it begins with `^`.
        package let name: String
        package let format: Format
        package let defaults: TopicDefaults

        /// Whether the name is a pattern that a topic's name fits.
        func matches(_ topic: String) -> Bool {
            guard name.hasPrefix("^"), let pattern = try? Regex(name) else { return false }
            return (try? pattern.firstMatch(in: topic)) != nil
        }
    }

    /// Where the schemas of Avro messages are: a registry with Confluent's HTTP interface.
    package struct SchemaRegistry: Sendable {
        /// Without a slash at its end.
        package let url: String
        package let username: String?
        package let password: String?
    }

    package struct Model: Sendable {
        package enum Task: String, CaseIterable, Sendable {
            case binary, multiclass, regression, ranking, none
        }

        package let name: String
        package let task: Task
        /// How predictions meet their labels; `nil` where the task has no performance.
        package let performance: PerformanceSettings?
        /// The configuration says something of labels. Where it does not, they are joined only if the reference has labelled rows:
        /// a model without labels must not pay for them.
        package let asksPerformance: Bool
        package let referencePath: String
        package let columns: [String: ReferenceBuilder.Override]
        /// `nil`: those of the reference.
        package let segments: [[String]]?
        package let bins: Int
        package let smoothing: Smoothing
        package let window: WindowSettings
        package let timezone: String
        /// How long a partition that has been read to its end may stay silent before it no longer holds back the others.
        package let idle: Span
        package let place: Place
    }

    package struct HTTP: Sendable {
        package let host: String
        package let port: Int
        package let tokens: [String]
    }

    package let path: String
    package let statePath: String
    /// librdkafka's properties, in the order of the file; `nil` without a `kafka` section.
    package let kafka: [(String, String)]?
    package let topics: [Topic]
    /// Present where a topic is in Avro.
    package let schemaRegistry: SchemaRegistry?
    /// Threads that read Kafka, each a member of the group.
    package let workers: Int
    package let deadLetterTopic: String
    package let models: [Model]
    package let rules: RuleSet
    package let receivers: [Receiver]
    package let http: HTTP
    /// Where people reach the dashboard, for links in alerts.
    package let externalURL: String
    /// How long snapshots are kept.
    package let retention: Span
}
