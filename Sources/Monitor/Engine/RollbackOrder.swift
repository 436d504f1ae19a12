import Events
import Rules
import Statistics
import Values

/// A rollback that a firing alert asked for, as it lies in the outbox: the alert and the rule's conditions. What it is
/// judged by is measured when it is carried out, from the windows that have closed by then.
struct RollbackOrder {
    let alert: Alert
    let request: ActionRequest.Rollback
    /// How often it has been judged without coming to anything, and the end of the last window it was judged by.
    var attempt = 1
    var judgedThrough: Timestamp?

    init(alert: Alert, request: ActionRequest.Rollback) {
        self.alert = alert
        self.request = request
    }

    var column: String { alert.labels["column"] ?? "" }

    /// The metric that the rule compares; `nil` where the expression is more than one comparison.
    var metric: Metric? {
        let name = alert.context["metric"]?.stringValue?.prefix { $0 != " " }
        return name.flatMap { Metric(name: String($0)) }
    }

    /// Early labels would get the metric wrong: only mature windows count.
    var waitsForLabels: Bool { metric?.needsMaturity ?? (column == SnapshotRow.performanceColumn) }

    var threshold: Double? { alert.context["threshold"]?.numberValue }

    /// The alert fires, so its value lies on the failing side of the threshold.
    var failsAbove: Bool {
        guard let value = alert.context["value"]?.numberValue, let threshold else { return true }
        return value >= threshold
    }

    /// The window whose closing made the alert fire.
    var window: TimeRange {
        func time(_ key: String) -> Timestamp? {
            alert.context["window"]?[key]?.stringValue.flatMap { Timestamp(rfc3339: $0) }
        }
        let end = time("end") ?? alert.at
        return TimeRange(start: time("start") ?? end, end: end)
    }

    /// Start of the first window in which the condition held.
    var changeStart: Timestamp {
        alert.context["change_start"]?.stringValue.flatMap { Timestamp(rfc3339: $0) } ?? window.start
    }

    var json: JSON {
        .members(
            ("alert", alert.json), ("model", .string(alert.model)), ("group", .string(alert.group)),
            ("rule", .string(alert.rule)), ("notify", alert.notify.map { .array($0.map { .string($0) }) }),
            ("to", .string(request.to)), ("mode", .string(request.mode.rawValue)),
            ("unless", .array(request.unless.map { .string($0) })), ("maximum", .int(request.maximum)),
            ("maximum_per", .integer(request.maximumPer.microseconds)),
            ("cooldown", .integer(request.cooldown.microseconds)), ("windows", .int(request.windows)),
            ("min_rows", .integer(request.minimumRows)), ("attempt", .int(attempt)),
            ("judged_through", judgedThrough.map { .time($0) }))
    }

    /// Reads what `json` wrote; `nil` for anything else.
    init?(_ json: JSON) {
        guard let stored = json["alert"], let model = json["model"]?.stringValue,
            let group = json["group"]?.stringValue, let rule = json["rule"]?.stringValue,
            let to = json["to"]?.stringValue,
            let mode = json["mode"]?.stringValue.flatMap(ActionRequest.Rollback.Mode.init),
            let maximum = json["maximum"]?.integerValue, let per = json["maximum_per"]?.integerValue,
            let cooldown = json["cooldown"]?.integerValue,
            let alert = Alert(
                stored, model: model, group: group, rule: rule,
                notify: json["notify"]?.arrayValue?.compactMap(\.stringValue))
        else { return nil }
        self.alert = alert
        request = ActionRequest.Rollback(
            to: to, mode: mode, unless: (json["unless"]?.arrayValue ?? []).compactMap(\.stringValue),
            maximum: Int(maximum), maximumPer: Span(microseconds: per), cooldown: Span(microseconds: cooldown),
            windows: Int(clamping: json["windows"]?.integerValue ?? 1),
            minimumRows: json["min_rows"]?.integerValue ?? 30)
        attempt = Int(clamping: json["attempt"]?.integerValue ?? 1)
        judgedThrough = json["judged_through"]?.stringValue.flatMap { Timestamp(rfc3339: $0) }
    }
}

extension Alert {
    /// Reads a line of `alerts.jsonl`.
    init?(_ json: JSON, model: String, group: String, rule: String, notify: [String]?) {
        func texts(_ key: String) -> [String: String] {
            Dictionary((json[key]?.objectValue ?? []).map { ($0.key, $0.value.stringValue ?? "") }) { a, _ in a }
        }
        func time(_ key: String) -> Timestamp? { json[key]?.stringValue.flatMap { Timestamp(rfc3339: $0) } }
        guard let status = json["status"]?.stringValue.flatMap(Status.init), let at = time("at"),
            let startsAt = time("startsAt"), let fingerprint = json["fingerprint"]?.stringValue
        else { return nil }
        self.init(
            status: status, at: at, labels: texts("labels"), annotations: texts("annotations"), startsAt: startsAt,
            endsAt: time("endsAt"), fingerprint: fingerprint,
            segment: Segment((json["segment"]?.objectValue ?? []).map { .init($0.key, $0.value.stringValue ?? "") }),
            context: json["context"] ?? .object([]), revision: Int(json["revision"]?.integerValue ?? 1), model: model,
            group: group, rule: rule, notify: notify, actions: [])
    }
}
