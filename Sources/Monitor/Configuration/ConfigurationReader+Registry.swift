import Actions
import Registry
import StrictYAML
import Values

extension ConfigurationReader {
    /// `registry`: who hears of champions, and what is expected of the fleet.
    mutating func readRegistry(_ value: YAMLValue?) -> Configuration.RegistrySettings {
        var settings = Configuration.RegistrySettings()
        guard let value, !value.isNull,
            let map = value.mapping(allowed: ["mlflow", "topic", "fleet", "webhooks", "client_webhooks"], &problems)
        else {
            return settings
        }
        settings.topic = map["topic"]?.nonEmptyString(&problems)
        if let fleet = map["fleet"]?.mapping(allowed: ["share", "within"], &problems) {
            settings.fleetShare = fleet["share"]?.double(in: 0...1, &problems) ?? settings.fleetShare
            settings.fleetWithin =
                fleet["within"]?.duration(in: Span.seconds(1)...Span.days(1), &problems) ?? settings.fleetWithin
        }
        if let mlflow = map["mlflow"] { settings.mlflow = readMLflow(mlflow) }
        if let clients = map["client_webhooks"]?.mapping(allowed: ["allow_http", "allow_private", "key"], &problems) {
            settings.webhookKey = clients["key"]?.nonEmptyString(&problems)
            if let key = clients["key"], let text = settings.webhookKey, !SecretSeal.isKey(text) {
                problems.add(
                    "expected 32 random bytes in URL-safe base64 (44 characters), as `Fernet.generate_key()` prints them",
                    at: key.place)
            }
            settings.clientWebhooks.allowHTTP = clients["allow_http"]?.bool(&problems) ?? false
            settings.clientWebhooks.allowPrivate = clients["allow_private"]?.bool(&problems) ?? false
        }
        for item in map["webhooks"]?.list(&problems) ?? [] {
            guard let webhook = readWebhook(item, form: .mlflow, more: ["name"]),
                case .mapping(let entries) = item.content,
                let name = entries.first(where: { $0.key == "name" })?.value.nonEmptyString(&problems)
            else {
                problems.add(
                    "a webhook of the registry needs a `name`, which its place in the feed is kept under",
                    at: item.place)
                continue
            }
            let receiver = Receiver(name: name, kind: .webhook(webhook))
            for problem in receiver.problems { problems.add("\(problem)", at: item.place) }
            if settings.webhooks.contains(where: { $0.name == name }) {
                problems.add("webhook `\(name)` stands twice", at: item.place)
            }
            settings.webhooks.append(receiver)
        }
        return settings
    }

    /// `mlflow: URL`, or `{url, username, password}` or `{url, token}`.
    private mutating func readMLflow(_ value: YAMLValue) -> Configuration.MLflow? {
        var url = value
        var user: String?
        var password: String?
        var token: String?
        if case .mapping = value.content {
            guard let map = value.mapping(allowed: ["url", "username", "password", "token"], &problems),
                let named = map.required("url", &problems)
            else { return nil }
            url = named
            user = map["username"]?.nonEmptyString(&problems)
            password = map["password"]?.nonEmptyString(&problems)
            token = map["token"]?.nonEmptyString(&problems)
            if (user == nil) != (password == nil) {
                problems.add("`username` and `password` go together: give both or neither", at: value.place)
            }
            if token != nil, user != nil {
                problems.add("give a `token`, or a `username` and a `password`, not both", at: value.place)
            }
        }
        guard var text = url.nonEmptyString(&problems) else { return nil }
        while text.hasSuffix("/") { text.removeLast() }
        guard text.hasPrefix("http://") || text.hasPrefix("https://"), !text.contains("@"), !text.contains("?"),
            text.split(separator: "/", omittingEmptySubsequences: true).count >= 2
        else {
            problems.add(
                "expected the URL of an MLflow server, such as `http://mlflow:5000`, without credentials in it",
                at: url.place)
            return nil
        }
        return Configuration.MLflow(url: text, username: user, password: password, token: token)
    }

    /// A model's `promotion`: what a version must show before it may be champion.
    mutating func readPromotion(_ value: YAMLValue?) -> PromotionPolicy {
        var policy = PromotionPolicy()
        guard let value, let map = value.mapping(allowed: ["require", "better_than_champion", "approvals"], &problems)
        else { return policy }
        for item in map["require"]?.list(&problems) ?? [] {
            guard let entry = item.mapping(allowed: ["metric", "dataset", "min", "max"], &problems),
                let metric = entry.required("metric", &problems)?.nonEmptyString(&problems)
            else { continue }
            let limits = -Double.greatestFiniteMagnitude...Double.greatestFiniteMagnitude
            let requirement = PromotionPolicy.Requirement(
                metric: metric, dataset: entry["dataset"]?.nonEmptyString(&problems) ?? "",
                minimum: entry["min"]?.double(in: limits, &problems),
                maximum: entry["max"]?.double(in: limits, &problems))
            if requirement.minimum == nil, requirement.maximum == nil {
                problems.add("a requirement needs `min`, `max` or both", at: item.place)
            }
            policy.requirements.append(requirement)
        }
        policy.approvals = map["approvals"]?.int(in: 0...100, &problems) ?? 0
        policy.comparison = map["better_than_champion"].flatMap { readComparison($0) }
        return policy
    }

    private mutating func readComparison(_ value: YAMLValue) -> PromotionPolicy.Comparison? {
        let keys = ["metric", "dataset", "by", "confidence", "lower_is_better"]
        guard let map = value.mapping(allowed: keys, &problems),
            let metric = map.required("metric", &problems)?.nonEmptyString(&problems)
        else { return nil }
        return PromotionPolicy.Comparison(
            metric: metric, dataset: map["dataset"]?.nonEmptyString(&problems) ?? "",
            margin: map["by"]?.double(in: 0...Double.greatestFiniteMagnitude, &problems) ?? 0,
            confidence: map["confidence"]?.double(in: 0.5...0.999_999, &problems) ?? 0.95,
            lowerIsBetter: map["lower_is_better"]?.bool(&problems) ?? Self.losses.contains(metric))
    }

    /// Metrics of which less is better, where the configuration does not say.
    private static let losses: Set = [
        "log_loss", "brier", "ece", "mae", "rmse", "mse", "mape", "calibration_psi", "latency_p50", "latency_p95",
        "latency_p99", "error_rate",
    ]
}
