/// One partition of one topic.
package struct TopicPartition: Hashable, Sendable, Comparable, CustomStringConvertible {
    package var topic: String
    package var partition: Int32

    package init(_ topic: String, _ partition: Int32) {
        self.topic = topic
        self.partition = partition
    }

    package static func < (a: TopicPartition, b: TopicPartition) -> Bool {
        a.topic == b.topic ? a.partition < b.partition : a.topic < b.topic
    }

    package var description: String { "\(topic)[\(partition)]" }
}

/// Where reading of a newly assigned partition starts.
package enum StartPosition: Hashable, Sendable {
    /// The first message to read: what the ledger holds.
    case offset(Int64)
    case earliest
    case latest
    /// What the group committed to the broker, else what `auto.offset.reset` says (`earliest` unless configured).
    case committed
}

/// The offsets a partition holds at the broker: `low` is the oldest message kept, `high` the next to be written.
package struct WatermarkOffsets: Hashable, Sendable {
    package var low: Int64
    package var high: Int64

    package init(low: Int64, high: Int64) {
        self.low = low
        self.high = high
    }
}
