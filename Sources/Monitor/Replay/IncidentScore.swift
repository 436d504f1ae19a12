import Events
import Foundation
import Values

/// How well alerts tell of known incidents. The rules are those of the data sets' own scorer (`score_alerts.py`):
///
/// - Alerts of one target and segment whose windows touch, or are at most one window apart, are one episode.
/// - An episode matches a fault if the times overlap, the target is the fault's own or one of its secondary ones, and the segments do not
///   contradict: exact (the same segment), parent (fewer keys), child (more keys) or echo (another that overlaps).
/// - Exact, parent and child are true, echo counts neither way, everything else is a false alarm.
/// - A fault is found if an episode on its own target is true for it. Faults of difficulty `optional` are left out of the recall.
/// - The delay is from the fault's start to the first such alert. On top: the most severe of its alerts names exactly the segment.
struct IncidentScore {
    /// An incident of a manifest.
    struct Fault: Sendable {
        let id: String
        let type: String
        let difficulty: String
        let features: [String]
        let secondary: [String]
        let segment: [String: String]
        let start: Timestamp
        let end: Timestamp

        /// Targets an alert must name to find it.
        var primary: Set<String> {
            if !features.isEmpty { return Set(features.map { "feature:\($0)" }) }
            switch type {
            case "concept_drift": return ["performance"]
            case "bad_release": return ["score", "performance"]
            case "volume_drop": return ["volume"]
            default: return []
            }
        }
    }

    struct Alarm: Sendable {
        let at: Timestamp
        let window: TimeRange
        let target: String
        let segment: [String: String]
        /// Larger is worse.
        let severity: Double
    }

    enum Relation: String {
        case exact, parent, child, echo
    }

    struct Outcome {
        let fault: Fault
        /// Hours; `nil` where it was not found.
        var delay: Double?
        var isExact = false
        var isExactOnTop = false
        var isFound: Bool { delay != nil }
    }

    private(set) var episodes = (true: 0, echo: 0, false: 0)
    private(set) var outcomes: [Outcome] = []
    /// False episodes by target, most first.
    private(set) var falseByTarget: [(target: String, count: Int)] = []
    private let days: Double

    init(period: TimeRange, faults: [Fault], alarms: [Alarm]) {
        days = period.length.seconds / 86_400
        var found: [[(at: Timestamp, severity: Double, relation: Relation)]] = faults.map { _ in [] }
        var falseTargets: [String: Int] = [:]
        var order: [String] = []
        for episode in Self.episodes(of: alarms) {
            let verdict = Self.judge(episode, faults, &found)
            switch verdict {
            case .echo: episodes.echo += 1
            case nil:
                episodes.false += 1
                let target = episode[0].target
                if falseTargets[target] == nil { order.append(target) }
                falseTargets[target, default: 0] += 1
            default: episodes.true += 1
            }
        }
        outcomes = zip(faults, found).map { Self.outcome($0, $1) }
        falseByTarget = order.map { ($0, falseTargets[$0] ?? 0) }.enumerated()
            .sorted { ($1.element.1, $0.offset) < ($0.element.1, $1.offset) }.map(\.element)
    }

    /// Targets and segments in the order they are first seen by time, each divided where it pauses for over a window.
    private static func episodes(of alarms: [Alarm]) -> [[Alarm]] {
        struct Key: Hashable {
            let target: String
            let segment: [String: String]
        }
        var order: [Key] = []
        var byKey: [Key: [Alarm]] = [:]
        let sorted = alarms.enumerated().sorted {
            ($0.element.window.start, $0.offset) < ($1.element.window.start, $1.offset)
        }
        for (_, alarm) in sorted {
            let key = Key(target: alarm.target, segment: alarm.segment)
            if byKey[key] == nil { order.append(key) }
            byKey[key, default: []].append(alarm)
        }
        return order.flatMap { key in
            var out: [[Alarm]] = []
            var end = Timestamp.distantPast
            for alarm in byKey[key] ?? [] {
                if out.isEmpty || alarm.window.start > end + alarm.window.length {
                    out.append([])
                    end = alarm.window.end
                }
                out[out.count - 1].append(alarm)
                end = max(end, alarm.window.end)
            }
            return out
        }
    }

    /// `nil` for a false alarm, `.echo` where nothing better can be said, otherwise true.
    private static func judge(
        _ episode: [Alarm], _ faults: [Fault],
        _ found: inout [[(at: Timestamp, severity: Double, relation: Relation)]]
    ) -> Relation? {
        var best: Relation?
        for (i, fault) in faults.enumerated() {
            let target = episode[0].target
            guard let relation = relation(episode[0].segment, fault.segment),
                fault.primary.contains(target) || fault.secondary.contains(target)
            else { continue }
            let hits = episode.filter { $0.window.start < fault.end && $0.window.end > fault.start }
            guard !hits.isEmpty else { continue }
            if fault.primary.contains(target) { found[i] += hits.map { ($0.at, $0.severity, relation) } }
            best = relation != .echo ? .exact : best ?? .echo
        }
        return best
    }

    private static func relation(_ alarm: [String: String], _ fault: [String: String]) -> Relation? {
        if alarm.contains(where: { fault[$0.key].map { [value = $0.value] in $0 != value } ?? false }) { return nil }
        if alarm == fault { return .exact }
        if alarm.allSatisfy({ fault[$0.key] == $0.value }) { return .parent }
        if fault.allSatisfy({ alarm[$0.key] == $0.value }) { return .child }
        return .echo
    }

    private static func outcome(
        _ fault: Fault, _ found: [(at: Timestamp, severity: Double, relation: Relation)]
    ) -> Outcome {
        var outcome = Outcome(fault: fault)
        let hits = found.filter { $0.relation != .echo }
        guard let first = hits.map(\.at).min() else { return outcome }
        outcome.delay = (first - fault.start).seconds / 3_600
        outcome.isExact = hits.contains { $0.relation == .exact }
        let worst = found.map(\.severity).max()
        outcome.isExactOnTop = found.contains { $0.severity == worst && $0.relation == .exact }
        return outcome
    }

    var precision: Double { Double(episodes.true) / Double(max(1, episodes.true + episodes.false)) }
    var falsePerDay: Double { days > 0 ? Double(episodes.false) / days : 0 }
    private var counted: [Outcome] { outcomes.filter { $0.fault.difficulty != "optional" } }
    private var hits: [Outcome] { counted.filter(\.isFound) }
    /// `nil` without faults to find.
    var recall: Double? { counted.isEmpty ? nil : Double(hits.count) / Double(counted.count) }
    /// Hours, the upper of two.
    var medianDelay: Double? {
        let delays = hits.compactMap(\.delay).map { Self.rounded($0, 1) }.sorted()
        return delays.isEmpty ? nil : delays[delays.count / 2]
    }
    var exactRate: Double? { hits.isEmpty ? nil : Double(hits.count { $0.isExact }) / Double(hits.count) }
    var exactOnTopRate: Double? { hits.isEmpty ? nil : Double(hits.count { $0.isExactOnTop }) / Double(hits.count) }

    /// To so many decimal places, halves of the decimal text going to the even digit, as Python rounds.
    static func rounded(_ value: Double, _ places: Int) -> Double {
        Double(String(format: "%.\(places)f", value)) ?? value
    }
}
