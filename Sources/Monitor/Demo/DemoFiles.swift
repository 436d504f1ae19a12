import Foundation
import Values

/// The demo's folder: a reference, a configuration and rules such as a user would write.
struct DemoFiles {
    static let topic = "predictions"
    static let secret = "whsec_" + "aG9sZGZhc3QtZGVtby1zaWduaW5nLWtleS0wMDE="

    let folder: URL
    var configuration: String { folder.appending(path: "holdfast.yaml").path }

    init(folder: URL) throws {
        self.folder = folder
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    /// - Parameter before: event time at which the stream begins; the reference lies before it.
    func write(bootstrap: String, webhook: Int, port: Int, before: Timestamp) throws {
        var traffic = DemoTraffic(seed: 1)
        var lines = [UInt8]()
        let rows: Int64 = 20_000
        for i in 0..<rows {
            lines += traffic.event(at: before - Span.seconds(30) * (rows - i), version: DemoTraffic.good)
            lines.append(UInt8(ascii: "\n"))
        }
        let data = folder.appending(path: "training.jsonl")
        try Data(lines).write(to: data)
        _ = try ReferenceCommand.build(
            files: [data.path], model: nil, version: DemoTraffic.good, settings: nil, segments: nil,
            to: folder.appending(path: "fraud-13.json").path)
        try Self.configurationText(bootstrap: bootstrap, webhook: webhook, port: port)
            .write(to: folder.appending(path: "holdfast.yaml"), atomically: true, encoding: .utf8)
        try Self.rules.write(to: folder.appending(path: "fraud.rules.yaml"), atomically: true, encoding: .utf8)
    }

    private static func configurationText(bootstrap: String, webhook: Int, port: Int) -> String {
        """
        state: state
        kafka:
          bootstrap.servers: \(bootstrap)
          group.id: holdfast-demo
          session.timeout.ms: 6000
          fetch.wait.max.ms: 10
        topics:
          - {name: \(topic), format: json}
        models:
          - name: \(DemoTraffic.model)
            task: binary
            positive: "1"
            reference: fraud-13.json
            segments: [country, device]
            window: {pane: 1m, size: 10m, every: 5m, lateness: 1m, idle: 5s}
        rules: [fraud.rules.yaml]
        receivers:
          - {name: oncall, webhook: {url: "http://127.0.0.1:\(webhook)/alerts", secret: "\(secret)"}}
        registry: {}
        http: {listen: "127.0.0.1:\(port)"}

        """
    }

    private static let rules = #"""
        groups:
        - name: fraud
          model: fraud
          labels: {team: risk}
          limit: 50
          rules:
          - alert: FeatureDrift
            expr: psi{column!="prediction"} by (country) > 0.20
            significance: p(0.0001)
            min_rows: 100
            for: 2 windows
            keep_firing_for: 2 windows
            labels: {severity: page}
            annotations:
              summary: '{{ $labels.column }} shifted in {{ $labels.segment }}: PSI {{ $value | printf "%.2f" }}'
              runbook_url: https://runbooks.example/drift
            notify: [oncall]
            actions:
            - rollback: {to: champion-1, mode: guarded, unless: [FieldMissing], max: 1 per 24h, cooldown: 1h}
          - alert: PredictionDrift
            expr: js_distance{column="prediction"} by (country) > 0.12
            significance: p(0.0001)
            min_rows: 100
            for: 2 windows
            keep_firing_for: 2 windows
            labels: {severity: page}
            annotations:
              summary: 'scores shifted in {{ $labels.segment }}: JS distance {{ $value | printf "%.2f" }}'
            notify: [oncall]
          - alert: FieldMissing
            expr: null_rate > 3 * reference(null_rate) and null_rate > 0.05
            min_rows: 100
            labels: {severity: ticket}
            annotations:
              summary: '{{ $labels.column }} is missing in {{ $value | humanizePercentage }} of rows'
            notify: [oncall]

        """#
}
