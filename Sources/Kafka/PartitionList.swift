import CRdkafka

/// Owns a librdkafka list of partitions and frees it.
struct PartitionList: ~Copyable {
    private let list: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>

    init(_ partitions: some Collection<TopicPartition>) {
        guard let list = rd_kafka_topic_partition_list_new(Int32(partitions.count)) else {
            preconditionFailure("out of memory")
        }
        for p in partitions { rd_kafka_topic_partition_list_add(list, p.topic, p.partition) }
        self.list = list
    }

    /// Subscriptions name topics, not partitions.
    init(topics: [String]) {
        self.init(topics.map { TopicPartition($0, -1) })
    }

    init(offsets: [TopicPartition: Int64]) {
        self.init(Array(offsets.keys))
        list.forEachElement { element in
            element.offset = offsets[TopicPartition(element)] ?? Int64(RD_KAFKA_OFFSET_INVALID)
        }
    }

    deinit { rd_kafka_topic_partition_list_destroy(list) }

    /// Lends the list; it must not be kept or freed.
    borrowing func withList<R>(_ body: (UnsafeMutablePointer<rd_kafka_topic_partition_list_t>) -> R) -> R {
        body(list)
    }
}

extension UnsafeMutablePointer<rd_kafka_topic_partition_list_t> {
    func forEachElement(_ body: (inout rd_kafka_topic_partition_t) -> Void) {
        for i in 0..<Int(pointee.cnt) { body(&pointee.elems[i]) }
    }

    var partitions: [TopicPartition] {
        var result: [TopicPartition] = []
        forEachElement { result.append(TopicPartition($0)) }
        return result
    }
}

extension TopicPartition {
    init(_ element: rd_kafka_topic_partition_t) {
        self.init(String(cString: element.topic), element.partition)
    }
}
