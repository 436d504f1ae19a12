import Values

/// An adaptive card for a Teams workflow ("when a webhook request is received"); the connectors that took other forms are retired.
struct TeamsCard {
    /// Teams takes about 28 kB.
    private static let alertLimit = 12
    private static let textLimit = 1_500

    let alerts: [DeliveredAlert]

    init(_ alerts: [DeliveredAlert]) { self.alerts = alerts }

    var json: JSON {
        var body: [JSON] = [Self.block(AlertWords.title(alerts), ("weight", "Bolder"), ("size", "Medium"))]
        for alert in alerts.prefix(Self.alertLimit) {
            body.append(Self.block(alert.summary, ("weight", "Bolder"), ("separator", true)))
            if let likely = alert.likely { body.append(Self.block(likely)) }
            let facts = AlertWords.facts(alert).map {
                JSON.members(("title", .string($0.name)), ("value", .string($0.value.cut(to: Self.textLimit))))
            }
            body.append(.members(("type", "FactSet"), ("facts", .array(facts))))
        }
        if alerts.count > Self.alertLimit { body.append(Self.block("and \(alerts.count - Self.alertLimit) more")) }
        let links = [("Details", alerts[0].link), ("Runbook", alerts[0].runbook ?? "")].filter { !$0.1.isEmpty }.map {
            JSON.members(("type", "Action.OpenUrl"), ("title", .string($0.0)), ("url", .string($0.1)))
        }
        let card = JSON.members(
            ("$schema", "http://adaptivecards.io/schemas/adaptive-card.json"), ("type", "AdaptiveCard"),
            ("version", "1.2"), ("body", .array(body)), ("actions", links.isEmpty ? nil : .array(links)))
        return .members(
            ("type", "message"),
            (
                "attachments",
                .array([
                    .members(
                        ("contentType", "application/vnd.microsoft.card.adaptive"), ("contentUrl", .null),
                        ("content", card))
                ])
            ))
    }

    private static func block(_ text: String, _ more: (String, JSON)...) -> JSON {
        .object(
            [
                JSON.Member("type", "TextBlock"), JSON.Member("text", .string(text.cut(to: textLimit))),
                JSON.Member("wrap", true),
            ] + more.map { JSON.Member($0.0, $0.1) })
    }
}
