import Events
import Kafka
import Ledger
import Logging
import Values
import Windows

/// What a consumer's handlers and its loop share: counts not yet written, offsets, what is known of the brokers. All of it is touched on
/// the worker's thread alone.
final class KafkaProgress {
    private let parts: KafkaWorker.Parts
    private let isStopping: () -> Bool
    var intake: Intake
    var deadLetters: DeadLetters
    private var tracker: SourceTracker
    private var offsets: [String: Int64]
    private var clocks: [[String: Timestamp]]
    private(set) var assigned: [TopicPartition: String] = [:]
    private var routes: [TopicPartition: Int] = [:]
    /// Partitions whose last event was their end.
    private var atEnd: Set<TopicPartition> = []
    /// Partitions that went on before the offset that was due, and that offset: what the ledger covers must not count again, unless the
    /// topic began anew.
    private(set) var wentBack: [TopicPartition: Int64] = [:]
    /// The brokers are away; only they can say when they are back.
    private(set) var isUnreachable = false
    /// Something was wrong since messages came last.
    private var isTroubled = false
    /// The client can do no more.
    private(set) var isFatal = false
    /// The last step was not made and will not be: the service stops.
    private var hasGivenUp = false

    init(_ parts: KafkaWorker.Parts, _ deadLetters: DeadLetters, isStopping: @escaping () -> Bool) throws {
        self.parts = parts
        self.deadLetters = deadLetters
        self.isStopping = isStopping
        intake = Intake(parts.models)
        tracker = SourceTracker(idle: parts.models.map(\.configuration.idle))
        offsets = try parts.ledger.offsets()
        clocks = parts.engine.clocks()
    }

    private static func name(_ partition: TopicPartition) -> String { "\(partition.topic)/\(partition.partition)" }

    /// The intake's number for a partition's messages.
    func route(_ partition: TopicPartition) -> Int {
        if let known = routes[partition] { return known }
        let defaults = parts.topics.first { $0.name == partition.topic }?.defaults ?? TopicDefaults()
        let route = intake.route(source: Self.name(partition), topic: partition.topic, defaults: defaults)
        routes[partition] = route
        return route
    }

    /// For the broker's display of lag.
    var committable: [TopicPartition: Int64] { assigned.reduce(into: [:]) { $0[$1.key] = offsets[$1.value] } }

    func assign(_ partitions: [TopicPartition]) -> [TopicPartition: StartPosition] {
        let now = parts.clock.now()
        var starts: [TopicPartition: StartPosition] = [:]
        for partition in partitions {
            let name = Self.name(partition)
            assigned[partition] = name
            let known = parts.models.indices.map { clocks[$0][name] }
            for (model, clock) in known.enumerated() { intake.setClock(name, model: model, clock) }
            tracker.add(name, clocks: known, at: now)
            // Not what the group committed: without a ledger everything is counted again.
            let fresh: StartPosition = parts.kafka.resetPolicy == .latest ? .latest : .earliest
            starts[partition] = offsets[name].map { .offset($0) } ?? fresh
        }
        // An assignment comes from the broker.
        isUnreachable = false
        tracker.isHeld = false
        parts.health.set("kafka", nil)
        parts.log.info(
            "partitions assigned", metadata: ["partitions": "\(partitions.map(\.description).sorted())"])
        return starts
    }

    func revoke(_ partitions: [TopicPartition]) {
        step()
        for partition in partitions {
            let name = Self.name(partition)
            assigned[partition] = nil
            atEnd.remove(partition)
            wentBack[partition] = nil
            tracker.remove(name)
            for model in parts.models.indices { intake.setClock(name, model: model, nil) }
        }
        if assigned.isEmpty { parts.health.set("kafka", "waiting for partitions") }
    }

    func take(_ event: KafkaEvent) {
        switch event {
        case .endOfPartition(let partition, _):
            atEnd.insert(partition)
            tracker.reachedEnd(Self.name(partition))
            reached()
        case .offsetOutOfRange(let gap):
            parts.log.error(
                "messages were deleted at the broker before they were read",
                metadata: [
                    "partition": "\(gap.partition)", "missing": "\(gap.missing)", "resumed_at": "\(gap.resumedAt)",
                ])
            parts.lost(gap)
            if gap.wentBack { wentBack[gap.partition] = gap.expected }
        case .committed: reached()
        case .commitFailed(let error):
            parts.log.debug("commit for lag display failed", metadata: ["reason": "\(error)"])
        case .error(let error, let partition):
            if error.kind == .brokersUnreachable {
                isUnreachable = true
                tracker.isHeld = true
            }
            isTroubled = true
            isFatal = isFatal || error.isFatal
            let place = partition.map { " \($0)" } ?? ""
            parts.health.set("kafka", "\(error)\(place)")
            parts.log.warning("Kafka", metadata: ["error": "\(error)", "partition": "\(place)"])
        }
    }

    /// The brokers are there: messages or the end of a partition came.
    func reached() {
        guard isTroubled || isUnreachable, !assigned.isEmpty else { return }
        isUnreachable = false
        isTroubled = false
        tracker.isHeld = false
        parts.health.set("kafka", nil)
    }

    func cameFrom(_ partition: TopicPartition) {
        guard !atEnd.isEmpty, atEnd.remove(partition) != nil else { return }
        tracker.leftEnd(Self.name(partition))
    }

    /// Whether a message is one the ledger covers already.
    /// - Parameter high: the end of the partition, where it is known: below the offset that was due, the topic began anew.
    func isCovered(_ partition: TopicPartition, _ offset: Int64, high: Int64?) -> Bool {
        guard let due = wentBack[partition] else { return false }
        if offset < due, let high, high >= due { return true }
        wentBack[partition] = nil
        return false
    }

    /// Dead letters first, then counts and offsets in one transaction. Tries until it works or the service stops.
    func step() {
        guard !hasGivenUp else { return }
        while let reason = deadLetters.settle(timeoutMilliseconds: isStopping() ? 2_000 : 5_000) {
            parts.health.set("dead letters", reason)
            parts.log.error("dead letters wait", metadata: ["reason": "\(reason)"])
            if isStopping() {
                // Nothing of this step is written, so all of it is read again after a restart.
                hasGivenUp = true
                return
            }
        }
        parts.health.set("dead letters", nil)
        let delta = intake.take()
        let now = parts.clock.now()
        tracker.take(delta.models, at: now)
        do throws(LedgerError) {
            try parts.engine.submit(
                delta, from: KafkaWorker.intakeName, activity: tracker.activity(at: now), now: now)
            offsets.merge(delta.offsets) { _, new in new }
            for (model, pane) in delta.models.enumerated() {
                clocks[model].merge(pane.clocks, uniquingKeysWith: max)
            }
        } catch {
            hasGivenUp = true
            parts.log.critical(
                "the last step was not written; it is read again after a restart", metadata: ["reason": "\(error)"])
        }
    }
}
