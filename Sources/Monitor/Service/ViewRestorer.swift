import Events
import Foundation
import Ledger
import Sketches
import Statistics
import Values
import Windows

/// Brings back what the first page showed before a restart, from the snapshots the ledger keeps.
struct ViewRestorer {
    let ledger: Ledger

    func views(_ models: [MonitoredModel]) async throws -> [ModelView] {
        var views: [ModelView] = []
        for model in models {
            var view = ModelView(model)
            let stored = try await ledger.snapshots(
                model: model.name, from: .distantPast, to: .distantFuture,
                limit: ModelView.historyWindows * model.shapes.count, isFirstOnly: true)
            let settings = model.window
            let own = stored.filter {
                settings.calendar.window(
                    settings.size, every: settings.every, pane: settings.pane, from: $0.window.start) == $0.window
            }
            for snapshot in own.suffix(ModelView.historyWindows) {
                view.take(
                    Snapshot(
                        lines: snapshot.lines, model: model.name, window: snapshot.window,
                        referenceName: model.snapshots.referenceName))
            }
            views.append(view)
        }
        return views
    }
}

extension Snapshot {
    /// Reads lines of `snapshots.jsonl` back as far as the first page needs them: counts, metrics and histograms.
    init(lines: [UInt8], model: String, window: TimeRange, referenceName: String) {
        let rows = lines.split(separator: UInt8(ascii: "\n")).compactMap { line -> SnapshotRow? in
            guard let json = try? JSON(parsing: line), json["version"]?.stringValue == SnapshotRow.allVersions else {
                return nil
            }
            return SnapshotRow(json)
        }
        let versions = Set(
            lines.split(separator: UInt8(ascii: "\n")).compactMap { line -> String? in
                let text = String(decoding: line.prefix(400), as: UTF8.self)
                guard let start = text.range(of: #""version":""#)?.upperBound else { return nil }
                return String(text[start...].prefix { $0 != "\"" })
            }
        ).subtracting([SnapshotRow.allVersions])
        self.init(
            model: model, window: window, revision: 1, versions: versions.sorted(), referenceName: referenceName,
            rows: rows)
    }
}

extension SnapshotRow {
    fileprivate init?(_ json: JSON) {
        guard let column = json["column"]?.stringValue, let kind = json["kind"]?.stringValue,
            let n = json["n"]?.integerValue, let null = json["null"]?.integerValue,
            let referenceN = json["reference_n"]?.integerValue
        else { return nil }
        var metrics = MetricValues()
        for member in json["metrics"]?.objectValue ?? [] {
            if let metric = Metric(name: member.key) { metrics[metric] = member.value.numberValue }
        }
        func counts(_ key: String) -> [UInt64] {
            (json["histogram"]?[key]?.arrayValue ?? []).map { UInt64(max(0, $0.integerValue ?? 0)) }
        }
        // Lines do not say how much of the reference was missing: it is what the bins do not hold.
        let held = counts("reference").reduce(0, &+)
        let whole = held > 0 ? UInt64(max(0, referenceN)) : 0
        let comparison = Comparison(
            edges: (json["histogram"]?["edges"]?.arrayValue ?? []).compactMap(\.numberValue),
            categories: (json["histogram"]?["categories"]?.arrayValue ?? []).compactMap(\.stringValue),
            reference: counts("reference"), current: counts("current"),
            referenceNulls: whole > held ? whole - held : 0, currentNulls: UInt64(max(0, null)))
        let segment = Segment((json["segment"]?.objectValue ?? []).map { .init($0.key, $0.value.stringValue ?? "") })
        self.init(
            version: SnapshotRow.allVersions, segment: segment, column: column, kind: kind, n: UInt64(max(0, n)),
            null: UInt64(max(0, null)), referenceN: UInt64(max(0, referenceN)), referenceSegment: segment,
            metrics: metrics, referenceMetrics: MetricValues(), comparison: comparison, common: comparison)
    }
}
