import Actions
import StrictYAML
import Values

extension ConfigurationReader {
    mutating func readReceivers(_ value: YAMLValue?) -> [Receiver] {
        var receivers: [Receiver] = []
        for item in value?.list(&problems) ?? [] {
            guard let map = item.mapping(allowed: ["name", "webhook"], &problems),
                let name = map.required("name", &problems)?.nonEmptyString(&problems),
                let target = map.required("webhook", &problems),
                let webhook = readWebhook(target)
            else { continue }
            let receiver = Receiver(name: name, kind: .webhook(webhook))
            for problem in receiver.problems { problems.add("\(problem)", at: target.place) }
            if receivers.contains(where: { $0.name == name }) {
                problems.add("receiver `\(name)` stands twice", at: item.place)
            }
            receivers.append(receiver)
        }
        return receivers
    }

    /// - Parameter more: keys beside those of a webhook, which the caller reads.
    mutating func readWebhook(
        _ value: YAMLValue, style: Receiver.Webhook.Style = .standard, more: [String] = []
    ) -> Receiver.Webhook? {
        let keys = ["url", "secret", "timeout", "allow_http", "allow_private"]
        guard let map = value.mapping(allowed: keys + more, &problems),
            let url = map.required("url", &problems)?.nonEmptyString(&problems)
        else { return nil }
        // A variable that is not set is told once; the empty secret it leaves is no second mistake.
        let isUnknown = map["secret"].map { secret in problems.list.contains { $0.place == secret.place } } ?? false
        return Receiver.Webhook(
            url: url, secrets: isUnknown ? [] : map["secret"]?.strings(&problems) ?? [],
            timeout: map["timeout"]?.duration(in: Span.seconds(1)...Span.minutes(5), &problems) ?? .seconds(15),
            options: Receiver.Options(
                allowHTTP: map["allow_http"]?.bool(&problems) ?? false,
                allowPrivate: map["allow_private"]?.bool(&problems) ?? false), style: style)
    }
}
