import Events
import Ledger
import Registry
import Rules
import Statistics
import Values

/// Measures champion and target side by side in the stored windows of an alert: what a rollback is judged by.
struct RollbackMeasurement {
    /// Columns that come out of a model, or are about its stream; the others go in.
    private static let outputs: Set = ["prediction", "performance", "volume", "schema"]
    private static let inputsKept = 3

    let order: RollbackOrder
    let champion: String
    let target: String?

    /// - Parameter windows: snapshot lines of windows as they are known by now (`Ledger.windows`), the oldest first; those of other
    ///   sizes, and those that end before the change began, are left out. So are those that early labels would judge wrong, where the
    ///   metric needs labels.
    func trial(_ windows: [(window: TimeRange, revision: Int, lines: [UInt8])], errors: [String] = []) -> RollbackTrial
    {
        let own = windows.filter {
            $0.window.length == order.window.length && $0.window.end > order.changeStart
        }.compactMap { measure($0.window, $0.lines) }.suffix(order.request.windows)
        return RollbackTrial(
            column: order.column, segment: order.alert.segment.description,
            subject: Self.isOutput(order.column) ? .output : .input, metric: order.metric?.name ?? "the rule",
            threshold: order.metric == nil ? nil : order.threshold, failsAbove: order.failsAbove,
            windowsNeeded: order.request.windows, rowsNeeded: order.request.minimumRows,
            windows: Array(own), errors: errors)
    }

    private static func isOutput(_ column: String) -> Bool {
        outputs.contains(column) || column.hasPrefix("prediction.")
    }

    /// - Returns: `nil` where the window cannot be judged by its labels yet.
    private func measure(_ window: TimeRange, _ lines: [UInt8]) -> RollbackTrial.Window? {
        // Lines are written by us, so their beginnings can be compared as text before anything is parsed.
        let segment = #","segment":"# + order.alert.segment.json.text + #","column":"#
        var champion: RollbackTrial.Reading?
        var target: RollbackTrial.Reading?
        var inputs: [RollbackTrial.Input] = []
        var isMature = false
        for line in lines.split(separator: UInt8(ascii: "\n")) {
            let head = String(decoding: line.prefix(Self.headBytes), as: UTF8.self)
            guard head.contains(segment), let json = try? JSON(parsing: line),
                let version = json["version"]?.stringValue, let column = json["column"]?.stringValue
            else { continue }
            let isPerformance = column == SnapshotRow.performanceColumn
            if isPerformance, json["metrics"]?[Metric.mature.name]?.numberValue == 1 { isMature = true }
            if column == order.column {
                if version == self.champion { champion = reading(version, json) }
                if version == self.target { target = reading(version, json) }
            } else if version == self.champion, !Self.isOutput(column),
                let psi = json["metrics"]?[Metric.psi.name]?.numberValue,
                let p = json["metrics"]?[Metric.psi_p.name]?.numberValue
            {
                inputs.append(.init(column: column, psi: psi, p: p))
            }
        }
        guard isMature || !order.waitsForLabels else { return nil }
        inputs.sort {
            ($0.p < RollbackTrial.significance ? 1 : 0, $0.psi) > ($1.p < RollbackTrial.significance ? 1 : 0, $1.psi)
        }
        return RollbackTrial.Window(
            start: window.start, end: window.end, champion: champion, target: target,
            inputs: Array(inputs.prefix(Self.inputsKept)))
    }

    /// Names and a segment of ordinary length end well before this; the histograms of a line come after.
    private static let headBytes = 4_096

    private func reading(_ version: String, _ json: JSON) -> RollbackTrial.Reading {
        let metrics = json["metrics"]
        let value = order.metric.flatMap { metrics?[$0.name]?.numberValue }
        let p = order.metric?.isDistance == true ? metrics?[Metric.psi_p.name]?.numberValue : nil
        return .init(version: version, rows: json["n"]?.integerValue ?? 0, value: value, p: p)
    }
}
