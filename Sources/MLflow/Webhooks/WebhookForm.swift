import Events
import Registry
import Values

/// Webhooks as MLflow's clients write and read them.
enum WebhookForm {
    static func missing(_ id: String) -> MLflowError { .missing("Webhook with ID \(id) not found.") }

    /// The actions of each entity that there are news of.
    private static let actions: [String: Set<String>] = [
        "registered_model": ["created"], "model_version": ["created"], "model_version_tag": ["set", "deleted"],
        "model_version_alias": ["created", "deleted"], "prompt": ["created"], "prompt_version": ["created"],
        "prompt_tag": ["set", "deleted"], "prompt_version_tag": ["set", "deleted"],
        "prompt_alias": ["created", "deleted"],
    ]

    /// `entity.action`, from `{"entity": "MODEL_VERSION", "action": "CREATED"}`.
    static func event(_ fields: Fields) throws(MLflowError) -> String {
        let entity = try fields.required("entity").lowercased()
        let action = try fields.required("action").lowercased()
        guard let known = actions[entity] else {
            throw .invalid(
                "Webhook entity '\(entity)' is not known here: use one of \(actions.keys.sorted().joined(separator: ", "))"
            )
        }
        guard known.contains(action) else {
            throw .invalid(
                "Invalid action '\(action)' for entity '\(entity)'. Valid actions are: "
                    + known.sorted().joined(separator: ", "))
        }
        return "\(entity).\(action)"
    }

    /// Without doubles, in the order given; `nil` where the request has none.
    static func events(_ fields: Fields) throws(MLflowError) -> [String]? {
        var events: [String] = []
        for item in try fields.objects("events") {
            let event = try event(item)
            if !events.contains(event) { events.append(event) }
        }
        return events.isEmpty ? nil : events
    }

    static func isActive(_ fields: Fields) throws(MLflowError) -> Bool? {
        switch try fields.text("status") {
        case nil, "": nil
        case "ACTIVE": true
        case "DISABLED": false
        case .some(let other): throw .invalid("Webhook status '\(other)' is not known: use ACTIVE or DISABLED")
        }
    }

    static func secret(_ fields: Fields) throws(MLflowError) -> String? {
        guard let secret = try fields.text("secret"), !secret.isEmpty else { return nil }
        try Check.length(secret, 1_000, "secret")
        return secret
    }

    static func name(_ name: String) throws(MLflowError) -> String {
        func isAlphanumeric(_ byte: UInt8) -> Bool { (byte | 0x20) &- 0x61 < 26 || byte &- 0x30 < 10 }
        let bytes = Array(name.utf8)
        guard (1...63).contains(bytes.count), bytes.allSatisfy({ isAlphanumeric($0) || "._-".utf8.contains($0) }),
            isAlphanumeric(bytes[0]), isAlphanumeric(bytes[bytes.count - 1])
        else {
            throw .invalid(
                "Webhook name '\(name)' is invalid. It must start and end with a letter or digit, be at most 63 characters "
                    + "long, and contain only letters, digits, dots (.), underscores (_), and hyphens (-).")
        }
        return name
    }

    static func check(_ webhook: StoredWebhook, _ gate: WebhookGate) throws(MLflowError) {
        guard !webhook.events.isEmpty else { throw Fields.absent("events") }
        try Check.length(webhook.about, 1_000, "description")
        guard webhook.url.unicodeScalars.contains(where: { !$0.properties.isWhitespace }) else {
            throw .invalid("Webhook URL cannot be empty or just whitespace: '\(webhook.url)'")
        }
        try Check.length(webhook.url, 2_048, "url")
        if let problem = gate.problem(webhook) { throw .invalid(problem) }
    }

    /// Never with its secret.
    static func view(_ webhook: StoredWebhook) -> JSON {
        .members(
            ("webhook_id", .string(webhook.id)), ("name", .string(webhook.name)),
            ("description", webhook.about.isEmpty ? nil : .string(webhook.about)), ("url", .string(webhook.url)),
            (
                "events",
                .array(
                    webhook.events.map { event in
                        let parts = event.uppercased().split(separator: ".").map(String.init)
                        return .members(
                            ("entity", parts.first.map { .string($0) }), ("action", parts.last.map { .string($0) }))
                    })
            ), ("status", webhook.isActive ? "ACTIVE" : "DISABLED"),
            ("creation_timestamp", .integer(webhook.createdAt.microseconds / 1_000)),
            ("last_updated_timestamp", .integer(webhook.updatedAt.microseconds / 1_000)))
    }

    static func view(_ result: WebhookTest) -> JSON {
        switch result {
        case .status(let status):
            .members(("success", .bool((200..<300).contains(status))), ("response_status", .integer(Int64(status))))
        case .failed(let why): .members(("success", false), ("error_message", .string(why)))
        }
    }

    /// What a test sends: the form of the real thing with made-up names.
    static func example(_ event: String, at: Timestamp) -> JSON {
        let parts = event.split(separator: ".").map(String.init)
        let (entity, action) = (parts.first ?? "", parts.last ?? "")
        return .members(
            ("entity", .string(entity)), ("action", .string(action)), ("timestamp", .time(at)),
            (
                "data",
                .members(
                    ("name", entity.hasPrefix("prompt") ? "example_prompt" : "example_model"),
                    ("version", entity == "prompt" || entity == "registered_model" ? nil : "1"),
                    ("alias", entity.hasSuffix("_alias") ? "example_alias" : nil),
                    ("key", entity.hasSuffix("_tag") ? "example_key" : nil),
                    ("value", entity.hasSuffix("_tag") && action == "set" ? "example_value" : nil))
            ))
    }
}
