package import Values

/// Alerts for a Prometheus Alertmanager, as Prometheus posts them. It forgets what nobody repeats: while an alert fires it is sent again
/// every `interval`, and each time says that it ends some intervals later, so that it ends there too if we do.
package struct AlertmanagerPost: Sendable {
    package static let path = "/api/v2/alerts"
    package static let interval = Span.seconds(60)
    /// As Prometheus: four times the interval.
    static let validity = interval * 4

    let alerts: [DeliveredAlert]
    let now: Timestamp

    package init(_ alerts: [DeliveredAlert], at now: Timestamp) {
        self.alerts = alerts
        self.now = now
    }

    var json: JSON {
        .array(
            alerts.map { alert in
                // Event time may be ahead of the clock; Alertmanager takes an end in the future for an alert that fires.
                let start = min(Timestamp(rfc3339: alert.startsAt) ?? now, now)
                let end =
                    alert.isFiring ? now + Self.validity : max(start, min(Timestamp(rfc3339: alert.endsAt) ?? now, now))
                var annotations = alert.annotations
                if let likely = alert.likely, annotations["likely"] == nil { annotations["likely"] = likely }
                return .members(
                    ("labels", .sorted(Self.named(alert.labels))), ("annotations", .sorted(Self.named(annotations))),
                    ("startsAt", .time(start)), ("endsAt", .time(end)), ("generatorURL", .string(alert.link)))
            })
    }

    /// Alertmanagers before 0.28 refuse a whole post for one name with a dash in it.
    private static func named(_ texts: [String: String]) -> [String: String] {
        var out: [String: String] = [:]
        for (name, value) in texts.sorted(by: { $0.key < $1.key }) where !value.isEmpty {
            var plain = String(
                name.unicodeScalars.map { scalar in
                    scalar.isASCII && (scalar.properties.isAlphabetic || ("0"..."9").contains(scalar) || scalar == "_")
                        ? Character(scalar) : "_"
                })
            if let first = plain.unicodeScalars.first, ("0"..."9").contains(first) { plain = "_" + plain }
            if out[plain] == nil { out[plain] = value }
        }
        return out
    }
}
