import Events
import Foundation
import Kafka
import Ledger
import Telemetry
import TestSupport
import Testing
import Values

@testable import Monitor

/// Several workers in one group, steps that take long, and counts that come too late.
@Suite(.serialized)
struct WorkerTests {
    private static func broker(partitions: Int) throws -> TestBrokerProcess {
        let broker = try TestBrokerProcess()
        try broker.send("topic \(StreamFixture.topic) \(partitions)")
        try broker.send("topic dead 1")
        return broker
    }

    @Test(.timeLimit(.minutes(3)))
    func `two workers over eight partitions give the bytes of a replay`() async throws {
        let workspace = try Workspace()
        let stream = try await StreamFixture.make(workspace, count: 20_000)
        let expected = try await stream.expected(partitions: 8)
        let broker = try Self.broker(partitions: 8)
        try await StreamFixture.publish(stream.events[...], to: broker.bootstrap, partitions: 8)
        let service = try await Service.start(
            try stream.configuration("serve", bootstrap: broker.bootstrap, workers: 2))
        let lines = try await eventually("all windows are closed", .seconds(90)) { () -> [String]? in
            let lines = try await service.snapshotLines(StreamFixture.model)
            return lines.count >= expected.snapshots.count ? lines : nil
        }
        #expect(lines == expected.snapshots)
        #expect(try await service.metric("holdfast_events_total") == 20_000)
        for worker in ["kafka-0", "kafka-1"] {
            #expect(try await service.metric("holdfast_step_seconds_count", "worker=\"\(worker)\"") > 0)
        }
        #expect(try await service.metric("holdfast_refused_steps_total") == 0)
        #expect(try await service.stop() == 0)
        let ledger = try Ledger(path: workspace.path("state-serve/ledger.sqlite"))
        #expect(try await ledger.transitions() == expected.alerts)
        #expect(try ledger.offsets().count == 8)
    }

    @Test(.timeLimit(.minutes(2)), arguments: ["consume", "decode", "count", "pack", "step"])
    func `the page of metrics tells what a worker's CPU time went to`(stage: String) async throws {
        let workspace = try Workspace()
        let stream = try await StreamFixture.make(workspace, count: 3_000)
        let broker = try Self.broker(partitions: 1)
        try await StreamFixture.publish(stream.events[...], to: broker.bootstrap, partitions: 1)
        let service = try await Service.start(try stream.configuration("serve", bootstrap: broker.bootstrap))
        _ = try await eventually("\(stage) took time", .seconds(60)) {
            let seconds = try await service.metric("holdfast_worker_cpu_seconds_total", "stage=\"\(stage)\"")
            return seconds > 0 ? true : nil
        }
        #expect(try await service.stop() == 0)
    }

    @Test(.timeLimit(.minutes(2)))
    func `a worker without partitions does not hold the windows open`() async throws {
        let workspace = try Workspace()
        let stream = try await StreamFixture.make(workspace, count: 3_000)
        let expected = try await stream.expected(partitions: 1).snapshots
        let broker = try Self.broker(partitions: 1)
        try await StreamFixture.publish(stream.events[...], to: broker.bootstrap, partitions: 1)
        let rig = try WorkerRig(try stream.configuration("rig", bootstrap: broker.bootstrap, workers: 3))
        for number in 0..<3 { try rig.start(number) }
        let lines = try await eventually("all windows are closed", .seconds(60)) { () -> [String]? in
            let lines = try await rig.snapshotLines()
            return lines.count >= expected.count ? lines : nil
        }
        #expect(lines == expected)
        await rig.stop()
    }

    @Test(.timeLimit(.minutes(4)), arguments: ["range", "cooperative-sticky"])
    func `workers that come and go in mid-stream change nothing`(strategy: String) async throws {
        let workspace = try Workspace()
        let stream = try await StreamFixture.make(workspace, count: 16_000)
        let expected = try await stream.expected(partitions: 8)
        let broker = try Self.broker(partitions: 8)
        let rig = try WorkerRig(
            try stream.configuration(
                "rig", bootstrap: broker.bootstrap, workers: 2,
                kafka: [("partition.assignment.strategy", strategy)]))
        func publish(_ range: Range<Int>) async throws {
            try await StreamFixture.publish(stream.events[range], to: broker.bootstrap, partitions: 8)
        }
        let first = try rig.start(0)
        try rig.start(1)
        try await publish(0..<4_000)
        _ = try await eventually("some are counted", .seconds(60)) {
            rig.metric(.events) >= 2_000 ? true : nil
        }
        // One leaves while messages come; what it had is read on by the other.
        first.stop()
        try await publish(4_000..<8_000)
        await first.waitUntilFinished()
        _ = try await eventually("the other has them all", .seconds(60)) { rig.metric(.events) == 8_000 ? true : nil }
        try rig.start(0)
        try await publish(8_000..<12_000)
        _ = try await eventually("both read again", .seconds(60)) { rig.metric(.events) >= 9_000 ? true : nil }
        try await publish(12_000..<16_000)
        let lines = try await eventually("all windows are closed", .seconds(90)) { () -> [String]? in
            let lines = try await rig.snapshotLines()
            return lines.count >= expected.snapshots.count ? lines : nil
        }
        #expect(lines == expected.snapshots)
        await rig.stop()
        #expect(rig.metric(.events) == 16_000)
        #expect(rig.metric(.lateEvents) == 0)
        #expect(try await rig.ledger.transitions() == expected.alerts)
        #expect(try rig.ledger.offsets().values.allSatisfy { $0 == 2_000 })
    }

