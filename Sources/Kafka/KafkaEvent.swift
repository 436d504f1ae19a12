/// What a consumer tells its owner besides messages and assignments. None of these ends consumption, except an error
/// that says it is fatal.
package enum KafkaEvent: Sendable, Hashable {
    /// Everything up to (not including) `offset` has been handed out.
    case endOfPartition(TopicPartition, offset: Int64)
    /// The broker no longer has what comes next; reading went on at the earliest message it has.
    case offsetOutOfRange(OffsetGap)
    /// A commit reached the broker: it is there.
    case committed
    /// A commit, which serves only the display of lag, did not succeed.
    case commitFailed(KafkaError)
    /// librdkafka goes on trying by itself, unless `isFatal`.
    case error(KafkaError, TopicPartition?)
}

/// A hole in what a partition delivered.
package struct OffsetGap: Sendable, Hashable {
    package let partition: TopicPartition
    /// The offset that should have come next.
    package let expected: Int64
    /// The offset reading went on at. Below `expected` where the topic was truncated or made anew.
    package let resumedAt: Int64
    /// Offsets the broker deleted before they were read; on a compacted topic an upper bound of messages.
    package let missing: Int64

    package init(partition: TopicPartition, expected: Int64, resumedAt: Int64, missing: Int64) {
        self.partition = partition
        self.expected = expected
        self.resumedAt = resumedAt
        self.missing = missing
    }

    /// Offsets started over: these are not the messages the earlier offsets named.
    package var wentBack: Bool { resumedAt < expected }
}

/// A line of librdkafka's own log.
package struct KafkaLogLine: Sendable, Hashable {
    /// syslog's numbers: 3 error, 4 warning, 5 notice, 6 info, 7 debug.
    package let level: Int
    /// librdkafka's short name of the place: `FAIL`, `CONFWARN`, …
    package let facility: String
    package let text: String
}
