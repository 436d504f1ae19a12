import CRdkafka
import Synchronization

/// Owns a producer's librdkafka instance, shared by the producer and its polling thread and destroyed with the last.
///
/// `@unchecked Sendable` holds because `pointer` never changes and librdkafka's functions may be called from any thread
/// until `rd_kafka_destroy`, which only `deinit` calls, when nobody is left to call anything.
final class ProducerHandle: @unchecked Sendable {
    let pointer: OpaquePointer
    let callbacks: ProducerCallbacks
    private let isStopping = Atomic(false)

    init(configuration: KafkaConfiguration, callbacks: ProducerCallbacks) throws(KafkaError) {
        self.callbacks = callbacks
        let conf = configuration.makeProducerConf()
        callbacks.install(on: conf)
        pointer = try KafkaConsumer.open(RD_KAFKA_PRODUCER, conf, configuration)
    }

    deinit { rd_kafka_destroy(pointer) }

    /// What the polling thread does: runs delivery reports until told to stop, then gives up what is still queued, so
    /// that every message has been reported and nobody waits for ever.
    func serve() {
        while !isStopping.load(ordering: .acquiring) { rd_kafka_poll(pointer, 100) }
        rd_kafka_purge(pointer, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT)
        while rd_kafka_outq_len(pointer) > 0 { rd_kafka_poll(pointer, 100) }
    }

    func stop() { isStopping.store(true, ordering: .releasing) }

    /// Queues a copy of the record. The opaque goes to the delivery report, unless this throws.
    func produce(_ record: KafkaRecord, opaque: UnsafeMutableRawPointer?) throws(KafkaError) {
        let headers = Self.headers(record.headers)
        let failure = (record.key ?? []).withUnsafeBytes { key in
            (record.value ?? []).withUnsafeBytes { value in
                holdfast_produce(
                    pointer, record.topic, record.partition ?? anyPartition, key.baseAddress, key.count,
                    record.key == nil ? 0 : 1, value.baseAddress, value.count, record.value == nil ? 0 : 1, headers,
                    record.timestampMilliseconds ?? 0, opaque)
            }
        }
        guard failure == RD_KAFKA_RESP_ERR_NO_ERROR else {
            // The list changes hands only with success.
            if let headers { rd_kafka_headers_destroy(headers) }
            throw KafkaError(failure)
        }
    }

    private static func headers(_ headers: [KafkaHeader]) -> OpaquePointer? {
        guard !headers.isEmpty, let list = rd_kafka_headers_new(headers.count) else { return nil }
        for header in headers {
            _ = (header.value ?? []).withUnsafeBytes { bytes in
                // A null value is a null pointer; an empty one needs some address, which the name lends.
                header.name.withCString { name in
                    rd_kafka_header_add(
                        list, name, -1, header.value == nil ? nil : bytes.baseAddress ?? UnsafeRawPointer(name),
                        bytes.count)
                }
            }
        }
        return list
    }
}

/// librdkafka's "any partition"; its macro holds a cast, which Swift does not import.
private let anyPartition: Int32 = -1
