import Actions
import StrictYAML
import Values

extension ConfigurationReader {
    private static let receiverKinds = [
        "webhook", "alertmanager", "slack", "pagerduty", "teams", "opsgenie", "cloudevents", "log",
    ]

    mutating func readReceivers(_ value: YAMLValue?) -> [Receiver] {
        var receivers: [Receiver] = []
        for item in value?.list(&problems) ?? [] {
            guard let map = item.mapping(allowed: ["name"] + Self.receiverKinds, &problems),
                let name = map.required("name", &problems)?.nonEmptyString(&problems)
            else { continue }
            let named = map.entries.filter { $0.key != "name" }
            guard let target = named.first, named.count == 1 else {
                problems.add(
                    "receiver `\(name)` needs one of \(Self.receiverKinds.joined(separator: ", "))"
                        + (named.isEmpty ? "" : ", not \(named.map(\.key).joined(separator: " and "))"),
                    at: item.place)
                continue
            }
            guard let kind = readKind(target.key, target.value) else { continue }
            let receiver = Receiver(name: name, kind: kind)
            for problem in receiver.problems { problems.add("\(problem)", at: target.value.place) }
            if receivers.contains(where: { $0.name == name }) {
                problems.add("receiver `\(name)` stands twice", at: item.place)
            }
            receivers.append(receiver)
        }
        return receivers
    }

    private mutating func readKind(_ name: String, _ value: YAMLValue) -> Receiver.Kind? {
        switch name {
        case "webhook": readWebhook(value).map { .webhook($0) }
        case "alertmanager": readService(value, .alertmanager)
        case "slack": readService(value, .slack)
        case "teams": readService(value, .teams)
        case "pagerduty":
            readService(value, key: "routing_key", url: "https://events.pagerduty.com/v2/enqueue") {
                .pagerDuty(key: $0)
            }
        case "opsgenie": readService(value, key: "api_key", url: "https://api.opsgenie.com") { .opsgenie(key: $0) }
        case "cloudevents": readCloudEvents(value)
        default: readLog(value)
        }
    }

    private mutating func readService(_ value: YAMLValue, _ form: DeliveryForm) -> Receiver.Kind? {
        guard let map = value.mapping(allowed: Self.serviceKeys, &problems),
            let url = map.required("url", &problems)?.nonEmptyString(&problems)
        else { return nil }
        return .webhook(webhook(map, url: url, form))
    }

    /// A service with an address of its own, which knows us by a key.
    private mutating func readService(
        _ value: YAMLValue, key: String, url: String, _ form: (String) -> DeliveryForm
    ) -> Receiver.Kind? {
        guard let map = value.mapping(allowed: Self.serviceKeys + [key], &problems),
            let secret = map.required(key, &problems)?.nonEmptyString(&problems)
        else { return nil }
        let own = map["url"]?.nonEmptyString(&problems)
        return .webhook(webhook(map, url: own ?? url, form(secret)))
    }

    private mutating func readCloudEvents(_ value: YAMLValue) -> Receiver.Kind? {
        enum Mode: String, CaseIterable { case structured, binary }
        guard case .mapping(let entries) = value.content else { return readWebhook(value).map { .webhook($0) } }
        let mode = entries.first { $0.key == "mode" }?.value.enumeration(Mode.self, &problems) ?? .structured
        return readWebhook(value, form: .cloudEvents(isBinary: mode == .binary), more: ["mode"]).map { .webhook($0) }
    }

    private mutating func readLog(_ value: YAMLValue) -> Receiver.Kind? {
        value.isNull || value.mapping(allowed: [], &problems) != nil ? .log : nil
    }

    private static let serviceKeys = ["url", "timeout", "allow_http", "allow_private"]

    private mutating func webhook(_ map: YAMLMapping, url: String, _ form: DeliveryForm) -> Receiver.Webhook {
        Receiver.Webhook(
            url: url,
            timeout: map["timeout"]?.duration(in: Span.seconds(1)...Span.minutes(5), &problems) ?? .seconds(15),
            options: Receiver.Options(
                allowHTTP: map["allow_http"]?.bool(&problems) ?? false,
                allowPrivate: map["allow_private"]?.bool(&problems) ?? false), form: form)
    }

    /// - Parameter more: keys beside those of a webhook, which the caller reads.
    mutating func readWebhook(
        _ value: YAMLValue, form: DeliveryForm = .standard, more: [String] = []
    ) -> Receiver.Webhook? {
        guard let map = value.mapping(allowed: Self.serviceKeys + ["secret"] + more, &problems),
            let url = map.required("url", &problems)?.nonEmptyString(&problems)
        else { return nil }
        // A variable that is not set is told once; the empty secret it leaves is no second mistake.
        let isUnknown = map["secret"].map { secret in problems.list.contains { $0.place == secret.place } } ?? false
        var webhook = webhook(map, url: url, form)
        webhook.secrets = isUnknown ? [] : map["secret"]?.strings(&problems) ?? []
        return webhook
    }
}
