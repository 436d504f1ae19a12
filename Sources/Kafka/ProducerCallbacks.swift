import CRdkafka
import Synchronization

/// What the opaque pointer of a producer's librdkafka instance leads back to.
///
/// The pointer is unretained, which is sound because `ProducerHandle` holds this object until `rd_kafka_destroy` has
/// joined every thread that could call. Callbacks come on any thread; everything here is constant or behind the mutex.
final class ProducerCallbacks: Sendable {
    private let onError: @Sendable (KafkaError) -> Void
    private let onLog: @Sendable (KafkaLogLine) -> Void
    let counts = Mutex(DeliveryCounts())

    init(
        onError: @escaping @Sendable (KafkaError) -> Void, onLog: @escaping @Sendable (KafkaLogLine) -> Void
    ) {
        self.onError = onError
        self.onLog = onLog
    }

    func install(on conf: OpaquePointer) {
        rd_kafka_conf_set_opaque(conf, Unmanaged.passUnretained(self).toOpaque())
        rd_kafka_conf_set_dr_msg_cb(conf) { _, message, opaque in
            guard let message else { return }
            ProducerCallbacks.from(opaque)?.delivered(message.pointee)
        }
        rd_kafka_conf_set_error_cb(conf) { handle, code, text, opaque in
            ProducerCallbacks.from(opaque)?.onError(KafkaError(handle: handle, code: code, text: text))
        }
        rd_kafka_conf_set_log_cb(conf) { handle, level, facility, text in
            guard let handle, let line = KafkaLogLine(level: level, facility: facility, text: text) else { return }
            ProducerCallbacks.from(rd_kafka_opaque(handle))?.onLog(line)
        }
    }

    private func delivered(_ message: rd_kafka_message_t) {
        let succeeded = message.err == RD_KAFKA_RESP_ERR_NO_ERROR
        counts.withLock { counts in
            if succeeded { counts.delivered += 1 } else { counts.failed += 1 }
            if message.err == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE { counts.tooLarge += 1 }
        }
        let error = KafkaError(message.err)
        guard let waiter = DeliveryWaiter.claim(message._private) else {
            // Nobody waits for this one, so this is the only word of its loss.
            if !succeeded { onError(error) }
            return
        }
        waiter.continuation.resume(
            returning: succeeded
                ? .success(KafkaDelivery(partition: message.partition, offset: message.offset)) : .failure(error))
    }

    private static func from(_ opaque: UnsafeMutableRawPointer?) -> ProducerCallbacks? {
        opaque.map { Unmanaged<ProducerCallbacks>.fromOpaque($0).takeUnretainedValue() }
    }
}

/// A task that waits for one message's delivery report. It is retained for C when the message is queued and claimed
/// exactly once: librdkafka reports each queued message once, and one it refused is claimed by the sender.
final class DeliveryWaiter {
    let continuation: CheckedContinuation<Result<KafkaDelivery, KafkaError>, Never>

    init(_ continuation: CheckedContinuation<Result<KafkaDelivery, KafkaError>, Never>) {
        self.continuation = continuation
    }

    func handOver() -> UnsafeMutableRawPointer { Unmanaged.passRetained(self).toOpaque() }

    static func claim(_ opaque: UnsafeMutableRawPointer?) -> DeliveryWaiter? {
        opaque.map { Unmanaged<DeliveryWaiter>.fromOpaque($0).takeRetainedValue() }
    }
}