    @Test(.timeLimit(.minutes(2)))
    func `counts that another has written are dropped and nothing counts twice`() async throws {
        let workspace = try Workspace()
        let stream = try await StreamFixture.make(workspace, count: 3_000)
        let expected = try await stream.expected(partitions: 1)
        let broker = try Self.broker(partitions: 1)
        let rig = try WorkerRig(try stream.configuration("rig", bootstrap: broker.bootstrap))
        try await StreamFixture.publish(stream.events[..<1_000], to: broker.bootstrap, partitions: 1)
        try rig.start(0)
        _ = try await eventually("the first are counted") { rig.metric(.events) == 1_000 ? true : nil }
        // A reader that thinks the partition is still its own writes down messages that the worker will read too.
        var intake = rig.intake()
        let route = intake.route(source: "predictions/0", topic: StreamFixture.topic, defaults: TopicDefaults())
        for (i, event) in zip(1_000..., stream.events[1_000..<1_200]) {
            Array(event.utf8).withUnsafeBytes {
                intake.add($0, route: route, offset: Int64(i), now: nil) { _ in }
            }
        }
        let delta = intake.take()
        let report = IntakeReport(
            activity: [SourceActivity(active: ["predictions/0"])], reading: [], began: ["predictions/0": 1_000])
        let (engine, now) = (rig.engine, WallClock.system.now())
        let stale = try await blocking { try engine.submit(delta, report, from: "zombie", now: now) }
        #expect(stale == nil)
        try await StreamFixture.publish(stream.events[1_000...], to: broker.bootstrap, partitions: 1)
        _ = try await eventually("the worker's counts are refused") { rig.metric(.refusedSteps) > 0 ? true : nil }
        let lines = try await eventually("all windows are closed", .seconds(60)) { () -> [String]? in
            let lines = try await rig.snapshotLines()
            return lines.count >= expected.snapshots.count ? lines : nil
        }
        #expect(lines == expected.snapshots)
        #expect(rig.metric(.events) == 3_000)
        let again = try await blocking { try engine.submit(delta, report, from: "zombie", now: now) }
        #expect(again == StaleDelta(source: "predictions/0", began: 1_000, stands: 3_000))
        await rig.stop()
        #expect(rig.metric(.events) == 3_000)
    }

    @Test(.timeLimit(.minutes(3)))
    func `a step that does not end stops the reading, not the membership`() async throws {
        let workspace = try Workspace()
        let stream = try await StreamFixture.make(workspace, count: 8_000)
        let expected = try await stream.expected(partitions: 4)
        let broker = try Self.broker(partitions: 4)
        let gate = Gate()
        // A worker that does not poll for this long is put out of the group, and its partitions are given away.
        let rig = try WorkerRig(
            try stream.configuration(
                "rig", bootstrap: broker.bootstrap, kafka: [("max.poll.interval.ms", "4000")])
        ) { _ in gate.pass() }
        try await StreamFixture.publish(stream.events[..<2_000], to: broker.bootstrap, partitions: 4)
        try rig.start(0)
        _ = try await eventually("the first are counted", .seconds(60)) { rig.metric(.events) == 2_000 ? true : nil }
        gate.close()
        try await StreamFixture.publish(stream.events[2_000..<4_000], to: broker.bootstrap, partitions: 4)
        _ = try await eventually("a step is stuck") { gate.isReached ? true : nil }
        let counted = rig.metric(.events)
        try await StreamFixture.publish(stream.events[4_000...], to: broker.bootstrap, partitions: 4)
        _ = try await eventually("the worker waits longer than it may be silent", .seconds(60)) {
            rig.metric(.pausedSeconds) > 6 ? true : nil
        }
        #expect(rig.metric(.events) == counted)
        #expect(rig.health.notReady.isEmpty, "the group has not let it go")
        gate.open()
        let lines = try await eventually("all windows are closed", .seconds(60)) { () -> [String]? in
            let lines = try await rig.snapshotLines()
            return lines.count >= expected.snapshots.count ? lines : nil
        }
        #expect(lines == expected.snapshots)
        await rig.stop()
        #expect(rig.metric(.events) == 8_000)
        #expect(rig.metric(.refusedSteps) == 0)
        #expect(try rig.ledger.offsets().values.allSatisfy { $0 == 2_000 })
    }

