import CRdkafka

/// Owns a mock cluster and the client instance it hangs on.
///
/// Limits of the mock in librdkafka 2.0.2 that tests must know: 5 MiB per partition, after which the oldest batches go
/// without a word; the first join of a group takes 3 s; session time-outs below 3.5 s never join.
final class MockCluster {
    private let client: OpaquePointer
    private let cluster: OpaquePointer
    let bootstrap: String

    init(brokers: Int32) throws(CommandError) {
        let conf = rd_kafka_conf_new()
        // The client never connects to anything, and librdkafka warns of that.
        _ = rd_kafka_conf_set(conf, "log_level", "3", nil, 0)
        guard let client = rd_kafka_new(RD_KAFKA_PRODUCER, conf, nil, 0) else {
            throw CommandError("librdkafka could not make a client")
        }
        guard let cluster = rd_kafka_mock_cluster_new(client, brokers),
            let bootstrap = rd_kafka_mock_cluster_bootstraps(cluster)
        else {
            rd_kafka_destroy(client)
            throw CommandError("librdkafka could not make a mock cluster of \(brokers) brokers")
        }
        self.client = client
        self.cluster = cluster
        self.bootstrap = String(cString: bootstrap)
    }

    deinit {
        rd_kafka_mock_cluster_destroy(cluster)
        rd_kafka_destroy(client)
    }

    func run(_ command: Command) throws(CommandError) {
        switch command {
        case .topic(let name, let partitions):
            guard partitions > 0 else { throw CommandError("topic: at least one partition") }
            try check(rd_kafka_mock_topic_create(cluster, name, partitions, 1))
        case .error(let apiKey, let code, let count):
            guard (1...10_000).contains(count) else { throw CommandError("error: a count from 1 to 10000") }
            let errors = [rd_kafka_resp_err_t](repeating: rd_kafka_resp_err_t(rawValue: code), count: count)
            rd_kafka_mock_push_request_errors_array(cluster, apiKey, errors.count, errors)
        case .down(let broker): try check(rd_kafka_mock_broker_set_down(cluster, broker))
        case .up(let broker): try check(rd_kafka_mock_broker_set_up(cluster, broker))
        case .rtt(let broker, let milliseconds):
            try check(rd_kafka_mock_broker_set_rtt(cluster, broker, milliseconds))
        case .leader(let topic, let partition, let broker):
            try check(rd_kafka_mock_partition_set_leader(cluster, topic, partition, broker))
        case .coordinator(let kind, let key, let broker):
            try check(rd_kafka_mock_coordinator_set(cluster, kind, key, broker))
        case .quit: break
        }
    }

    private func check(_ code: rd_kafka_resp_err_t) throws(CommandError) {
        guard code != RD_KAFKA_RESP_ERR_NO_ERROR else { return }
        throw CommandError(rd_kafka_err2str(code).map { String(cString: $0) } ?? "code \(code.rawValue)")
    }
}
