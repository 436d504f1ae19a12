import CRdkafka

extension KafkaConsumer {
    /// How long an assignment waits for the broker to say what the group committed.
    private static let committedTimeoutMilliseconds: Int32 = 5_000

    /// librdkafka's rebalance callback: it waits for us to apply the change, whatever it is.
    func rebalance(_ error: rd_kafka_resp_err_t, _ list: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>) {
        learnProtocol()
        switch error {
        case RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS: assign(list)
        case RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS: revoke(list)
        default:
            // The join failed; the documented answer is to drop everything, and librdkafka joins again.
            note(KafkaError(error))
            revoke(list)
        }
        topics.forgetHandles()
    }

    private func learnProtocol() {
        guard let name = rd_kafka_rebalance_protocol(handle) else { return }
        isCooperative = String(cString: name) == "COOPERATIVE"
    }

    private func assign(_ list: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>) {
        // While closing, a queued assignment must still be answered; librdkafka treats the answer as a refusal.
        if !isClosing {
            let partitions = list.partitions
            if !isCooperative, !assigned.partitions.isEmpty { assigned.remove(assigned.partitions) }
            assigned.begin()
            let wanted = handlers.onAssigned(partitions)
            let starts = resolve(partitions, wanted)
            assigned.place(
                partitions.map { partition in
                    let start = starts[partition] ?? Int64(RD_KAFKA_OFFSET_STORED)
                    return (partition, topics.index(of: partition.topic), start < 0 ? nil : start)
                })
            list.forEachElement { element in
                element.offset = starts[TopicPartition(element)] ?? Int64(RD_KAFKA_OFFSET_STORED)
            }
            for partition in partitions { forward(partition) }
        }
        if isCooperative {
            report(KafkaError(consuming: rd_kafka_incremental_assign(handle, list)))
        } else {
            report(KafkaError(rd_kafka_assign(handle, list)))
        }
    }

    private func revoke(_ list: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>) {
        let partitions = list.partitions
        // Before the unassignment, and under the old epoch: what the owner writes now still counts.
        if !partitions.isEmpty { handlers.onRevoked(partitions, rd_kafka_assignment_lost(handle) != 0) }
        assigned.remove(isCooperative ? partitions : assigned.partitions)
        if isCooperative {
            report(KafkaError(consuming: rd_kafka_incremental_unassign(handle, list)))
        } else {
            report(KafkaError(rd_kafka_assign(handle, nil)))
        }
    }

    private func report(_ error: KafkaError?) {
        guard let error, error.code != 0, !isClosing else { return }
        note(error)
    }

    /// librdkafka's offsets for the positions the owner asks for. `.committed` is looked up here, so that the place is
    /// known before the first message and a hole behind it is seen.
    private func resolve(
        _ partitions: [TopicPartition], _ wanted: [TopicPartition: StartPosition]
    ) -> [TopicPartition: Int64] {
        var result: [TopicPartition: Int64] = [:]
        var unknown: [TopicPartition] = []
        for partition in partitions {
            switch wanted[partition] ?? .committed {
            case .offset(let offset): result[partition] = max(0, offset)
            case .earliest: result[partition] = Int64(RD_KAFKA_OFFSET_BEGINNING)
            case .latest: result[partition] = Int64(RD_KAFKA_OFFSET_END)
            case .committed: unknown.append(partition)
            }
        }
        guard !unknown.isEmpty else { return result }
        let list = PartitionList(unknown)
        let failure = list.withList { rd_kafka_committed(handle, $0, Self.committedTimeoutMilliseconds) }
        guard failure == RD_KAFKA_RESP_ERR_NO_ERROR else {
            // Left to librdkafka, which asks again until it is told, and otherwise starts at the earliest.
            note(KafkaError(failure))
            return result
        }
        let reset = configuration.resetPolicy == .latest ? RD_KAFKA_OFFSET_END : RD_KAFKA_OFFSET_BEGINNING
        list.withList { pointer in
            pointer.forEachElement { element in
                guard element.err == RD_KAFKA_RESP_ERR_NO_ERROR else { return }
                result[TopicPartition(element)] = element.offset < 0 ? Int64(reset) : element.offset
            }
        }
        return result
    }
}
