import Events
import Files
import Foundation
import Monitor
import Statistics
import StrictYAML
import TestSupport
import Values
import Windows

/// A shared stream with all its labels, through the decoder and the join and into performance panes: what windows of any size are sums of.
struct JoinedStream {
    private struct NoDisk: Error {}

    /// Of the reference's labelled rows.
    let reference: PerformanceReference?
    let panes: PerformancePanes

    /// - Parameters:
    ///   - pane: every range asked for must be made of whole ones.
    ///   - segmented: whether segments are counted beside all traffic.
    init(_ name: String, pane: Span, segmented: Bool = true) throws {
        let workspace = try Workspace()
        guard let data = SharedData.stream(name) else { throw TestFailure("no stream \(name)") }
        func file(_ name: String) -> String { data.appending(path: name).path }
        let first = try Self.lines(file("reference.jsonl.gz"), limit: 1)
        guard let model = first.first.flatMap({ try? JSON(parsing: $0) })?["model"]?.stringValue else {
            throw TestFailure("\(name): no model")
        }
        let configuration = try workspace.write(
            "holdfast.yaml",
            """
            models:
              - {name: \(model), task: binary, positive: "1", reference: reference.json}
            """)
        _ = try ReferenceCommand.build(
            files: [file("reference.jsonl.gz")], model: nil, version: nil, settings: nil, segments: nil,
            to: workspace.path("reference.json"))
        reference = try ReferenceFile.performance(
            [UInt8](Data(contentsOf: URL(filePath: workspace.path("reference.json")))))
        let models = try MonitoredModel.load(ConfigurationReader.read(configuration))
        let settings = PerformanceSettings(task: .binary, positives: ["1"], horizon: .days(400))
        var windows = WindowSettings.standard
        windows.pane = pane
        windows.size = pane
        windows.every = pane
        var join = LabelJoin(
            table: JoinTable(horizon: settings.horizon, recentLimit: .max), horizon: settings.horizon)
        var panes = PerformancePanes(
            settings, windows: windows, shapes: [], dimensions: models[0].schema.dimensions,
            segmentations: segmented ? models[0].segmentations : [])
        var intake = Intake(models)
        let route = intake.route(source: "test", topic: "test", defaults: TopicDefaults(model: model))
        var changes: [JoinTable.Change] = []
        for name in ["predictions.jsonl.gz", "labels.jsonl.gz"] {
            for (number, line) in try Self.lines(file(name)).enumerated() {
                line.withUnsafeBytes { intake.add($0, route: route, offset: Int64(number), now: nil) { _ in } }
            }
            _ = try join.apply(intake.take().joins[0], isClass: true, changed: { changes.append($0) }) {
                _, _ throws(NoDisk) in throw NoDisk()
            }
        }
        panes.apply(changes, cells: join.cells, classes: join.classes)
        self.panes = panes
    }

    /// All versions together.
    func metrics(_ range: TimeRange, _ segment: Segment) -> MetricValues? {
        let sketches = panes.sum(range).filter { $0.key.segment == segment }.map(\.value)
        guard var sum = sketches.first else { return nil }
        for other in sketches.dropFirst() { sum.merge(other) }
        return sum.metrics
    }

    private static func lines(_ path: String, limit: Int = .max) throws -> [[UInt8]] {
        var lines: [[UInt8]] = []
        let reader = try LineReader(path: path)
        while lines.count < limit, try reader.next({ lines.append([UInt8]($0)) }) {}
        return lines
    }
}
