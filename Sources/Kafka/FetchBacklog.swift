import CRdkafka

/// When librdkafka has to be told that there is room in its queue again.
///
/// A thread of librdkafka's that finds the queue full fetches no more. From 2.2 on it looks again after `fetch.queue.backoff.ms`;
/// before, it sleeps until something wakes it, for up to a second, however soon the queue is empty: a backlog would then be read at
/// hardly more than one queue a second. Any request to the broker wakes the thread. Plain values: `KafkaConsumer` makes the request.
struct FetchBacklog {
    private let bytesMaximum: Int
    private let messagesMaximum: Int
    /// Taken from the queue since it was last known to have room.
    private var bytes = 0
    private var messages = 0
    /// Whose broker is asked: each partition in turn, because it is not known which brokers' threads sleep.
    private(set) var turn = 0

    /// - Parameters:
    ///   - bytes: `queued.max.messages.kbytes`, in bytes.
    ///   - messages: `queued.min.messages`.
    init(bytes: Int, messages: Int) {
        bytesMaximum = bytes
        messagesMaximum = messages
    }

    mutating func took(bytes: Int, messages: Int) {
        self.bytes &+= bytes
        self.messages &+= messages
    }

    /// Whether a thread may sleep though the queue is nearly empty: it was full if so much could be taken from it since. Half of
    /// that is enough, for some is left. The next time is as far away again.
    mutating func isDue() -> Bool {
        guard bytes &* 2 >= bytesMaximum || messages &* 2 >= messagesMaximum else { return false }
        bytes = 0
        messages = 0
        turn &+= 1
        return true
    }
}

extension KafkaConsumer {
    static let sleepsOnFullQueue = rd_kafka_version() < 0x0202_00ff
    /// The answer to the request is of no interest, but must be waited for. A broker that is away has other signs.
    private static let wakeTimeoutMilliseconds: Int32 = 250

    /// Asks a broker for the offsets of a partition.
    func wakeFetching(turn: Int) {
        let partitions = assigned.partitions
        guard !partitions.isEmpty else { return }
        let partition = partitions[turn % partitions.count]
        var low: Int64 = 0
        var high: Int64 = 0
        _ = rd_kafka_query_watermark_offsets(
            handle, partition.topic, partition.partition, &low, &high, Self.wakeTimeoutMilliseconds)
    }
}
