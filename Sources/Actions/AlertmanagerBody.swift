package import Rules
package import Values

/// The body of one delivery: Alertmanager's webhook version "4", field for field in its order, plus a `context` per
/// alert. The same alerts are the same bytes, in whatever order they come.
package struct AlertmanagerBody: Sendable, Hashable {
    /// Firing alerts first, the worst of each kind first, then by labels; never empty, never pending.
    package let alerts: [Alert]
    package let receiver: String
    package let externalURL: String
    /// Labels the alerts were grouped by, with the value they share.
    package let groupLabels: [String: String]
    /// Alerts left out because of the limit.
    package let truncated: Int

    /// `nil` where nothing is to be told: pending alerts are not delivered.
    ///
    /// - Parameter alerts: the group; those that fire come before the resolved ones when the limit cuts.
    /// - Parameter groupBy: names of the labels the group has in common; a label an alert lacks is left out.
    package init?(
        receiver: String, alerts: [Alert], groupBy: [String] = ["alertname", "model"], externalURL: String,
        limit: Int = 200
    ) {
        precondition(limit > 0, "a delivery holds at least one alert")
        let told = alerts.filter { $0.status != .pending }.map { (alert: $0, key: Self.labelSet($0.labels)) }
            .sorted { a, b in
                if (a.alert.status == .firing) != (b.alert.status == .firing) { return a.alert.status == .firing }
                if a.alert.weight != b.alert.weight { return a.alert.weight > b.alert.weight }
                if a.key != b.key { return a.key < b.key }
                return a.alert.revision < b.alert.revision
            }
            .map(\.alert)
        guard !told.isEmpty else { return nil }
        self.alerts = Array(told.prefix(limit))
        truncated = told.count - self.alerts.count
        self.receiver = receiver
        self.externalURL = externalURL
        let common = Self.common(told.map(\.labels))
        groupLabels = common.filter { groupBy.contains($0.key) }
    }

    package var status: Alert.Status { alerts.contains { $0.status == .firing } ? .firing : .resolved }

    /// Alertmanager's form for a group of its root route, `{}:{alertname="X", model="m"}`, and of a route below it where all alerts have
    /// one cause: `{}/{cause="…"}:{…}`. The same for every delivery about that cause, so that receivers can thread them.
    package var groupKey: String {
        let causes = Set(alerts.map(\.cause))
        let route = causes.count == 1 ? alerts[0].cause.map { "/" + Self.labelSet(["cause": $0]) } ?? "" : ""
        // Alerts of several rules may share a cause; a delivery about some of them has the same key.
        let labels = route.isEmpty ? groupLabels : groupLabels.filter { $0.key != "alertname" }
        return "{}" + route + ":" + Self.labelSet(labels)
    }

    /// `webhook-id`: the same for the same alerts, revisions and receiver, on every attempt and after a restart.
    package var deliveryID: String {
        // The lengths keep two lists of fields from running together into the same text.
        let parts = alerts.flatMap { alert in
            [alert.fingerprint, alert.startsAt.rfc3339, String(alert.revision), alert.status.rawValue]
        }
        let text = ([receiver] + parts).map { "\($0.utf8.count):\($0)" }.joined()
        return "msg_" + Signature.sha256Hex(text).prefix(32)
    }

    package var bytes: [UInt8] { json.bytes }

    package var json: JSON {
        .members(
            ("receiver", .string(receiver)), ("status", .string(status.rawValue)),
            ("alerts", .array(alerts.map(json(of:)))), ("groupLabels", .sorted(groupLabels)),
            ("commonLabels", .sorted(Self.common(alerts.map(\.labels)))),
            ("commonAnnotations", .sorted(Self.common(alerts.map(\.annotations)))),
            ("externalURL", .string(externalURL)), ("version", "4"), ("groupKey", .string(groupKey)),
            ("truncatedAlerts", .int(truncated)))
    }

    private func json(of alert: Alert) -> JSON {
        // Go's zero time is what Alertmanager writes for "not yet", and what receivers test for.
        let end = alert.status == .resolved ? (alert.endsAt ?? alert.at).rfc3339 : "0001-01-01T00:00:00Z"
        return .members(
            ("status", .string(alert.status.rawValue)), ("labels", .sorted(alert.labels)),
            ("annotations", .sorted(alert.annotations)), ("startsAt", .time(alert.startsAt)),
            ("endsAt", .string(end)), ("generatorURL", .string(generatorURL(of: alert))),
            ("fingerprint", .string(alert.fingerprint)), ("context", context(of: alert)))
    }

    /// The page that explains the alert, if its context has one.
    private func generatorURL(of alert: Alert) -> String {
        if case .string(let link)? = alert.context["links"]?["dashboard"] { return link }
        return externalURL
    }

    /// The revision is what receivers order by, so it is there whether or not the rule wrote it.
    private func context(of alert: Alert) -> JSON {
        var members: [JSON.Member] = []
        if case .object(let own) = alert.context { members = own }
        if alert.context["revision"] == nil { members.insert(JSON.Member("revision", .int(alert.revision)), at: 0) }
        // Among the labels nobody can tell the segment's dimensions from the rule's own.
        if !alert.segment.isAll { members.append(JSON.Member("segment", alert.segment.json)) }
        return .object(members)
    }

    /// Pairs that all the dictionaries hold.
    private static func common(_ all: [[String: String]]) -> [String: String] {
        guard let first = all.first else { return [:] }
        return first.filter { key, value in all.allSatisfy { $0[key] == value } }
    }

    /// `{a="1", b="2"}`, quoted as Go's `%q` does.
    private static func labelSet(_ labels: [String: String]) -> String {
        let pairs = labels.sorted { $0.key < $1.key }.map { "\($0.key)=\(quoted($0.value))" }
        return "{" + pairs.joined(separator: ", ") + "}"
    }

    private static func quoted(_ text: String) -> String {
        var out = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": out += "\\\""
            case "\\": out += "\\\\"
            case "\n": out += "\\n"
            case "\r": out += "\\r"
            case "\t": out += "\\t"
            case _ where scalar.value < 0x20 || scalar.value == 0x7f:
                let hex = String(scalar.value, radix: 16)
                out += "\\x" + (hex.count == 1 ? "0" : "") + hex
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out + "\""
    }
}
