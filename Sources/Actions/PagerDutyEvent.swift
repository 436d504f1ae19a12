import Values

/// An event of PagerDuty's Events API v2: an incident for each alert, known by its fingerprint.
struct PagerDutyEvent {
    static let path = "/v2/enqueue"
    /// Of the whole event; what is over it PagerDuty refuses for good.
    private static let bytesLimit = 512 * 1_000
    private static let summaryLimit = 1_024

    let alert: DeliveredAlert
    let key: String

    init(_ alert: DeliveredAlert, key: String) {
        self.alert = alert
        self.key = key
    }

    var json: JSON {
        guard alert.isFiring else {
            return .members(
                ("routing_key", .string(key)), ("event_action", "resolve"), ("dedup_key", .string(alert.fingerprint)))
        }
        let whole = event(details: details)
        return whole.bytes.count <= Self.bytesLimit ? whole : event(details: nil)
    }

    private func event(details: JSON?) -> JSON {
        let links = [("Details", alert.link), ("Runbook", alert.runbook ?? "")].filter { !$0.1.isEmpty }.map {
            JSON.members(("href", .string($0.1)), ("text", .string($0.0)))
        }
        return .members(
            ("routing_key", .string(key)), ("event_action", "trigger"), ("dedup_key", .string(alert.fingerprint)),
            ("client", "Holdfast"), ("client_url", alert.link.isEmpty ? nil : .string(alert.link)),
            (
                "payload",
                .members(
                    ("summary", .string(alert.summary.cut(to: Self.summaryLimit))),
                    ("source", .string(alert.model.isEmpty ? "holdfast" : alert.model)),
                    ("severity", .string(severity)), ("timestamp", .string(alert.startsAt)),
                    ("component", alert.labels["column"].map { .string($0) }), ("group", .string(alert.place)),
                    ("class", .string(alert.name)), ("custom_details", details))
            ), ("links", .array(links)))
    }

    private var severity: String {
        switch alert.urgency {
        case .critical: "critical"
        case .error: "error"
        case .warning: "warning"
        case .info: "info"
        }
    }

    private var details: JSON {
        .members(
            ("labels", .sorted(alert.labels)), ("annotations", .sorted(alert.annotations)), ("context", alert.context))
    }
}
