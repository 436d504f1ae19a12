import Events
import Kafka
import Values

/// Messages that could not be used, on their way to the dead-letter topic. They must have arrived there before the ledger covers their
/// offsets, so every step settles those of its messages first.
struct DeadLetters: Sendable {
    /// Refused events of one message that get a letter each; what a message has beyond these goes together, by reason, one event a line: a
    /// letter for every other byte of ten megabytes would fill the memory.
    static let ownLettersMaximum = 1_000
    private static let bundleBytes = 512 << 10
    /// What the client sends whole, unless configured; where the broker takes less, it says so.
    private static let messageBytes = "16000000"
    /// The least of what nearly every broker takes, and of what is tried last.
    private static let usualBytes = 900_000
    private static let lastResortBytes = 10_000
    /// Past this the worker makes a step at once, or takes no more messages while one is being made.
    private static let waitingBytesMaximum = 32 << 20

    private let producer: KafkaProducer
    private let topic: String
    private var waiting: [KafkaRecord] = []
    private var waitingBytes = 0
    /// Letters handed to the producer, and what had failed there before.
    private var sent = 0
    private var before = DeliveryCounts()
    /// Of the message whose events are being refused.
    private var refused = 0
    private var bundles: [RejectReason: Bundle] = [:]

    private struct Bundle {
        let first: Rejection
        var count = 0
        var value: [UInt8] = []
    }

    /// Where a message came from.
    struct Place {
        let topic: String
        let partition: Int32
        let offset: Int64
    }

    init(producer: KafkaProducer, topic: String) {
        self.producer = producer
        self.topic = topic
    }

    var isFull: Bool { waitingBytes > Self.waitingBytesMaximum }

    /// Hands over the letters that wait, for one step to settle.
    mutating func take() -> DeadLetters {
        var taken = DeadLetters(producer: producer, topic: topic)
        swap(&taken, &self)
        return taken
    }

    /// A consumer's properties without those that mean nothing to a producer.
    static func producerProperties(_ properties: [(String, String)]) -> [(String, String)] {
        let consumerOnly = [
            "group.", "session.timeout.ms", "heartbeat.interval.ms", "max.poll.interval.ms", "auto.offset.reset",
            "fetch.", "partition.assignment.strategy", "queued.", "isolation.level", "check.crcs", "enable.auto.",
            "enable.partition.eof", "auto.commit.", "coordinator.query.", "allow.auto.create.topics",
        ]
        let kept = properties.filter { property in !consumerOnly.contains { property.0.hasPrefix($0) } }
        // A broken broker must not hold up the last step for minutes, and what came must fit.
        let ours = [("message.timeout.ms", "30000"), ("message.max.bytes", Self.messageBytes)]
        return kept + ours.filter { own in !kept.contains { $0.0 == own.0 } }
    }

    /// Keeps one event that was refused. After the last of a message follows `endMessage`.
    mutating func add(_ rejection: Rejection, message: UnsafeRawBufferPointer, from place: Place) {
        refused += 1
        let range = rejection.range.clamped(to: 0..<message.count)
        guard refused > Self.ownLettersMaximum else {
            append(rejection, Array(message[range]), events: 1, place)
            return
        }
        var bundle = bundles[rejection.reason] ?? Bundle(first: rejection)
        bundles[rejection.reason] = nil
        if !bundle.value.isEmpty { bundle.value.append(0x0a) }
        bundle.value += message[range]
        bundle.count += 1
        if bundle.value.count < Self.bundleBytes {
            bundles[rejection.reason] = bundle
        } else {
            append(bundle, place)
        }
    }

    mutating func endMessage(from place: Place) {
        refused = 0
        for bundle in bundles.values.sorted(by: { $0.first.index < $1.first.index }) { append(bundle, place) }
        bundles = [:]
    }

    private mutating func append(_ bundle: Bundle, _ place: Place) {
        append(bundle.first, bundle.value, events: bundle.count, place)
    }

    private mutating func append(_ rejection: Rejection, _ value: [UInt8], events: Int, _ place: Place) {
        waitingBytes += value.count + 1_000
        var headers = [
            KafkaHeader("holdfast.reason", text: rejection.reason.rawValue),
            KafkaHeader("holdfast.detail", text: rejection.detail),
            KafkaHeader("holdfast.topic", text: place.topic),
            KafkaHeader("holdfast.partition", text: "\(place.partition)"),
            KafkaHeader("holdfast.offset", text: "\(place.offset)"),
            KafkaHeader("holdfast.index", text: "\(rejection.index)"),
            KafkaHeader("holdfast.start", text: "\(rejection.range.lowerBound)"),
            KafkaHeader("holdfast.bytes", text: "\(value.count)"),
        ]
        if events > 1 { headers.append(KafkaHeader("holdfast.events", text: "\(events)")) }
        waiting.append(KafkaRecord(topic: topic, value: value, headers: headers))
    }

    /// Leaves of a letter what a broker takes, and says so in a header: `holdfast.bytes` still tells how much there was.
    private mutating func cut(_ letter: Int, to bytes: Int) {
        guard let value = waiting[letter].value, value.count > bytes else { return }
        waiting[letter].value = Array(value.prefix(bytes))
        waiting[letter].headers.removeAll { $0.name == Self.cutHeader }
        waiting[letter].headers.append(KafkaHeader(Self.cutHeader, text: "\(bytes)"))
    }

    private static let cutHeader = "holdfast.cut"

    /// The next smaller size to try.
    private static func smaller(than bytes: Int) -> Int {
        max(lastResortBytes, bytes > usualBytes ? usualBytes : bytes / 2)
    }

    /// Sends all that wait and waits for the broker's word.
    /// - Returns: why it did not work yet, `nil` when all have arrived. Nothing is dropped: call it again.
    mutating func settle(timeoutMilliseconds: Int) -> String? {
        guard !waiting.isEmpty else { return nil }
        if sent == 0 { before = producer.counts }
        while sent < waiting.count {
            do throws(KafkaError) {
                try producer.send(waiting[sent])
                sent += 1
            } catch {
                switch error.kind {
                case .messageTooLarge where (waiting[sent].value?.count ?? 0) > Self.lastResortBytes:
                    cut(sent, to: Self.smaller(than: waiting[sent].value?.count ?? 0))
                case .queueFull where producer.flush(timeoutMilliseconds: timeoutMilliseconds): continue
                default: return "dead-letter topic \(topic): \(error)"
                }
            }
        }
        guard producer.flush(timeoutMilliseconds: timeoutMilliseconds) else {
            return "dead-letter topic \(topic): the broker has not confirmed \(waiting.count) messages yet"
        }
        let now = producer.counts
        guard now.failed == before.failed else {
            // Which ones failed is not known, so all go again; a reader drops repeats by partition, offset and index.
            sent = 0
            guard now.tooLarge > before.tooLarge else {
                return "dead-letter topic \(topic) cannot be written; does it exist, and may this user write to it?"
            }
            let largest = waiting.map { $0.value?.count ?? 0 }.max() ?? 0
            for i in waiting.indices { cut(i, to: Self.smaller(than: largest)) }
            return "dead-letter topic \(topic) takes no message of \(largest) bytes (`max.message.bytes`): cut"
        }
        waiting.removeAll(keepingCapacity: true)
        waitingBytes = 0
        sent = 0
        return nil
    }
}
