import Events
import Kafka
import Values

/// Messages to counts: what runs for every message.
extension KafkaProgress {
    /// Counts the messages of a batch. Those of a lane that waits are passed over, and from where there is no room left all are; they are
    /// read again.
    /// - Parameters:
    ///   - names: the consumer's topics, by number.
    ///   - high: the end of a partition as its broker last told it.
    func take(_ batch: borrowing KafkaBatch, names: [String], high: (TopicPartition) -> Int64?) {
        // Lent for the whole batch: each access to a property of an object is checked for exclusivity at run time.
        take(batch, names: names, high: high, &intake)
        reached()
    }

    private func take(
        _ batch: borrowing KafkaBatch, names: [String], high: (TopicPartition) -> Int64?, _ intake: inout Intake
    ) {
        let now = parts.clock.now()
        var hasRoom = true
        // A partition's messages come in runs.
        var (topic, partition) = (-1, Int32(-1))
        var current: Lane?
        batch.forEach(readsValues: true) { message in
            if message.partition != partition || message.topic != topic {
                (topic, partition) = (message.topic, message.partition)
                current = lanes.find(topic: topic, partition: partition, names: names)
                if let current, !current.isPassedOver { came(current) }
            }
            guard let lane = current, !lane.isPassedOver else { return }
            let offset = message.offset
            guard hasRoom else {
                lane.putBack = offset
                lane.start = lane.start ?? offset
                return
            }
            if lane.due != nil, lane.covers(offset, high: high(lane.partition)) { return }
            if let schema = count(lane, message.value, offset, now, &intake) {
                hold(lane, at: offset, for: schema)
                return
            }
            hasRoom = makeRoom(&intake)
        }
    }

    /// - Returns: the schema that the message, and so all after it, waits for; `nil` where it was counted or refused.
    private func count(
        _ lane: Lane, _ message: UnsafeRawBufferPointer, _ offset: Int64, _ now: Timestamp, _ intake: inout Intake
    ) -> UInt32? {
        var refused = 0
        switch lane.topic.format {
        case .json:
            intake.add(message, route: lane.route, offset: offset, now: now) {
                refused += 1
                bury($0, lane, message, offset)
            }
        case .avro:
            var outcome = intake.addAvro(message, route: lane.route, offset: offset, now: now) {
                refused += 1
                bury($0, lane, message, offset)
            }
            if case .needsSchema(let id) = outcome, let text = parts.schemas?.schema(id) {
                intake.setSchema(id, text)
                outcome = intake.addAvro(message, route: lane.route, offset: offset, now: now) {
                    refused += 1
                    bury($0, lane, message, offset)
                }
            }
            if case .needsSchema(let id) = outcome { return id }
        }
        if refused > 0 { deadLetters.endMessage(from: place(lane, offset)) }
        return nil
    }

    @inline(never)
    private func bury(_ rejection: Rejection, _ lane: Lane, _ message: UnsafeRawBufferPointer, _ offset: Int64) {
        deadLetters.add(rejection, message: message, from: place(lane, offset))
    }

    private func place(_ lane: Lane, _ offset: Int64) -> DeadLetters.Place {
        .init(topic: lane.partition.topic, partition: lane.partition.partition, offset: offset)
    }

    /// A message of the lane came.
    private func came(_ lane: Lane) {
        guard lane.isAtEnd else { return }
        lane.isAtEnd = false
        tracker.leftEnd(lane.source)
    }

    /// What has been counted is handed over if there is much of it.
    /// - Returns: whether there is room for more.
    private func makeRoom(_ intake: inout Intake) -> Bool {
        guard intake.isFull || deadLetters.isFull else { return true }
        guard !runner.isBusy else { return false }
        makeStep(&intake)
        return true
    }
}
