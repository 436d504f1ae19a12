import Events
import Foundation
import Kafka
import Ledger
import Monitor
import Statistics
import StrictYAML
import TestSupport
import Testing
import Values
import Windows

/// `kill -9` while predictions and labels are joined: afterwards each prediction is there once with its own label.
@Suite(.serialized)
struct PerformanceKillTests {
    @Test("killed at random moments, no pair is lost and none counted twice", .timeLimit(.minutes(10)))
    func pairsSurvive() async throws {
        let chunk = 2_000
        let kills = 2
        let workspace = try Workspace()
        var generator = SeededGenerator(seed: UInt64.random(in: 0..<UInt64.max))
        let stream = try await StreamFixture.make(workspace, count: chunk * (kills + 1))
        // Half of the labels come before their prediction, all of them twice.
        let labels = stream.events.indices.map { i in
            #"{"model":"pay","id":"e\#(i)","ts":"\#(StreamFixture.text("ts", stream.events[i]))","label":\#(i % 4 == 0 ? 1 : 0)}"#
        }
        let half = chunk / 2
        let broker = try TestBrokerProcess()
        try broker.send("topic \(StreamFixture.topic) 4")
        try broker.send("topic dead 1")
        let plain = try stream.configuration("serve", bootstrap: broker.bootstrap, workers: 2)
        let configuration = try workspace.write(
            "labels.yaml",
            String(contentsOfFile: plain, encoding: .utf8).replacing(
                "    reference:", with: "    task: binary\n    reference:"))
        for round in 0...kills {
            let part = round * chunk..<(round + 1) * chunk
            try await StreamFixture.publish(
                labels[part.lowerBound..<part.lowerBound + half], to: broker.bootstrap, partitions: 4)
            try await StreamFixture.publish(stream.events[part], to: broker.bootstrap, partitions: 4)
            try await StreamFixture.publish(labels[part], to: broker.bootstrap, partitions: 4)
            guard round < kills else { break }
            let service = try await Service.start(configuration)
            let until = ContinuousClock.now + .milliseconds(Int.random(in: 0..<5_000, using: &generator))
            _ = try? await eventually("some are read", .seconds(12)) {
                ContinuousClock.now < until ? nil : try await service.metric("holdfast_events_total") > 0 ? true : nil
            }
            service.process.kill(SIGKILL)
            _ = try await service.process.waitForEnd()
        }
        let service = try await Service.start(configuration)
        // The last round was published before this service began: it reads all of it, whatever the ones before had read.
        let least = Double(2 * chunk + half)
        _ = try await eventually("all is read", .seconds(120)) {
            let read = try await service.metric("holdfast_events_total")
            let lag = try await service.metric("holdfast_consumer_lag")
            return read >= least && lag == 0 ? true : nil
        }
        let count = Int64(stream.events.count)
        _ = try await eventually("the totals are shown", .seconds(60)) {
            let joined = try await service.metric("holdfast_joins_total", #"outcome="joined""#)
            return joined == Double(count) ? true : nil
        }
        #expect(try await service.stop() == 0)
        let models = try MonitoredModel.load(ConfigurationReader.read(configuration))
        let stored = try Ledger(path: workspace.path("state-serve/ledger.sqlite"))
            .loadJoin(model: "pay", stamp: #require(models[0].joinStamp).text)
        var total = PerformanceSketch(.binary)
        for (key, bytes) in stored.panes.values.flatMap(\.self) where key.segment.isAll {
            total.merge(try PerformanceSketch(decoding: bytes))
        }
        #expect(total.predictions == count && total.labelled == count, "seed \(generator.seed)")
        #expect(total.positives == Int64(stream.events.indices.count { $0 % 4 == 0 }), "seed \(generator.seed)")
        // The totals are in the ledger with what they count, so they too are as if nothing had been killed.
        let counters = try JSON(parsing: #require(stored.state))["counters"]
        let repeated = Double(half * (kills + 1))
        #expect(
            counters?["matches"]?.numberValue == Double(count)
                && counters?["duplicateLabels"]?.numberValue == repeated, "seed \(generator.seed)")
    }
}
