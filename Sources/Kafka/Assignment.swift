/// The partitions a consumer holds and what is expected next of each.
///
/// Plain values, no librdkafka: `advance` costs two array look-ups per message. `epoch` grows with every change, so
/// that work begun under an earlier assignment can be told from work of the present one.
struct Assignment {
    enum Step: Equatable {
        /// The next offset, or one after a hole where nothing was expected yet.
        case inOrder
        /// Another offset than the next one; deleted, compacted, transactional or made anew.
        case jump(expected: Int64)
        /// A partition that is not ours: left over from before a rebalance.
        case unassigned
    }

    private(set) var epoch: UInt64 = 0
    private(set) var partitions: [TopicPartition] = []
    /// Next offset by slot, -1 where the start is not known yet.
    private var expected: [Int64] = []
    /// Slot by topic index and partition, -1 where not assigned.
    private var slots: [[Int32]] = []

    /// Begins a new epoch; what it brings is placed once the owner has said where to start.
    mutating func begin() { epoch += 1 }

    mutating func place(_ starts: [(partition: TopicPartition, topic: Int, offset: Int64?)]) {
        for start in starts {
            if let known = slot(topic: start.topic, partition: start.partition.partition) {
                expected[known] = start.offset ?? -1
                continue
            }
            while slots.count <= start.topic { slots.append([]) }
            let partition = Int(start.partition.partition)
            while slots[start.topic].count <= partition { slots[start.topic].append(-1) }
            slots[start.topic][partition] = Int32(partitions.count)
            partitions.append(start.partition)
            expected.append(start.offset ?? -1)
        }
    }

    /// Ends the epoch; partitions that are not held are ignored.
    mutating func remove(_ revoked: [TopicPartition]) {
        epoch += 1
        let gone = Set(revoked)
        var places: [(topic: Int, partition: Int, slot: Int)] = []
        for (topic, row) in slots.enumerated() {
            for (partition, slot) in row.enumerated() where slot >= 0 {
                places.append((topic, partition, Int(slot)))
                slots[topic][partition] = -1
            }
        }
        let oldPartitions = partitions
        let oldExpected = expected
        partitions = []
        expected = []
        for place in places.sorted(by: { $0.slot < $1.slot }) where !gone.contains(oldPartitions[place.slot]) {
            slots[place.topic][place.partition] = Int32(partitions.count)
            partitions.append(oldPartitions[place.slot])
            expected.append(oldExpected[place.slot])
        }
    }

    /// Notes that the message at `offset` came.
    mutating func advance(topic: Int, partition: Int32, offset: Int64) -> Step {
        move(topic: topic, partition: partition, found: offset, next: offset + 1)
    }

    /// Notes that the partition ends at `offset`: nothing of it is kept or readable before that.
    mutating func reachEnd(topic: Int, partition: Int32, offset: Int64) -> Step {
        move(topic: topic, partition: partition, found: offset, next: offset)
    }

    /// The next offset of a partition, `nil` where it is not held or nothing has come yet.
    func position(topic: Int, partition: Int32) -> Int64? {
        slot(topic: topic, partition: partition).flatMap { expected[$0] < 0 ? nil : expected[$0] }
    }

    private mutating func move(topic: Int, partition: Int32, found: Int64, next: Int64) -> Step {
        guard let slot = slot(topic: topic, partition: partition) else { return .unassigned }
        let wanted = expected[slot]
        expected[slot] = next
        return wanted == found || wanted < 0 ? .inOrder : .jump(expected: wanted)
    }

    private func slot(topic: Int, partition: Int32) -> Int? {
        guard topic < slots.count, partition >= 0, Int(partition) < slots[topic].count else { return nil }
        let slot = slots[topic][Int(partition)]
        return slot < 0 ? nil : Int(slot)
    }
}
