import Foundation
import Kafka
import Ledger
import TestSupport
import Testing

/// `kill -9` at random moments while a stream of known events is consumed: the counts of every window and every alert transition are
/// those of a run without faults.
@Suite(.serialized)
struct KillTests {
    /// CI kills a few times; `make kill-test` twenty.
    static let kills = Int(ProcessInfo.processInfo.environment["HOLDFAST_KILLS"] ?? "") ?? 3

    @Test("killed at random moments, nothing is lost and nothing counted twice", .timeLimit(.minutes(15)))
    func exactlyOnce() async throws {
        let partitions: Int32 = 4
        var generator = SeededGenerator(seed: UInt64.random(in: 0..<UInt64.max))
        let workspace = try Workspace()
        let chunk = 3_000
        let stream = try await StreamFixture.make(workspace, count: chunk * (Self.kills + 1))
        let expected = try await stream.expected(partitions: Int(partitions))
        let broker = try TestBrokerProcess()
        try broker.send("topic \(StreamFixture.topic) \(partitions)")
        try broker.send("topic dead 1")
        let configuration = try stream.configuration("serve", bootstrap: broker.bootstrap, workers: 2)
        for round in 0..<Self.kills {
            try await StreamFixture.publish(
                stream.events[round * chunk..<(round + 1) * chunk], to: broker.bootstrap, partitions: partitions)
            let service = try await Service.start(configuration)
            // Any moment from before the first message to after the last step; joining alone takes the mock 3 s.
            let until = ContinuousClock.now + .milliseconds(Int.random(in: 0..<5_000, using: &generator))
            _ = try? await eventually("some are read", .seconds(12)) {
                ContinuousClock.now < until ? nil : try await service.metric("holdfast_events_total") > 0 ? true : nil
            }
            let pause = ContinuousClock.now + .milliseconds(Int.random(in: 0..<700, using: &generator))
            _ = try? await eventually("the moment comes", .seconds(2)) { ContinuousClock.now < pause ? nil : true }
            service.process.kill(SIGKILL)
            _ = try await service.process.waitForEnd()
        }
        try await StreamFixture.publish(
            stream.events[(Self.kills * chunk)...], to: broker.bootstrap, partitions: partitions)
        let service = try await Service.start(configuration)
        let complete = expected.snapshots
        let lines = try await eventually("all windows are closed", .seconds(90)) { () -> [String]? in
            let lines = try await service.snapshotLines(StreamFixture.model)
            return lines.count >= complete.count ? lines : nil
        }
        #expect(
            lines == complete,
            "seed \(generator.seed); first difference: \(zip(lines, complete).first { $0 != $1 }.map { "\($0)" } ?? "length \(lines.count), expected \(complete.count)")"
        )
        #expect(try await service.stop() == 0)
        let transitions = try await Ledger(path: workspace.path("state-serve/ledger.sqlite")).transitions()
        #expect(transitions == expected.alerts, "seed \(generator.seed)")
    }
}
