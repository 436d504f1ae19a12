import Events
package import Values

/// An alert as the API shows it, in words.
package struct ShownAlert: Sendable {
    package let json: JSON
    package let status: String
    package let since: String
    package let name: String
    package let model: String
    package let column: String
    package let segment: String
    package let fingerprint: String
    /// Ids of silences.
    package let silencedBy: [String]

    init(_ json: JSON) {
        self.json = json
        func label(_ name: String) -> String { json["labels"]?[name]?.stringValue ?? "" }
        status = json["status"]?.stringValue ?? ""
        since = json["startsAt"]?.stringValue ?? ""
        name = label("alertname")
        model = label("model")
        column = label("column")
        let parts = (json["segment"]?.objectValue ?? []).map { "\($0.key)=\($0.value.stringValue ?? "")" }
        segment = parts.isEmpty ? "all traffic" : parts.joined(separator: ", ")
        fingerprint = json["fingerprint"]?.stringValue ?? ""
        silencedBy = (json["silencedBy"]?.arrayValue ?? []).compactMap(\.stringValue)
    }
}

/// A silence as the API shows it, in words.
package struct ShownSilence: Sendable {
    package let json: JSON
    package let id: String
    /// `pending`, `active` or `expired`.
    package let state: String
    package let ends: String
    package let createdBy: String
    /// As `silence add` takes them.
    package let matchers: String
    package let comment: String

    init(_ json: JSON) {
        self.json = json
        func text(_ key: String) -> String { json[key]?.stringValue ?? "" }
        id = text("id")
        state = json["status"]?["state"]?.stringValue ?? ""
        ends = text("endsAt")
        createdBy = text("createdBy")
        comment = text("comment")
        matchers = (json["matchers"]?.arrayValue ?? []).map(Self.matcher).joined(separator: " ")
    }

    private static func matcher(_ json: JSON) -> String {
        let isRegex = json["isRegex"] == .bool(true)
        let symbol = json["isEqual"] == .bool(false) ? isRegex ? "!~" : "!=" : isRegex ? "=~" : "="
        return "\(json["name"]?.stringValue ?? "")\(symbol)\(json["value"]?.stringValue ?? "")"
    }
}