    @Test(.timeLimit(.minutes(2)))
    func `a worker that is sent away in the middle of a step finishes it, and the next goes on from there`()
        async throws
    {
        let workspace = try Workspace()
        let stream = try await StreamFixture.make(workspace, count: 3_000)
        let expected = try await stream.expected(partitions: 2)
        let broker = try Self.broker(partitions: 2)
        let gate = Gate()
        let rig = try WorkerRig(try stream.configuration("rig", bootstrap: broker.bootstrap)) { _ in gate.pass() }
        gate.close()
        try await StreamFixture.publish(stream.events[..<1_000], to: broker.bootstrap, partitions: 2)
        let first = try rig.start(0)
        _ = try await eventually("a step is stuck", .seconds(60)) { gate.isReached ? true : nil }
        first.stop()
        try await StreamFixture.publish(stream.events[1_000...], to: broker.bootstrap, partitions: 2)
        gate.open()
        await first.waitUntilFinished()
        let read = try rig.ledger.offsets().values.reduce(0, +)
        #expect(rig.metric(.events) == Double(read), "what was counted is written")
        try rig.start(0)
        let lines = try await eventually("all windows are closed", .seconds(60)) { () -> [String]? in
            let lines = try await rig.snapshotLines()
            return lines.count >= expected.snapshots.count ? lines : nil
        }
        #expect(lines == expected.snapshots)
        await rig.stop()
        #expect(rig.metric(.events) == 3_000 && rig.metric(.refusedSteps) == 0)
    }

    @Test(.timeLimit(.minutes(2)))
    func `an outage does not leave a worker without partitions in trouble`() async throws {
        let workspace = try Workspace()
        let stream = try await StreamFixture.make(workspace, count: 3_000)
        let expected = try await stream.expected(partitions: 1).snapshots
        let broker = try Self.broker(partitions: 1)
        try await StreamFixture.publish(stream.events[..<1_500], to: broker.bootstrap, partitions: 1)
        let rig = try WorkerRig(
            try stream.configuration(
                "rig", bootstrap: broker.bootstrap, workers: 2, kafka: [("reconnect.backoff.max.ms", "200")]))
        for number in 0..<2 { try rig.start(number) }
        _ = try await eventually("half is read", .seconds(60)) { rig.metric(.events) == 1_500 ? true : nil }
        try broker.send("down")
        _ = try await eventually("the outage is noticed") { rig.health.notReady.isEmpty ? nil : true }
        try broker.send("up")
        try await StreamFixture.publish(stream.events[1_500...], to: broker.bootstrap, partitions: 1)
        let lines = try await eventually("all windows are closed", .seconds(60)) { () -> [String]? in
            let lines = try await rig.snapshotLines()
            return lines.count >= expected.count ? lines : nil
        }
        #expect(lines == expected)
        _ = try await eventually("all is well") { rig.health.notReady.isEmpty ? true : nil }
        await rig.stop()
        #expect(rig.metric(.events) == 3_000)
    }

    @Test(.timeLimit(.minutes(3)))
    func `messages that find no room are read again, once`() async throws {
        let workspace = try Workspace()
        let stream = try await StreamFixture.make(workspace, count: 520)
        let broker = try Self.broker(partitions: 2)
        let gate = Gate()
        let rig = try WorkerRig(try stream.configuration("rig", bootstrap: broker.bootstrap)) { _ in gate.pass() }
        gate.close()
        try await StreamFixture.publish(stream.events[..<202], to: broker.bootstrap, partitions: 2)
        // Refused whole, each waits for the dead-letter topic in memory: more than may wait there, twice over.
        let unusable = "{" + String(repeating: "x", count: 800_000)
        let mixed = (0..<240).map { $0 % 4 < 2 ? unusable : stream.events[202 + $0] }
        try await StreamFixture.publish(mixed[...], to: broker.bootstrap, partitions: 2)
        try rig.start(0)
        _ = try await eventually("a step is stuck", .seconds(60)) { gate.isReached ? true : nil }
        _ = try await eventually("the worker takes no more", .seconds(60)) {
            rig.metric(.pausedSeconds) > 0 ? true : nil
        }
        gate.open()
        try await StreamFixture.publish(stream.events[442...], to: broker.bootstrap, partitions: 2)
        _ = try await eventually("all are judged", .seconds(60)) {
            rig.metric(.events) + rig.metric(.rejected) >= 520 ? true : nil
        }
        await rig.stop()
        #expect(rig.metric(.events) == 400)
        #expect(rig.metric(.rejected) == 120)
        #expect(rig.metric(.refusedSteps) == 0)
        #expect(try rig.ledger.offsets() == ["predictions/0": 260, "predictions/1": 260])
    }
}
