import AsyncHTTPClient
import Events
import Foundation
import Kafka
import Logging
import NIOCore
import NIOHTTP1
import Synchronization
import Values

/// The demo's scoring fleet: publishes predictions to Kafka with the version the registry says, which it learns by long poll as a real
/// fleet would.
final class DemoFleet: Sendable {
    private static let eventsPerMinute: Int64 = 200
    private static let partitions: Int32 = 4
    /// How long a deploy takes, in event time.
    private static let rollout = Span.hours(3)

    private let producer: KafkaProducer
    private let state: Mutex<State>
    private let clock: WallClock

    private struct State {
        var traffic = DemoTraffic(seed: 7)
        var version = DemoTraffic.good
        /// The version that some instances still serve while a new one is rolled out, and until when in event time.
        var draining: (version: String, until: Timestamp)?
        var time: Timestamp
        var sent: Int64 = 0
    }

    init(bootstrap: String, start: Timestamp, clock: WallClock, log: Logger) throws {
        producer = try KafkaProducer(
            configuration: KafkaConfiguration(properties: [("bootstrap.servers", bootstrap), ("linger.ms", "20")]),
            onError: { log.warning("fleet", metadata: ["error": "\($0)"]) }, onLog: { _ in })
        state = Mutex(State(time: start))
        self.clock = clock
    }

    var version: String { state.withLock { $0.version } }
    var eventTime: Timestamp { state.withLock { $0.time } }
    var sent: Int64 { state.withLock { $0.sent } }

    /// Publishes one minute of event time, or less where that would reach into the future.
    /// - Returns: false when event time has caught up with the clock.
    func publishMinute() throws -> Bool {
        let now = clock.now()
        let (records, behind) = state.withLock { state -> ([KafkaRecord], Bool) in
            let step = Span(microseconds: Span.minutes(1).microseconds / Self.eventsPerMinute)
            var records: [KafkaRecord] = []
            for _ in 0..<Self.eventsPerMinute {
                guard state.time < now else { return (records, false) }
                let value = state.traffic.event(at: state.time, version: Self.version(of: state))
                records.append(
                    KafkaRecord(
                        topic: DemoFiles.topic, partition: Int32(state.sent % Int64(Self.partitions)), value: value))
                state.time = state.time + step
                state.sent += 1
            }
            return (records, true)
        }
        for record in records { try producer.send(record) }
        return behind
    }

    /// One instance of five is rolled last: only beside the old version can the new one be told from a change of the data.
    private static func version(of state: State) -> String {
        guard let draining = state.draining, state.time < draining.until, state.sent % 5 == 0 else {
            return state.version
        }
        return draining.version
    }

    /// Follows the champion until cancelled; tells each change.
    func follow(port: Int, changed: @Sendable (String) async -> Void) async {
        var sequence: Int64 = -1
        while !Task.isCancelled {
            let wait = sequence < 0 ? "" : "?wait=20s&after=\(sequence)"
            do {
                let response = try await HTTPClient.shared.execute(
                    HTTPClientRequest(url: "http://127.0.0.1:\(port)/v1/models/\(DemoTraffic.model)/champion\(wait)"),
                    timeout: .seconds(30))
                let body = try await response.body.collect(upTo: 1 << 20)
                guard response.status == .ok, let answer = try? JSON(parsing: Array(body.readableBytesView)) else {
                    try await Task.sleep(for: .milliseconds(200))
                    continue
                }
                sequence = answer["sequence"]?.integerValue ?? sequence
                guard let champion = answer["champion"]?["version"]?.stringValue, champion != version else { continue }
                state.withLock { state in
                    // A deploy is rolled out; a rollback finds the version warm in every instance and swaps a pointer.
                    state.draining =
                        champion == DemoTraffic.good ? nil : (state.version, state.time + Self.rollout)
                    state.version = champion
                }
                await changed(champion)
            } catch {
                try? await Task.sleep(for: .milliseconds(200))
            }
        }
    }

    func close() { producer.close(flushTimeoutMilliseconds: 1_000) }
}
