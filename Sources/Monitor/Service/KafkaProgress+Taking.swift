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
        let (began, spent) = (ThreadClock.nanoseconds, intake.spent)
        take(batch, names: names, high: high, &intake)
        worked(ThreadClock.nanoseconds - began - (intake.spent - spent), .decode)
        reached()
    }

    private func take(
        _ batch: borrowing KafkaBatch, names: [String], high: (TopicPartition) -> Int64?, _ intake: inout Intake
    ) {
        let now = parts.clock.now()
        var hasRoom = true
        var hasRoomForLetters = !deadLetters.isFull
        batch.forEachRun { run in
            guard let lane = lanes.find(topic: run.topic, partition: run.partition, names: names) else { return }
            // Locals: a look at an object's property for each message costs more than the look itself.
            var isPassedOver = lane.isPassedOver
            var hasDue = lane.due != nil
            if !isPassedOver { came(lane) }
            run.forEach(readsValues: true) { message in
                guard !isPassedOver else { return }
                let offset = message.offset
                guard hasRoom else {
                    lane.putBack = offset
                    lane.start = lane.start ?? offset
                    isPassedOver = true
                    hasPassedOver = true
                    return
                }
                if hasDue {
                    if lane.covers(offset, high: high(lane.partition)) { return }
                    hasDue = false
                }
                switch count(lane, message.value, offset, now, &intake) {
                case .counted: break
                case .refused: hasRoomForLetters = !deadLetters.isFull
                case .waits(let schema):
                    hold(lane, at: offset, for: schema)
                    isPassedOver = true
                    return
                }
                guard intake.isFull || !hasRoomForLetters else { return }
                hasRoom = makeRoom(&intake)
                hasRoomForLetters = !deadLetters.isFull
            }
        }
    }

    private enum Outcome {
        case counted
        /// Some of its events were buried.
        case refused
        /// The message, and so all after it, waits for a schema.
        case waits(UInt32)
    }

    private func count(
        _ lane: Lane, _ message: UnsafeRawBufferPointer, _ offset: Int64, _ now: Timestamp, _ intake: inout Intake
    ) -> Outcome {
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
            if case .needsSchema(let id) = outcome { return .waits(id) }
        }
        guard refused > 0 else { return .counted }
        deadLetters.endMessage(from: place(lane, offset))
        return .refused
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
