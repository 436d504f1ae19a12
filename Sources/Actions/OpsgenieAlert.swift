import Values

/// An alert of Opsgenie, known by its fingerprint as alias.
struct OpsgenieAlert {
    static let path = "/v2/alerts"
    private static let messageLimit = 130
    private static let descriptionLimit = 15_000

    let alert: DeliveredAlert

    init(_ alert: DeliveredAlert) { self.alert = alert }

    func request(key: String) -> DeliveryForm.Request {
        var request = DeliveryForm.Request(
            path: Self.path, headers: [("authorization", "GenieKey \(key)")], body: json.bytes)
        if !alert.isFiring {
            request.path += "/\(alert.fingerprint)/close"
            request.query = "identifierType=alias"
        }
        return request
    }

    var json: JSON {
        guard alert.isFiring else {
            return .members(("source", "holdfast"), ("note", .string("over since \(alert.endsAt)")))
        }
        let description = [alert.summary, alert.likely, alert.link.isEmpty ? nil : alert.link].compactMap(\.self)
        return .members(
            ("message", .string(alert.summary.cut(to: Self.messageLimit))), ("alias", .string(alert.fingerprint)),
            ("description", .string(description.joined(separator: "\n\n").cut(to: Self.descriptionLimit))),
            ("tags", .array([alert.name, alert.model].filter { !$0.isEmpty }.map { .string($0) })),
            ("details", .sorted(alert.labels.merging(["since": alert.changeStart]) { own, _ in own })),
            ("entity", .string(alert.model)), ("source", "holdfast"), ("priority", .string(priority)))
    }

    private var priority: String {
        switch alert.urgency {
        case .critical: "P1"
        case .error: "P2"
        case .warning: "P3"
        case .info: "P5"
        }
    }
}
