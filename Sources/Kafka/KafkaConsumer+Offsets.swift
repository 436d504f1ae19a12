import CRdkafka

extension KafkaConsumer {
    /// Stops fetching; `poll` must go on, and hands out nothing of these partitions. Ends with their assignment.
    package func pause(_ partitions: [TopicPartition]) throws(KafkaError) {
        try check(PartitionList(partitions).withList { rd_kafka_pause_partitions(handle, $0) })
    }

    /// Goes on where the last message handed out ended.
    package func resume(_ partitions: [TopicPartition]) throws(KafkaError) {
        try check(PartitionList(partitions).withList { rd_kafka_resume_partitions(handle, $0) })
    }

    /// Goes back (or on) to an offset of each of these assigned partitions; what was fetched of them and not handed out yet is dropped
    /// and fetched again from there. A pause stays. Blocks until librdkafka has taken it up, at most for five seconds.
    ///
    /// - Throws: where one of them could not be moved: its position is then unknown, and the consumer had better be made anew.
    package func seek(_ offsets: [TopicPartition: Int64]) throws(KafkaError) {
        guard !offsets.isEmpty else { return }
        let list = PartitionList(offsets: offsets)
        if let error = KafkaError(
            consuming: list.withList { rd_kafka_seek_partitions(handle, $0, Self.seekTimeoutMilliseconds) })
        {
            throw error
        }
        var failure = RD_KAFKA_RESP_ERR_NO_ERROR
        list.withList { pointer in
            pointer.forEachElement { if $0.err != RD_KAFKA_RESP_ERR_NO_ERROR { failure = $0.err } }
        }
        try check(failure)
        assigned.place(offsets.map { ($0.key, topics.index(of: $0.key.topic), $0.value) })
    }

    private static let seekTimeoutMilliseconds: Int32 = 5_000

    /// Tells the broker the next offset of each partition, for tools that show lag; nothing of ours depends on it.
    /// Returns at once; a failure becomes a `.commitFailed` event.
    package func commit(_ offsets: [TopicPartition: Int64]) {
        guard !offsets.isEmpty else { return }
        let failure = PartitionList(offsets: offsets).withList { rd_kafka_commit(handle, $0, 1) }
        if failure != RD_KAFKA_RESP_ERR_NO_ERROR { note(.commitFailed(KafkaError(failure))) }
    }

    /// The offset after the last message handed out, or where reading starts; `nil` where neither is known.
    package func position(of partition: TopicPartition) -> Int64? {
        guard let topic = topics.existingIndex(of: partition.topic) else { return nil }
        return assigned.position(topic: topic, partition: partition.partition)
    }

    /// The broker's offsets as the last fetch reported them; no request. `nil` before the first fetch.
    package func watermarks(of partition: TopicPartition) -> WatermarkOffsets? {
        var low: Int64 = -1
        var high: Int64 = -1
        let failure = rd_kafka_get_watermark_offsets(handle, partition.topic, partition.partition, &low, &high)
        guard failure == RD_KAFKA_RESP_ERR_NO_ERROR, low >= 0, high >= 0 else { return nil }
        return WatermarkOffsets(low: low, high: high)
    }

    /// Messages of an assigned partition that wait to be read.
    package func lag(of partition: TopicPartition) -> Int64? {
        guard let high = watermarks(of: partition)?.high, let next = position(of: partition) else { return nil }
        return max(0, high - next)
    }

    func commitEnded(
        _ error: rd_kafka_resp_err_t, _ list: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>?
    ) {
        var failure = error
        // The request may succeed and one of its partitions not.
        list?.forEachElement { element in
            if failure == RD_KAFKA_RESP_ERR_NO_ERROR { failure = element.err }
        }
        // Nothing to commit is no failure.
        guard failure != RD_KAFKA_RESP_ERR__NO_OFFSET else { return }
        note(failure == RD_KAFKA_RESP_ERR_NO_ERROR ? .committed : .commitFailed(KafkaError(failure)))
    }

    private func check(_ code: rd_kafka_resp_err_t) throws(KafkaError) {
        guard code == RD_KAFKA_RESP_ERR_NO_ERROR else { throw KafkaError(code) }
    }
}
