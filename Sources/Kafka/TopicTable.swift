import CRdkafka

/// Numbers for topic names, so that no string is made per message. The subscribed names come first, in their order;
/// topics a regular expression found follow. A number never changes.
struct TopicTable {
    private(set) var names: [String]
    private var byName: [String: Int]
    /// librdkafka's handles seen since the last rebalance. A handle lives as long as one of its partitions is
    /// assigned; after that its address may come to mean another topic, hence `forgetHandles`.
    private var handles: [(handle: OpaquePointer, index: Int)] = []

    init(_ topics: [String]) {
        names = []
        byName = [:]
        for topic in topics { _ = index(of: topic) }
    }

    mutating func index(of name: String) -> Int {
        if let known = byName[name] { return known }
        names.append(name)
        byName[name] = names.count - 1
        return names.count - 1
    }

    func existingIndex(of name: String) -> Int? { byName[name] }

    /// The number of a message's topic; a short linear search, as a consumer reads few topics.
    mutating func index(of handle: OpaquePointer) -> Int {
        for entry in handles where entry.handle == handle { return entry.index }
        let index = index(of: rd_kafka_topic_name(handle).map { String(cString: $0) } ?? "")
        handles.append((handle, index))
        return index
    }

    mutating func forgetHandles() { handles.removeAll(keepingCapacity: true) }
}
