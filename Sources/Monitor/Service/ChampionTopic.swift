import Kafka
import Logging
import Registry
import ServiceLifecycle
import Values

/// Writes champions to a compacted Kafka topic: the key is the model, the value the document that fleets read over HTTP.
/// At least once, in the order they moved; a cursor in the registry says how far the broker has confirmed.
struct ChampionTopic: Service {
    let registry: Registry
    let topic: String
    let kafka: KafkaConfiguration
    let log: Logger

    private var consumer: String { "kafka/\(topic)" }
    private static let patience = Duration.seconds(30)
    private static let pause = Duration.seconds(2)

    func run() async throws {
        let log = log
        let producer = try KafkaProducer(
            configuration: kafka,
            onError: { log.warning("champion topic", metadata: ["error": "\($0)"]) }, onLog: { _ in })
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                do {
                    try await publish(producer)
                } catch is CancellationError {
                    return
                } catch {
                    // State and not difference: the same champions are sent again, nothing is lost.
                    log.error("champions are not published", metadata: ["topic": "\(topic)", "reason": "\(error)"])
                    try? await Task.sleep(for: Self.pause)
                }
            }
        }
        producer.close(flushTimeoutMilliseconds: 1_000)
    }

    private func publish(_ producer: KafkaProducer) async throws {
        let sent = try await registry.cursor(of: consumer)
        for state in try await registry.waitForChanges(after: sent, timeout: Self.patience) {
            try await producer.sendAndWait(
                // Without a champion a tombstone, so that compaction forgets the model.
                KafkaRecord(
                    topic: topic, key: Array(state.model.utf8),
                    value: state.champion == nil ? nil : state.json.bytes))
            try await registry.advance(consumer, to: state.sequence)
        }
    }
}
