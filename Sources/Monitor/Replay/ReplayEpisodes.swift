import Events
import Foundation
import Rules
import Server
import Statistics
package import Values

/// One alert that would have fired, from the window that fired it until it was over.
package struct ReplayEpisode: Sendable {
    package let alert: String
    package let fingerprint: String
    package let model: String
    package let column: String?
    package let segment: Segment
    package let labels: [String: String]
    package let annotations: [String: String]
    /// When the condition began to hold.
    package let startsAt: Timestamp
    package let firedAt: Timestamp
    /// The window that fired it.
    package let window: TimeRange
    package let value: Double?
    package let threshold: Double?
    /// The value in words: of performance the figure that is worse.
    package let shown: String
    /// How strong the evidence is, for comparing alerts with one another: ln e of a detector that has it, else value over limit.
    package let severity: Double
    /// `nil` where it still fires at the end.
    package fileprivate(set) var endedAt: Timestamp?

    /// How long it fired, up to `end` where it is not over.
    package func duration(until end: Timestamp) -> Span { (endedAt ?? end) - firedAt }

    fileprivate init(_ alert: Alert) {
        let context = alert.context
        func time(_ key: String) -> Timestamp? {
            context["window"]?[key]?.stringValue.flatMap { Timestamp(rfc3339: $0) }
        }
        self.alert = alert.rule
        fingerprint = alert.fingerprint
        model = alert.model
        column = alert.labels["column"]
        segment = alert.segment
        labels = alert.labels
        annotations = alert.annotations
        startsAt = alert.startsAt
        firedAt = alert.at
        window = TimeRange(start: time("start") ?? alert.at, end: time("end") ?? alert.at)
        let value = context["value"]?.numberValue
        let threshold = context["threshold"]?.numberValue
        self.value = value
        self.threshold = threshold
        let figure = AlertHistory.metric(of: context)
        shown =
            AlertHistory.performance(figure, context).map { "\(figure?.name ?? "") \(String(format: "%.3g", $0.now))" }
            ?? value.map { String(format: "%.4g", $0) } ?? ""
        let evidence = context["evidence"]?["ln_e"]?.numberValue
        let ratio = value.flatMap { value in threshold.flatMap { $0 != 0 ? abs(value / $0) : nil } }
        severity = evidence ?? ratio ?? 0
    }

    /// The same in the words of an incident manifest.
    var alarm: IncidentScore.Alarm {
        let target =
            switch column {
            case "prediction": "score"
            case "performance", "volume", "schema": column ?? ""
            case let column?: "feature:\(column)"
            case nil: alert
            }
        return IncidentScore.Alarm(
            at: firedAt, window: window, target: target,
            segment: Dictionary(
                segment.parts.map { ($0.dimension, $0.value) }, uniquingKeysWith: { first, _ in first }),
            severity: severity)
    }

    package func json(until end: Timestamp) -> JSON {
        .members(
            ("alert", .string(alert)), ("model", .string(model)), ("column", column.map { .string($0) }),
            ("segment", segment.json), ("labels", .sorted(labels)), ("annotations", .sorted(annotations)),
            ("value", value.map { .number($0) }), ("threshold", threshold.map { .number($0) }),
            ("starts_at", .time(startsAt)), ("fired_at", .time(firedAt)),
            ("ended_at", endedAt.map { .time($0) } ?? .null),
            ("seconds", .number(duration(until: end).seconds)))
    }
}

/// Puts the transitions of a replay together.
struct ReplayEpisodes: Sendable {
    /// Episodes kept at most; a rule set that fires more often is not worth reading to the end.
    static let maximum = 100_000

    private(set) var list: [ReplayEpisode] = []
    private var open: [String: Int] = [:]
    private(set) var left: Int = 0

    mutating func take(_ alert: Alert) {
        switch alert.status {
        case .pending: break
        case .firing:
            guard list.count < Self.maximum else {
                left += 1
                return
            }
            open[alert.model + "/" + alert.fingerprint] = list.count
            list.append(ReplayEpisode(alert))
        case .resolved:
            guard let index = open.removeValue(forKey: alert.model + "/" + alert.fingerprint) else { return }
            list[index].endedAt = alert.at
        }
    }
}
