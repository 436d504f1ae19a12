package import Values

/// An alert as a delivery holds it (`AlertmanagerBody`): what receivers of other forms are told is made of this, so that every receiver is
/// told the same.
package struct DeliveredAlert: Sendable, Hashable {
    package let isFiring: Bool
    package let labels: [String: String]
    package let annotations: [String: String]
    package let startsAt: String
    package let endsAt: String
    package let link: String
    package let fingerprint: String
    package let context: JSON

    /// The alerts of a delivery, in its order; `nil` where it is no delivery of alerts.
    package static func all(of body: JSON) -> [DeliveredAlert]? {
        guard case .array(let alerts)? = body["alerts"] else { return nil }
        return alerts.map(DeliveredAlert.init)
    }

    package init(_ json: JSON) {
        isFiring = Self.text(json["status"]) != "resolved"
        labels = Self.texts(json["labels"])
        annotations = Self.texts(json["annotations"])
        startsAt = Self.text(json["startsAt"]) ?? ""
        endsAt = Self.text(json["endsAt"]) ?? ""
        let page = json["context"]?["links"]?["dashboard"]
        link = Self.text(json["generatorURL"]) ?? Self.text(page) ?? ""
        fingerprint = Self.text(json["fingerprint"]) ?? ""
        context = json["context"] ?? .null
    }

    package var name: String { labels["alertname"] ?? "alert" }
    package var model: String { labels["model"] ?? "" }
    package var severity: String { labels["severity"] ?? "" }

    /// What it says in a line: its summary, else its name and where.
    package var summary: String {
        if let summary = annotations["summary"], !summary.isEmpty { return summary }
        let column = labels["column"].map { " of \($0)" } ?? ""
        return "\(name)\(column) in \(place)"
    }

    /// `country=BR,device=web`, or `all traffic`.
    package var place: String {
        guard case .object(let parts)? = context["segment"], !parts.isEmpty else { return "all traffic" }
        return parts.map { "\($0.key)=\(Self.text($0.value) ?? "")" }.joined(separator: ",")
    }

    /// The sentence that says why, where something stands out.
    package var likely: String? { Self.text(context["likely"]) }
    package var changeStart: String { Self.text(context["change_start"]) ?? startsAt }
    package var runbook: String? { annotations["runbook_url"] }

    /// The worst of what people call severities comes first.
    package enum Urgency: Int, Comparable, Sendable {
        case info, warning, error, critical

        package static func < (a: Urgency, b: Urgency) -> Bool { a.rawValue < b.rawValue }
    }

    package var urgency: Urgency {
        switch severity.lowercased() {
        case "critical", "page", "emergency", "fatal", "p1": .critical
        case "error", "high", "major", "p2", "": .error
        case "info", "none", "low", "p4", "p5", "debug": .info
        default: .warning
        }
    }

    private static func text(_ json: JSON?) -> String? {
        guard case .string(let text)? = json else { return nil }
        return text
    }

    private static func texts(_ json: JSON?) -> [String: String] {
        guard case .object(let members)? = json else { return [:] }
        return Dictionary(members.map { ($0.key, text($0.value) ?? "") }, uniquingKeysWith: { first, _ in first })
    }
}

extension String {
    /// At most so many characters, the last one an ellipsis where something was cut off.
    func cut(to limit: Int) -> String { count <= limit ? self : String(prefix(limit - 1)) + "…" }
}
