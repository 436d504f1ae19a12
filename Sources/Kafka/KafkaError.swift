import CRdkafka

/// An error as librdkafka names it. The text never holds the value of a secret property.
package struct KafkaError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What a caller may want to tell apart; everything else is `other`.
    package enum Kind: Sendable, Hashable {
        case brokersUnreachable, authentication, authorization, unknownTopic, queueFull, messageTooLarge, timedOut
        case closed, other
    }

    /// librdkafka's number: negative for the client's own errors, positive for a broker's.
    package let code: Int32
    /// `_ALL_BROKERS_DOWN`, `UNKNOWN_TOPIC_OR_PART`, …
    package let name: String
    package let text: String
    /// The client instance cannot go on: it must be closed and made anew.
    package let isFatal: Bool

    package init(code: Int32, name: String, text: String, isFatal: Bool = false) {
        self.code = code
        self.name = name
        self.text = text
        self.isFatal = isFatal
    }

    init(_ error: rd_kafka_resp_err_t, text: String? = nil, isFatal: Bool = false) {
        // Both functions answer with static text for every number, known or not.
        let name = rd_kafka_err2name(error).map { String(cString: $0) } ?? "UNKNOWN"
        let standard = rd_kafka_err2str(error).map { String(cString: $0) } ?? name
        self.init(code: error.rawValue, name: name, text: text ?? standard, isFatal: isFatal)
    }

    /// Takes over and frees an error object; `nil` where there is none.
    init?(consuming error: OpaquePointer?) {
        guard let error else { return nil }
        defer { rd_kafka_error_destroy(error) }
        self.init(
            rd_kafka_error_code(error), text: rd_kafka_error_string(error).map { String(cString: $0) },
            isFatal: rd_kafka_error_is_fatal(error) != 0)
    }

    static let closed = KafkaError(RD_KAFKA_RESP_ERR__DESTROY, text: "the Kafka client is closed")

    package var kind: Kind {
        switch rd_kafka_resp_err_t(rawValue: code) {
        case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN, RD_KAFKA_RESP_ERR__TRANSPORT, RD_KAFKA_RESP_ERR__RESOLVE:
            .brokersUnreachable
        case RD_KAFKA_RESP_ERR__AUTHENTICATION, RD_KAFKA_RESP_ERR__SSL, RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED:
            .authentication
        case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED,
            RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
            .authorization
        case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC, RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION,
            RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
            .unknownTopic
        case RD_KAFKA_RESP_ERR__QUEUE_FULL: .queueFull
        case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE: .messageTooLarge
        case RD_KAFKA_RESP_ERR__TIMED_OUT, RD_KAFKA_RESP_ERR__MSG_TIMED_OUT: .timedOut
        case RD_KAFKA_RESP_ERR__DESTROY: .closed
        default: .other
        }
    }

    package var description: String { "\(text) (\(name))" }
}
