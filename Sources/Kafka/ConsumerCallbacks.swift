import CRdkafka

/// What a consumer asks of, and tells, its owner. All but `onLog` run on the owner's thread, inside `poll` or `close`.
package struct KafkaConsumerHandlers {
    /// Where to start each newly assigned partition; one that is left out starts at `.committed`.
    package var onAssigned: (_ partitions: [TopicPartition]) -> [TopicPartition: StartPosition]
    /// The last moment to write what was read of these partitions. `lost` says that another member may already own
    /// them.
    package var onRevoked: (_ partitions: [TopicPartition], _ lost: Bool) -> Void
    package var onEvent: (KafkaEvent) -> Void
    /// Runs on librdkafka's threads.
    package var onLog: @Sendable (KafkaLogLine) -> Void

    package init(
        onAssigned: @escaping (_ partitions: [TopicPartition]) -> [TopicPartition: StartPosition],
        onRevoked: @escaping (_ partitions: [TopicPartition], _ lost: Bool) -> Void,
        onEvent: @escaping (KafkaEvent) -> Void,
        onLog: @escaping @Sendable (KafkaLogLine) -> Void
    ) {
        self.onAssigned = onAssigned
        self.onRevoked = onRevoked
        self.onEvent = onEvent
        self.onLog = onLog
    }
}

/// What librdkafka's opaque pointer leads back to: the one place where C finds the Swift instance it belongs to.
///
/// The pointer is unretained. It is sound because the consumer holds this object and lets go of it only after
/// `rd_kafka_destroy`, which joins every thread that could still call. `onLog` is the only part other threads touch;
/// it is constant and Sendable. `consumer` is touched by callbacks that librdkafka runs inside `rd_kafka_consumer_poll`
/// and `rd_kafka_consumer_close` alone, which the consumer calls on its owner's thread.
final class ConsumerCallbacks {
    private let onLog: @Sendable (KafkaLogLine) -> Void
    /// Weak, as the consumer owns this object. Set once, before the first `poll`.
    weak var consumer: KafkaConsumer?

    init(onLog: @escaping @Sendable (KafkaLogLine) -> Void) { self.onLog = onLog }

    func install(on conf: OpaquePointer) {
        rd_kafka_conf_set_opaque(conf, Unmanaged.passUnretained(self).toOpaque())
        rd_kafka_conf_set_rebalance_cb(conf) { _, error, list, opaque in
            guard let list else { return }
            ConsumerCallbacks.from(opaque)?.consumer?.rebalance(error, list)
        }
        rd_kafka_conf_set_error_cb(conf) { handle, code, text, opaque in
            ConsumerCallbacks.from(opaque)?.consumer?.note(KafkaError(handle: handle, code: code, text: text))
        }
        rd_kafka_conf_set_offset_commit_cb(conf) { _, error, list, opaque in
            ConsumerCallbacks.from(opaque)?.consumer?.commitEnded(error, list)
        }
        rd_kafka_conf_set_log_cb(conf) { handle, level, facility, text in
            guard let handle, let line = KafkaLogLine(level: level, facility: facility, text: text) else { return }
            ConsumerCallbacks.from(rd_kafka_opaque(handle))?.onLog(line)
        }
    }

    private static func from(_ opaque: UnsafeMutableRawPointer?) -> ConsumerCallbacks? {
        opaque.map { Unmanaged<ConsumerCallbacks>.fromOpaque($0).takeUnretainedValue() }
    }
}

extension KafkaLogLine {
    init?(level: Int32, facility: UnsafePointer<CChar>?, text: UnsafePointer<CChar>?) {
        guard let facility, let text else { return nil }
        self.init(level: Int(level), facility: String(cString: facility), text: String(cString: text))
        // One set of properties serves consumer and producer, so that each has some of the other's on purpose.
        let other = [" is a consumer property and will be ignored", " is a producer property and will be ignored"]
        if self.facility == "CONFWARN", other.contains(where: { self.text.contains($0) }) { return nil }
    }
}

extension KafkaError {
    /// The error an error callback reports; a fatal one is looked up for what caused it.
    init(handle: OpaquePointer?, code: Int32, text: UnsafePointer<CChar>?) {
        let error = rd_kafka_resp_err_t(rawValue: code)
        guard error == RD_KAFKA_RESP_ERR__FATAL else {
            self.init(error, text: text.map { String(cString: $0) })
            return
        }
        var cause = error
        let reason = ErrorText.collecting { cause = rd_kafka_fatal_error(handle, $0, $1) }
        self.init(cause, text: reason, isFatal: true)
    }
}
