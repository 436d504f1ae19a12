import ArgumentParser
import Foundation
import Kafka

/// Fills a topic, spreading the messages evenly over its partitions.
struct Produce: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "produce", abstract: "Fills a topic.")

    @Option(name: .long) var brokers: String
    @Option(name: .long) var topic: String
    @Option(name: .long) var partitions: Int
    @Option(name: .long) var events: String
    @Option(name: .long) var format = "json"
    @Option(name: .long, help: "Messages to send; the file's are repeated where it has fewer.") var count: Int?
    @Option(name: .long, help: "Messages of a batch, all of one partition; the next batch is the next partition's.")
    var batch = 32

    func run() throws {
        let messages = try Corpus.messages(events, isFramed: format == "avro")
        let producer = try KafkaProducer(
            configuration: KafkaConfiguration(properties: [
                ("bootstrap.servers", brokers), ("linger.ms", "20"), ("queue.buffering.max.messages", "1000000"),
                ("compression.type", "none"), ("batch.num.messages", "\(batch)"),
            ]), onError: { print("\($0)") }, onLog: { _ in })
        let total = count ?? messages.count
        // Taking turns keeps the partitions together in event time, as a fleet does. The mock broker's answer has one batch of each
        // partition, as far as there is room: with large ones a partition is read to its end before others are begun.
        for i in 0..<total {
            let record = KafkaRecord(
                topic: topic, partition: Int32(i / batch % partitions), value: Array(messages[i % messages.count])
            )
            while true {
                do throws(KafkaError) {
                    try producer.send(record)
                    break
                } catch {
                    guard error.kind == .queueFull else { throw error }
                    _ = producer.flush(timeoutMilliseconds: 100)
                }
            }
        }
        guard producer.flush(timeoutMilliseconds: 120_000), producer.counts.failed == 0 else {
            throw ValidationError("not everything could be sent")
        }
        producer.close(flushTimeoutMilliseconds: 1_000)
        Output.line([("mode", .text("produce")), ("events", .number(Double(total)))])
    }
}
