import Foundation
import Ledger
import Monitor
import Statistics
import StrictYAML
import TestSupport
import Testing
import Values
import Windows

/// What becomes of predictions that wait for labels when their model is set up anew.
struct RecountTests {
    private static let start = Timestamp(rfc3339: "2026-03-02T00:00:00Z") ?? Timestamp(microseconds: 0)

    private static func configuration(_ workspace: Workspace, _ settings: String) throws -> String {
        try workspace.write(
            "holdfast.yaml",
            """
            state: state
            models:
              - name: m
                reference: m.json
                window: {pane: 1h, size: 1h, every: 1h}
                \(settings)
            http: {listen: "127.0.0.1:0"}
            """)
    }

    private static func prediction(_ i: Int) -> String {
        let time = (start + .minutes(Int64(i))).rfc3339
        return
            #"{"model":"m","version":"1","id":"p\#(i)","ts":"\#(time)","features":{"x":\#(i % 7)},"prediction":{"score":0.\#(i % 10)}"#
            + #","segments":{"country":"c\#(i % 2)","device":"d\#(i % 3)"}}"#
    }

    private static func label(_ i: Int) -> String {
        #"{"model":"m","id":"p\#(i)","ts":"\#((start + .minutes(Int64(i + 60))).rfc3339)","label":\#(i % 10 >= 3 ? 1 : 0)}"#
    }

    /// All versions and panes of each segment, as the ledger has them.
    private static func sums(_ workspace: Workspace, _ configuration: String) throws -> [Segment: PerformanceSketch] {
        let model = try MonitoredModel.load(ConfigurationReader.read(configuration))[0]
        let stored = try Ledger(path: workspace.path("state/ledger.sqlite"))
            .loadJoin(model: "m", stamp: #require(model.joinStamp).text)
        #expect(!stored.wasReset)
        var sums: [Segment: PerformanceSketch] = [:]
        for (key, bytes) in stored.panes.values.flatMap(\.self) {
            let sketch = try PerformanceSketch(decoding: bytes)
            if sums[key.segment]?.merge(sketch) == nil { sums[key.segment] = sketch }
        }
        return sums
    }

    @Test(.timeLimit(.minutes(3)))
    func `another threshold and other segments keep what waits for labels, and count its performance anew`()
        async throws
    {
        let workspace = try Workspace()
        let rows = try workspace.write("rows.jsonl", (0..<100).map(Self.prediction).joined(separator: "\n"))
        _ = try ReferenceCommand.build(
            files: [rows], model: nil, version: nil, settings: nil, segments: nil, to: workspace.path("m.json"))
        let before = try Self.configuration(workspace, "threshold: 0.5\n    segments: [country, device]")
        var service = try await Service.start(before)
        let predictions = (0..<100).map(Self.prediction)
        #expect(try await service.post("/v1/events", predictions.joined(separator: "\n")).status == 200)
        #expect(try await service.post("/v1/events", (0..<50).map(Self.label).joined(separator: "\n")).status == 200)
        #expect(try await service.stop() == 0)
        let old = try Self.sums(workspace, before)
        #expect(old[.all]?.labelled == 50 && old[.all]?.metrics[.accuracy] == 0.8)

        let after = try Self.configuration(workspace, "threshold: 0.3\n    segments: [device]")
        service = try await Service.start(after)
        #expect(service.process.text.contains("counted anew"))
        #expect(try await service.post("/v1/events", (50..<100).map(Self.label).joined(separator: "\n")).status == 200)
        #expect(try await service.metric("holdfast_joins_total", #"outcome="joined""#) == 100)
        #expect(try await service.stop() == 0)
        let new = try Self.sums(workspace, after)
        #expect(new[.all]?.predictions == 100 && new[.all]?.labelled == 100)
        #expect(new[.all]?.metrics[.accuracy] == 1, "each row by the new threshold")
        #expect(new[Segment([.init("device", "d0")])]?.labelled == 34)
        #expect(!new.keys.contains { $0["country"] != nil })
    }
}
