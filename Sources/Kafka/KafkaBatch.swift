import CRdkafka

typealias MessagePointer = UnsafeMutablePointer<rd_kafka_message_t>

/// Messages lent for the time of one `poll` closure. All belong to the assignment of `assignmentEpoch`, and those of a
/// partition are in offset order.
package struct KafkaBatch: ~Copyable {
    /// Sound: the array belongs to the consumer, which neither resizes nor refills it while the closure runs, and a
    /// batch cannot be copied out of that closure.
    let messages: UnsafeMutablePointer<MessagePointer?>
    let topics: UnsafeMutablePointer<Int32>
    package let count: Int
    package let assignmentEpoch: UInt64

    /// Of longer values the processor has found the run of addresses by then.
    private static let prefetchedBytes = 1_024

    /// Lends each message in turn and gives it back to librdkafka right after its closure, while its bytes are still
    /// in the cache. A second pass therefore finds nothing.
    ///
    /// - Parameter readsValues: each message's value is asked for while the one before it is read: another thread wrote it, so it is in
    ///   no cache of this one's.
    package borrowing func forEach(readsValues: Bool = false, _ body: (borrowing KafkaMessage) -> Void) {
        lend(0..<count, readsValues, body)
    }

    /// Lends the messages in turn, run by run: those of a partition come together. A run that is not read is given back after `poll`.
    package borrowing func forEachRun(_ body: (borrowing KafkaRun) -> Void) {
        var first = 0
        while first < count {
            // A message is there until its own turn.
            guard let message = messages[first] else { return }
            let (topic, partition) = (topics[first], message.pointee.partition)
            var end = first &+ 1
            while end < count, topics[end] == topic, messages[end]?.pointee.partition == partition { end &+= 1 }
            body(
                KafkaRun(
                    batch: KafkaBatch(
                        messages: messages, topics: topics, count: count, assignmentEpoch: assignmentEpoch),
                    range: first..<end, topic: Int(topic), partition: partition))
            first = end
        }
    }

    fileprivate borrowing func lend(
        _ range: Range<Int>, _ readsValues: Bool, _ body: (borrowing KafkaMessage) -> Void
    ) {
        for i in range {
            if readsValues, i &+ 1 < count, let next = messages[i &+ 1], let value = next.pointee.payload {
                holdfast_prefetch(value, min(next.pointee.len, Self.prefetchedBytes))
            }
            guard let pointer = messages[i] else { continue }
            body(KafkaMessage(pointer: pointer, topic: Int(topics[i])))
            messages[i] = nil
            rd_kafka_message_destroy(pointer)
        }
    }
}

/// Messages of one partition that follow one another in a batch.
package struct KafkaRun: ~Copyable {
    /// Sound: the run is lent within the closure that the batch was lent to.
    fileprivate let batch: KafkaBatch
    fileprivate let range: Range<Int>
    /// Index into `KafkaConsumer.topicNames`.
    package let topic: Int
    package let partition: Int32

    /// As `KafkaBatch.forEach`, of the run's messages.
    package borrowing func forEach(readsValues: Bool = false, _ body: (borrowing KafkaMessage) -> Void) {
        batch.lend(range, readsValues, body)
    }
}

/// One message, lent. Pointers into it are valid only inside the closure that was given it.
package struct KafkaMessage: ~Copyable {
    /// Sound: alive until `forEach` destroys it after the closure; the type cannot be copied out.
    let pointer: MessagePointer

    /// Index into `KafkaConsumer.topicNames`.
    package let topic: Int
    package var partition: Int32 { pointer.pointee.partition }
    package var offset: Int64 { pointer.pointee.offset }

    /// The bytes; a null value (a tombstone) has no base address.
    package var value: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: pointer.pointee.payload, count: pointer.pointee.len)
    }

    /// The key's bytes; a message without key has no base address.
    package var key: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: pointer.pointee.key, count: pointer.pointee.key_len)
    }

    /// When the producer made it or the broker took it, in milliseconds since the epoch, as the topic is configured.
    package var timestampMilliseconds: Int64? {
        var kind = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE
        let value = rd_kafka_message_timestamp(pointer, &kind)
        return kind == RD_KAFKA_TIMESTAMP_NOT_AVAILABLE ? nil : value
    }

    /// Copies of the headers, parsed only when asked for.
    package func headers() -> [KafkaHeader] {
        var list: OpaquePointer?
        guard rd_kafka_message_headers(pointer, &list) == RD_KAFKA_RESP_ERR_NO_ERROR, let list else { return [] }
        var result: [KafkaHeader] = []
        var name: UnsafePointer<CChar>?
        var value: UnsafeRawPointer?
        var size = 0
        while rd_kafka_header_get_all(list, result.count, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR {
            let bytes = value.map { [UInt8](UnsafeRawBufferPointer(start: $0, count: size)) }
            result.append(KafkaHeader(name.map { String(cString: $0) } ?? "", bytes))
        }
        return result
    }
}

/// A header of a message; its value may be null.
package struct KafkaHeader: Sendable, Hashable {
    package var name: String
    package var value: [UInt8]?

    package init(_ name: String, _ value: [UInt8]?) {
        self.name = name
        self.value = value
    }

    package init(_ name: String, text: String) { self.init(name, [UInt8](text.utf8)) }
}
