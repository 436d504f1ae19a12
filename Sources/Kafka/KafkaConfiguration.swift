import CRdkafka

/// Checked librdkafka properties, passed through verbatim except for the few the ledger depends on.
///
/// Offsets belong to the ledger, so a consumer never commits or stores by itself, and always hears of the end of a
/// partition; asking for something else is an error rather than silently overruled. `auto.offset.reset` is applied by
/// `KafkaConsumer` where a group has no committed offset; librdkafka itself is always told `earliest`, because an
/// offset that ran out of the broker's retention must go on at the oldest message, never skip to the newest.
package struct KafkaConfiguration: Sendable {
    /// Where a partition without a committed offset starts.
    package enum ResetPolicy { case earliest, latest }

    private let properties: [(name: String, value: String)]
    package let resetPolicy: ResetPolicy

    /// Properties a consumer must have, and why.
    private static let required: [(name: String, value: String, reason: String)] = [
        ("enable.auto.commit", "false", "offsets are kept in the ledger, not at the broker"),
        ("enable.auto.offset.store", "false", "offsets are kept in the ledger, not at the broker"),
        ("enable.partition.eof", "true", "idle partitions are recognised by it"),
    ]

    /// Checks every property; throws all problems at once.
    package init(properties: [(String, String)]) throws(KafkaConfigurationError) {
        guard let scratch = rd_kafka_conf_new() else { preconditionFailure("out of memory") }
        defer { rd_kafka_conf_destroy(scratch) }
        var kept: [(name: String, value: String)] = []
        var policy = ResetPolicy.earliest
        var problems: [KafkaConfigurationError.Problem] = []
        for (name, value) in properties {
            if let reason = Self.set(name, value, on: scratch) {
                problems.append(.init(property: name, reason: reason))
            } else if let rule = Self.required.first(where: { $0.name == name }) {
                if value != rule.value {
                    problems.append(.init(property: name, reason: "must be \(rule.value): \(rule.reason)"))
                }
            } else if name == "auto.offset.reset" {
                switch value {
                case "earliest", "smallest", "beginning": policy = .earliest
                case "latest", "largest", "end": policy = .latest
                default: problems.append(.init(property: name, reason: "must be earliest or latest"))
                }
            } else {
                kept.append((name, value))
            }
        }
        guard problems.isEmpty else { throw KafkaConfigurationError(problems: problems) }
        self.properties = kept
        resetPolicy = policy
    }

    /// The value given for a property, `nil` where the default holds.
    package subscript(name: String) -> String? { properties.last { $0.name == name }?.value }

    /// The properties with secrets hidden, for people.
    package var redacted: [(name: String, value: String)] {
        properties.map { ($0.name, Self.isSecret($0.name) ? "<hidden>" : $0.value) }
    }

    /// A copy with further properties, the later ones winning.
    package func adding(_ more: [(String, String)]) throws(KafkaConfigurationError) -> KafkaConfiguration {
        let reset = resetPolicy == .latest ? [("auto.offset.reset", "latest")] : []
        return try KafkaConfiguration(properties: properties.map { ($0.name, $0.value) } + reset + more)
    }

    /// Text without the values of secret properties, wherever they occur.
    func hidingSecrets(in text: String) -> String {
        var result = text
        for (name, value) in properties where Self.isSecret(name) {
            result = Self.hide(value, in: result)
        }
        return result
    }

    /// What librdkafka keeps of fetched messages for one consumer, where nothing else is configured: its own 64 MiB are more than
    /// a few milliseconds of reading need, and every worker has a queue of its own. The bytes are the limit, as messages may be small.
    /// Small answers and a short queue find memory again that earlier ones gave back, still in the processor's cache.
    private static let consumerDefaults: [(String, String)] = {
        guard let scratch = rd_kafka_conf_new() else { preconditionFailure("out of memory") }
        defer { rd_kafka_conf_destroy(scratch) }
        return [
            (queueKilobytes, "8192"), (queueMessageCount, "400000"), (answerBytes, "4194304"),
            // Known from 2.2 on; for the time before see `FetchBacklog`.
            ("fetch.queue.backoff.ms", "20"),
        ].filter { set($0.0, $0.1, on: scratch) == nil }
    }()

    private static let queueKilobytes = "queued.max.messages.kbytes"
    private static let queueMessageCount = "queued.min.messages"
    private static let answerBytes = "fetch.max.bytes"

    /// The consumer's queue is full at so many bytes, or so many messages.
    var queueBytes: Int { number(Self.queueKilobytes) << 10 }
    var queueMessages: Int { number(Self.queueMessageCount) }

    private func number(_ name: String) -> Int {
        (self[name] ?? Self.consumerDefaults.first { $0.0 == name }?.1).flatMap { Int($0) } ?? 0
    }

    /// A configuration object for one client; the caller owns it.
    func makeConsumerConf() -> OpaquePointer {
        makeConf(
            // librdkafka refuses answers smaller than a message may be, and makes its own default large enough.
            defaults: Self.consumerDefaults.filter { $0.0 != Self.answerBytes || self["message.max.bytes"] == nil },
            fixed: Self.required.map { ($0.name, $0.value) } + [("auto.offset.reset", "earliest")])
    }

    /// The same properties serve the producer of dead letters, which ignores those of a consumer.
    func makeProducerConf() -> OpaquePointer { makeConf(defaults: [], fixed: []) }

    private func makeConf(defaults: [(String, String)], fixed: [(String, String)]) -> OpaquePointer {
        guard let conf = rd_kafka_conf_new() else { preconditionFailure("out of memory") }
        for (name, value) in defaults + [("client.id", "holdfast")] + properties.map({ ($0.name, $0.value) }) + fixed {
            // Each was accepted once, by `init` or by the tests of our own ones.
            let problem = Self.set(name, value, on: conf)
            assert(problem == nil, "\(name): \(problem ?? "")")
        }
        return conf
    }

    /// Why librdkafka refuses the property, `nil` where it is set.
    private static func set(_ name: String, _ value: String, on conf: OpaquePointer) -> String? {
        var result = RD_KAFKA_CONF_OK
        let text = ErrorText.collecting { buffer, size in
            result = rd_kafka_conf_set(conf, name, value, buffer, size)
        }
        guard result != RD_KAFKA_CONF_OK else { return nil }
        return isSecret(name) ? hide(value, in: text) : text
    }

    private static let secretMarks = ["password", "secret", "token", ".pem", "ssl.key", "oauthbearer.config", "jaas"]

    /// Whether a property's value must not be shown. Wide on purpose: a misspelt name may hold a password too.
    package static func isSecret(_ name: String) -> Bool {
        let lower = name.lowercased()
        return secretMarks.contains { lower.contains($0) } && !lower.hasSuffix(".location")
    }

    private static func hide(_ value: String, in text: String) -> String {
        guard !value.isEmpty else { return text }
        return text.split(separator: value, omittingEmptySubsequences: false).joined(separator: "<hidden>")
    }
}

extension KafkaConfiguration: CustomStringConvertible, CustomReflectable {
    package var description: String { redacted.map { "\($0.name)=\($0.value)" }.joined(separator: ", ") }
    /// So that `dump` and a failed assertion do not print secrets either.
    package var customMirror: Mirror { Mirror(self, children: redacted.map { (label: $0.name, value: $0.value) }) }
}

/// Every property librdkafka or Holdfast refuses.
package struct KafkaConfigurationError: Error, Sendable, Hashable, CustomStringConvertible {
    package struct Problem: Sendable, Hashable {
        package let property: String
        /// librdkafka's own words, without the value where it is a secret.
        package let reason: String
    }

    package let problems: [Problem]

    package var description: String {
        problems.map { "kafka property \($0.property): \($0.reason)" }.joined(separator: "\n")
    }
}

/// librdkafka writes messages into a buffer of the caller's.
enum ErrorText {
    static func collecting(_ body: (UnsafeMutablePointer<CChar>, Int) -> Void) -> String {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 512) { buffer in
            buffer.initialize(repeating: 0)
            // A buffer of 512 elements has an address.
            guard let start = buffer.baseAddress else { return "" }
            body(start, buffer.count)
            return String(cString: start)
        }
    }
}
