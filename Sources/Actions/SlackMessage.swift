import Values

/// A message for Slack: a header that says how many and what, then a section for each alert. Slack can neither edit nor thread what a
/// webhook posted, so alerts of one cause come as one message.
struct SlackMessage {
    private static let headerLimit = 150
    private static let sectionLimit = 3_000
    /// Slack takes fifty blocks, and in practice about 13,000 characters in all.
    private static let alertLimit = 15
    private static let totalLimit = 12_000

    let alerts: [DeliveredAlert]

    init(_ alerts: [DeliveredAlert]) { self.alerts = alerts }

    var json: JSON {
        let title = AlertWords.title(alerts)
        var blocks: [JSON] = [
            .members(
                ("type", "header"),
                ("text", .members(("type", "plain_text"), ("text", .string(title.cut(to: Self.headerLimit))))))
        ]
        var length = title.count
        var shown = 0
        for alert in alerts.prefix(Self.alertLimit) {
            let text = Self.section(alert).cut(to: Self.sectionLimit)
            guard length + text.count <= Self.totalLimit else { break }
            length += text.count
            shown += 1
            blocks.append(Self.section(text))
        }
        if shown < alerts.count { blocks.append(Self.section("and \(alerts.count - shown) more")) }
        return .members(
            ("text", .string(Self.escaped("\(title): \(alerts[0].summary)").cut(to: Self.sectionLimit))),
            ("blocks", .array(blocks)))
    }

    private static func section(_ text: String) -> JSON {
        .members(("type", "section"), ("text", .members(("type", "mrkdwn"), ("text", .string(text)))))
    }

    private static func section(_ alert: DeliveredAlert) -> String {
        var lines = ["*\(escaped(alert.summary))*"]
        if let likely = alert.likely { lines.append(escaped(likely)) }
        lines += AlertWords.facts(alert).map { "\($0.name): \(escaped($0.value))" }
        var links: [String] = []
        if !alert.link.isEmpty { links.append("<\(alert.link)|Details>") }
        if let runbook = alert.runbook { links.append("<\(runbook)|Runbook>") }
        if !links.isEmpty { lines.append(links.joined(separator: "  ")) }
        return lines.joined(separator: "\n")
    }

    private static func escaped(_ text: String) -> String {
        text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
    }
}

/// Words that messages for people share.
enum AlertWords {
    /// `[FIRING 2] FeatureDrift, NullRateJump: fraud`.
    static func title(_ alerts: [DeliveredAlert]) -> String {
        let firing = alerts.count { $0.isFiring }
        let status = firing > 0 ? "FIRING" + (alerts.count > 1 ? " \(firing)" : "") : "RESOLVED"
        func listed(_ names: [String]) -> String {
            var seen: [String] = []
            for name in names where !name.isEmpty && !seen.contains(name) { seen.append(name) }
            return seen.joined(separator: ", ")
        }
        return "[\(status)] \(listed(alerts.map(\.name))): \(listed(alerts.map(\.model)))"
    }

    static func facts(_ alert: DeliveredAlert) -> [(name: String, value: String)] {
        var facts: [(name: String, value: String)] = [("Status", alert.isFiring ? "firing" : "resolved")]
        if !alert.severity.isEmpty { facts.append(("Severity", alert.severity)) }
        if let column = alert.labels["column"] { facts.append(("Column", column)) }
        facts.append(("Segment", alert.place))
        facts.append(("Since", alert.changeStart))
        if !alert.isFiring { facts.append(("Until", alert.endsAt)) }
        return facts
    }
}
