import Events
import Foundation
import Ledger
import Server
import Statistics
import Values

/// What the ledger still holds of an alert: what was told, the metric window by window, and the counts to compute it again from.
struct AlertArchive {
    /// Windows shown before and up to the last transition.
    static let windows = 60
    /// Windows shown around the start of a change that is older than those.
    private static let early = 12

    let ledger: Ledger

    /// - Parameter until: leave out what was told later.
    /// - Returns: `nil` where the ledger knows no such alert.
    func history(model: String, fingerprint: String, until: Timestamp? = nil) async throws -> AlertHistory? {
        let transitions = try await ledger.transitions(of: fingerprint, model: model).filter { line in
            guard let until, let at = Self.time((try? JSON(parsing: line.utf8))?["at"]) else { return true }
            return at <= until
        }
        guard let alert = AlertHistory.alert(transitions) else { return nil }
        let metric = AlertHistory.metric(of: alert["context"])
        guard let column = alert["labels"]?["column"]?.stringValue, let metric, let at = Self.time(alert["at"]) else {
            return AlertHistory(transitions: transitions, metric: metric, timeline: [], rederived: nil)
        }
        let find = LineFinder(
            column: column, segment: alert["segment"] ?? .object([]),
            version: alert["labels"]?["version"]?.stringValue ?? SnapshotRow.allVersions)
        let length = Self.length(alert["context"]?["window"])
        let explained = Self.time(alert["context"]?["window"]?["end"])
        var timeline: [AlertHistory.Point] = []
        var rederived: Double?
        let windows = try await ledger.windows(
            model: model, length: length, from: .distantPast, to: at, limit: Self.windows)
        // A long alert begins before the latest windows, and what it was like before is asked first.
        let start = Self.time(alert["context"]?["change_start"])
        let early = try await ledger.windows(
            model: model, length: length, from: .distantPast,
            to: start.map { $0 + (length ?? .zero) * 2 } ?? .distantPast,
            limit: Self.early)
        let told = try await ledger.windows(
            model: model, length: length, from: .distantPast, to: explained ?? .distantPast, limit: 1)
        let oldest = windows.first?.window.end ?? .distantPast
        let before = early.filter { $0.window.end < oldest }
        let between = told.filter { stored in
            stored.window.end < oldest && !before.contains { $0.window == stored.window }
        }
        for stored in before + between + windows {
            let line = find.line(in: stored.lines)
            timeline.append(
                AlertHistory.Point(
                    window: stored.window, value: line?["metrics"]?[metric.name]?.numberValue,
                    rows: UInt64(max(0, line?["n"]?.integerValue ?? 0))))
            if stored.window.end == explained { rederived = line.flatMap { Self.computed(metric, $0, alert) } }
        }
        return AlertHistory(transitions: transitions, metric: metric, timeline: timeline, rederived: rederived)
    }

    private static func time(_ json: JSON?) -> Timestamp? {
        json?.stringValue.flatMap { Timestamp(rfc3339: $0) }
    }

    private static func length(_ window: JSON?) -> Span? {
        guard let start = time(window?["start"]), let end = time(window?["end"]) else { return nil }
        return end - start
    }

    /// Whether stored counts can give the metric at all.
    static func isOfCounts(_ metric: Metric) -> Bool {
        switch metric {
        case .psi, .kl, .kl_reversed, .js, .js_divergence, .js_distance, .hellinger, .tvd, .l_infinity, .null_rate,
            .new_category_rate:
            true
        default: false
        }
    }

    /// The metric from the stored counts alone, with the smoothing the alert names; `nil` for metrics that histograms do not give.
    static func computed(_ metric: Metric, _ line: JSON, _ alert: JSON) -> Double? {
        func counts(_ key: String) -> [UInt64] {
            (line["histogram"]?[key]?.arrayValue ?? []).map { UInt64(max(0, $0.integerValue ?? 0)) }
        }
        let (p, q) = (counts("reference"), counts("current"))
        guard p.count == q.count, !p.isEmpty else { return nil }
        let words = (alert["context"]?["metric"]?.stringValue ?? "").split { "(), ".contains($0) }
        let smoothing =
            words.lazy.compactMap { try? Smoothing(parsing: String($0)) }.first ?? .jeffreys
        switch metric {
        case .psi: return Distances.psi(p, q, smoothing: smoothing)
        case .kl: return Distances.kl(p, q, smoothing: smoothing)
        case .kl_reversed: return Distances.kl(q, p, smoothing: smoothing)
        case .js: return Distances.js(p, q)
        case .js_divergence: return Distances.jsDivergence(p, q)
        case .js_distance: return Distances.js(p, q)?.squareRoot()
        case .hellinger: return Distances.hellinger(p, q)
        case .tvd: return Distances.tvd(p, q)
        case .l_infinity: return Distances.lInfinity(p, q)
        case .null_rate:
            guard let n = line["n"]?.numberValue, n > 0, let null = line["null"]?.numberValue else { return nil }
            return null / n
        case .new_category_rate:
            let total = q.reduce(0) { $0 + Double($1) }
            return total > 0 ? Double(q.last ?? 0) / total : nil
        default: return nil
        }
    }
}

/// Finds one row among the lines of a snapshot. Lines are written by us, so they can be compared as text.
private struct LineFinder {
    private let version: Data
    private let place: Data

    init(column: String, segment: JSON, version: String) {
        self.version = Data((#","version":"# + JSON.string(version).text + ",").utf8)
        place = Data((#","segment":"# + segment.text + #","column":"# + JSON.string(column).text + ",").utf8)
    }

    func line(in lines: [UInt8]) -> JSON? {
        let data = Data(lines)
        var from = data.startIndex
        while let found = data.range(of: place, in: from..<data.endIndex) {
            let start = data[..<found.lowerBound].lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? data.startIndex
            let end = data[found.upperBound...].firstIndex(of: UInt8(ascii: "\n")) ?? data.endIndex
            if data.range(of: version, in: start..<found.lowerBound + 1) != nil {
                return try? JSON(parsing: data[start..<end])
            }
            from = end
        }
        return nil
    }
}
