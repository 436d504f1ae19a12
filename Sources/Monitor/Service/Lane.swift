import Kafka
import Values

/// One partition a worker reads, and where it stands with it. Touched on the worker's thread alone.
final class Lane {
    let partition: TopicPartition
    /// The partition's name in the ledger.
    let source: String
    let topic: Configuration.Topic
    /// The intake's number for the partition's messages.
    let route: Int
    /// Where the next delta begins: behind the last one that was handed over, or where the ledger stood at assignment. `nil` where
    /// the ledger knows nothing and nothing was read yet.
    var position: Int64?
    /// Where reading turned out to begin, where nobody had said an offset: the end of the partition, or a message that must wait.
    var start: Int64?
    /// The last event was the partition's end.
    var isAtEnd = false
    /// The partition went on before this offset, which was due: what the ledger covers must not count again, unless the topic
    /// began anew.
    var due: Int64?
    /// The message that waits for a schema. The partition is paused, or will be before the next poll.
    var held: Held?
    /// The first message that was not taken for lack of room, to be read again.
    var putBack: Int64?

    struct Held {
        let offset: Int64
        let schema: UInt32
        var isPaused = false
    }

    init(_ partition: TopicPartition, _ topic: Configuration.Topic, route: Int, position: Int64?) {
        self.partition = partition
        self.topic = topic
        self.route = route
        self.position = position
        source = Self.source(partition)
    }

    static func source(_ partition: TopicPartition) -> String { "\(partition.topic)/\(partition.partition)" }

    /// Messages are passed over: they come again.
    var isPassedOver: Bool { held != nil || putBack != nil }

    /// Whether a message is one the ledger covers already.
    /// - Parameter high: the end of the partition, where it is known: below the offset that was due, the topic began anew.
    func covers(_ offset: Int64, high: Int64?) -> Bool {
        guard let due else { return false }
        if offset < due, let high, high >= due { return true }
        self.due = nil
        return false
    }
}

/// The lanes of one worker, found by a message's numbers without a look at names.
struct Lanes {
    private(set) var all: [TopicPartition: Lane] = [:]
    /// By the consumer's number of the topic and by partition.
    private var table: [[Lane?]] = []

    subscript(partition: TopicPartition) -> Lane? { all[partition] }

    mutating func add(_ lane: Lane) {
        all[lane.partition] = lane
        table.removeAll(keepingCapacity: true)
    }

    mutating func remove(_ partition: TopicPartition) -> Lane? {
        table.removeAll(keepingCapacity: true)
        return all.removeValue(forKey: partition)
    }

    /// - Parameter names: the consumer's topics, by number.
    mutating func find(topic: Int, partition: Int32, names: [String]) -> Lane? {
        let number = Int(partition)
        if topic < table.count, number < table[topic].count, let lane = table[topic][number] { return lane }
        guard let lane = all[TopicPartition(names[topic], partition)] else { return nil }
        while table.count <= topic { table.append([]) }
        while table[topic].count <= number { table[topic].append(nil) }
        table[topic][number] = lane
        return lane
    }
}
