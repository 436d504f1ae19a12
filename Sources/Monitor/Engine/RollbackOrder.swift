import Events
import Rules
import Statistics
import Values

/// A rollback that a firing alert asked for, as it lies in the outbox: the alert, the rule's conditions, and how each version fared in the
/// window that caused it.
struct RollbackOrder {
    /// One version in the alert's window, column and segment.
    struct Version {
        let name: String
        let rows: UInt64
        let psi: Double?
        let significant: Bool
    }

    let alert: Alert
    let request: ActionRequest.Rollback
    let versions: [Version]

    /// The rule compares a distance from the reference, so its significance can be asked of each version.
    var judgesDistance: Bool {
        let name = alert.context["metric"]?.stringValue?.prefix { $0 != " " }
        return name.flatMap { Metric(name: String($0)) }?.isDistance ?? false
    }

    init(alert: Alert, request: ActionRequest.Rollback, snapshot: Snapshot) {
        self.alert = alert
        self.request = request
        let column = alert.labels["column"]
        versions = snapshot.versions.map { version in
            let row = snapshot.rows.first {
                $0.version == version && $0.column == column && $0.segment == alert.segment
            }
            return Version(
                name: version, rows: row?.n ?? 0, psi: row?.metrics[.psi],
                significant: row?.metrics[.psi_p].map { $0 < 0.001 } ?? false)
        }
    }

    var json: JSON {
        .members(
            ("alert", alert.json), ("model", .string(alert.model)), ("group", .string(alert.group)),
            ("rule", .string(alert.rule)), ("notify", alert.notify.map { .array($0.map { .string($0) }) }),
            ("to", .string(request.to)), ("mode", .string(request.mode.rawValue)),
            ("unless", .array(request.unless.map { .string($0) })), ("maximum", .int(request.maximum)),
            ("maximum_per", .integer(request.maximumPer.microseconds)),
            ("cooldown", .integer(request.cooldown.microseconds)),
            (
                "versions",
                .array(
                    versions.map { version in
                        .members(
                            ("version", .string(version.name)), ("rows", .integer(Int64(version.rows))),
                            ("psi", version.psi.map { .number($0) }), ("significant", .bool(version.significant)))
                    })
            ))
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
            maximum: Int(maximum), maximumPer: Span(microseconds: per), cooldown: Span(microseconds: cooldown))
        versions = (json["versions"]?.arrayValue ?? []).compactMap { item in
            guard let name = item["version"]?.stringValue else { return nil }
            return Version(
                name: name, rows: UInt64(max(0, item["rows"]?.integerValue ?? 0)), psi: item["psi"]?.numberValue,
                significant: item["significant"] == .bool(true))
        }
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
