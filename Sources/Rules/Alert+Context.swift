import Foundation
import Values

extension Alert {
    /// With whom the alert is told together: the same for all alerts of its cause.
    package var cause: String? {
        guard case .string(let id)? = context["cause"] else { return nil }
        return id
    }

    /// How bad it is beside others of its rule: evidence over what the rule asks for. Raw distances would put small segments on top.
    package var weight: Double {
        func number(_ json: JSON?) -> Double? {
            switch json {
            case .number(let value): value
            case .integer(let value): Double(value)
            default: nil
            }
        }
        let evidence = context["evidence"]
        if let e = number(evidence?["ln_e"]), let limit = number(evidence?["ln_threshold"]), limit > 0 {
            return e / limit
        }
        if let p = number(evidence?["p"]) {
            let level = number(evidence?["level"]) ?? number(evidence?["false_discovery_rate"]) ?? 0.001
            return log(max(p, .leastNonzeroMagnitude)) / log(level)
        }
        guard let value = number(context["value"]), let threshold = number(context["threshold"]) else { return 0 }
        return threshold == 0 ? abs(value) : abs(value - threshold) / abs(threshold)
    }

    /// The alert with the places where one reads on: its page, its runbook, and the counts behind it.
    package func linked(to externalURL: String) -> Alert {
        guard case .object(var members) = context else { return self }
        let base = externalURL.hasSuffix("/") ? String(externalURL.dropLast()) : externalURL
        let path = "\(base)/models/\(Self.encoded(model))/alerts/\(fingerprint)"
        var counts = "\(base)/v1/models/\(Self.encoded(model))/snapshots?to=\(Self.encoded(at.rfc3339))&limit=1"
        if let column = labels["column"] { counts += "&column=\(Self.encoded(column))" }
        counts += "&segment=\(Self.encoded(segment.isAll ? "" : segment.json.text))"
        members.removeAll { $0.key == "links" }
        members.append(
            .init(
                "links",
                .members(
                    ("dashboard", .string(path)), ("runbook", annotations["runbook_url"].map { .string($0) }),
                    ("reference", .string(counts)))))
        var copy = self
        copy.context = .object(members)
        return copy
    }

    private static let unreserved = CharacterSet(
        charactersIn: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")

    private static func encoded(_ text: String) -> String {
        text.addingPercentEncoding(withAllowedCharacters: unreserved) ?? text
    }
}
