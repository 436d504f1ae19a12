package import Actions
package import Events
package import Registry
package import Rules
package import Server
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
        /// The configuration says what kind of model it is; where it does not, its reference may.
        package let namesTask: Bool
        /// Where the task, the positive class and the threshold stand, by their keys.
        package let performancePlaces: [String: Place]
        package let referencePath: String
        /// The registered version, or alias of the warm set, whose stored reference is used instead of a file.
        package let referenceVersion: String?
        /// The model is compared with its own past, in the bins of the reference file; with the file until there is one.
        package let moving: MovingReference?
        /// Further references, for rules that name them.
        package let against: [MovingReference]
        /// What a version must show before it may be champion; empty for none.
        package let promotion: PromotionPolicy
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
        /// What each token is for; one without a role may do everything.
        package let roles: [String: Role]
        /// Whose each token is, for the audit trail and approvals.
        package let names: [String: String]
    }

    /// An MLflow server that holds the champions instead of the embedded registry.
    package struct MLflow: Sendable {
        /// Without a slash at its end.
        package let url: String
        package let username: String?
        package let password: String?
        package let token: String?
    }

    /// Who hears of champions, and what is expected of the fleet.
    package struct RegistrySettings: Sendable {
        package var mlflow: MLflow?
        /// A compacted Kafka topic that every champion is written to.
        package var topic: String?
        /// Who is told of models, versions and aliases in the form of MLflow's webhooks.
        package var webhooks: [Receiver] = []
        /// Where webhooks may lead that MLflow's clients make: to public addresses over TLS unless this says more.
        package var clientWebhooks = Receiver.Options(isTrusted: false)
        /// What their secrets are sealed with; `nil` has a key made beside the registry.
        package var webhookKey: String?
        /// Least share of the reporting instances that must serve the champion.
        package var fleetShare = 0.95
        /// How long a flip may take before a lesser share is an alarm.
        package var fleetWithin = Span.seconds(10)
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
    package private(set) var rules: RuleSet
    package let receivers: [Receiver]
    package let http: HTTP
    package let registry: RegistrySettings
    /// Where people reach the dashboard, for links in alerts.
    package let externalURL: String
    /// How long snapshots are kept.
    package let retention: Span

    /// The same with other rules in the place of its own.
    func replacingRules(_ rules: RuleSet) -> Configuration {
        var copy = self
        copy.rules = rules
        return copy
    }
}
