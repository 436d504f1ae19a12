/// A message to be sent.
package struct KafkaRecord: Sendable, Hashable {
    package var topic: String
    /// `nil` lets librdkafka's partitioner choose.
    package var partition: Int32?
    package var key: [UInt8]?
    /// `nil` is a tombstone.
    package var value: [UInt8]?
    package var headers: [KafkaHeader]
    /// Milliseconds since the epoch; `nil` is the time of sending.
    package var timestampMilliseconds: Int64?

    package init(
        topic: String, partition: Int32? = nil, key: [UInt8]? = nil, value: [UInt8]?, headers: [KafkaHeader] = [],
        timestampMilliseconds: Int64? = nil
    ) {
        self.topic = topic
        self.partition = partition
        self.key = key
        self.value = value
        self.headers = headers
        self.timestampMilliseconds = timestampMilliseconds
    }
}

/// Where a delivered message is.
package struct KafkaDelivery: Sendable, Hashable {
    package let partition: Int32
    package let offset: Int64

    package init(partition: Int32, offset: Int64) {
        self.partition = partition
        self.offset = offset
    }
}

/// What became of the messages of a producer.
package struct DeliveryCounts: Sendable, Hashable {
    /// Taken into the queue.
    package var accepted: Int
    package var delivered: Int
    package var failed: Int
    /// Of those that failed, what the broker found too large.
    package var tooLarge = 0
    package var pending: Int { accepted - delivered - failed }

    package init(accepted: Int = 0, delivered: Int = 0, failed: Int = 0) {
        self.accepted = accepted
        self.delivered = delivered
        self.failed = failed
    }
}
