import CRdkafka

/// A member of a consumer group that hands out batches of borrowed bytes.
///
/// Not Sendable: one thread creates, polls and closes it, and every handler but the log's runs on that thread. That
/// thread blocks, so it must not be one of the cooperative pool's. There is no lock and no allocation per message.
///
/// Messages and everything else reach us through two queues. Rebalances, errors and commit results stay in librdkafka's
/// consumer queue, served by `rd_kafka_consumer_poll(0)` at the start of each `poll`; on assignment every partition is
/// forwarded to a queue of our own, which the batch call reads. So a rebalance never happens in the middle of a batch,
/// where messages already taken would outlive the assignment they belong to, and librdkafka's version barrier drops
/// those still queued. A rebalance waits at most for the time-out of one `poll`.
package final class KafkaConsumer {
    let handle: OpaquePointer
    let configuration: KafkaConfiguration
    private let callbacks: ConsumerCallbacks
    private let messageQueue: OpaquePointer
    private var messages: UnsafeMutablePointer<MessagePointer?>
    private var messageTopics: UnsafeMutablePointer<Int32>
    private var capacity: Int
    var handlers: KafkaConsumerHandlers
    var topics: TopicTable
    var assigned = Assignment()
    /// librdkafka cannot name the protocol any more while it closes; the last answer still holds then.
    var isCooperative = false
    private var isBusy = false
    package private(set) var isClosed = false
    private(set) var isClosing = false
    /// Events to tell before the batch they were found with, and after it.
    private var early: [KafkaEvent] = []
    private var late: [KafkaEvent] = []
    private var backlog: FetchBacklog

    /// Joins the group (`group.id` must be configured) and subscribes; a topic beginning with `^` is a regular expression.
    package init(
        configuration: KafkaConfiguration, topics: [String], handlers: KafkaConsumerHandlers
    ) throws(KafkaError) {
        guard configuration["group.id"]?.isEmpty == false else {
            throw KafkaError(RD_KAFKA_RESP_ERR__INVALID_ARG, text: "group.id is not set: a consumer needs a group")
        }
        callbacks = ConsumerCallbacks(onLog: handlers.onLog)
        let conf = configuration.makeConsumerConf()
        callbacks.install(on: conf)
        handle = try KafkaConsumer.open(RD_KAFKA_CONSUMER, conf, configuration)
        self.configuration = configuration
        self.handlers = handlers
        self.topics = TopicTable(topics)
        backlog = FetchBacklog(bytes: configuration.queueBytes, messages: configuration.queueMessages)
        // Both calls fail only without a consumer group, which librdkafka's constructor has just set up.
        _ = rd_kafka_poll_set_consumer(handle)
        guard let queue = rd_kafka_queue_new(handle) else { preconditionFailure("out of memory") }
        messageQueue = queue
        capacity = 1024
        messages = .allocate(capacity: capacity)
        messages.initialize(repeating: nil, count: capacity)
        messageTopics = .allocate(capacity: capacity)
        messageTopics.initialize(repeating: 0, count: capacity)
        callbacks.consumer = self
        let failure = PartitionList(topics: topics).withList { rd_kafka_subscribe(handle, $0) }
        guard failure == RD_KAFKA_RESP_ERR_NO_ERROR else {
            let reason = rd_kafka_err2str(failure).map { String(cString: $0) } ?? ""
            throw KafkaError(failure, text: "cannot subscribe to \(topics.joined(separator: ", ")): \(reason)")
        }
    }

    /// A consumer that was not closed leaves without a word: its group notices when the session times out. No handler
    /// runs, because they may refer to what is going away too.
    deinit {
        if !isClosed {
            rd_kafka_queue_destroy(messageQueue)
            destroy(flags: RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE)
        }
        messages.deallocate()
        messageTopics.deallocate()
    }

    /// Creates a client; the configuration object is used up either way.
    static func open(
        _ type: rd_kafka_type_t, _ conf: OpaquePointer, _ configuration: KafkaConfiguration
    ) throws(KafkaError) -> OpaquePointer {
        var handle: OpaquePointer?
        var failure = RD_KAFKA_RESP_ERR_NO_ERROR
        let text = ErrorText.collecting { buffer, size in
            handle = rd_kafka_new(type, conf, buffer, size)
            if handle == nil { failure = rd_kafka_last_error() }
        }
        guard let handle else {
            rd_kafka_conf_destroy(conf)
            throw KafkaError(failure, text: "Kafka client: " + configuration.hidingSecrets(in: text))
        }
        return handle
    }

    /// Names by the index messages carry: the subscribed ones first, in their order.
    package var topicNames: [String] { topics.names }

    /// Grows with every change of the assignment, after `onRevoked` and before `onAssigned`.
    package var assignmentEpoch: UInt64 { assigned.epoch }

    package var assignment: [TopicPartition] { assigned.partitions }

    /// Serves rebalances and errors, then lends up to `maximum` messages, waiting at most `timeoutMilliseconds` for
    /// that many to come. `body` is not called without messages. Returns how many were lent.
    ///
    /// Call it at least every `max.poll.interval.ms`, paused or not; a longer silence costs the assignment.
    ///
    /// - Parameter takesMessages: `false` leaves fetched messages where they are, in a queue that is bounded by
    ///   `queued.max.messages.kbytes`: the owner has no room for more now, but stays in the group.
    @discardableResult
    package func poll(
        maximum: Int, timeoutMilliseconds: Int, takesMessages: Bool = true, _ body: (borrowing KafkaBatch) -> Void
    ) -> Int {
        precondition(!isClosed, "poll after close")
        precondition(!isBusy, "poll from inside a handler")
        precondition(maximum > 0, "a batch holds at least one message")
        isBusy = true
        defer { isBusy = false }
        reserve(maximum)
        let timeout = Int32(clamping: timeoutMilliseconds)
        var taken = serveQueue(maximum, timeoutMilliseconds: takesMessages ? 0 : timeout)
        if takesMessages {
            taken += max(0, rd_kafka_consume_batch_queue(messageQueue, timeout, messages + taken, maximum - taken))
        }
        let count = sift(taken)
        if Self.sleepsOnFullQueue, takesMessages, rd_kafka_queue_length(messageQueue) < maximum, backlog.isDue() {
            wakeFetching(turn: backlog.turn)
        }
        tell(take(&early))
        if count > 0 {
            body(KafkaBatch(messages: messages, topics: messageTopics, count: count, assignmentEpoch: assigned.epoch))
            giveBack(count)
        }
        tell(take(&late))
        return count
    }

    /// Leaves the group: revokes what is assigned (so `onRevoked` runs), then frees everything. Blocks until
    /// librdkafka's threads have ended. Calling it again does nothing.
    package func close() {
        guard !isClosed else { return }
        precondition(!isBusy, "close from inside a handler")
        isClosing = true
        isBusy = true
        _ = rd_kafka_consumer_close(handle)
        tell(take(&early))
        isClosed = true
        // Messages left in the queue hold their partitions, and destroy waits for those: the queue goes first.
        rd_kafka_queue_destroy(messageQueue)
        destroy(flags: 0)
    }

    /// librdkafka before 2.3 ends the process when it destroys a member of a `cooperative-sticky` group that never led it (its
    /// #4381). Such a member has left the group here; its memory and threads stay until the process ends.
    private func destroy(flags: Int32) {
        let isSticky = configuration["partition.assignment.strategy"]?.contains("cooperative-sticky") == true
        guard isSticky, rd_kafka_version() < 0x0203_00ff else {
            rd_kafka_destroy_flags(handle, flags)
            return
        }
        // Its threads may still log.
        _ = Unmanaged.passRetained(callbacks)
    }

    /// Sends a partition's messages to our own queue. Must precede the assignment itself, so that none goes astray.
    func forward(_ partition: TopicPartition) {
        guard let queue = rd_kafka_queue_get_partition(handle, partition.topic, partition.partition) else { return }
        rd_kafka_queue_forward(queue, messageQueue)
        // Only our reference: it would keep the partition alive and block destroy.
        rd_kafka_queue_destroy(queue)
    }

    func note(_ error: KafkaError, _ partition: TopicPartition? = nil) { early.append(.error(error, partition)) }

    func note(_ event: KafkaEvent) { early.append(event) }

    /// Taken out before they are told: a handler may cause further events, by pausing or committing.
    private func take(_ events: inout [KafkaEvent]) -> [KafkaEvent] {
        defer { events.removeAll(keepingCapacity: true) }
        return events
    }

    private func tell(_ events: [KafkaEvent]) {
        for event in events { handlers.onEvent(event) }
    }

    private func reserve(_ maximum: Int) {
        guard maximum > capacity else { return }
        messages.deallocate()
        messageTopics.deallocate()
        capacity = maximum
        messages = .allocate(capacity: capacity)
        messages.initialize(repeating: nil, count: capacity)
        messageTopics = .allocate(capacity: capacity)
        messageTopics.initialize(repeating: 0, count: capacity)
    }

    /// Runs the callbacks that wait, and collects errors. A partition's message can only turn up here if librdkafka
    /// fetched before the forwarding took hold; it is kept rather than lost.
    private func serveQueue(_ maximum: Int, timeoutMilliseconds: Int32) -> Int {
        var taken = 0
        var patience = timeoutMilliseconds
        while taken < maximum, let message = rd_kafka_consumer_poll(handle, patience) {
            messages[taken] = message
            taken += 1
            patience = 0
        }
        return taken
    }

    /// Turns errors and ends of partitions into events and closes the gaps they leave in the array. O(messages).
    private func sift(_ taken: Int) -> Int {
        // Locals, because each access to a stored property of a class is checked for exclusivity at run time.
        let messages = messages
        let messageTopics = messageTopics
        var kept = 0
        var bytes = 0
        for i in 0..<taken {
            guard let message = messages[i] else { continue }
            messages[i] = nil
            guard message.pointee.err == RD_KAFKA_RESP_ERR_NO_ERROR, let topicHandle = message.pointee.rkt else {
                noteFailure(message)
                rd_kafka_message_destroy(message)
                continue
            }
            let topic = topics.index(of: topicHandle)
            let partition = message.pointee.partition
            let offset = message.pointee.offset
            switch assigned.advance(topic: topic, partition: partition, offset: offset) {
            case .unassigned:
                rd_kafka_message_destroy(message)
                continue
            case .jump(let expected):
                noteJump(TopicPartition(topics.names[topic], partition), expected: expected, found: offset)
            case .inOrder: break
            }
            messages[kept] = message
            messageTopics[kept] = Int32(topic)
            kept += 1
            bytes &+= message.pointee.len
        }
        backlog.took(bytes: bytes, messages: kept)
        return kept
    }

    private func giveBack(_ count: Int) {
        for i in 0..<count {
            guard let message = messages[i] else { continue }
            messages[i] = nil
            rd_kafka_message_destroy(message)
        }
    }

    private func noteFailure(_ message: MessagePointer) {
        var partition: TopicPartition?
        if let topic = message.pointee.rkt {
            partition = TopicPartition(topics.names[topics.index(of: topic)], message.pointee.partition)
        }
        guard message.pointee.err == RD_KAFKA_RESP_ERR__PARTITION_EOF, let partition else {
            note(
                KafkaError(message.pointee.err, text: rd_kafka_message_errstr(message).map { String(cString: $0) }),
                partition)
            return
        }
        let end = message.pointee.offset
        let topic = topics.index(of: partition.topic)
        switch assigned.reachEnd(topic: topic, partition: partition.partition, offset: end) {
        case .unassigned: return
        case .jump(let expected): noteJump(partition, expected: expected, found: end)
        case .inOrder: break
        }
        late.append(.endOfPartition(partition, offset: end))
    }

    /// Offsets jump for harmless reasons too (compaction, markers of transactions). It is a loss only where the broker's
    /// oldest message is past the one expected, or offsets started over. librdkafka refreshes its idea of the oldest
    /// with the very response that brought the message.
    private func noteJump(_ partition: TopicPartition, expected: Int64, found: Int64) {
        if found < expected {
            note(.offsetOutOfRange(OffsetGap(partition: partition, expected: expected, resumedAt: found, missing: 0)))
            return
        }
        guard let low = watermarks(of: partition)?.low, low > expected else { return }
        let resumed = min(low, found)
        note(
            .offsetOutOfRange(
                OffsetGap(
                    partition: partition, expected: expected, resumedAt: resumed, missing: resumed - expected)))
    }
}
