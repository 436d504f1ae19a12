import CRdkafka

extension KafkaConsumer {
    /// Asks the broker for a partition's offsets and waits for the answer: whether it can be reached at all. Blocks up to the time-out.
    package func isReachable(_ partition: TopicPartition, timeoutMilliseconds: Int32) -> Bool {
        var low: Int64 = 0
        var high: Int64 = 0
        return rd_kafka_query_watermark_offsets(
            handle, partition.topic, partition.partition, &low, &high, timeoutMilliseconds)
            == RD_KAFKA_RESP_ERR_NO_ERROR
    }
}
